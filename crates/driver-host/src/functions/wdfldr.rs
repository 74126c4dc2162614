//! `WDFLDR.SYS`.

table! {
    { use crate::native::wdf::bind; }
    gated {
        "WdfVersionBind" => bind::bind,
        "WdfVersionUnbind" => bind::unbind,
    }
    direct {
    }
}

//! A field that dereferences to what is wanted is not read as that.

use nmr::{Versioned, View, field};

#[repr(C)]
struct Header {
    size: u32,
}

#[repr(C)]
struct Limits {
    header: Header,
    flag: &'static bool,
}

unsafe impl Versioned for Limits {
    type Base = Header;

    fn size(base: &Header) -> usize {
        base.size as usize
    }
}

fn flag(view: View<'_, Limits>) -> Option<bool> {
    field!(view, Limits, flag)
}

fn main() {}

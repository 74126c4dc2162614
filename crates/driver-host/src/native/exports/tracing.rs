//! Functions that WPP tracing calls: the recorder and the old interfaces of ETW. They accept everything and trace
//! nothing.

use crate::native::kernel::nt::{NtStatus, STATUS_SUCCESS};

pub(crate) extern "win64" fn accept() -> NtStatus {
    STATUS_SUCCESS
}

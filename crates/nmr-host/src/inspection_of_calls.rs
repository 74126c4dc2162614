//! How a C program has the calls of an interface watched: `nmr_host_wrap` of `nmr_host.h`, which
//! documents it. Rust programs use [`Registrar::wrap`].
// UNSAFETY: an exported function, and the structure of its caller.
#![expect(unsafe_code)]

use nmr_sys::NPIID;

use crate::interface::{Interface, Table};
use crate::registrar::Registrar;
use crate::wrapped::Wrapping;

/// `struct nmr_host_table`.
#[repr(C)]
struct CTable {
    size: usize,
    functions: usize,
}

impl CTable {
    fn table(&self) -> Option<Table> {
        (self.size != 0 || self.functions != 0).then_some(Table {
            size: self.size,
            functions: self.functions,
        })
    }
}

/// `struct nmr_host_interface`.
#[repr(C)]
struct CInterface {
    npi: *const NPIID,
    client: CTable,
    provider: CTable,
}

/// Watches the calls of an interface.
///
/// # Safety
///
/// * `interface` is valid, and its `npi` points to an identifier.
#[unsafe(no_mangle)]
unsafe extern "C" fn nmr_host_wrap(interface: *const CInterface, closing_calls: bool) -> bool {
    // SAFETY: the caller vouches for it.
    let interface = unsafe { &*interface };
    let interface = Interface {
        // SAFETY: as above.
        npi: unsafe { interface.npi.read_unaligned() },
        client: interface.client.table(),
        provider: interface.provider.table(),
    };
    let wrapping = Wrapping {
        closing_calls,
        ..Wrapping::default()
    };
    let answer = Registrar::global().wrap(interface, wrapping);
    if let Err(reason) = answer {
        eprintln!("nmr-host: {reason}");
    }
    answer.is_ok()
}

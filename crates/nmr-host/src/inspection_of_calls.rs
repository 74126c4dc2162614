//! `nmr_host_wrap` of `nmr_host.h`, which documents it: a C program has the calls of an interface
//! watched. Rust programs use [`Registrar::wrap`].
// UNSAFETY: an exported function, and the structure of its caller.
#![expect(unsafe_code)]

use nmr_machine::{Interface, Table};
use nmr_sys::NPIID;

use crate::layout::InterfaceLayout;
use crate::registrar::Registrar;
use crate::stderr;
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
/// * `interface` is null or valid for a read, and its `npi` is null or points to an identifier.
#[unsafe(no_mangle)]
unsafe extern "C" fn nmr_host_wrap(interface: *const CInterface, closing_calls: bool) -> bool {
    if interface.is_null() {
        stderr::line(format_args!("nmr_host_wrap: the interface is NULL"));
        return false;
    }
    // SAFETY: `interface` is not null, so it is valid for a read, as this function requires.
    let interface = unsafe { interface.read_unaligned() };
    if interface.npi.is_null() {
        stderr::line(format_args!(
            "nmr_host_wrap: the interface has no identifier"
        ));
        return false;
    }
    let interface = Interface {
        // SAFETY: `npi` is not null, so it points to an identifier, as this function requires.
        npi: unsafe { interface.npi.read_unaligned() },
        client: interface.client.table(),
        provider: interface.provider.table(),
    };
    watch(interface, closing_calls)
}

/// Watches the calls of an interface. Returns whether that works, and prints the reason if not.
pub(crate) fn watch(interface: impl Into<InterfaceLayout>, closing_calls: bool) -> bool {
    let wrapping = Wrapping {
        closing_calls,
        ..Wrapping::default()
    };
    let answer = Registrar::global().wrap(interface, wrapping);
    if let Err(reason) = answer {
        stderr::line(format_args!("{reason}"));
    }
    answer.is_ok()
}

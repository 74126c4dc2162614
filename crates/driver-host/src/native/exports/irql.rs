//! IRQL: `KeGetCurrentIrql`, `KfRaiseIrql`, `KeRaiseIrql`, `KeLowerIrql`.
// UNSAFETY: `KeRaiseIrql` has an output.
#![expect(unsafe_code)]

use nmr_host::irql::{self, Irql};

use crate::native::kernel::irql as levels;

pub(crate) extern "win64" fn current() -> u8 {
    irql::current().0
}

pub(crate) extern "win64" fn raise(level: u8) -> u8 {
    levels::raise(Irql(level)).0
}

pub(crate) unsafe extern "win64" fn raise_into(level: u8, before: *mut u8) {
    // SAFETY: the output is valid; the driver guarantees it.
    unsafe { before.write(raise(level)) };
}

pub(crate) extern "win64" fn raise_to_dispatch() -> u8 {
    levels::raise(irql::DISPATCH_LEVEL).0
}

pub(crate) extern "win64" fn lower(level: u8) {
    levels::lower(Irql(level));
}

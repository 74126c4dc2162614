//! The IRQL, which is the registrar's simulated one.
// UNSAFETY: exported functions, and those of the registrar that only C has.
#![expect(unsafe_code)]

use registrar::irql;

unsafe extern "C" {
    safe fn nmr_host_set_irql(level: u8);
}

pub(super) const APC_LEVEL: u8 = irql::APC_LEVEL.0;
pub(super) const DISPATCH_LEVEL: u8 = irql::DISPATCH_LEVEL.0;

/// Sets the level, and returns the old one.
pub(super) fn set(level: u8) -> u8 {
    let old = irql::current().0;
    nmr_host_set_irql(level);
    old
}

#[unsafe(export_name = "nmr_kernel_KeGetCurrentIrql")]
extern "efiapi" fn current() -> u8 {
    irql::current().0
}

#[unsafe(export_name = "nmr_kernel_KfRaiseIrql")]
extern "efiapi" fn raise(level: u8) -> u8 {
    set(level)
}

#[unsafe(export_name = "nmr_kernel_KeLowerIrql")]
extern "efiapi" fn lower(level: u8) {
    set(level);
}

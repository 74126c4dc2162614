//! `NTSTATUS` and the codes that the NMR and its modules exchange (contract section 1.4).

/// A Windows status. Negative values are errors; zero and positive values are successes, among
/// them [`STATUS_PENDING`].
pub type NTSTATUS = i32;

/// Done: registered, attached, detached, or closed.
pub const STATUS_SUCCESS: NTSTATUS = 0x0000_0000;
/// Started and not finished: what deregistration always answers, and a detach callback with
/// calls in progress. A success-class code: [`NT_SUCCESS`] is true for it.
pub const STATUS_PENDING: NTSTATUS = 0x0000_0103;
/// The module declines the offer.
pub const STATUS_NOINTERFACE: NTSTATUS = 0xC000_02B9_u32.cast_signed();
/// The NMR rejects an argument or a handle; drivers also decline with it.
pub const STATUS_INVALID_PARAMETER: NTSTATUS = 0xC000_000D_u32.cast_signed();
/// Out of memory, in registration or in an attach callback.
pub const STATUS_INSUFFICIENT_RESOURCES: NTSTATUS = 0xC000_009A_u32.cast_signed();
/// Out of memory, in other registrars. The NMR documents
/// [`STATUS_INSUFFICIENT_RESOURCES`] instead.
pub const STATUS_NO_MEMORY: NTSTATUS = 0xC000_0017_u32.cast_signed();
/// A second attach of one binding.
pub const STATUS_INVALID_DEVICE_STATE: NTSTATUS = 0xC000_0184_u32.cast_signed();
/// A module declines for now.
pub const STATUS_DEVICE_NOT_READY: NTSTATUS = 0xC000_00A3_u32.cast_signed();
/// A module declines an offer that it does not understand.
pub const STATUS_NOT_SUPPORTED: NTSTATUS = 0xC000_00BB_u32.cast_signed();
/// A module declines an offer by its policy.
pub const STATUS_ACCESS_DENIED: NTSTATUS = 0xC000_0022_u32.cast_signed();

/// Returns `true` if a status is of the success class. True for [`STATUS_PENDING`], so it must not be used
/// to ask whether an attach succeeded or a deregistration is complete.
#[must_use]
pub const fn NT_SUCCESS(status: NTSTATUS) -> bool {
    status >= 0
}

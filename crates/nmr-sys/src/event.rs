//! [`Event`]: what threads wait for. The one thing here that is not of the NMR.

use core::time::Duration;

use crate::status::NTSTATUS;

/// An event of the system: once it is set it stays set, and releases every thread that waits for it,
/// until it is reset.
///
/// It is all that the safe layer needs of the system below, other than the NMR. In a driver the crate
/// `nmr-driver` has it: a `KEVENT` of the type `NotificationEvent`. The embedded registrar `nmr-host`
/// has one for programs.
///
/// The three operations on an event have one order, like sections under one lock: what a thread did
/// before it set the event is seen by threads that reset it, or have waited for it, after that.
///
/// Source: `KeInitializeEvent`, `KeSetEvent`, `KeResetEvent`, `KeWaitForSingleObject`.
pub trait Event: Send + Sync + Sized + 'static {
    /// A point in time, on a clock that is never set.
    type Deadline: Copy;

    /// An event that is not set. `PASSIVE_LEVEL`.
    ///
    /// Fails with the status of a failure, `STATUS_INSUFFICIENT_RESOURCES` above all.
    fn new() -> Result<Self, NTSTATUS>;

    /// Sets it. At most `DISPATCH_LEVEL`; does not wait.
    fn set(&self);

    /// Resets it. At most `DISPATCH_LEVEL`; does not wait.
    fn reset(&self);

    /// The point in time that is so far away: the latest there is, if it is too far.
    fn deadline(limit: Duration) -> Self::Deadline;

    /// Waits until the event is set, or until a point in time if there is one. False if the time has
    /// come and the event is not set. At most `APC_LEVEL`.
    fn wait(&self, deadline: Option<Self::Deadline>) -> bool;
}

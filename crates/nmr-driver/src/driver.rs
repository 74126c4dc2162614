//! [`Driver`]: what an image loads and unloads.

use nmr::Result;

/// A driver: the value that lives from `DriverEntry` to `EvtDriverUnload`.
///
/// Its fields are the registrations of its modules and all else that has to end before the image is
/// gone. They are dropped in their order, at `PASSIVE_LEVEL`, when no request is in progress any more.
///
/// A registration that the value does not own, because it was forgotten or is in a static, would leave the
/// NMR with pointers into an image that is gone. The glue then stops the system with the bug check
/// `DRIVER_UNLOADED_WITHOUT_CANCELLING_PENDING_OPERATIONS` (0xCE), whose first parameter is the number of
/// registrations.
pub trait Driver: Sized + Send + Sync + 'static {
    /// Makes the driver, in `DriverEntry`. `PASSIVE_LEVEL`.
    ///
    /// On failure the load fails with this status. What was made until then is dropped by the function
    /// itself, and no other function of the driver is called.
    fn load() -> Result<Self>;

    /// The provider of the driver's events, which is registered with ETW before [`load`](Self::load) and
    /// unregistered after the value was dropped. If ETW refuses it, it writes nothing, and the driver
    /// works without.
    #[cfg(feature = "tracelogging")]
    #[must_use]
    fn events() -> Option<&'static tracelogging::Provider> {
        None
    }
}

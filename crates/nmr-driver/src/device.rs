//! [`Device`]: what programs open and send requests to.

use nmr::{Guid, Result};

use crate::driver::Driver;
use crate::request::Request;

/// A driver whose devices answer control requests. `driver!(Name: Device)` makes them.
///
/// Windows makes a device for each that is installed, one as a rule. Programs find it by its interface.
pub trait Device: Driver {
    /// The device interface class, by which programs find the device. It is enabled when the device starts.
    const INTERFACE: Guid;

    /// Answers a request with [`Request::reply`], or with no bytes if it returns `Ok` without that.
    ///
    /// Called on several threads at once, at `PASSIVE_LEVEL`, so that it may wait, and not before
    /// [`load`](Driver::load) has returned. No request is in progress any more when the driver is dropped.
    ///
    /// The status of an error completes the request without bytes.
    fn control(&self, request: Request<'_>) -> Result;
}

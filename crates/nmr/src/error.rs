//! [`Error`]: an `NTSTATUS` that says that something failed.

use core::fmt;
use core::num::NonZeroI32;

use nmr_sys::{
    NT_SUCCESS, NTSTATUS, STATUS_ACCESS_DENIED, STATUS_DEVICE_NOT_READY,
    STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_PARAMETER, STATUS_NOINTERFACE,
    STATUS_NOT_SUPPORTED,
};

/// An `NTSTATUS` that denotes a failure.
///
/// A module returns one from [`Module::attach`](crate::Module::attach) to decline an offer. Any
/// value will do: the NMR only looks whether the offer was accepted. [`Error::NO_INTERFACE`] is the
/// documented one.
///
/// # Invariants
///
/// The value is negative, so that [`status`](Self::status) never reads as a success.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Error(NonZeroI32);

/// A result whose error is an [`Error`].
pub type Result<T = (), E = Error> = core::result::Result<T, E>;

impl Error {
    /// `STATUS_NOINTERFACE`: the module declines the offer.
    pub const NO_INTERFACE: Self = Self::known(STATUS_NOINTERFACE);
    /// `STATUS_INSUFFICIENT_RESOURCES`: out of memory.
    pub const INSUFFICIENT_RESOURCES: Self = Self::known(STATUS_INSUFFICIENT_RESOURCES);
    /// `STATUS_INVALID_PARAMETER`.
    pub const INVALID_PARAMETER: Self = Self::known(STATUS_INVALID_PARAMETER);
    /// `STATUS_NOT_SUPPORTED`: for an offer of a version that the module does not speak.
    pub const NOT_SUPPORTED: Self = Self::known(STATUS_NOT_SUPPORTED);
    /// `STATUS_DEVICE_NOT_READY`: the peer is not attached, or no provider has come in time. Also for an offer
    /// that comes at a bad time, which the NMR does not repeat.
    pub const DEVICE_NOT_READY: Self = Self::known(STATUS_DEVICE_NOT_READY);
    /// `STATUS_ACCESS_DENIED`: for an offer of a module that may not attach.
    pub const ACCESS_DENIED: Self = Self::known(STATUS_ACCESS_DENIED);
    /// `STATUS_INVALID_DEVICE_REQUEST`: for a control request that the driver does not have.
    pub const INVALID_DEVICE_REQUEST: Self = Self::known(0xC000_0010_u32.cast_signed());
    /// `STATUS_BUFFER_TOO_SMALL`: for a control request without space for its reply.
    pub const BUFFER_TOO_SMALL: Self = Self::known(0xC000_0023_u32.cast_signed());

    /// The error with this status. `None` if the status is of the success class, as
    /// `STATUS_PENDING` is.
    #[must_use]
    pub const fn from_status(status: NTSTATUS) -> Option<Self> {
        if NT_SUCCESS(status) {
            return None;
        }
        // INVARIANT: `NT_SUCCESS` is true for all but negative values.
        match NonZeroI32::new(status) {
            Some(status) => Some(Self(status)),
            None => None,
        }
    }

    /// `Err` if the status denotes a failure.
    pub const fn check(status: NTSTATUS) -> Result {
        match Self::from_status(status) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// The status, which is negative.
    #[must_use]
    pub const fn status(self) -> NTSTATUS {
        self.0.get()
    }

    const fn known(status: NTSTATUS) -> Self {
        match Self::from_status(status) {
            Some(error) => error,
            None => panic!("this status does not denote a failure"),
        }
    }
}

impl From<Error> for NTSTATUS {
    fn from(error: Error) -> Self {
        error.status()
    }
}

/// The status in hexadecimal, the way the manuals write it.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NTSTATUS {:#010x}", self.status())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({:#010x})", self.status())
    }
}

impl core::error::Error for Error {}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::format;

    use nmr_sys::{STATUS_PENDING, STATUS_SUCCESS};

    use super::Error;

    #[test]
    fn a_success_is_not_an_error() {
        assert_eq!(Error::from_status(STATUS_SUCCESS), None);
        assert_eq!(Error::from_status(STATUS_PENDING), None);
        assert_eq!(Error::from_status(i32::MAX), None);
        assert_eq!(Error::check(STATUS_PENDING), Ok(()));
    }

    #[test]
    fn every_negative_status_is_an_error() {
        for status in [i32::MIN, -1, Error::NO_INTERFACE.status()] {
            assert_eq!(Error::from_status(status).map(Error::status), Some(status));
        }
    }

    #[test]
    fn a_result_is_as_small_as_a_status() {
        assert_eq!(size_of::<crate::Result>(), size_of::<i32>());
    }

    #[test]
    fn it_reads_like_the_manual() {
        assert_eq!(format!("{}", Error::NO_INTERFACE), "NTSTATUS 0xc00002b9");
        assert_eq!(format!("{:?}", Error::NO_INTERFACE), "Error(0xc00002b9)");
    }
}

//! The user's side of a device: what a program does with it, on threads of the host.

use std::fmt;
use std::sync::Arc;

use nmr_sys::GUID;

use super::image;
use crate::native::kernel::loaded::Loaded;
use crate::native::kernel::nt::NtStatus;
use crate::native::kernel::report::Stopped;
use crate::native::kernel::system::System;
use crate::native::wdf::file::{self, Removed};
use crate::native::wdf::interface::{self, Enabled};

/// A device interface that is enabled, as a program finds it.
#[derive(Clone, Debug)]
pub struct Interface {
    loaded: Arc<Loaded>,
    device: usize,
    reference: Option<String>,
}

/// A device that a program has open. Its requests can be sent from several threads at once. Dropping
/// it closes it.
#[derive(Debug)]
pub struct Handle {
    loaded: Arc<Loaded>,
    device: usize,
    file: usize,
}

/// Why a program got no answer from a driver.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RequestError {
    /// The driver or the framework refused to open the device.
    Refused(NtStatus),
    /// The device is removed, or being removed.
    Removed,
    /// The host is stopped.
    Stopped(Stopped),
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(status) => write!(f, "the device does not open: {status:#010x}"),
            Self::Removed => f.write_str("the device is removed"),
            Self::Stopped(stopped) => stopped.fmt(f),
        }
    }
}

impl std::error::Error for RequestError {}

impl From<Removed> for RequestError {
    fn from(_: Removed) -> Self {
        Self::Removed
    }
}

/// The interfaces of a class that an image's devices have enabled.
pub(super) fn interfaces(loaded: &Arc<Loaded>, class: GUID) -> Vec<Interface> {
    found(loaded, interface::enabled(loaded, class))
}

/// The devices of an image, whatever their interfaces are.
pub(super) fn devices(loaded: &Arc<Loaded>) -> Vec<Interface> {
    found(loaded, interface::started(loaded))
}

/// The device that has a name, if it is started.
pub(super) fn named(system: &System, name: &str) -> Option<Interface> {
    let (loaded, device) = system.namespace.find(name)?;
    interface::is_started(&loaded, device).then_some(Interface {
        loaded,
        device,
        reference: None,
    })
}

fn found(loaded: &Arc<Loaded>, enabled: Vec<Enabled>) -> Vec<Interface> {
    let interface = |Enabled { device, reference }| Interface {
        loaded: Arc::clone(loaded),
        device,
        reference,
    };
    enabled.into_iter().map(interface).collect()
}

impl Interface {
    /// The reference string that the driver gave it, if it gave one.
    #[must_use]
    pub fn reference(&self) -> Option<&str> {
        self.reference.as_deref()
    }

    /// Opens the device, for reading and writing.
    pub fn open(&self) -> Result<Handle, RequestError> {
        let device = self.device;
        let opened = image::run(&self.loaded, "opening the device", move |image| {
            file::open(image, device)
        });
        let file = opened.map_err(RequestError::Stopped)??;
        Ok(Handle {
            loaded: Arc::clone(&self.loaded),
            device,
            file: file.map_err(RequestError::Refused)?,
        })
    }
}

impl Handle {
    /// Sends a device control request and waits for its end, like `DeviceIoControl`. The answer is
    /// the status, and as many bytes of output as the driver said, but not more than asked for. With
    /// an error there is no output.
    ///
    /// A driver that takes longer than the host's patience is reported as hanging.
    pub fn control(
        &self,
        code: u32,
        input: &[u8],
        output: usize,
    ) -> Result<(NtStatus, Vec<u8>), RequestError> {
        let (device, file, input) = (self.device, self.file, input.to_vec());
        let answer = image::run(&self.loaded, "a device control request", move |image| {
            file::control(image, device, file, code, &input, output)
        });
        Ok(answer.map_err(RequestError::Stopped)??)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let (device, file) = (self.device, self.file);
        // A host that is stopped closes nothing.
        let _stopped = image::run(&self.loaded, "closing the device", move |image| {
            file::close(image, device, file);
        });
    }
}

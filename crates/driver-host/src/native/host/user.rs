//! The user's side of a device: what a program does with it, on threads of the host.

use std::fmt;
use std::sync::Arc;

use nmr_sys::GUID;

use super::image;
use crate::native::io;
use crate::native::kernel::buffer::FRESH_BYTE;
use crate::native::kernel::irp::Ended;
use crate::native::kernel::loaded::Loaded;
use crate::native::kernel::namespace::DeviceId;
use crate::native::kernel::nt::NtStatus;
use crate::native::kernel::report::Stopped;
use crate::native::kernel::system::System;
use crate::native::wdf::file;
use crate::native::wdf::interface::{self, Enabled};

/// A device interface that is enabled, as a program finds it.
#[derive(Clone, Debug)]
pub struct Interface {
    loaded: Arc<Loaded>,
    device: DeviceId,
    reference: Option<String>,
}

/// A device that a program has open. Its requests can be sent from several threads at once. Dropping
/// it closes it.
#[derive(Debug)]
pub struct Handle {
    loaded: Arc<Loaded>,
    device: DeviceId,
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

/// The interfaces of a class that an image's devices have enabled.
pub(super) fn interfaces(loaded: &Arc<Loaded>, class: GUID) -> Vec<Interface> {
    found(loaded, interface::enabled(loaded, class))
}

/// The devices of an image that can be opened, whatever their interfaces are.
pub(super) fn devices(loaded: &Arc<Loaded>) -> Vec<Interface> {
    let mut devices = found(loaded, interface::started(loaded));
    let own = loaded.devices.all().into_iter();
    let own = own.filter(|device| device.is_open());
    devices.extend(own.map(|device| Interface {
        loaded: Arc::clone(loaded),
        device: DeviceId::Own(device.number),
        reference: None,
    }));
    devices
}

/// The device that has a name, if it can be opened.
pub(super) fn named(system: &System, name: &str) -> Option<Interface> {
    let (loaded, device) = system.namespace.find(name)?;
    let opens = match device {
        DeviceId::Framework(device) => interface::is_started(&loaded, device),
        DeviceId::Own(number) => {
            let device = loaded.devices.of(number);
            device.is_some_and(|device| device.is_open())
        }
    };
    opens.then_some(Interface {
        loaded,
        device,
        reference: None,
    })
}

fn found(loaded: &Arc<Loaded>, enabled: Vec<Enabled>) -> Vec<Interface> {
    let interface = |Enabled { device, reference }| Interface {
        loaded: Arc::clone(loaded),
        device: DeviceId::Framework(device),
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
        let opened = image::run(
            &self.loaded,
            "opening the device",
            move |image| match device {
                DeviceId::Framework(device) => file::open(image, device).ok(),
                DeviceId::Own(number) => io::open(image, number),
            },
        );
        let file = opened.map_err(RequestError::Stopped)?;
        let file = file.ok_or(RequestError::Removed)?;
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
        let Ended {
            status,
            information,
            mut output,
        } = self.send(code, input, vec![FRESH_BYTE; output])?;
        output.truncate(information);
        Ok((status, output))
    }

    /// The same with a buffer that the driver may read as well, if the method of the code lets it:
    /// `METHOD_IN_DIRECT`, `METHOD_OUT_DIRECT` and `METHOD_NEITHER`. Returns the status, and how many bytes the
    /// driver says that it has written; what it has written is in the buffer.
    pub fn control_in_place(
        &self,
        code: u32,
        input: &[u8],
        buffer: &mut [u8],
    ) -> Result<(NtStatus, usize), RequestError> {
        let ended = self.send(code, input, buffer.to_vec())?;
        let written = ended.output.len().min(buffer.len());
        buffer[..written].copy_from_slice(&ended.output[..written]);
        Ok((ended.status, ended.information))
    }

    fn send(&self, code: u32, input: &[u8], output: Vec<u8>) -> Result<Ended, RequestError> {
        let (file, input) = (self.file, input.to_vec());
        let what = "a device control request";
        self.run(what, move |image, device| match device {
            DeviceId::Framework(device) => {
                file::control(image, device, file, code, &input, &output)
            }
            DeviceId::Own(number) => io::control(image, number, file, code, &input, &output),
        })
    }

    /// Reads from an offset on, like `ReadFile`: returns the status, and the bytes that the driver says that it has
    /// read.
    pub fn read(&self, offset: u64, length: usize) -> Result<(NtStatus, Vec<u8>), RequestError> {
        let file = self.file;
        let what = "a request to read";
        let ended = self.run(what, move |image, device| match device {
            DeviceId::Framework(device) => file::read(image, device, file, offset, length),
            DeviceId::Own(number) => io::read(image, number, file, offset, length),
        })?;
        let mut bytes = ended.output;
        bytes.truncate(ended.information);
        Ok((ended.status, bytes))
    }

    /// Writes from an offset on, like `WriteFile`: returns the status, and how many bytes the driver says that it
    /// has written.
    pub fn write(&self, offset: u64, bytes: &[u8]) -> Result<(NtStatus, usize), RequestError> {
        let (file, bytes) = (self.file, bytes.to_vec());
        let what = "a request to write";
        let ended = self.run(what, move |image, device| match device {
            DeviceId::Framework(device) => file::write(image, device, file, offset, &bytes),
            DeviceId::Own(number) => io::write(image, number, file, offset, &bytes),
        })?;
        Ok((ended.status, ended.information))
    }

    fn run(
        &self,
        what: &'static str,
        send: impl FnOnce(&Arc<Loaded>, DeviceId) -> Option<Ended> + Send + 'static,
    ) -> Result<Ended, RequestError> {
        let device = self.device;
        let answer = image::run(&self.loaded, what, move |image| send(image, device));
        let answer = answer.map_err(RequestError::Stopped)?;
        answer.ok_or(RequestError::Removed)
    }

    /// Cancels the requests of this handle that wait for their drivers, like `CancelIoEx`. Returns how many were
    /// not canceled before.
    pub fn cancel(&self) -> Result<usize, RequestError> {
        let (device, file) = (self.device, self.file);
        let canceled = image::run(
            &self.loaded,
            "canceling requests",
            move |image| match device {
                DeviceId::Framework(_) => file::cancel(image, file),
                DeviceId::Own(_) => io::cancel(image, file),
            },
        );
        canceled.map_err(RequestError::Stopped)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let (device, file) = (self.device, self.file);
        // A host that is stopped closes nothing.
        let _stopped = image::run(
            &self.loaded,
            "closing the device",
            move |image| match device {
                DeviceId::Framework(device) => file::close(image, device, file),
                DeviceId::Own(number) => io::close(image, number, file),
            },
        );
    }
}

//! The driver as an image in this process.

use std::path::{Path, PathBuf};

use driver_host::{Handle, Host, Image, LoadOptions, RequestError, printable};
use exnpi_control::INTERFACE;
use nmr_host::Policy;
use nmr_sys::GUID;

use crate::request::{Device, Failure};

/// Loaded images, and the first one's device.
#[derive(Debug)]
pub struct Driver {
    // In the order of their end.
    handle: Handle,
    images: Vec<Image>,
    host: Host,
}

/// The most images that are loaded.
const MOST_IMAGES: usize = 64;

impl Driver {
    /// Loads images in this order, each with a device, and opens the device of the first.
    pub fn load(paths: &[PathBuf]) -> Result<Self, Failure> {
        if paths.len() > MOST_IMAGES {
            return Err(Failure::NoDevice(format!(
                "{} images are too many: each meets every other one, so {MOST_IMAGES} is the limit",
                paths.len()
            )));
        }
        let host = Host::new(Policy::default());
        let images = paths.iter().map(|path| load(&host, path));
        let images = images.collect::<Result<Vec<_>, _>>()?;
        let Some(first) = images.first() else {
            return Err(Failure::NoDevice(
                "no driver to speak with: name an image with --image; `cargo xtask build-driver \
                 --release` makes one"
                    .to_owned(),
            ));
        };
        let handle = open(first)?;
        Ok(Self {
            handle,
            images,
            host,
        })
    }

    /// The host, with its registrar and what that recorded.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The images, in the order in which they were loaded.
    #[must_use]
    pub fn images(&self) -> &[Image] {
        &self.images
    }
}

fn load(host: &Host, path: &Path) -> Result<Image, Failure> {
    let shown = printable(&path.display().to_string());
    let no_device = |error: String| Failure::NoDevice(format!("{shown}: {}", printable(&error)));
    let image = host
        .load(path.to_path_buf(), LoadOptions::default())
        .map_err(|error| no_device(error.to_string()))?;
    let device = image.add_device();
    device.map_err(|error| no_device(error.to_string()))?;
    Ok(image)
}

fn open(image: &Image) -> Result<Handle, Failure> {
    let interfaces = image.interfaces(GUID::from_u128(INTERFACE));
    let Some(interface) = interfaces.first() else {
        let name = printable(image.name());
        return Err(Failure::NoDevice(format!(
            "{name} has no device of the sample driver: is it another driver?"
        )));
    };
    interface
        .open()
        .map_err(|error| Failure::NoDevice(printable(&error.to_string())))
}

impl Device for Driver {
    fn control(&self, code: u32, request: &[u8], reply: &mut [u8]) -> Result<usize, Failure> {
        let answer = self.handle.control(code, request, reply.len());
        let (status, bytes) = answer.map_err(|error| match error {
            RequestError::Refused(status) => Failure::from_status(status),
            gone => Failure::NoDevice(printable(&gone.to_string())),
        })?;
        if status < 0 {
            return Err(Failure::from_status(status));
        }
        reply[..bytes.len()].copy_from_slice(&bytes);
        Ok(bytes.len())
    }
}

//! The story of driver images, as far as the registrar sees it: they are loaded, get a device each,
//! and are unloaded.

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod descriptions;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod excerpt;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod exercise;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod faults;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod messages;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod names;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod session;

use std::path::{Path, PathBuf};

use driver_host::{file, pe};

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub(crate) use faults::faults;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub(crate) use session::tell;

/// Images cannot be loaded on this machine.
#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
pub(crate) fn tell(
    _options: &crate::options::RunOptions,
    _policy: nmr_host::Policy,
) -> Result<crate::run::Run, String> {
    Err(driver_host::UNSUPPORTED.to_owned())
}

/// Images cannot be loaded on this machine.
#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
pub(crate) fn faults(
    _options: &crate::options::FaultsOptions,
) -> Result<std::process::ExitCode, String> {
    Err(driver_host::UNSUPPORTED.to_owned())
}

/// The most images of a run. Each meets every other one, so the story grows with the square.
const MOST_IMAGES: usize = 64;

/// Reads the images that are to be loaded. Fails if one cannot be, or if there are too many.
fn read_loadable(paths: &[PathBuf]) -> Result<Vec<Vec<u8>>, String> {
    let count = paths.len();
    if count > MOST_IMAGES {
        return Err(format!(
            "{count} images are too many: each meets every other one, so {MOST_IMAGES} is the limit"
        ));
    }
    let read = |path: &PathBuf| read(path).and_then(|bytes| check(path, bytes));
    paths.iter().map(read).collect()
}

/// Refuses what is no image that can be loaded, before anything runs.
fn check(path: &Path, bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    let image = pe::Image::read(&bytes);
    let loadable = image.and_then(|image| image.check_loadable());
    match loadable {
        Ok(()) => Ok(bytes),
        Err(error) => Err(format!("{}: {error}", path.display())),
    }
}

/// Reads a file that should be an image.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, String> {
    file::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

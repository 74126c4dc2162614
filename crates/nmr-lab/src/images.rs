//! The story of driver images, as far as the registrar sees it: they are loaded, get a device each,
//! and are unloaded.

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod faults;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod names;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod sayings;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod seen;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod stage;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod words;

use std::fs;
use std::path::{Path, PathBuf};

use driver_host::pe;

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub(crate) use faults::faults;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub(crate) use stage::tell;

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

/// Reads the images that are to be loaded. Fails if one cannot be.
fn read_loadable(paths: &[PathBuf]) -> Result<Vec<Vec<u8>>, String> {
    let read = |path: &PathBuf| read(path).and_then(|bytes| check(path, bytes));
    paths.iter().map(read).collect()
}

/// Refuses what is no image that can be loaded, before anything runs.
fn check(path: &Path, bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    let image = pe::Image::read(&bytes);
    let loadable = image.and_then(|image| image.check_loadable());
    match loadable {
        Ok(()) => Ok(bytes),
        Err(error) => Err(format!(
            "{}: {}",
            path.display(),
            printable(&error.to_string())
        )),
    }
}

/// Reads a file that should be an image.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, String> {
    let complaint = |error| format!("cannot read {}: {error}", path.display());
    let about = fs::metadata(path).map_err(complaint)?;
    if !about.is_file() {
        return Err(format!("cannot read {}: it is no file", path.display()));
    }
    if about.len() > u64::from(pe::MAX_SIZE) {
        let size = about.len();
        return Err(format!(
            "{}: {size} bytes are too many for a driver image",
            path.display()
        ));
    }
    fs::read(path).map_err(complaint)
}

/// A text that somebody else wrote, without what could upset a terminal or a picture.
pub(crate) fn printable(text: &str) -> String {
    let harmless = |character: char| {
        if character.is_control() {
            character.escape_default().collect()
        } else {
            character.to_string()
        }
    };
    text.chars().map(harmless).collect()
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn control_characters_are_spelled_out() {
        assert_eq!(printable("höflich 1"), "höflich 1");
        assert_eq!(printable("\u{1b}[31m\0"), "\\u{1b}[31m\\u{0}");
    }
}

//! The image and the INX of a package: named, or those of the driver of the current directory.

use std::path::{Path, PathBuf};

use driver_build::files;

use super::PackageOptions;
use crate::own;
use crate::stop::Stop;

/// What a package is made of.
pub(super) struct Sources {
    pub(super) image: PathBuf,
    pub(super) inf: PathBuf,
}

impl Sources {
    /// Finds the INX, and builds the image unless one is named.
    pub(super) fn find(options: &PackageOptions) -> Result<Self, Stop> {
        let (image, inf) = (options.image.clone(), options.inf.clone());
        if let (Some(image), Some(inf)) = (image.clone(), inf.clone()) {
            return Ok(Self { image, inf });
        }
        let package = own::package(&options.own)?;
        let inf = inf.map_or_else(|| inx_of(&package.directory), Ok)?;
        let image = image.map_or_else(|| own::built(&package, &options.own), Ok)?;
        Ok(Self { image, inf })
    }
}

/// The INX of a driver: at the root of its package, where the stock tools look, or in `inf`.
fn inx_of(directory: &Path) -> Result<PathBuf, String> {
    let is_inx = |path: &PathBuf| path.extension().is_some_and(|end| end == "inx");
    let places = [directory.to_owned(), directory.join("inf")];
    let listed = places.iter().filter_map(|place| files::list(place).ok());
    let found: Vec<_> = listed.flatten().filter(is_inx).collect();
    match found.as_slice() {
        [inx] => Ok(inx.clone()),
        [] => Err(format!(
            "there is no .inx in {}: name it with --inf",
            directory.display()
        )),
        several => Err(format!(
            "there are {} .inx files: name one with --inf",
            several.len()
        )),
    }
}

//! What the INX must agree with.

use std::path::{Path, PathBuf};

use driver_package::inf::check::Expected;
use toml::Table;

pub(crate) struct Facts {
    /// The name of the package, as its files have it.
    pub(crate) package: String,
    pub(crate) kmdf: (i64, i64),
    pub(crate) hardware_id: String,
    pub(crate) service: String,
    pub(crate) security: String,
}

/// A file of the repository.
pub(crate) fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

impl Facts {
    pub(crate) fn new() -> Self {
        let manifest = std::fs::read_to_string(path("Cargo.toml")).unwrap();
        let manifest: Table = manifest.parse().unwrap();
        let package = &manifest["package"];
        let model = &package["metadata"]["wdk"]["driver-model"];
        let number = |key: &str| model[key].as_integer().unwrap();
        Self {
            package: package["name"].as_str().unwrap().replace('-', "_"),
            kmdf: (
                number("kmdf-version-major"),
                number("target-kmdf-version-minor"),
            ),
            // The scripts and the page for Windows take both from the INF.
            hardware_id: r"Root\ExnpiDriver".to_owned(),
            service: "ExnpiDriver".to_owned(),
            security: "D:P(A;;GA;;;BA)(A;;GA;;;SY)".to_owned(),
        }
    }

    /// The same for the check.
    pub(crate) fn expected(self) -> Expected {
        let number = |number: i64| u32::try_from(number).unwrap();
        Expected {
            package: Some(self.package),
            kmdf: Some((number(self.kmdf.0), number(self.kmdf.1))),
            hardware_id: Some(self.hardware_id),
            service: Some(self.service),
            security: Some(self.security),
            ..Expected::default()
        }
    }
}

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
            hardware_id: constant("HardwareId"),
            service: constant("ServiceName"),
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

/// A constant of the scripts for the virtual machine: `$Name = 'value'`.
fn constant(name: &str) -> String {
    let scripts = std::fs::read_to_string(path("scripts/windows/ExnpiDriver.psm1")).unwrap();
    let start = format!("${name} = '");
    let line = scripts.lines().find_map(|line| line.strip_prefix(&start));
    let value = line.and_then(|line| line.strip_suffix('\''));
    value
        .unwrap_or_else(|| panic!("no {start} in the scripts"))
        .to_owned()
}

//! What the INX must agree with.

use std::path::{Path, PathBuf};

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

    /// The first build of Windows that has the framework.
    pub(crate) fn first_build(&self) -> u32 {
        match self.kmdf {
            (1, 31) => 19041,
            (1, 33) => 20348,
            other => panic!("which Windows is the first with KMDF {other:?}?"),
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

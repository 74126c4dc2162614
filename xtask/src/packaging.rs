//! The programs that the test of the packaging runs. On Windows a person installs cargo-make, which
//! installs rust-script.

use std::path::Path;

use anyhow::Result;
use driver_build::setup::Log;
use driver_build::{Cross, command, files};

/// Each with its version and with options that shorten its build.
const PROGRAMS: [(&str, &str, &[&str]); 2] = [
    (
        "cargo-make",
        "0.37.24",
        &["--no-default-features", "--bin", "cargo-make"],
    ),
    ("rust-script", "0.30.0", &[]),
];

/// Installs them for the tests alone.
pub(crate) fn make(cross: &Cross, log: Log) -> Result<()> {
    for (name, version, options) in PROGRAMS {
        let root = cross.made(format!("tools/{name}-{version}"));
        let partial = files::partial(&root);
        if root.join("bin").join(name).is_file() {
            log.found(name, version);
            continue;
        }
        log.did(name, &format!("installing {version}, which takes minutes"));
        let mut cargo = command::clean(Path::new("cargo"));
        cargo.args(["install", name, "--version", version]);
        cargo.args(["--locked", "--debug", "--quiet"]).args(options);
        command::run(cargo.arg("--root").arg(&partial))?;
        files::remove_all(&root)?;
        files::rename(&partial, &root)?;
    }
    Ok(())
}

//! `cargo xtask install-c`: the registrar where C projects look for a library.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};
use driver_build::{command, files, output};
use serde::Deserialize;

use crate::options::InstallC;
use crate::project::Project;

const HEADERS: [&str; 2] = ["netioddk.h", "nmr_host.h"];

/// What tells a build system where the rest is, and where it looks for that.
const DESCRIPTIONS: [(&str, &str); 2] = [
    ("nmr-host.pc", "lib/pkgconfig"),
    ("nmr-host-config.cmake", "lib/cmake/nmr-host"),
];

pub(crate) fn run(project: &Project, options: &InstallC) -> Result<()> {
    let prefix = &options.prefix;
    for library in build(project, options.debug)? {
        deliver(&library, &prefix.join("lib"))?;
    }
    let headers = project.root().join("crates/nmr-host/include");
    for header in HEADERS {
        deliver(&headers.join(header), &prefix.join("include/nmr-host"))?;
    }
    let descriptions = project.root().join("crates/nmr-host-c/install");
    for (name, directory) in DESCRIPTIONS {
        let text = files::read(&descriptions.join(name))?;
        let text = text.replace("@VERSION@", env!("CARGO_PKG_VERSION"));
        let path = prefix.join(directory).join(name);
        files::write(&path, text.as_bytes())?;
        output::line(format_args!("{}", path.display()));
    }
    Ok(())
}

/// Builds the libraries, shared and static, and tells which files they are.
fn build(project: &Project, debug: bool) -> Result<Vec<PathBuf>> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(project.root());
    cargo.args(["build", "--package", "nmr-host-c", "--quiet"]);
    cargo.arg("--message-format=json-render-diagnostics");
    if !debug {
        cargo.arg("--release");
    }
    let messages = command::output(&mut cargo)?;
    let libraries: Vec<PathBuf> = messages.lines().filter_map(artefacts).flatten().collect();
    if libraries.is_empty() {
        bail!("Cargo did not say where it has put libnmr_host");
    }
    Ok(libraries)
}

/// The files of the library, if this is Cargo's message about it.
fn artefacts(message: &str) -> Option<Vec<PathBuf>> {
    #[derive(Deserialize)]
    struct Artefact {
        target: Target,
        filenames: Vec<PathBuf>,
    }
    #[derive(Deserialize)]
    struct Target {
        name: String,
        crate_types: Vec<String>,
    }
    let artefact: Artefact = serde_json::from_str(message).ok()?;
    let ours = artefact.target.name == "nmr_host"
        && artefact
            .target
            .crate_types
            .iter()
            .any(|kind| kind == "cdylib");
    ours.then_some(artefact.filenames)
}

/// Puts a file into a directory, under its own name.
fn deliver(file: &Path, directory: &Path) -> Result<()> {
    let path = directory.join(file.file_name().unwrap_or_default());
    files::copy(file, &path)?;
    output::line(format_args!("{}", path.display()));
    Ok(())
}

//! `cargo xtask install-c`: the registrar where C projects look for a library.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};
use driver_build::{command, files, output};
use serde::Deserialize;

use crate::options::InstallC;
use crate::project::Project;

/// The file by which a build system finds the rest, and the place where it looks for that.
const DESCRIPTIONS: [(&str, &str); 4] = [
    ("nmr-host.pc", "lib/pkgconfig"),
    ("nmr-host-kernel.pc", "lib/pkgconfig"),
    ("nmr-host-config.cmake", "lib/cmake/nmr-host"),
    ("nmr-host-config-version.cmake", "lib/cmake/nmr-host"),
];

/// The pages that reports and headers name.
const DOCUMENTS: [&str; 4] = [
    "verifier.md",
    "c-shapes.md",
    "guide/14-reading-a-report.md",
    "guide/15-c-modules.md",
];

const LICENCES: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The versions that are compatible with each other.
const SERIES: &str = concat!(
    env!("CARGO_PKG_VERSION_MAJOR"),
    ".",
    env!("CARGO_PKG_VERSION_MINOR")
);

pub(crate) fn run(project: &Project, options: &InstallC) -> Result<()> {
    let prefix = &options.prefix;
    for library in build(project, options.debug)? {
        deliver_library(&library, &prefix.join("lib"))?;
    }
    let headers = project.root().join("crates/nmr-host/include");
    for (from, to) in [
        ("", "include/nmr-host"),
        ("kernel", "include/nmr-host/kernel"),
    ] {
        for header in files::list(&headers.join(from))? {
            if header.is_file() {
                deliver(&header, &prefix.join(to))?;
            }
        }
    }
    let descriptions = project.root().join("crates/nmr-host-c/install");
    for (name, directory) in DESCRIPTIONS {
        let text = files::read(&descriptions.join(name))?;
        let text = text
            .replace("@VERSION@", VERSION)
            .replace("@SERIES@", SERIES);
        let path = prefix.join(directory).join(name);
        files::write(&path, text.as_bytes())?;
        output::line(format_args!("{}", path.display()));
    }
    for document in DOCUMENTS {
        let to = prefix.join("share/doc/nmr-host").join(document);
        let to = to.parent().unwrap_or(prefix);
        deliver(&project.root().join("docs").join(document), to)?;
    }
    for licence in LICENCES {
        deliver(
            &project.root().join(licence),
            &prefix.join("share/licenses/nmr-host"),
        )?;
    }
    Ok(())
}

/// The name that programs look for, on Linux: a program that was linked with a series does not start with
/// another.
fn soname() -> String {
    format!("libnmr_host.so.{SERIES}")
}

/// Puts a library into a directory. On Linux the shared one has its whole version in its name, and the two
/// names that the linker and the loader look for lead to it.
fn deliver_library(library: &Path, directory: &Path) -> Result<()> {
    let shared = library
        .extension()
        .is_some_and(|extension| extension == "so");
    if !shared {
        return deliver(library, directory);
    }
    let whole = format!("libnmr_host.so.{VERSION}");
    files::copy(library, &directory.join(&whole))?;
    output::line(format_args!("{}", directory.join(&whole).display()));
    link(&whole, &directory.join(soname()))?;
    link(&soname(), &directory.join("libnmr_host.so"))
}

/// Makes a link, in the place of what is there.
#[cfg(unix)]
fn link(to: &str, path: &Path) -> Result<()> {
    let partial = path.with_extension("new");
    let _ = std::fs::remove_file(&partial);
    std::os::unix::fs::symlink(to, &partial)?;
    std::fs::rename(&partial, path)?;
    output::line(format_args!("{}", path.display()));
    Ok(())
}

#[cfg(not(unix))]
fn link(_to: &str, path: &Path) -> Result<()> {
    bail!("there is no link at {}", path.display());
}

/// Builds the libraries, shared and static, and returns their paths.
fn build(project: &Project, debug: bool) -> Result<Vec<PathBuf>> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(project.root());
    cargo.args(["rustc", "--package", "nmr-host-c", "--lib", "--quiet"]);
    cargo.arg("--message-format=json-render-diagnostics");
    if !debug {
        cargo.arg("--release");
    }
    if cfg!(target_os = "linux") {
        cargo.arg("--");
        cargo.arg(format!("-Clink-arg=-Wl,-soname,{}", soname()));
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

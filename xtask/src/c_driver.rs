//! Drivers in C as images: that of `examples/c-module`, from the same sources as its test for Linux, and those
//! in `cross/wdm`, `cross/threads` and `cross/seh`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use driver_build::{Arch, Cross, command, files, profile_name, wdk};

use crate::project::Project;

/// What every driver of ours is linked with, and the entry point: there is no framework.
const LINK: [&str; 9] = [
    "/DRIVER",
    "/NODEFAULTLIB",
    "/SUBSYSTEM:NATIVE",
    "/NXCOMPAT",
    "/DYNAMICBASE",
    "/INTEGRITYCHECK",
    "/RELEASE",
    "/ENTRY:DriverEntry",
    "/NOLOGO",
];

/// The drivers: their names, and where their sources are.
const DRIVERS: [(&str, &str); 4] = [
    ("quota", "examples/c-module/module"),
    ("wdm", "cross/wdm"),
    ("threads", "cross/threads"),
    ("seh", "cross/seh"),
];

/// The drivers for a processor. Those in `cross` are for the host, which runs x64: they look at its registers, and mingw-w64
/// has no interlocked functions for ARM64.
pub(crate) fn drivers(arch: Arch) -> impl Iterator<Item = (&'static str, &'static str)> {
    let fits =
        move |(_, sources): &(&str, &str)| arch == Arch::X64 || !sources.starts_with("cross/");
    DRIVERS.into_iter().filter(fits)
}

/// Compiles and links a driver, on a machine that is set up. Returns the image.
pub(crate) fn build(
    project: &Project,
    cross: &Cross,
    arch: Arch,
    release: bool,
    (name, sources): (&str, &str),
) -> Result<PathBuf> {
    let directory = cross.made("c-driver").join(arch.name());
    let directory = directory.join(profile_name(release)).join(name);
    files::create_directory(&directory)?;
    let mut objects = Vec::new();
    for source in files::list(&project.root().join(sources))? {
        if source.extension().is_some_and(|end| end == "c") {
            let object = source.with_extension("obj");
            let object = directory.join(object.file_name().unwrap_or_default());
            compile(project, cross, arch, release, &source, &object)?;
            objects.push(object);
        }
    }
    let image = directory.join(format!("{name}.sys"));
    let mut linker = Command::new(cross.made("bin/lld-link"));
    linker.args(LINK).args(objects);
    if is_guarded(&project.root().join(sources)) {
        linker.arg("/GUARD:CF");
    }
    for library in ["ntoskrnl.lib", "hal.lib", "netio.lib"] {
        linker.arg(wdk::libraries_of(cross, arch).join(library));
    }
    command::output(linker.arg(format!("/OUT:{}", image.display())))?;
    Ok(image)
}

/// Returns `true` if the sources in a directory have what `/guard:cf` needs.
fn is_guarded(sources: &Path) -> bool {
    sources.join("guard.c").exists()
}

fn compile(
    project: &Project,
    cross: &Cross,
    arch: Arch,
    release: bool,
    source: &Path,
    object: &Path,
) -> Result<()> {
    let mut clang = Command::new(cross.made("bin/clang-cl"));
    clang.arg(format!("--target={}", arch.triple()));
    clang.arg(if release { "/O2" } else { "/Od" });
    // The tags of pool memory are characters.
    clang.args(["/c", "/std:c11", "/GS-", "/W4", "/WX", "-Wno-multichar"]);
    if source.parent().is_some_and(is_guarded) {
        clang.arg("/guard:cf");
    }
    clang.arg(format!("/D{}", arch.macro_name()));
    clang
        .arg("/I")
        .arg(project.root().join("crates/nmr-host/include"));
    clang.args(wdk::arguments(cross));
    clang.arg(format!("/Fo{}", object.display()));
    // A path on Linux looks like an option.
    command::output(clang.arg("--").arg(source)).map(drop)
}

//! The import libraries, and the libraries of one object.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::Cross;
use crate::command;
use crate::embedded;
use crate::files;
use crate::target::Arch;
use crate::tools::Tools;
use crate::tree::{Inputs, Tree};
use crate::wdk::{KMDF, VERSION, arguments, root};

/// Libraries of one object, and its source. Those of `empty.c` are named by every build, or by the feature
/// `hid` of wdk-sys, and have nothing that is needed.
const OBJECTS: [(&str, &str); 4] = [
    ("VhfKm.lib", "empty.c"),
    ("WdfDriverEntry.lib", "entry.c"),
    ("BufferOverflowFastFailK.lib", "empty.c"),
    ("arm64rt.lib", "empty.c"),
];

/// How the entry point is compiled.
const COMPILE: [&str; 5] = ["/c", "/O2", "/GS-", "/W4", "/WX"];

/// Where the libraries of the kernel are, for one processor.
#[must_use]
pub fn directory(cross: &Cross, arch: Arch) -> PathBuf {
    let kernel = root(cross).join("Lib").join(VERSION).join("km");
    kernel.join(arch.wdk())
}

/// Where one library is, for one processor.
fn library(cross: &Cross, arch: Arch, name: &str) -> PathBuf {
    let (major, minor) = KMDF;
    let directory = if name.starts_with("Wdf") {
        root(cross).join(format!("Lib/wdf/kmdf/{}/{major}.{minor}", arch.wdk()))
    } else {
        directory(cross, arch)
    };
    directory.join(name)
}

/// Makes a library of each list of exports, if it has changed.
pub(super) fn of_exports(
    cross: &Cross,
    tools: &Tools,
    arch: Arch,
    lists: &[PathBuf],
    made: &mut Tree,
) -> Result<()> {
    for exports in lists {
        let name = exports.with_extension("lib");
        let name = name.file_name().context("a list without a name")?;
        let path = library(cross, arch, &name.to_string_lossy());
        let mut inputs = Inputs::default();
        inputs.add(files::read(exports)?).tool(&tools.dlltool)?;
        made.product(path, &inputs, |path| {
            let mut dlltool = Command::new(&tools.dlltool);
            dlltool.args(["-m", arch.machine()]);
            dlltool.arg("-d").arg(exports).arg("-l").arg(path);
            command::output(&mut dlltool).map(drop)
        })?;
    }
    Ok(())
}

/// Makes the libraries of one object, if their sources or the headers have changed.
pub(super) fn of_objects(
    cross: &Cross,
    tools: &Tools,
    arch: Arch,
    headers: &Inputs,
    made: &mut Tree,
) -> Result<()> {
    for (name, source) in OBJECTS {
        let text = embedded::text(&format!("entry/{source}"))?;
        let source = root(cross).join("entry").join(source);
        made.write(&source, text.as_bytes())?;
        let mut inputs = headers.clone();
        inputs.add(text);
        inputs.add(COMPILE).add(KMDF);
        inputs.tool(&tools.clang)?.tool(&tools.lib)?;
        made.product(library(cross, arch, name), &inputs, |path| {
            of_object(cross, arch, &source, path)
        })?;
    }
    Ok(())
}

/// Compiles one source and packs the object, which is removed again.
fn of_object(cross: &Cross, arch: Arch, source: &Path, library: &Path) -> Result<()> {
    let object = library.with_extension("obj");
    let (major, minor) = KMDF;
    let mut clang = Command::new(cross.made("bin/clang-cl"));
    clang
        .arg(format!("--target={}", arch.triple()))
        .args(COMPILE);
    clang.arg(format!("/D{}", arch.macro_name()));
    clang.arg(format!("/DKMDF_VERSION_MAJOR={major}"));
    clang.arg(format!("/DKMDF_VERSION_MINOR={minor}"));
    clang.args(arguments(cross));
    // A path on Linux looks like an option.
    clang
        .arg(format!("/Fo{}", object.display()))
        .arg("--")
        .arg(source);
    command::output(&mut clang)?;
    let mut lib = Command::new(cross.made("bin/llvm-lib"));
    lib.arg(format!("/out:{}", library.display())).arg(&object);
    command::output(&mut lib)?;
    files::remove(&object)
}

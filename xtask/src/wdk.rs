//! A directory that the wdk crates take for the WDK: our headers, import libraries made from our
//! lists of exports, and our entry point.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::command;
use crate::files;
use crate::project::Project;
use crate::setup::Log;
use crate::target::Arch;
use crate::tools::Tools;

/// The version of the WDK that the directory claims to be.
pub(crate) const VERSION: &str = "10.0.26100.0";
/// The version of the framework; the drivers' manifests say the same.
const KMDF: (u32, u32) = (1, 31);

/// Libraries of one object, and its source. The last two are needed for C only.
const OBJECTS: [(&str, &str); 3] = [
    ("WdfDriverEntry.lib", "entry.c"),
    ("BufferOverflowFastFailK.lib", "empty.c"),
    ("arm64rt.lib", "empty.c"),
];

/// The directory.
pub(crate) fn root(project: &Project) -> PathBuf {
    project.made("wdk")
}

/// Makes the directory, or brings it up to date.
pub(crate) fn make(project: &Project, tools: &Tools, log: Log) -> Result<()> {
    let headers = headers(project)?;
    let mut changed = false;
    for arch in Arch::ALL {
        changed |= libraries(project, tools, arch, headers)?;
    }
    if headers || changed {
        log.did("wdk", &format!("made {}", project.show(&root(project))));
    } else {
        log.found("wdk", "our headers, export lists and entry point");
    }
    Ok(())
}

fn kernel_headers(project: &Project) -> PathBuf {
    root(project).join("Include").join(VERSION).join("km")
}

fn framework_headers(project: &Project) -> PathBuf {
    let (major, minor) = KMDF;
    root(project).join(format!("Include/wdf/kmdf/{major}.{minor}"))
}

/// Copies the headers. Tells whether one was different.
fn headers(project: &Project) -> Result<bool> {
    let kernel = kernel_headers(project);
    for empty in ["crt", "ufx/1.1", "../shared"] {
        files::create_directory(&kernel.join(empty))?;
    }
    let places = [
        ("include/km", kernel),
        ("include/wdf", framework_headers(project)),
    ];
    let mut changed = false;
    for (from, to) in places {
        for header in files::list(&project.cross(from))? {
            let name = header.file_name().context("a header without a name")?;
            changed |= files::write(&to.join(name), files::read(&header)?.as_bytes())?;
        }
    }
    Ok(changed)
}

/// Where the libraries of the kernel are, for one processor.
pub(crate) fn libraries_of(project: &Project, arch: Arch) -> PathBuf {
    let kernel = root(project).join("Lib").join(VERSION).join("km");
    kernel.join(arch.wdk())
}

/// Makes the libraries of one processor, if their sources have changed. Tells whether they have.
fn libraries(project: &Project, tools: &Tools, arch: Arch, headers: bool) -> Result<bool> {
    let (major, minor) = KMDF;
    let kernel = libraries_of(project, arch);
    let framework = format!("Lib/wdf/kmdf/{}/{major}.{minor}", arch.wdk());
    let framework = root(project).join(framework);
    let place = |name: &str| {
        if name.starts_with("Wdf") {
            framework.join(name)
        } else {
            kernel.join(name)
        }
    };
    let mut changed = false;
    for exports in files::list(&project.cross("lib"))? {
        let name = exports.with_extension("lib");
        let name = name.file_name().context("a list without a name")?;
        let library = place(&name.to_string_lossy());
        if is_new(&exports, &library, false)? {
            import_library(tools, arch, &exports, &library)?;
            changed = true;
        }
    }
    for (name, source) in OBJECTS {
        let source = project.cross("entry").join(source);
        if is_new(&source, &place(name), headers)? {
            object_library(project, arch, &source, &place(name))?;
            changed = true;
        }
    }
    Ok(changed)
}

/// Whether a library has to be made. What it was made from is kept beside it.
fn is_new(source: &Path, library: &Path, anyway: bool) -> Result<bool> {
    let copy = library.with_extension("source");
    let different = files::write(&copy, files::read(source)?.as_bytes())?;
    Ok(different || anyway || !library.is_file())
}

fn import_library(tools: &Tools, arch: Arch, exports: &Path, library: &Path) -> Result<()> {
    let mut dlltool = Command::new(&tools.dlltool);
    dlltool.args(["-m", arch.machine()]);
    dlltool.arg("-d").arg(exports).arg("-l").arg(library);
    command::output(&mut dlltool).map(drop)
}

fn object_library(project: &Project, arch: Arch, source: &Path, library: &Path) -> Result<()> {
    let object = library.with_extension("obj");
    let (major, minor) = KMDF;
    let mut clang = Command::new(project.made("bin/clang-cl"));
    clang.arg(format!("--target={}", arch.triple()));
    clang.args(["/c", "/O2", "/GS-", "/W4", "/WX"]);
    clang.arg(format!("/DKMDF_VERSION_MAJOR={major}"));
    clang.arg(format!("/DKMDF_VERSION_MINOR={minor}"));
    for headers in [kernel_headers(project), framework_headers(project)] {
        clang.arg("/I").arg(headers);
    }
    // A path on Linux looks like an option.
    clang
        .arg(format!("/Fo{}", object.display()))
        .arg("--")
        .arg(source);
    command::output(&mut clang)?;
    let mut lib = Command::new(project.made("bin/llvm-lib"));
    lib.arg(format!("/out:{}", library.display())).arg(&object);
    command::output(&mut lib).map(drop)
}

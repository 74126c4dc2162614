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
use crate::tree::{Inputs, Tree};

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

/// How the entry point is compiled.
const COMPILE: [&str; 5] = ["/c", "/O2", "/GS-", "/W4", "/WX"];

/// The directory.
pub(crate) fn root(project: &Project) -> PathBuf {
    project.made("wdk")
}

/// Makes the directory, or brings it up to date.
pub(crate) fn make(project: &Project, tools: &Tools, log: Log) -> Result<()> {
    let mut made = Tree::new(root(project));
    let headers = headers(project, &mut made)?;
    for arch in Arch::ALL {
        import_libraries(project, tools, arch, &mut made)?;
        object_libraries(project, tools, arch, &headers, &mut made)?;
    }
    if made.finish()? {
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

/// Copies the headers. Returns them as an input of what is compiled with them.
fn headers(project: &Project, made: &mut Tree) -> Result<Inputs> {
    let kernel = kernel_headers(project);
    for empty in ["crt", "ufx/1.1"] {
        made.directory(kernel.join(empty))?;
    }
    made.directory(kernel.with_file_name("shared"))?;
    let places = [
        ("include/km", kernel),
        ("include/wdf", framework_headers(project)),
    ];
    let mut inputs = Inputs::default();
    for (from, to) in places {
        for header in files::list(&project.cross(from))? {
            let name = header.file_name().context("a header without a name")?;
            let text = files::read(&header)?;
            inputs.add((name, &text));
            made.write(to.join(name), text.as_bytes())?;
        }
    }
    Ok(inputs)
}

/// Where the libraries of the kernel are, for one processor.
pub(crate) fn libraries_of(project: &Project, arch: Arch) -> PathBuf {
    let kernel = root(project).join("Lib").join(VERSION).join("km");
    kernel.join(arch.wdk())
}

/// Where one library is, for one processor.
fn library(project: &Project, arch: Arch, name: &str) -> PathBuf {
    let (major, minor) = KMDF;
    let directory = if name.starts_with("Wdf") {
        root(project).join(format!("Lib/wdf/kmdf/{}/{major}.{minor}", arch.wdk()))
    } else {
        libraries_of(project, arch)
    };
    directory.join(name)
}

/// Makes a library of each list of exports, if it has changed.
fn import_libraries(project: &Project, tools: &Tools, arch: Arch, made: &mut Tree) -> Result<()> {
    for exports in files::list(&project.cross("lib"))? {
        let name = exports.with_extension("lib");
        let name = name.file_name().context("a list without a name")?;
        let path = library(project, arch, &name.to_string_lossy());
        let mut inputs = Inputs::default();
        inputs.add(files::read(&exports)?).tool(&tools.dlltool)?;
        made.product(path, &inputs, |path| {
            let mut dlltool = Command::new(&tools.dlltool);
            dlltool.args(["-m", arch.machine()]);
            dlltool.arg("-d").arg(&exports).arg("-l").arg(path);
            command::output(&mut dlltool).map(drop)
        })?;
    }
    Ok(())
}

/// Makes the libraries of one object, if their sources or the headers have changed.
fn object_libraries(
    project: &Project,
    tools: &Tools,
    arch: Arch,
    headers: &Inputs,
    made: &mut Tree,
) -> Result<()> {
    for (name, source) in OBJECTS {
        let source = project.cross("entry").join(source);
        let mut inputs = headers.clone();
        inputs.add(files::read(&source)?);
        inputs.add(COMPILE).add(KMDF);
        inputs.tool(&tools.clang)?.tool(&tools.lib)?;
        made.product(library(project, arch, name), &inputs, |path| {
            object_library(project, arch, &source, path)
        })?;
    }
    Ok(())
}

/// Compiles one source and packs the object, which is removed again.
fn object_library(project: &Project, arch: Arch, source: &Path, library: &Path) -> Result<()> {
    let object = library.with_extension("obj");
    let (major, minor) = KMDF;
    let mut clang = Command::new(project.made("bin/clang-cl"));
    clang
        .arg(format!("--target={}", arch.triple()))
        .args(COMPILE);
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
    command::output(&mut lib)?;
    files::remove(&object)
}

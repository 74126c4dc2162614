//! A directory that the wdk crates take for the WDK: the headers of mingw-w64 with a supplement of ours,
//! import libraries made from lists of exports, and our entry point.

mod exports;
mod headers;
mod kit;
mod libraries;

use std::path::PathBuf;

use anyhow::Result;

use crate::Cross;
use crate::files;
use crate::mingw::Mingw;
use crate::setup::Log;
use crate::target::Arch;
use crate::tools::Tools;
use crate::tree::Tree;

/// The version of the WDK that the directory claims to be.
pub const VERSION: &str = "10.0.26100.0";
/// The version of the framework; the drivers' manifests say the same.
pub(crate) const KMDF: (u32, u32) = (1, 31);

/// The directory.
#[must_use]
pub fn root(cross: &Cross) -> PathBuf {
    cross.made("wdk")
}

/// Makes the directory, or brings it up to date.
pub(crate) fn make(cross: &Cross, tools: &Tools, mingw: &Mingw, log: Log) -> Result<()> {
    let mut made = Tree::new(root(cross));
    let inputs = headers::make(cross, mingw, &mut made)?;
    let lists = exports::make(cross, mingw, &mut made)?;
    for arch in Arch::ALL {
        libraries::of_exports(cross, tools, arch, &lists, &mut made)?;
        libraries::of_objects(cross, tools, arch, &inputs, &mut made)?;
    }
    if made.finish()? {
        log.did("wdk", &format!("made {}", files::shown(&root(cross))));
    } else {
        log.found("wdk", "headers, import libraries and an entry point");
    }
    Ok(())
}

pub use headers::arguments;
pub(crate) use kit::{Kit, link};
pub use libraries::directory as libraries_of;

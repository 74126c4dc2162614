//! What has to be there before a driver can be built on a machine without Windows.

use std::env;

use anyhow::{Result, bail};

use crate::lock;
use crate::mingw::Mingw;
use crate::options::Rust;
use crate::output;
use crate::project::Project;
use crate::toolchain::Toolchain;
use crate::tools::Tools;
use crate::tree::Tree;
use crate::wdk;
use crate::wdk_build;

/// Tells what the set-up finds and does, one line each.
#[derive(Clone, Copy)]
pub(crate) enum Log {
    /// Both.
    All,
    /// What it does: other tasks expect to find everything.
    Changes,
}

impl Log {
    pub(crate) fn found(self, what: &str, text: &str) {
        if matches!(self, Self::All) {
            self.did(what, &format!("found: {text}"));
        }
    }

    // `self` says that it is a report like the other.
    #[expect(clippy::unused_self, reason = "every report shows what was done")]
    pub(crate) fn did(self, what: &str, text: &str) {
        output::line(format_args!("{what:>10}  {text}"));
    }
}

/// `cargo xtask setup`.
pub(crate) fn run(project: &Project, rust: Option<Rust>) -> Result<Toolchain> {
    ready(project, rust, Log::All)
}

/// Sets up what is missing.
pub(crate) fn ready(project: &Project, rust: Option<Rust>, log: Log) -> Result<Toolchain> {
    if cfg!(windows) {
        bail!("on Windows the WDK builds the driver: `cargo build --release` or `cargo make`");
    }
    if env::var_os("PATH").is_none_or(|path| path.is_empty()) {
        bail!("PATH is empty: rustc, cargo, clang and LLVM's tools are looked up there");
    }
    let _lock = lock::take(&project.made("lock"), log)?;
    let toolchain = Toolchain::get(rust, log)?;
    let tools = Tools::get(log)?;
    link(project, &tools)?;
    if let Some(kit) = wdk::Kit::wished(project)? {
        wdk::link(project, &tools, &kit, log)?;
    } else {
        let mingw = Mingw::get(project.mingw(), log)?;
        wdk::make(project, &tools, &mingw, log)?;
    }
    wdk_build::make(project, log)?;
    Ok(toolchain)
}

/// Gives the tools names that do not depend on the machine. The names also decide how LLVM's programs
/// read their options.
fn link(project: &Project, tools: &Tools) -> Result<()> {
    let mut names = Tree::new(project.made("bin"));
    names.link("clang-cl", &tools.clang)?;
    names.link("llvm-lib", &tools.lib)?;
    names.link("lld-link", &tools.linker)?;
    names.finish().map(drop)
}

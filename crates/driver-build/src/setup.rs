//! The set-up: everything that building a driver needs on a machine without Windows.

use std::env;

use anyhow::{Result, bail};

use crate::Cross;
use crate::lock;
use crate::mingw::Mingw;
use crate::output;
use crate::toolchain::Toolchain;
use crate::tools::Tools;
use crate::tree::Tree;
use crate::wdk;

/// Tells what the set-up finds and does, one line each.
#[derive(Clone, Copy, Debug)]
pub enum Log {
    /// Both, on standard output: who asks for the set-up wants to read it.
    All,
    /// What it does, on standard error: other tasks expect to find everything.
    Changes,
}

impl Log {
    /// Tells what is there.
    pub fn found(self, what: &str, text: &str) {
        if matches!(self, Self::All) {
            self.did(what, &format!("found: {text}"));
        }
    }

    /// Tells what is being done, and takes its time.
    pub fn did(self, what: &str, text: &str) {
        let line = format_args!("{what:>10}  {text}");
        match self {
            Self::All => output::line(line),
            Self::Changes => output::error(format_args!("{line}\n")),
        }
    }
}

/// Sets up what is missing.
pub fn ready(cross: &Cross, log: Log) -> Result<Toolchain> {
    if cfg!(windows) {
        bail!("on Windows the WDK builds the driver: `cargo build --release` or `cargo make`");
    }
    if env::var_os("PATH").is_none_or(|path| path.is_empty()) {
        bail!("PATH is empty: rustc, cargo, clang and LLVM's tools are looked up there");
    }
    let _lock = lock::take(&cross.made("lock"), log)?;
    let toolchain = Toolchain::get(cross.wishes.rust, log)?;
    let tools = Tools::get(log)?;
    link(cross, &tools)?;
    if let Some(kit) = wdk::Kit::wished(cross)? {
        wdk::link(cross, &tools, &kit, log)?;
    } else {
        let mingw = Mingw::get(cross.wishes.headers.as_deref(), log)?;
        wdk::make(cross, &tools, &mingw, log)?;
    }
    Ok(toolchain)
}

/// Gives the tools names that do not depend on the machine. The names also decide how LLVM's programs
/// read their options.
fn link(cross: &Cross, tools: &Tools) -> Result<()> {
    let mut names = Tree::new(cross.made("bin"));
    names.link("clang-cl", &tools.clang)?;
    names.link("llvm-lib", &tools.lib)?;
    names.link("lld-link", &tools.linker)?;
    names.finish().map(drop)
}

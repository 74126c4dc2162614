//! What has to be there before a driver can be built on a machine without Windows.

use anyhow::{Result, bail};

use crate::files;
use crate::options::Rust;
use crate::output;
use crate::project::Project;
use crate::toolchain::Toolchain;
use crate::tools::Tools;
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
            output::line(format_args!("{what:>10}  found: {text}"));
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
    let toolchain = Toolchain::get(rust, log)?;
    let tools = Tools::get(log)?;
    // The names decide how the two programs read their options.
    files::link(&tools.clang, &project.made("bin/clang-cl"))?;
    files::link(&tools.lib, &project.made("bin/llvm-lib"))?;
    files::link(&tools.linker, &project.made("bin/lld-link"))?;
    wdk::make(project, &tools, log)?;
    wdk_build::make(project, log)?;
    Ok(toolchain)
}

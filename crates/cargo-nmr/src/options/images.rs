//! The command line of the subcommands that are about driver images.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use nmr_host::{MemoryChecks, OnReport, Policy};

use super::{Choices, ExerciseOptions, ResultOptions};
use crate::own::OwnPackage;

/// Load driver images, add a device to each, unload them, and explain every call and callback.
///
/// The images run inside this process: run only drivers that you trust. They are loaded in the order of the
/// arguments. x86-64 Linux only.
#[derive(Args, Clone, Debug)]
#[command(after_help = RUN_EXAMPLES)]
pub(crate) struct RunOptions {
    /// The images, as in provider.sys client.sys [default: the driver of this package, which is built first]
    #[arg(value_name = "IMAGE")]
    pub(crate) images: Vec<PathBuf>,

    /// Which image is unloaded first
    #[arg(long, value_enum, value_name = "WHICH", default_value_t = UnloadOrder::Last)]
    pub(crate) unload_order: UnloadOrder,

    /// Give each pool block its own pages, and check the memory that modules lend to the registrar
    #[arg(long)]
    pub(crate) special_pool: bool,

    /// Initial registry, as a file that `reg export` writes
    #[arg(long, value_name = "FILE", long_help = REGISTRY_HELP)]
    pub(crate) registry: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) choices: Choices,

    #[command(flatten)]
    pub(crate) result: ResultOptions,

    #[command(flatten)]
    pub(crate) exercise: ExerciseOptions,

    #[command(flatten)]
    pub(crate) own: OwnPackage,
}

const REGISTRY_HELP: &str = r#"Initial registry, as a file that `reg export` writes, UTF-16 or UTF-8:

  [HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\driver\Parameters]
  "Limit"=dword:0000001f
  "Name"="text"
  "Bytes"=hex:01,0a
  "Peers"=hex(7):61,00,00,00,00,00

A key without HKEY_LOCAL_MACHINE, as in [driver\Parameters], is below the services; the service of driver.sys is `driver`"#;

const RUN_EXAMPLES: &str = "\
Examples:
  cargo nmr run                                            the driver of this package
  cargo nmr run driver.sys                                 one driver with both modules
  cargo nmr run provider.sys client.sys                    two drivers attach to each other
  cargo nmr run client.sys provider.sys --unload-order first
  cargo nmr run driver.sys --seed 7 --format mermaid       vary what the contract leaves open
  cargo nmr run driver.sys --special-pool                  report early frees and use after free
  cargo nmr run driver.sys --registry driver.reg           with registry values
  cargo nmr run driver.sys --format json | jq .function    one event per line; see docs/events.md
  cargo nmr run driver.sys --call 0x222004:01000000 --detach 0x222008 --attach 0x22200c
                                                           detach while calls are in flight
  cargo nmr run driver.sys --format html --output run.html page for a browser, with every event
  cargo nmr run client.sys provider.sys --call 0x222004    the same when the provider is unloaded

Exit codes:
  0  every image came and went as it should
  1  something was wrong, or the package could not be built; the reason is on standard error
  2  the command line is wrong, a file is no driver image or cannot be read, or the output cannot
     be written";

impl RunOptions {
    /// What the registrar does where the contract leaves it a choice. It may not panic.
    pub(crate) fn policy(&self) -> Result<Policy, String> {
        let policy = image_policy(&self.choices)?;
        let memory = if self.special_pool {
            MemoryChecks::Checked
        } else {
            policy.memory
        };
        Ok(Policy { memory, ..policy })
    }
}

/// The policy of a registrar for images.
pub(super) fn image_policy(choices: &Choices) -> Result<Policy, String> {
    let policy = choices.policy()?;
    if policy.on_report == OnReport::Panic {
        let reason = "a panic cannot pass through an image: use report=collect or print";
        return Err(format!("--policy: {reason}"));
    }
    Ok(policy)
}

/// The order in which images are unloaded.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum UnloadOrder {
    /// The one that was loaded first; then the others as they were loaded
    First,
    /// The one that was loaded last; then the others backwards
    Last,
}

/// Show the contents of a driver image, and check it against the requirements of Windows.
///
/// No code of the image runs. Images for x64 and ARM64 can be inspected on any machine.
#[derive(Args, Clone, Debug)]
#[command(after_help = INSPECT_EXAMPLES)]
pub(crate) struct InspectOptions {
    /// The image [default: the driver of this package, which is built first]
    #[arg(value_name = "IMAGE")]
    pub(crate) image: Option<PathBuf>,

    /// Output format
    #[arg(long, value_enum, default_value_t = FactsFormat::Text)]
    pub(crate) format: FactsFormat,

    #[command(flatten)]
    pub(crate) own: OwnPackage,
}

const INSPECT_EXAMPLES: &str = "\
Examples:
  cargo nmr inspect --release                              the driver of this package, as it ships
  cargo nmr inspect driver.sys                             headers, sections, imports, points
  cargo nmr inspect driver.sys --format json | jq .imports
  cargo nmr inspect driver.sys > report.txt || echo \"do not ship this\"

Exit codes:
  0  no point fails; a signature may still be missing
  1  a point fails, or the package could not be built
  2  the command line is wrong, or the file is no image or cannot be read";

/// How facts about an image are written.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FactsFormat {
    /// Prose
    Text,
    /// One JSON object
    Json,
}

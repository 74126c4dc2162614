//! The command line of the subcommand that lets things fail.

use std::path::PathBuf;

use clap::Args;
use nmr_host::Policy;

use super::Choices;
use super::images::{FactsFormat, UnloadOrder, image_policy};
use crate::own::OwnPackage;

/// Inject a fault at each allocation, framework object, registration and attach of driver images, one per run, and report
/// what the drivers leak.
///
/// A driver survives a fault if DriverEntry or the device fails with a status, or the attach is refused, or nothing
/// changes; if nothing leaks and no rule is violated; and if the next run succeeds. The images run inside this process: run only
/// drivers that you trust. x86-64 Linux only.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct FaultsOptions {
    /// The images, in the order in which they are loaded [default: the driver of this package, which is built
    /// first]
    #[arg(value_name = "IMAGE")]
    pub(crate) images: Vec<PathBuf>,

    /// Which image is unloaded first
    #[arg(long, value_enum, value_name = "WHICH", default_value_t = UnloadOrder::Last)]
    pub(crate) unload_order: UnloadOrder,

    /// Inject only the fault with this number of the table, and show every call and callback
    #[arg(long, value_name = "N")]
    pub(crate) point: Option<u64>,

    #[command(flatten)]
    pub(crate) choices: Choices,

    /// Output format
    #[arg(long, value_enum, default_value_t = FactsFormat::Text)]
    pub(crate) format: FactsFormat,

    #[command(flatten)]
    pub(crate) own: OwnPackage,
}

const EXAMPLES: &str = "\
Examples:
  cargo nmr faults --release                               the driver of this package, as it ships
  cargo nmr faults driver.sys                              every fault, as a table
  cargo nmr faults provider.sys client.sys                 a driver with one module, and its peer
  cargo nmr faults driver.sys --point 5                    one fault, with every call and callback
  cargo nmr faults driver.sys --format json | jq '.runs[] | select(.lost != [])'

Exit codes:
  0  every fault was survived
  1  a fault leaks, or a run without a fault fails, or the package could not be built; standard error has the reason
  2  the command line is wrong, or a file is no driver image or cannot be read";

impl FaultsOptions {
    /// What the registrar does where the contract leaves it a choice. It may not panic.
    pub(crate) fn policy(&self) -> Result<Policy, String> {
        image_policy(&self.choices)
    }
}

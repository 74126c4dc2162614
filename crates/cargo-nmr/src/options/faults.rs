//! The command line of the subcommand that lets things fail.

use std::path::PathBuf;

use clap::Args;
use nmr_host::Policy;

use super::Choices;
use super::images::{FactsFormat, UnloadOrder, image_policy};
use crate::own::OwnPackage;

/// Loads driver images again and again, and each time refuses them one thing that they ask for:
/// pool, an object of the framework, a registration, an attach. Shows what they answer, and what
/// is lost.
///
/// A fault is survived if it ends in a failure of DriverEntry or of the device, in an attach that is
/// refused, or in nothing; if then nothing is left behind and no rule is broken; and if everything
/// works again afterwards. The images run as a part of this process: run only drivers that you
/// trust. x86-64 Linux only.
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

    /// Let only the point with this number of the table fail, and show what the registrar saw
    #[arg(long, value_name = "N")]
    pub(crate) point: Option<u64>,

    #[command(flatten)]
    pub(crate) choices: Choices,

    /// What to write
    #[arg(long, value_enum, default_value_t = FactsFormat::Text)]
    pub(crate) format: FactsFormat,

    #[command(flatten)]
    pub(crate) own: OwnPackage,
}

const EXAMPLES: &str = "\
Examples:
  cargo nmr faults --release                               the driver of this package, as it ships
  cargo nmr faults driver.sys                              every fault, with a table
  cargo nmr faults provider.sys client.sys                 a driver of one module, and its peer
  cargo nmr faults driver.sys --point 5                    one fault, with what the registrar saw
  cargo nmr faults driver.sys --format json | jq '.runs[] | select(.lost != [])'

Exit codes:
  0  every fault was survived
  1  something was lost, or is wrong without a fault, or the package could not be built; the reason is on standard error
  2  the command line is wrong, or a file is no driver image or cannot be read";

impl FaultsOptions {
    /// What the registrar does where the contract leaves it a choice. It may not panic.
    pub(crate) fn policy(&self) -> Result<Policy, String> {
        image_policy(&self.choices)
    }
}

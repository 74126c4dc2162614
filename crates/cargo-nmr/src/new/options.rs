//! The command line.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::Source;

/// Create a driver package with its own interface, modules, a device with control requests, tests and an INX.
///
/// All its GUIDs are new. The package builds, lints, tests and runs as it is, on Linux with `cargo nmr` and on Windows with
/// `cargo make` or `cargo wdk`. The directory must be empty or new.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct NewOptions {
    /// Directory of the package, and its name unless --name is given
    #[arg(value_name = "PATH")]
    pub(crate) path: PathBuf,

    /// Name of the package [default: the directory's name]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// Name of the interface, as a Rust type [default: the package's name with `Npi`]
    #[arg(long, value_name = "NAME")]
    pub(crate) npi: Option<String>,

    /// Modules of the driver
    #[arg(long, value_enum, default_value_t = Role::Both)]
    pub(crate) role: Role,

    /// Depend on the crates of this project in a Git repository [default: the checkout that this program was built from]
    #[arg(long, value_name = "URL")]
    pub(crate) git: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  cargo nmr new mydrv                       a client and a provider of MydrvNpi
  cargo nmr new flow --npi FlowControl --role provider
  cargo nmr new /tmp/x --name mydrv

Exit codes:
  0  the package was created
  1  a file could not be written
  2  the command line is wrong, or the directory is not empty";

/// Which modules a driver has.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    /// A provider; the tests have a client
    Provider,
    /// A client; the tests have a provider
    Client,
    /// Both, which attach to each other
    Both,
}

impl Role {
    pub(super) fn has_client(self) -> bool {
        self != Self::Provider
    }

    pub(super) fn has_provider(self) -> bool {
        self != Self::Client
    }
}

impl NewOptions {
    /// Where the crates come from.
    pub(super) fn source(&self) -> Result<Source, String> {
        if let Some(url) = &self.git {
            return Ok(Source::Git(url.clone()));
        }
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let crates = crates.canonicalize().map_err(|_| {
            "the checkout that this program was built from is gone: name a repository with --git"
                .to_owned()
        })?;
        Ok(Source::Path(crates))
    }
}

//! Command line of `cargo xtask`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use driver_build::{Arch, Wishes};

const EXIT_CODES: &str = "Exit codes: 0 success, 1 a task failed, 2 the command line is wrong";

/// Sets up a machine to build the driver, builds it, and runs all tests.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", after_help = EXIT_CODES)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) wishes: Wishes,
    #[command(subcommand)]
    pub(crate) task: Task,
}

#[derive(Subcommand)]
pub(crate) enum Task {
    /// Finds or installs what the other tasks need
    Setup(Setup),
    /// Builds the driver
    BuildDriver(BuildDriver),
    /// Builds the small drivers in cross/fixtures, which the tests of the loader need, and the one of
    /// examples/c-module
    BuildFixtures(BuildFixtures),
    /// Builds the driver that ships, and shows what is in its image, by section and by function
    Size,
    /// Runs clippy on the code that is compiled for Windows only
    Clippy,
    /// Builds the registrar as a C library, and installs it with its headers
    InstallC(InstallC),
    /// Sets up, builds every driver, and runs the tests of the host and of the drivers
    Test(Test),
    /// Plants one fault at a time in a copy of the sources, and requires that a test notices it
    PlantFaults(PlantFaults),
}

#[derive(Args)]
pub(crate) struct Setup {
    /// Where the WDK, the links to the tools and the copy of wdk-build are made, for use by others. The
    /// other tasks use target/nmr, which is the default
    #[arg(long)]
    pub(crate) dir: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct BuildDriver {
    /// The modules in the driver
    #[arg(long, value_enum, default_value_t)]
    pub(crate) role: Role,
    /// The processor it is for
    #[arg(long, value_enum, default_value_t)]
    pub(crate) arch: Arch,
    /// Optimize, as for the driver that ships
    #[arg(long)]
    pub(crate) release: bool,
}

#[derive(Args)]
pub(crate) struct BuildFixtures {
    /// The processor they are for
    #[arg(long, value_enum, default_value_t)]
    pub(crate) arch: Arch,
    /// Optimize
    #[arg(long)]
    pub(crate) release: bool,
}

#[derive(Args)]
pub(crate) struct Test {
    /// Which tests. Without this: both
    #[arg(value_enum)]
    pub(crate) part: Option<Part>,
    /// The long tests of the host, too, which take minutes: exploration, stress, every policy
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Those that need no driver: `cargo test`, and the packages that it leaves out
    Host,
    /// Those that need drivers, after building them
    Drivers,
}

#[derive(Args)]
pub(crate) struct PlantFaults {
    /// The faults of one table in xtask/faults. Without this: all
    #[arg(value_enum)]
    pub(crate) group: Option<Group>,
    /// Only the faults whose file and name (`src/gate.rs: open is relaxed`) contain this
    #[arg(long, value_name = "TEXT")]
    pub(crate) only: Option<String>,
    /// Print the faults, and plant none
    #[arg(long)]
    pub(crate) list: bool,
}

impl PlantFaults {
    pub(crate) fn groups(&self) -> Vec<Group> {
        self.group.map_or(Group::ALL.to_vec(), |group| vec![group])
    }
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Group {
    /// The rundown protocol of a binding, for its loom models
    Gate,
    /// The registrar as a machine, for the exploration of its states
    Machine,
    /// The threads of the registrar and of the safe layer, for the schedules
    Threads,
    /// A step too many in a call or in the registrar, for the count of instructions
    Calls,
    /// A function of the kernel that does nothing, for the tests of the driver host
    Kernel,
    /// The same for a function of KMDF
    Kmdf,
}

impl Group {
    pub(crate) const ALL: [Self; 6] = [
        Self::Gate,
        Self::Machine,
        Self::Threads,
        Self::Calls,
        Self::Kernel,
        Self::Kmdf,
    ];

    /// The name of the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gate => "gate",
            Self::Machine => "machine",
            Self::Threads => "threads",
            Self::Calls => "calls",
            Self::Kernel => "kernel",
            Self::Kmdf => "kmdf",
        }
    }
}

#[derive(Args)]
pub(crate) struct InstallC {
    /// The directory that gets `lib` and `include`; it need not exist
    #[arg(long)]
    pub(crate) prefix: PathBuf,
    /// Do not optimize
    #[arg(long)]
    pub(crate) debug: bool,
}

#[derive(Clone, Copy, Default, ValueEnum)]
pub(crate) enum Role {
    /// The provider alone
    Provider,
    /// The client alone
    Client,
    /// Both modules, which attach to each other
    #[default]
    Both,
}

impl Role {
    pub(crate) const ALL: [Self; 3] = [Self::Both, Self::Provider, Self::Client];

    /// The name of the directory.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Client => "client",
            Self::Both => "both",
        }
    }

    /// The features of the package.
    pub(crate) fn features(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Client => "client",
            Self::Both => "client,provider",
        }
    }
}

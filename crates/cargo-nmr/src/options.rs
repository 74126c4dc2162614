//! The command line.

mod exercise;
mod faults;
mod images;
mod policy;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use nmr_host::{Deregistration, OnReport, Policy};

pub(crate) use exercise::ExerciseOptions;
pub(crate) use faults::FaultsOptions;
pub(crate) use images::{FactsFormat, InspectOptions, RunOptions, UnloadOrder};

use crate::new::NewOptions;
use crate::own::{BuildOptions, SetupOptions, TestOptions};
use crate::package::{PackageOptions, VerifyOptions};

/// Create, build, test, package and run Windows drivers that use the Network Module Registrar (NMR).
///
/// Without a command, a sample client and provider run on an embedded registrar, and every step of their binding is
/// explained: register, attach, call, detach with calls in flight, clean up, deregister.
#[derive(Parser, Debug)]
#[command(
    name = "cargo-nmr",
    bin_name = "cargo nmr",
    version,
    after_help = EXAMPLES,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true
)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    #[command(flatten)]
    pub(crate) story: StoryOptions,
}

/// What to do instead of telling the story.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Explain one binding of the sample client and provider, step by step (the default)
    Story(StoryOptions),
    New(NewOptions),
    Setup(SetupOptions),
    Build(BuildOptions),
    Test(TestOptions),
    Run(RunOptions),
    Faults(FaultsOptions),
    Inspect(InspectOptions),
    Package(PackageOptions),
    Verify(VerifyOptions),
}

const EXAMPLES: &str = "\
Examples:
  cargo nmr new mydrv              create a driver with its own interface; then, in its directory:
  cargo nmr test                   build it, and run its tests on the host and on its image
  cargo nmr run                    load its image, and explain every call and callback
  cargo nmr faults                 inject a fault at each allocation, registration and attach
  cargo nmr package                create a signed package that Windows installs
  cargo nmr inspect driver.sys     check a driver image against the requirements of Windows
  cargo nmr verify driver.inx      check an INF, an INX or a package

Examples without a command:
  cargo run -- --order client-first                     register the client first
  cargo run -- --decline                                let the client decline the offer
  cargo run -- --threads 8 --calls 1000                 make more calls, which are summarized
  cargo run -- --seed 7 --policy irql=dispatch          vary what the contract leaves open
  cargo run -- --format json | jq .function             one event per line; see docs/events.md
  cargo run -- --format svg --output docs/attach.svg    a sequence diagram
  cargo run -- --format html --output story.html        a page for a browser
  cargo run -- --sections 4,5                           only the detach

Exit codes:
  0  every rule of the NMR contract held
  1  a rule was violated; standard error has the report
  2  the command line is wrong, or the output cannot be written";

/// The story of one binding.
#[derive(Args, Clone, Debug)]
pub(crate) struct StoryOptions {
    /// Which module registers first
    #[arg(long, value_enum, default_value_t = Order::ProviderFirst)]
    pub(crate) order: Order,

    /// Number of threads that call the provider through the client
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(crate) threads: u32,

    /// Number of calls of each thread; the last is in flight when the provider deregisters
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=250_000))]
    pub(crate) calls: u32,

    #[command(flatten)]
    pub(crate) choices: Choices,

    /// Let a module decline the offer, as on a version mismatch
    #[arg(long, value_enum, value_name = "WHO", num_args = 0..=1, require_equals = true, default_missing_value = "client")]
    pub(crate) decline: Option<Side>,

    #[command(flatten)]
    pub(crate) result: ResultOptions,
}

/// What the registrar does where the contract leaves it a choice.
#[derive(Args, Clone, Debug)]
pub(crate) struct Choices {
    /// Make every choice that the contract leaves to the registrar from this seed
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,

    /// Set choices of the registrar, after --seed: comma-separated key=value pairs; `help` lists them
    #[arg(
        long,
        value_name = "SETTINGS",
        value_parser = policy::PolicyText,
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) policy: String,
}

/// What is written, and where.
#[derive(Args, Clone, Debug)]
pub(crate) struct ResultOptions {
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,

    /// Show only these sections: comma-separated numbers
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',')]
    pub(crate) sections: Vec<usize>,

    /// Write to a file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// Which module registers first.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Order {
    /// The client; the offer is made when the provider registers
    ClientFirst,
    /// The provider; the offer is made when the client registers
    ProviderFirst,
}

/// One of the two modules.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Side {
    /// The client, which decides first
    Client,
    /// The provider, which is asked after the client has accepted
    Provider,
}

/// The output formats.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Format {
    /// Prose
    Text,
    /// One JSON object per event and line
    Json,
    /// A Mermaid sequence diagram, for Markdown
    Mermaid,
    /// A sequence diagram as an SVG picture
    Svg,
    /// An HTML page with every event and a filter
    Html,
}

/// The most calls of a run. Each leaves four entries of some 250 bytes in the record.
const MOST_CALLS: u64 = 250_000;

impl StoryOptions {
    /// The number of calls on all threads together. Fails if that is too many.
    pub(crate) fn total_calls(&self) -> Result<u64, String> {
        let total = u64::from(self.threads) * u64::from(self.calls);
        if total > MOST_CALLS {
            return Err(format!(
                "{} threads with {} calls each are {total} calls, more than {MOST_CALLS}",
                self.threads, self.calls
            ));
        }
        Ok(total)
    }
}

impl Choices {
    /// The policy that they amount to.
    pub(crate) fn policy(&self) -> Result<Policy, String> {
        let seeded = self.seed.map_or_else(Policy::default, Policy::from_seed);
        // A later setting replaces an earlier one.
        let text = format!("{seeded},{}", self.policy);
        text.parse().map_err(|error| format!("--policy: {error}"))
    }
}

impl StoryOptions {
    /// The policy of the registrar, unless the story cannot be told under it.
    pub(crate) fn policy(&self) -> Result<Policy, String> {
        let policy = self.choices.policy()?;
        if policy.on_report == OnReport::Panic {
            return Err(
                "--policy: report=panic ends the program at the first report: leave it out, and the \
                 end of the story shows all of them"
                    .to_owned(),
            );
        }
        if policy.deregistration == Deregistration::Fails {
            return Err(
                "--policy: deregister=fails is for modules in C and for images: a module in Rust stops \
                 its thread when a deregistration fails, so the story has no end"
                    .to_owned(),
            );
        }
        Ok(policy)
    }
}

/// Reads the command line. Cargo puts its own word for this program first, `nmr`; typed alone, that asks
/// what there is. Fails with one line that says what is wrong with it, after help or
/// version was printed if that was asked for.
pub(crate) fn parse() -> Result<CommandLine, clap::Error> {
    let mut arguments: Vec<_> = std::env::args_os().collect();
    let by_cargo = arguments.get(1).is_some_and(|argument| argument == "nmr");
    if by_cargo {
        arguments.remove(1);
    }
    if by_cargo && arguments.len() == 1 {
        arguments.push("-h".into());
    }
    CommandLine::try_parse_from(arguments)
}

/// The message of a wrong command line, without usage and empty lines. Further lines are indented.
pub(crate) fn message(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let lines: Vec<_> = text
        .lines()
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"))
        .filter(|line| !line.trim().is_empty())
        .collect();
    lines.join("\n").trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use nmr_host::{DetachIrql, Policy};

    use super::*;

    fn story(arguments: &str) -> StoryOptions {
        let arguments = ["cargo-nmr"]
            .into_iter()
            .chain(arguments.split_whitespace());
        CommandLine::try_parse_from(arguments).unwrap().story
    }

    #[test]
    fn the_command_line_is_consistent() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn the_policy_is_the_seeds_with_the_named_settings_replaced() {
        let policy = |arguments| story(arguments).choices.policy().unwrap();
        assert_eq!(policy(""), Policy::default());
        assert_eq!(policy("--seed 5"), Policy::from_seed(5));
        let expected = Policy {
            detach_irql: DetachIrql::Dispatch,
            ..Policy::from_seed(5)
        };
        assert_eq!(policy("--seed 5 --policy irql=dispatch"), expected);
    }

    #[test]
    fn declining_is_the_clients_unless_said_otherwise() {
        assert_eq!(story("").decline, None);
        assert_eq!(story("--decline").decline, Some(Side::Client));
        assert_eq!(story("--decline=provider").decline, Some(Side::Provider));
    }

    #[test]
    fn too_many_calls_are_refused() {
        assert_eq!(story("--threads 64 --calls 3").total_calls(), Ok(192));
        let error = story("--threads 64 --calls 250000").total_calls();
        assert_eq!(
            error.unwrap_err(),
            "64 threads with 250000 calls each are 16000000 calls, more than 250000"
        );
    }

    #[test]
    fn a_complaint_has_its_line_breaks_and_no_usage() {
        let error = CommandLine::try_parse_from(["cargo-nmr", "--order", "both"]).unwrap_err();
        assert_eq!(
            message(&error),
            "invalid value 'both' for '--order <ORDER>'\n  [possible values: client-first, provider-first]"
        );
    }
}

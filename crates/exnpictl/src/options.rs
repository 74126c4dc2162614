//! The command line.

use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use exnpi_control::{MOST_CALLS, Role};

/// Speaks with the sample driver of the Network Module Registrar: shows what its modules have been
/// through, makes the client call the provider, and detaches and re-attaches them.
#[derive(Parser, Clone, Debug)]
#[command(name = "exnpictl", version, after_help = EXAMPLES, disable_help_subcommand = true)]
pub struct Options {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,

    /// Write JSON, one object a line
    #[arg(long, global = true)]
    pub json: bool,

    /// Load this driver image, and speak with it; those that follow are loaded as well, as peers.
    /// The images are part of this process: load only drivers that you trust
    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    #[arg(long = "image", value_name = "FILE", global = true)]
    pub images: Vec<std::path::PathBuf>,
}

#[cfg(windows)]
const EXAMPLES: &str = "\
Examples:
  exnpictl status                     what the driver's modules have been through
  exnpictl status --json              the same, for programs
  exnpictl call --count 1000          the client calls the provider 1000 times
  exnpictl detach                     deregister the client; waits for calls in progress
  exnpictl attach                     register it again
  exnpictl detach --role provider     the same with the provider
  exnpictl watch --interval 5         the state every five seconds, until Ctrl+C

Exit codes:
  0  done
  1  the driver refused, or not all calls got through; the reason is on standard error
  2  the command line is wrong, or the output cannot be written
  3  there is no device, or it cannot be opened";

#[cfg(not(windows))]
const EXAMPLES: &str = "\
Examples:
  exnpictl status --image driver.sys                what the driver's modules have been through
  exnpictl status --json --image driver.sys         the same, for programs
  exnpictl call --count 1000 --image driver.sys     the client calls the provider 1000 times
  exnpictl call --image client.sys --image provider.sys
                                                    the same with two drivers
  exnpictl detach --image driver.sys                deregister the client
  exnpictl watch --times 3 --image driver.sys       the state, three times

On Windows there is no --image: the program speaks with the driver that is installed.

Exit codes:
  0  done
  1  the driver refused, or not all calls got through; the reason is on standard error
  2  the command line is wrong, or the output cannot be written
  3  there is no device, or it cannot be opened";

/// What to do.
#[derive(Subcommand, Clone, Debug)]
pub enum Command {
    /// Show what the driver's modules have been through
    Status,
    /// Make the client call the provider
    Call {
        /// How often
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_CALLS)))]
        count: u32,
        /// What each call sends
        #[arg(long, value_name = "N", default_value_t = 1)]
        value: u32,
    },
    /// Deregister a module, and wait until it has no binding
    Detach {
        /// Which module
        #[arg(long, value_enum, default_value_t = RoleName::Client)]
        role: RoleName,
    },
    /// Register a module again
    Attach {
        /// Which module
        #[arg(long, value_enum, default_value_t = RoleName::Client)]
        role: RoleName,
    },
    /// Show the state again and again
    Watch {
        /// How many seconds to wait in between
        #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
        interval: Duration,
        /// How often; without this, until it is interrupted
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        times: Option<u32>,
    },
}

impl Command {
    /// Returns `true` if the device has to be open for writing.
    #[must_use]
    pub const fn writes(&self) -> bool {
        !matches!(self, Self::Status | Self::Watch { .. })
    }
}

/// A module of the driver.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum RoleName {
    /// The client
    Client,
    /// The provider
    Provider,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Client => Self::Client,
            RoleName::Provider => Self::Provider,
        }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.0..=86_400.0).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err("not between 0 and 86400".to_owned())
    }
}

/// The message of a wrong command line, without usage and empty lines. Further lines are indented.
#[must_use]
pub fn message(error: &clap::Error) -> String {
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
    use clap::{CommandFactory, Parser};

    use super::{Command, Options, RoleName, message};

    fn parse(arguments: &str) -> Result<Options, clap::Error> {
        let arguments = ["exnpictl"].into_iter().chain(arguments.split_whitespace());
        Options::try_parse_from(arguments)
    }

    #[test]
    fn the_command_line_is_consistent() {
        Options::command().debug_assert();
    }

    #[test]
    fn the_client_is_meant_unless_said_otherwise() {
        let role = |arguments| match parse(arguments).unwrap().command {
            Command::Detach { role } | Command::Attach { role } => role,
            other => panic!("{other:?}"),
        };
        assert_eq!(role("detach"), RoleName::Client);
        assert_eq!(role("attach --role provider"), RoleName::Provider);
    }

    #[test]
    fn json_may_stand_before_or_after_the_command() {
        assert!(parse("--json status").unwrap().json);
        assert!(parse("status --json").unwrap().json);
        assert!(!parse("status").unwrap().json);
    }

    #[test]
    fn a_complaint_has_its_line_breaks_and_no_usage() {
        for (arguments, expected) in [
            (
                "call --count 0",
                "invalid value '0' for '--count <N>': 0 is not in 1..=1000000",
            ),
            (
                "call --count 1000001",
                "invalid value '1000001' for '--count <N>': 1000001 is not in 1..=1000000",
            ),
            (
                "watch --interval soon",
                "invalid value 'soon' for '--interval <SECONDS>': not a number",
            ),
            (
                "watch --interval NaN",
                "invalid value 'NaN' for '--interval <SECONDS>': not between 0 and 86400",
            ),
            (
                "detach --role both",
                "invalid value 'both' for '--role <ROLE>'\n  [possible values: client, provider]",
            ),
        ] {
            assert_eq!(message(&parse(arguments).unwrap_err()), expected);
        }
    }
}

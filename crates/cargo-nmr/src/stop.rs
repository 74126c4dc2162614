//! Why the program ends before it has done what it was asked for.

use std::process::ExitCode;

use crate::stderr;

/// The command line is wrong, or a file cannot be read or written.
pub(crate) const BAD_USAGE: u8 = 2;
/// Something that was asked for failed.
const FAILED: u8 = 1;

/// A reason, with the exit code that it deserves.
#[derive(Debug)]
pub(crate) struct Stop {
    reason: String,
    code: u8,
}

impl Stop {
    /// A build, a test or a set-up failed.
    pub(crate) fn failed(error: &anyhow::Error) -> Self {
        Self {
            reason: format!("{error:#}"),
            code: FAILED,
        }
    }

    /// Prints the reason, in one line.
    pub(crate) fn tell(&self) -> ExitCode {
        stderr::line(format_args!("{}", self.reason));
        ExitCode::from(self.code)
    }
}

/// What the parts say that read the command line and files.
impl From<String> for Stop {
    fn from(reason: String) -> Self {
        Self {
            reason,
            code: BAD_USAGE,
        }
    }
}

//! Building and running the tests of a group, and what their output says.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, bail};
use driver_build::output;

use super::empty;
use super::table::{Fault, Table};

/// What `timeout` returns for a command that it had to end.
const TIMED_OUT: i32 = 124;

/// The commands of a group, in a copy of the sources.
pub(super) struct Check<'a> {
    table: &'a Table,
    source: &'a Path,
    target: PathBuf,
}

/// What became of a fault.
pub(super) enum Outcome {
    /// The line that shows it.
    Noticed(String),
    NotNoticed,
    DoesNotCompile,
    /// The tests failed, without a sign that they noticed the fault.
    Otherwise(&'static str),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Noticed(line) => f.write_str(line),
            Self::NotNoticed => f.write_str("NOT NOTICED"),
            Self::DoesNotCompile => f.write_str("DOES NOT COMPILE"),
            Self::Otherwise(how) => f.write_str(how),
        }
    }
}

impl<'a> Check<'a> {
    pub(super) fn new(table: &'a Table, source: &'a Path, target: &Path) -> Self {
        Self {
            table,
            source,
            target: target.to_owned(),
        }
    }

    /// Fails if the tests do not pass as they are.
    pub(super) fn unchanged(&self) -> Result<()> {
        let passes = self.build()? && {
            let output = self.run(&self.table.unchanged, None)?;
            show_unless(output.status.success(), &output);
            output.status.success()
        };
        if !passes {
            bail!("{}: the unchanged code does not pass", self.table.group);
        }
        Ok(())
    }

    /// Compiles the tests. Returns `true` if it succeeded.
    pub(super) fn build(&self) -> Result<bool> {
        let output = self.command(&self.table.build, None)?.output()?;
        show_unless(output.status.success(), &output);
        Ok(output.status.success())
    }

    /// Runs the tests until the fault is noticed, first those that are likely to.
    pub(super) fn tests(&self, fault: &Fault) -> Result<Outcome> {
        for tests in fault.likely.iter().chain(&self.table.tests) {
            let output = self.run(tests, fault.empty.as_ref().map(|_| &*fault.name))?;
            if output.status.success() {
                continue;
            }
            if output.status.code() == Some(TIMED_OUT) {
                return Ok(Outcome::Otherwise("DOES NOT END"));
            }
            let noticed = self.evidence(&output).map(Outcome::Noticed);
            show_unless(noticed.is_some(), &output);
            return Ok(noticed.unwrap_or(Outcome::Otherwise("FAILS OTHERWISE")));
        }
        Ok(Outcome::NotNoticed)
    }

    fn run(&self, tests: &str, empty: Option<&str>) -> Result<Output> {
        let line = format!(
            "timeout {} {} {tests}",
            self.table.seconds, self.table.check
        );
        let mut command = self.command(&line, empty)?;
        command.output().with_context(|| line)
    }

    fn command(&self, line: &str, empty: Option<&str>) -> Result<Command> {
        let mut words = line.split_whitespace();
        let mut command = Command::new(words.next().context("a command is empty")?);
        command.args(words).current_dir(self.source);
        command.env("CARGO_TARGET_DIR", &self.target);
        // The same crates are compiled for every fault.
        command.env_remove("CARGO_INCREMENTAL");
        command.env("RUST_BACKTRACE", "0");
        command.envs(&self.table.environment);
        if let Some(name) = empty {
            command.env(empty::SWITCH, name);
        }
        Ok(command)
    }

    /// The first line that shows that a test noticed the fault.
    fn evidence(&self, output: &Output) -> Option<String> {
        let texts = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
        let mut lines = texts.iter().flat_map(|text| text.lines());
        let shows = |line: &&str| self.table.evidence.iter().any(|text| line.contains(text));
        let line = lines.find(shows)?.trim();
        Some(line.strip_suffix(" --- FAILED").unwrap_or(line).to_owned())
    }
}

fn show_unless(fine: bool, output: &Output) {
    if !fine {
        for text in [&output.stdout, &output.stderr] {
            output::error(format_args!("{}", String::from_utf8_lossy(text)));
        }
    }
}

//! `cargo xtask test`: everything from an empty machine to the tests of the images.

use std::env;
use std::process::Command;

use anyhow::Result;
use driver_build::setup::Log;
use driver_build::{Arch, command, output, tools};

use crate::build::Builder;
use crate::options::{BuildDriver, BuildFixtures, Part, Role, Test};
use crate::packaging;
use crate::project::Project;

/// What the names of long tests begin with; their reason to be ignored begins with `long:`.
const LONG: &str = "long_";

/// Ignored tests that this program does not run, by the beginning of the name, and why.
const LEFT_OUT: [(&str, &str); 5] = [
    ("deep_", "takes minutes and gigabytes"),
    ("breaks_a_rule", "runs as a process of other tests"),
    ("ends_badly", "runs as a process of other tests"),
    (
        "planted",
        "is a fault that scripts/miri.sh requires Miri to find",
    ),
    ("what_a_watched_call_costs", "measures and asserts nothing"),
];

pub(crate) fn run(project: &Project, test: &Test) -> Result<()> {
    let has = |part| test.part.is_none_or(|only| only == part);
    step("set-up");
    let builder = if has(Part::Drivers) {
        let builder = Builder::new(project, Log::All)?;
        packaging::make(&project.cross(None)?, Log::All)?;
        tools::for_packages(Log::All)?;
        Some(builder)
    } else {
        None
    };
    if has(Part::Host) {
        tools::for_c(Log::All)?;
        host(project, test.all)?;
    }
    if let Some(builder) = builder {
        drivers(project, &builder)?;
    }
    Ok(())
}

fn host(project: &Project, long: bool) -> Result<()> {
    step("tests of the host");
    if long {
        tools::for_counts(Log::All)?;
    }
    command::run(&mut cargo_test(project))?;
    if !long {
        output::line(format_args!(
            "\nnot run: the long tests, which `cargo xtask test --all` runs"
        ));
        return Ok(());
    }
    step("long tests of the host");
    command::run(cargo_test(project).args(["--tests", "--", "--ignored", LONG]))
}

fn drivers(project: &Project, builder: &Builder<'_>) -> Result<()> {
    step("drivers");
    let for_arm = (Role::Both, Arch::Arm64);
    let images = Role::ALL.map(|role| (role, Arch::X64));
    for (role, arch) in images.into_iter().chain([for_arm]) {
        let image = BuildDriver {
            role,
            arch,
            release: true,
        };
        builder.sample(&image)?;
    }
    let (arch, release) = (Arch::X64, true);
    builder.fixtures(&BuildFixtures { arch, release })?;

    step("tests of the drivers");
    let mut images = cargo_test(project);
    images.args(["--tests", "--", "--ignored", "--skip", LONG]);
    for (name, _) in LEFT_OUT {
        images.args(["--skip", name]);
    }
    command::run(&mut images)
}

fn step(name: &str) {
    output::line(format_args!("\n== {name}"));
}

/// The tests of every package. With one selection of packages for all runs, Cargo builds each dependency with one set of
/// features, and each test once.
fn cargo_test(project: &Project) -> Command {
    // The one that runs this program.
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(project.root());
    cargo.args(["test", "--workspace"]);
    cargo
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::{LEFT_OUT, LONG};

    /// The reasons of the tests that need more than Rust and a C compiler.
    const NEEDS: &str = "needs ";

    /// The reason and the name of each ignored test below a directory.
    fn ignored(directory: &Path, found: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("target") && !path.ends_with(".git") {
                ignored(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                for part in text.split("\n#[ignore").skip(1) {
                    let reason = part.split('"').nth(1).unwrap_or_default();
                    let name = part.split("fn ").nth(1).unwrap_or_default();
                    let name = name.split('(').next().unwrap_or_default();
                    found.push((reason.to_owned(), name.to_owned()));
                }
            }
        }
    }

    #[test]
    fn every_ignored_test_is_run_or_left_out_for_a_reason() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut found = Vec::new();
        for directory in ["crates", "tests", "xtask"] {
            ignored(&root.join(directory), &mut found);
        }
        let mut runs = [0, 0, 0];
        for (reason, name) in found {
            let long = reason.starts_with("long: ");
            let left_out = LEFT_OUT.iter().any(|(start, _)| name.starts_with(start));
            let at_run = [long, reason.starts_with(NEEDS), left_out];
            assert_eq!(name.starts_with(LONG), long, "{name}: {reason}");
            // Those for other threads' schedules have a script of their own, which needs a build of its own.
            if reason.contains("the test below runs it") {
                continue;
            }
            assert_eq!(
                at_run.iter().filter(|holds| **holds).count(),
                1,
                "{name}: {reason}"
            );
            for (count, holds) in runs.iter_mut().zip(at_run) {
                *count += usize::from(holds);
            }
        }
        assert!(
            runs[0] > 5 && runs[1] > 50 && runs[2] >= LEFT_OUT.len(),
            "{runs:?}"
        );
    }
}

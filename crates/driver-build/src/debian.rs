//! Installing Debian's packages.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::command;

const INSTALL: [&str; 4] = ["apt-get", "install", "--yes", "--no-install-recommends"];

/// Installs packages, as root or with sudo; or fails and says what to type.
pub(crate) fn install(packages: &[&str]) -> Result<()> {
    if command::find("apt-get").is_none() {
        bail!(
            "no apt-get on PATH; install what Debian has in {}",
            packages.join(" ")
        );
    }
    let prefix: &[&str] = match () {
        () if is_root() => &[],
        () if has_sudo() => &["sudo", "--non-interactive"],
        () => bail!(
            "not root, and no sudo without a password: type `{}`",
            typed(packages)
        ),
    };
    // Lists that cannot be fetched now may still name what is needed.
    let _ = command::quiet(&mut built(prefix, &["apt-get", "update"], &[]));
    command::output(&mut built(prefix, &INSTALL, packages))
        .with_context(|| format!("type `{}` and see what it says", typed(packages)))?;
    Ok(())
}

/// Returns `true` if the packages are installed whole: their files are there earlier.
pub(crate) fn are_installed(packages: &[&str]) -> bool {
    let mut query = Command::new("dpkg-query");
    query.args(["--show", "--showformat=${db:Status-Status}\n"]);
    let states = command::quiet(query.args(packages));
    states.is_some_and(|states| {
        states.lines().count() == packages.len() && states.lines().all(|state| state == "installed")
    })
}

fn is_root() -> bool {
    command::quiet(Command::new("id").arg("-u")).is_some_and(|id| id.trim() == "0")
}

fn has_sudo() -> bool {
    let mut sudo = Command::new("sudo");
    command::succeeds_within(
        Duration::from_secs(5),
        sudo.args(["--non-interactive", "true"]),
    )
}

/// What a person types to install packages.
fn typed(packages: &[&str]) -> String {
    format!("sudo {} {}", INSTALL.join(" "), packages.join(" "))
}

fn built(prefix: &[&str], verb: &[&str], packages: &[&str]) -> Command {
    let mut words = prefix.iter().chain(verb).chain(packages);
    let program = words.next().copied().unwrap_or_default();
    let mut command = Command::new(Path::new(program));
    command.args(words).env("DEBIAN_FRONTEND", "noninteractive");
    command
}

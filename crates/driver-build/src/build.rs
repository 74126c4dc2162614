//! Compiling a driver's package for Windows, with the environment of a machine that has a WDK.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};
use clap::Args;

use crate::command;
use crate::files;
use crate::missing::Missing;
use crate::package::Package;
use crate::setup::Log;
use crate::shadow;
use crate::wdk;
use crate::{Arch, Cross, Toolchain, profile_name};

/// How a package is compiled, as options of Cargo's names.
#[derive(Args, Clone, Debug, Default)]
pub struct Profile {
    /// Optimize, as for the driver that ships
    #[arg(long, short)]
    pub release: bool,
    /// The processor it is for
    #[arg(long, visible_alias = "target-arch", value_enum, default_value_t)]
    pub arch: Arch,
    /// Features to activate, separated by commas or spaces
    #[arg(long, short = 'F', value_name = "FEATURES")]
    pub features: Vec<String>,
    /// Activate all features
    #[arg(long)]
    pub all_features: bool,
    /// Do not activate the feature `default`
    #[arg(long)]
    pub no_default_features: bool,
}

/// A package with its shadow, on a machine that is set up.
#[derive(Debug)]
pub struct Driver<'a> {
    cross: &'a Cross,
    toolchain: Toolchain,
    package: &'a Package,
    shadow: PathBuf,
}

impl<'a> Driver<'a> {
    /// Makes the package's shadow.
    pub fn new(
        cross: &'a Cross,
        toolchain: Toolchain,
        package: &'a Package,
        log: Log,
    ) -> Result<Self> {
        let shadow = shadow::make(cross, package, log)?;
        Ok(Self {
            cross,
            toolchain,
            package,
            shadow,
        })
    }

    /// Compiles the driver. Returns where its image is, with its symbols beside it.
    ///
    /// If functions are missing that the WDK here does not have, the error says how to add them.
    pub fn build(&self, profile: &Profile) -> Result<PathBuf> {
        self.compile(profile)?;
        let image = self.product(profile, &format!("{}.dll", self.package.library));
        let directory = Path::new(profile.arch.name()).join(profile_name(profile.release));
        let name = format!("{}.sys", self.package.library);
        let to = self.cross.made(directory).join(name);
        files::copy(&image, &to)?;
        let symbols = image.with_extension("pdb");
        if symbols.is_file() {
            files::copy(&symbols, &to.with_extension("pdb"))?;
        }
        Ok(to)
    }

    fn compile(&self, profile: &Profile) -> Result<()> {
        let mut missing = Missing::default();
        let mut cargo = self.cargo("build", profile);
        let status = command::run_watched(&mut cargo, |line| missing.look(line))?;
        if !status.success() {
            let advice = missing.advice();
            bail!(advice.unwrap_or_else(|| "Cargo failed; its messages are above".to_owned()));
        }
        Ok(())
    }

    /// A file that Cargo has made.
    #[must_use]
    pub fn product(&self, profile: &Profile, name: &str) -> PathBuf {
        let results =
            self.toolchain
                .results(profile.arch, &self.target_directory(), profile.release);
        results.join(name)
    }

    /// wdk-build wants the directory below the manifest.
    fn target_directory(&self) -> PathBuf {
        self.shadow.join("target")
    }

    /// Cargo, with the environment of a machine that has a WDK.
    #[must_use]
    pub fn cargo(&self, subcommand: &str, profile: &Profile) -> Command {
        let (cross, arch) = (self.cross, profile.arch);
        let mut cargo = self
            .toolchain
            .cargo(subcommand, arch, &self.target_directory());
        cargo.current_dir(&self.shadow);
        select(&mut cargo, profile);
        cargo.env("WDKContentRoot", wdk::root(cross));
        cargo.env("Version_Number", wdk::VERSION);
        let compiler = cross.made("bin/clang-cl");
        cargo.env(format!("CC_{}", arch.variable()), compiler);
        let archiver = cross.made("bin/llvm-lib");
        cargo.env(format!("AR_{}", arch.variable()), archiver);
        // Not by RUSTFLAGS, which would replace the flags of `.cargo/config.toml`.
        let target = format!("target.'{}'", arch.triple());
        let linker = cross.made("bin/lld-link");
        let linker = linker.display();
        cargo.args(["--config", &format!("{target}.linker='{linker}'")]);
        // wdk-build refuses a driver of the kernel without the static C run-time library, which has none.
        let mut flags = vec!["'-Ctarget-feature=+crt-static'".to_owned()];
        let sources = self.remapped().into_iter();
        flags.extend(
            sources.map(|(from, to)| format!("'--remap-path-prefix={}={to}'", from.display())),
        );
        let flags = flags.join(", ");
        cargo.args(["--config", &format!("{target}.rustflags=[{flags}]")]);
        cargo
    }

    /// The names of the sources that an image has for its panics: the same wherever it is built.
    fn remapped(&self) -> [(PathBuf, &'static str); 3] {
        [
            (self.package.workspace.join(""), ""),
            (files::cargo_home().join("registry/src"), "registry"),
            (files::cargo_home().join("git/checkouts"), "git"),
        ]
    }
}

/// Passes the profile and the features on to Cargo.
pub fn select(cargo: &mut Command, profile: &Profile) {
    if profile.release {
        cargo.arg("--release");
    }
    select_features(cargo, profile);
}

/// Passes the features on to Cargo.
pub fn select_features(cargo: &mut Command, profile: &Profile) {
    if profile.all_features {
        cargo.arg("--all-features");
    }
    if profile.no_default_features {
        cargo.arg("--no-default-features");
    }
    for features in &profile.features {
        cargo.args(["--features", features]);
    }
}

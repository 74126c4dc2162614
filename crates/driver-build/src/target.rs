//! The two processors that Windows drivers are built for, and what the tools call them.

use clap::ValueEnum;

/// A processor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Arch {
    /// x64
    #[default]
    #[value(alias = "amd64", alias = "x86_64")]
    X64,
    /// ARM64
    #[value(alias = "aarch64")]
    Arm64,
}

impl Arch {
    /// Both.
    pub const ALL: [Self; 2] = [Self::X64, Self::Arm64];

    /// The name of the directory of results.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::X64 => "x64",
            Self::Arm64 => "arm64",
        }
    }

    /// Rust's name.
    #[must_use]
    pub fn triple(self) -> &'static str {
        match self {
            Self::X64 => "x86_64-pc-windows-msvc",
            Self::Arm64 => "aarch64-pc-windows-msvc",
        }
    }

    /// Rust's name, as it stands in the names of environment variables.
    #[must_use]
    pub fn variable(self) -> String {
        self.triple().replace('-', "_")
    }

    /// The name of the directories of the WDK.
    #[must_use]
    pub fn wdk(self) -> &'static str {
        match self {
            Self::X64 => "x64",
            Self::Arm64 => "ARM64",
        }
    }

    /// The macro that headers look at.
    #[must_use]
    pub fn macro_name(self) -> &'static str {
        match self {
            Self::X64 => "_AMD64_",
            Self::Arm64 => "_ARM64_",
        }
    }

    /// The name that `llvm-dlltool` has.
    #[must_use]
    pub fn machine(self) -> &'static str {
        match self {
            Self::X64 => "i386:x86-64",
            Self::Arm64 => "arm64",
        }
    }
}

/// The name of the directory of what is built with or without optimization.
#[must_use]
pub fn profile_name(release: bool) -> &'static str {
    if release { "release" } else { "debug" }
}

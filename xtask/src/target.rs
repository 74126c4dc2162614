//! The two processors that Windows drivers are built for, and what the tools call them.

use clap::ValueEnum;

#[derive(Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Arch {
    #[default]
    X64,
    Arm64,
}

impl Arch {
    pub(crate) const ALL: [Self; 2] = [Self::X64, Self::Arm64];

    /// The name of the directory of results.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::X64 => "x64",
            Self::Arm64 => "arm64",
        }
    }

    /// Rust's name.
    pub(crate) fn triple(self) -> &'static str {
        match self {
            Self::X64 => "x86_64-pc-windows-msvc",
            Self::Arm64 => "aarch64-pc-windows-msvc",
        }
    }

    /// Rust's name, as it stands in the names of environment variables.
    pub(crate) fn variable(self) -> String {
        self.triple().replace('-', "_")
    }

    /// The name of the directories of the WDK.
    pub(crate) fn wdk(self) -> &'static str {
        match self {
            Self::X64 => "x64",
            Self::Arm64 => "ARM64",
        }
    }

    /// The macro that headers look at.
    pub(crate) fn macro_name(self) -> &'static str {
        match self {
            Self::X64 => "_AMD64_",
            Self::Arm64 => "_ARM64_",
        }
    }

    /// The name that `llvm-dlltool` has.
    pub(crate) fn machine(self) -> &'static str {
        match self {
            Self::X64 => "i386:x86-64",
            Self::Arm64 => "arm64",
        }
    }
}

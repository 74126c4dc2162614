//! The command lines of what is done with a package.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use driver_build::Wishes;
use driver_build::build::Profile;

/// Which package, and how it is built, with Cargo's names of options.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Package")]
pub(crate) struct OwnPackage {
    /// Package in the workspace
    #[arg(long, short, value_name = "NAME")]
    pub(crate) package: Option<String>,

    /// Path to its Cargo.toml [default: the one of the current directory]
    #[arg(long, value_name = "FILE")]
    pub(crate) manifest_path: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) profile: Profile,

    #[command(flatten, next_help_heading = "Tools")]
    pub(crate) tools: Wishes,
}

/// Check the tools that build a driver, and install the missing ones.
///
/// Prints a line for each: Rust with the targets for Windows, clang and LLVM's tools, a linker, mingw-w64's headers. Missing ones
/// are installed by rustup or from Debian's packages, with sudo if it needs no password; otherwise a line has the command to
/// type.
#[derive(Args, Clone, Debug)]
#[command(after_help = SETUP_EXAMPLES)]
pub(crate) struct SetupOptions {
    /// Directory for the WDK and for links to the tools [default: target/nmr]
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) tools: Wishes,
}

const SETUP_EXAMPLES: &str = "\
Examples:
  cargo nmr setup                           check and install everything
  cargo nmr setup --headers /opt/mingw64    use headers in an unusual place
  cargo nmr setup --wdk ~/wdk               use Microsoft's WDK, unpacked from its NuGet packages

Exit codes:
  0  every tool is installed
  1  a tool is missing; standard error has the command that installs it
  2  the command line is wrong";

/// Build the driver of a package for Windows.
///
/// On Linux the output goes to target/nmr, which `cargo clean` removes; the package's manifest and lock file do not change. On
/// Windows this is `cargo build`.
#[derive(Args, Clone, Debug)]
#[command(after_help = BUILD_EXAMPLES)]
pub(crate) struct BuildOptions {
    #[command(flatten)]
    pub(crate) own: OwnPackage,
}

const BUILD_EXAMPLES: &str = "\
Examples:
  cargo nmr build                           target/nmr/x64/debug/NAME.sys
  cargo nmr build --release --arch arm64    target/nmr/arm64/release/NAME.sys
  cargo nmr build -p mydrv --features trace

Exit codes:
  0  the image was built
  1  the build failed; standard error has the reason
  2  the command line is wrong, or there is no driver's package";

/// Build the driver, and run the package's tests on the host and on the image.
///
/// Tests of the image are marked `#[ignore = "needs the image: cargo nmr test"]`, so that `cargo test` skips them; they load
/// it with `driver_host::built_image`. They run on x86-64 Linux only.
#[derive(Args, Clone, Debug)]
#[command(after_help = TEST_EXAMPLES)]
pub(crate) struct TestOptions {
    #[command(flatten)]
    pub(crate) own: OwnPackage,

    /// What to test, and options of the tests: passed on to `cargo test`
    #[arg(last = true, value_name = "ARGUMENTS")]
    pub(crate) arguments: Vec<OsString>,
}

const TEST_EXAMPLES: &str = "\
Examples:
  cargo nmr test
  cargo nmr test --release                  the image that ships
  cargo nmr test -- detach --nocapture      the tests with `detach` in their names

Exit codes:
  0  every test passed
  1  a test failed, or the driver could not be built
  2  the command line is wrong, or there is no driver's package";

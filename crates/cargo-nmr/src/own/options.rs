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
    /// The package in the workspace whose driver is meant
    #[arg(long, short, value_name = "NAME")]
    pub(crate) package: Option<String>,

    /// Its manifest, if it is not that of the current directory
    #[arg(long, value_name = "FILE")]
    pub(crate) manifest_path: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) profile: Profile,

    #[command(flatten, next_help_heading = "Tools")]
    pub(crate) tools: Wishes,
}

/// Finds what a driver is built with, and installs what is missing.
///
/// Says in a line each what is there: a Rust with the targets for Windows, clang and LLVM's tools, a linker,
/// mingw-w64's headers. What is missing comes from rustup or from Debian's packages, with sudo if that needs
/// no password; or a line says what to type.
#[derive(Args, Clone, Debug)]
#[command(after_help = SETUP_EXAMPLES)]
pub(crate) struct SetupOptions {
    /// Where the WDK and the links to the tools are made [default: target/nmr]
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) tools: Wishes,
}

const SETUP_EXAMPLES: &str = "\
Examples:
  cargo nmr setup                           everything that is found or installed
  cargo nmr setup --headers /opt/mingw64    headers that no package manager has put there
  cargo nmr setup --wdk ~/wdk               Microsoft's WDK, unpacked from its NuGet packages

Exit codes:
  0  everything is there
  1  something is missing; standard error says what to do
  2  the command line is wrong";

/// Builds the driver of a package for Windows.
///
/// On Linux the package's own manifest and lock file stay as they are, and everything is made below target/nmr:
/// `cargo clean` removes it. On Windows this is `cargo build`.
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
  0  the image is there
  1  it could not be built; the reason is on standard error
  2  the command line is wrong, or there is no driver's package";

/// Builds the driver, and runs the package's tests: those of this machine and those of the image.
///
/// Tests of the image are marked `#[ignore = "needs the image: cargo nmr test"]`, so that `cargo test` leaves them
/// out, and find it with `driver_host::built_image`. On Windows, and elsewhere than on x86-64 Linux, only the
/// others run.
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

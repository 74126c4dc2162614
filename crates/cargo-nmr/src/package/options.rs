//! The command lines.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use driver_package::DateTime;
use driver_package::inf::stamp::Version;

use crate::own::OwnPackage;

/// Create a driver package: stamp the INX, sign the image, write a signed catalog over both, and verify the result.
///
/// Without --cert, a test certificate in target/test-certificate is created once and reused. The private key is never copied
/// into the package. The package installs on machines with test signing enabled; with Secure Boot, Windows accepts only
/// drivers that Microsoft has signed.
#[derive(Args, Clone, Debug)]
#[command(after_help = PACKAGE_EXAMPLES)]
pub(crate) struct PackageOptions {
    /// Image, with its name in the INF [default: the driver of this package, which is built first]
    #[arg(long, value_name = "FILE")]
    pub(crate) image: Option<PathBuf>,

    /// INX or INF, which names the package [default: the .inx of this package]
    #[arg(long, value_name = "FILE")]
    pub(crate) inf: Option<PathBuf>,

    /// Sign with this certificate, in PEM or DER, instead of a test certificate
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) cert: Option<PathBuf>,

    /// RSA key of --cert, in PEM or DER, not encrypted
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(crate) key: Option<PathBuf>,

    /// Use this time instead of the current one, in UTC: 2026-01-31 or 2026-01-31T12:00:00Z. The same time, certificate and files
    /// give the same package
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) time: Option<DateTime>,

    /// Output directory [default: target/package/NAME]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,

    /// KMDF version that the driver is built for: $KMDFVERSION$ in the INX
    #[arg(long, value_name = "VERSION", default_value = "1.31", value_parser = kmdf)]
    pub(crate) kmdf: String,

    /// Driver version, as in 1.2.3.4 [default: the one in the INX]
    #[arg(long, value_name = "VERSION")]
    pub(crate) driver_version: Option<Version>,

    /// Directory of PowerShell scripts to copy into the package
    #[arg(long, value_name = "DIR")]
    pub(crate) scripts: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) own: OwnPackage,
}

const PACKAGE_EXAMPLES: &str = "\
Examples:
  cargo nmr package --release                             the driver of this package
  cargo nmr package --image driver.sys --inf driver.inx
  cargo nmr package --image driver.sys --inf driver.inx --out /tmp/driver --scripts scripts/windows
  cargo nmr package --image driver.sys --inf driver.inx --cert us.pem --key us.key
  cargo nmr package --image driver.sys --inf driver.inx --time 2026-01-31

Exit codes:
  0  the package was created and verified
  1  Windows would refuse the package, or the driver could not be built
  2  the command line is wrong, or a file cannot be read, used or written";

/// Verify a driver package, or check an INF or INX file against the rules of Windows.
///
/// For a package, prints which files match the catalog, the signer, the expiry of the certificate, and what Windows with
/// test signing would refuse. For an INF or INX, prints each violation with its line, the rule and its reason.
#[derive(Args, Clone, Debug)]
#[command(after_help = VERIFY_EXAMPLES)]
pub(crate) struct VerifyOptions {
    /// Directory of a package, or an .inf or .inx file
    #[arg(value_name = "DIR|FILE")]
    pub(crate) path: PathBuf,

    /// Use this time instead of the current one, in UTC: 2026-01-31 or 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) time: Option<DateTime>,
}

const VERIFY_EXAMPLES: &str = "\
Examples:
  cargo nmr verify target/package/driver                   a package
  cargo nmr verify driver.inx                              an INX, before it is stamped
  cargo nmr verify target/package/driver --time 2040-01-01 whether it is valid at that time

Exit codes:
  0  ready, or no rule is broken by an error
  1  Windows would refuse it; the first reason is on standard error
  2  the command line is wrong, or it is neither a package nor an INF or cannot be read";

/// A day, or a second of it.
fn time(text: &str) -> Result<DateTime, String> {
    let full = if text.contains('T') {
        text.to_owned()
    } else {
        format!("{text}T00:00:00Z")
    };
    let time = DateTime::from_str(&full);
    time.map_err(|_| "a time is written 2026-01-31 or 2026-01-31T12:00:00Z".to_owned())
}

/// `1.31`.
fn kmdf(text: &str) -> Result<String, String> {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    match text.split_once('.') {
        Some((major, minor)) if is_number(major) && is_number(minor) => Ok(text.to_owned()),
        _ => Err("a version of KMDF is two numbers, as in 1.31".to_owned()),
    }
}

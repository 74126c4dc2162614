//! The command lines.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use driver_package::DateTime;
use driver_package::inf::stamp::Version;

use crate::own::OwnPackage;

/// Makes a driver package: stamps the INX, signs the image, writes a signed catalog over both, and
/// verifies the result.
///
/// Without --cert, a certificate for test signing is made on first use and used again: its files are in
/// target/test-certificate. The private key never gets into the package. The package is for machines
/// with test signing; Windows with Secure Boot takes only what Microsoft has signed.
#[derive(Args, Clone, Debug)]
#[command(after_help = PACKAGE_EXAMPLES)]
pub(crate) struct PackageOptions {
    /// The image, with the name that the INF has for it [default: the driver of this package, which is built
    /// first]
    #[arg(long, value_name = "FILE")]
    pub(crate) image: Option<PathBuf>,

    /// The INX or INF; the package is named after it [default: the .inx of this package]
    #[arg(long, value_name = "FILE")]
    pub(crate) inf: Option<PathBuf>,

    /// Sign with this certificate, in PEM or DER, instead of a test certificate
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) cert: Option<PathBuf>,

    /// The RSA key of --cert, in PEM or DER, not encrypted
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(crate) key: Option<PathBuf>,

    /// Take this time for now, in UTC: 2026-01-31 or 2026-01-31T12:00:00Z. With the same time and
    /// certificate, the same files give the same package
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) time: Option<DateTime>,

    /// The folder of the package [default: target/package/NAME]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,

    /// The version of KMDF that the driver is built for: $KMDFVERSION$ in the INX
    #[arg(long, value_name = "VERSION", default_value = "1.31", value_parser = kmdf)]
    pub(crate) kmdf: String,

    /// The version of the driver, as in 1.2.3.4 [default: the one in the INX]
    #[arg(long, value_name = "VERSION")]
    pub(crate) driver_version: Option<Version>,

    /// Copy the PowerShell scripts of this folder into the package
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
  0  the package is there and verified
  1  Windows would refuse the package, which is there, or the driver could not be built
  2  the command line is wrong, or a file cannot be read, used or written";

/// Verifies a driver package, or checks an INF or INX file against the rules of Windows.
///
/// Of a package it says in a line each which file is in the catalog and matches, who signed, until
/// when, and what Windows with test signing would refuse. Of an INF or INX it says which line breaks
/// which rule, and why it is one.
#[derive(Args, Clone, Debug)]
#[command(after_help = VERIFY_EXAMPLES)]
pub(crate) struct VerifyOptions {
    /// The folder of a package, or an .inf or .inx file
    #[arg(value_name = "DIR|FILE")]
    pub(crate) path: PathBuf,

    /// Take this time for now, in UTC: 2026-01-31 or 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) time: Option<DateTime>,
}

const VERIFY_EXAMPLES: &str = "\
Examples:
  cargo nmr verify target/package/driver                   a package
  cargo nmr verify driver.inx                              an INX, before it is stamped
  cargo nmr verify target/package/driver --time 2040-01-01 whether it will be valid then

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

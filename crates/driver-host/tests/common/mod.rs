//! What the tests of the loader share.
#![allow(dead_code, unreachable_pub, reason = "no test uses everything")]

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub mod inside;
pub mod synthetic;

use std::path::PathBuf;

use driver_host::{Host, LoadOptions, Report};
use nmr_host::Policy;

/// A driver of cross/fixtures, which `cargo xtask build-fixtures` builds.
pub fn fixture(name: &str) -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/driver/x64");
    let file = |profile| {
        root.join(profile)
            .join("fixtures")
            .join(name)
            .with_extension("sys")
    };
    let found = ["release", "debug"]
        .map(file)
        .into_iter()
        .find(|file| file.exists());
    found.unwrap_or_else(|| panic!("{name}.sys is not built: `cargo xtask test` does that"))
}

/// The control code of a function of one's own, for any access and with buffers of the system.
pub const fn code(n: u32) -> u32 {
    0x22 << 16 | (0x800 + n) << 2
}

/// A host with the default policy.
pub fn host() -> Host {
    Host::new(Policy::default())
}

/// The reports, as they are printed, without the thread.
pub fn lines(reports: &[Report]) -> Vec<String> {
    reports
        .iter()
        .map(|report| format!("{}: {}", report.image, report.fault))
        .collect()
}

/// Everything that was printed.
pub fn printed(host: &Host) -> String {
    host.prints().into_iter().map(|print| print.text).collect()
}

/// The options that give an image a name.
pub fn named(name: &str) -> LoadOptions {
    LoadOptions::named(name)
}

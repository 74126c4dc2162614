//! The functions of the kernel, by family, as a driver calls them. `cargo xtask plant-faults kernel` makes each of
//! them do nothing, which a test here must notice.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

#[path = "../common/mod.rs"]
mod common;

mod data;
mod exceptions;
mod services;
mod waits;

use common::host;
use common::inside::{self, Imports};
use driver_host::Host;

const SUCCESS: u32 = 0;
const TIMEOUT: u32 = 0x102;

/// Runs a driver that calls functions of the kernel. Returns the reports.
fn reports(
    host: &Host,
    names: &[&'static str],
    mut body: impl FnMut(&Imports<'_>) + Send,
) -> Vec<String> {
    inside::run(host, "ntoskrnl.exe", names, &mut body)
}

/// The same for a driver that makes no mistake.
fn driver(names: &[&'static str], body: impl FnMut(&Imports<'_>) + Send) {
    assert_eq!(reports(&host(), names, body), [""; 0]);
}

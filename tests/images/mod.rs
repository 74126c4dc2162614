//! What the tests of the driver's images share.
#![allow(dead_code, unreachable_pub, reason = "no test uses everything")]

pub mod requests;

use std::path::{Path, PathBuf};

use driver_host::{Host, Image, LoadOptions, Report, Unloaded};
use exnpi::{ClientDispatch, Exnpi, ProviderDispatch};
use nmr::Npi;
use nmr_host::{Choice, Interface, MemoryChecks, Policy, Wrapping};

/// The image with some modules, which `cargo xtask build-driver` builds: `both`, `provider` or
/// `client`. `DRIVER_PROFILE=debug` takes those that are not optimized.
pub fn path(role: &str) -> PathBuf {
    let profile = std::env::var("DRIVER_PROFILE").unwrap_or_else(|_| "release".to_owned());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/driver/x64");
    let file = root.join(profile).join(role).join("exnpi_driver.sys");
    assert!(
        file.exists(),
        "{} is missing: `cargo xtask test` builds it",
        file.display()
    );
    file
}

/// A driver of cross/fixtures, which `cargo xtask build-fixtures --release` builds.
pub fn fixture(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/driver/x64");
    let file = root.join(format!("release/fixtures/{name}.sys"));
    assert!(
        file.exists(),
        "{} is missing: `cargo xtask test` builds it",
        file.display()
    );
    file
}

/// Loads an image under the name of its role, with a device.
pub fn load(host: &Host, role: &str) -> Image {
    let name = format!("{role}.sys");
    let image = host.load(path(role), LoadOptions::named(&name));
    let image = image.unwrap_or_else(|error| panic!("{role}: {error}"));
    image
        .add_device()
        .unwrap_or_else(|error| panic!("{role}: {error}"));
    image
}

/// Expects that an image left nothing behind.
pub fn clean(unloaded: &Unloaded) {
    assert_eq!(lines(&unloaded.reports), [""; 0]);
    assert!(unloaded.unmapped);
}

/// The reports as they are printed.
pub fn lines(reports: &[Report]) -> Vec<String> {
    reports.iter().map(ToString::to_string).collect()
}

/// Expects that nothing is left on a host, and that no rule was broken.
pub fn finish(host: &Host) {
    assert_eq!(lines(&host.reports()), [""; 0]);
    let rules = host.registrar().finish();
    let rules: Vec<_> = rules.iter().map(ToString::to_string).collect();
    assert_eq!(rules, [""; 0]);
    assert_eq!(host.pool_in_use(), 0);
}

/// Runs a test on a host for each of some policies that follow from a seed. Every second one watches
/// the calls between the modules; every third one has special pool, and its registrar looks at memory.
pub fn on_hosts(test: impl Fn(&Host)) {
    for seed in 0..24 {
        println!("seed {seed}");
        let special = seed % 3 == 1;
        let host = Host::new(Policy {
            memory: MemoryChecks::ALL[usize::from(special)],
            ..Policy::from_seed(seed)
        });
        if special {
            host.use_special_pool();
        }
        if seed % 2 == 1 {
            watch_calls(&host);
        }
        test(&host);
        finish(&host);
    }
}

/// Lets the registrar of a host watch the calls between EXNPI modules.
pub fn watch_calls(host: &Host) {
    let interface = Interface::of::<ClientDispatch, ProviderDispatch>(Exnpi::ID);
    let wrapping = Wrapping {
        closing_calls: false,
        recorded: false,
    };
    let watching = host.registrar().wrap(interface, wrapping);
    watching.expect("calls can be watched where images run");
}

/// How many bindings have been made.
pub fn bindings(host: &Host) -> usize {
    let records = host.registrar().records();
    let numbers: std::collections::BTreeSet<_> =
        records.iter().filter_map(|record| record.binding).collect();
    numbers.len()
}

//! The image of a driver, in a test: loaded, called, unloaded, and nothing left of it.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use driver_host::{Host, LoadOptions, Scenario, Trial};
use exnpi_driver::client::Adder;
use nmr::Registration;
use nmr_host::Policy;

/// Tests run in the directory of their package.
const PROVIDER: &str = "target/driver/x64/release/provider/exnpi_driver.sys";
const BOTH: &str = "target/driver/x64/release/both/exnpi_driver.sys";

#[test]
#[ignore = "needs the driver built for Windows: run `cargo xtask test`"]
fn a_native_client_calls_the_image() {
    for seed in 0..24 {
        let host = Host::new(Policy::from_seed(seed));
        let image = host
            .load(PROVIDER, LoadOptions::named("provider.sys"))
            .unwrap();
        assert_eq!(image.missing_imports(), [""; 0]);
        image.add_device().unwrap();

        // On a thread of the host, which ends if the image stops the machine.
        let add = || {
            let client = Registration::new(Adder::new()?)?;
            client.add(40)?;
            client.add(2)
        };
        assert_eq!(host.run(add), Ok(Ok(42)), "seed {seed}");

        let unloaded = image.unload();
        assert_eq!(unloaded.reports, []);
        assert!(unloaded.unmapped);
        assert_eq!(host.registrar().finish(), [], "every rule was kept");
        assert_eq!(host.reports(), []);
        assert_eq!(host.pool_in_use(), 0);
    }
}

#[test]
#[ignore = "needs the driver built for Windows: run `cargo xtask test`"]
fn whatever_the_image_asks_for_can_be_refused() {
    let image = std::fs::read(BOTH).unwrap();
    let scenario = Scenario::new(vec![("both.sys".to_owned(), image)]);
    let dry = scenario.run(&Trial::Dry);
    assert_eq!((dry.attached, dry.wrong()), (1, vec![]));
    let trials = dry.trials();
    assert!(trials.len() > 10);
    for trial in trials {
        let lost = scenario.run(&trial).lost(&dry);
        assert_eq!(lost, [""; 0], "{trial:?}");
    }
}

//! The sample's client and provider on the embedded registrar: calls both ways, in both orders.

use exnpi_driver::client::Adder;
use exnpi_driver::provider::Summer;
use nmr::Registration;
use nmr_host::{Policy, Registrar};

/// Runs a test on a registrar of its own, under every seeded policy, and expects no report.
fn on_a_registrar(test: fn()) {
    for seed in 0..32 {
        let registrar = Registrar::new(Policy::from_seed(seed));
        let entered = registrar.enter();
        test();
        drop(entered);
        assert_eq!(registrar.finish(), [], "seed {seed}");
    }
}

#[test]
fn the_provider_first() {
    on_a_registrar(|| {
        let _provider = Registration::new(Summer).unwrap();
        let client = Registration::new(Adder::new().unwrap()).unwrap();
        assert_eq!(client.add(7), Ok(7));
        assert_eq!(client.add(5), Ok(12));
        assert_eq!(client.changes(), 2);
    });
}

#[test]
fn the_client_first() {
    on_a_registrar(|| {
        let client = Registration::new(Adder::new().unwrap()).unwrap();
        assert_eq!(client.add(7), Err(nmr::Error::DEVICE_NOT_READY));
        let _provider = Registration::new(Summer).unwrap();
        assert_eq!(client.add(7), Ok(7));
        assert_eq!(client.changes(), 1);
    });
}

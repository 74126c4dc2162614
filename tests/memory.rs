//! The safe layer and the sample in the quarantine: everything that they lend to the NMR is in blocks
//! whose early frees and late touches would be reported.
#![cfg(all(target_os = "linux", not(miri)))]

use std::thread;

use exnpi_driver::client::Adder;
use exnpi_driver::provider::Summer;
use nmr::{Client, Provider, Registration};
use nmr_host::quarantine::{self, Quarantine};
use nmr_host::{MemoryChecks, Policy, Registrar};

#[global_allocator]
static ALLOCATOR: Quarantine = Quarantine;

type Adding = Registration<Client<exnpi::Exnpi>, Adder>;
type Summing = Registration<Provider<exnpi::Exnpi>, Summer>;

/// A pair comes and goes, several clients at once, each side first.
fn life(client_first: bool) {
    let provider = Summing::new(Summer).unwrap();
    let clients: Vec<Adding> = (0..3)
        .map(|_| Adding::new(Adder::new().unwrap()).unwrap())
        .collect();
    if client_first {
        drop(clients);
        drop(provider);
    } else {
        // The provider's wait is over when each client has detached, which needs no help.
        drop(provider);
        drop(clients);
    }
}

#[test]
fn the_safe_layer_lends_what_stays_and_frees_what_is_done() {
    Quarantine::start();
    let block = Box::new(7_u64);
    assert!(quarantine::contains((&raw const *block).addr()));
    for seed in 0..48 {
        let registrar = Registrar::new(Policy {
            memory: MemoryChecks::Checked,
            ..Policy::from_seed(seed)
        });
        let entered = registrar.enter();
        life(seed % 2 == 0);
        drop(entered);
        assert_eq!(registrar.finish(), [], "{}", registrar.policy());
    }
}

#[test]
fn threads_in_the_quarantine_do_not_disturb_each_other() {
    Quarantine::start();
    let registrar = Registrar::new("memory=checked".parse().unwrap());
    registrar.set_recording(false);
    thread::scope(|scope| {
        for thread in 0..4 {
            let registrar = &registrar;
            scope.spawn(move || {
                let _entered = registrar.enter();
                (0..10).for_each(|round| life((thread + round) % 2 == 0));
            });
        }
    });
    assert_eq!(registrar.finish(), []);
}

//! The end of registrations.

use std::mem;
use std::sync::{Arc, Mutex};

use exnpi::Exnpi;
use nmr::{Client, Identity, Module, Offer, Provider, Registration, Result};
use nmr_host::{Rule, irql};

use crate::support::{Account, Adder, Deaf, MODULE, Summer, run, run_with};

#[test]
fn p_17_all_registrations_of_a_driver_start_to_end_and_then_all_are_waited_for() {
    run(|| {
        let provider = Registration::new(Summer).unwrap();
        let first = Registration::new(Adder::new()).unwrap();
        let second = Registration::new(Adder::new()).unwrap();
        let call = first.provider.enter().unwrap();
        let closing = (provider.close(), first.close(), second.close());
        drop(call);
        drop(closing);
    });
}

#[test]
fn p_20_closing_starts_at_dispatch_level_and_waits_below() {
    run_with(|registrar| {
        let provider = Registration::new(Summer).unwrap();
        let client = Registration::new(Adder::new()).unwrap();
        let raised = irql::raise(irql::DISPATCH_LEVEL);
        let closing = provider.close();
        assert!(!client.provider.is_attached());
        drop(raised);
        let reports = registrar.take_reports();
        let rules: Vec<_> = reports.iter().map(|report| report.rule).collect();
        assert_eq!(
            rules,
            [Rule::V82],
            "it may hold a spin lock, and here it does"
        );
        closing.wait();
    });
}

/// A client and a provider of one interface, which attaches to itself, and says when it is dropped.
struct Both(Arc<Mutex<u32>>);

impl Module<Client<Exnpi>> for Both {
    type Binding = Deaf;

    fn identity(&self) -> Identity {
        Identity::new(MODULE)
    }

    fn attach(&self, _offer: Offer<'_, Client<Exnpi>>) -> Result<Deaf> {
        Ok(Deaf)
    }
}

impl Module<Provider<Exnpi>> for Both {
    type Binding = Account;

    fn identity(&self) -> Identity {
        Identity::new(MODULE)
    }

    fn attach(&self, offer: Offer<'_, Provider<Exnpi>>) -> Result<Account> {
        Summer.attach(offer)
    }
}

impl Drop for Both {
    fn drop(&mut self) {
        *self.0.lock().unwrap() += 1;
    }
}

#[test]
fn p_17_a_type_is_a_module_in_several_roles() {
    run(|| {
        let drops = Arc::new(Mutex::new(0));
        let client = Registration::<Client<Exnpi>, _>::new(Both(drops.clone())).unwrap();
        let provider = Registration::<Provider<Exnpi>, _>::new(Both(drops.clone())).unwrap();
        assert_eq!(*drops.lock().unwrap(), 0);
        drop(client);
        assert_eq!(*drops.lock().unwrap(), 1);
        drop(provider);
        assert_eq!(*drops.lock().unwrap(), 2);
    });
}

#[test]
fn p_17_a_registration_that_is_forgotten_goes_on() {
    // The shared registrar, which lasts as long as the process.
    let registrar = nmr_host::Registrar::global();
    mem::forget(Registration::new(Summer).unwrap());
    let client = Registration::new(Adder::new()).unwrap();
    assert_eq!(client.add(2), Some(2));
    drop(client);
    assert_eq!(registrar.leaks().len(), 1);
}

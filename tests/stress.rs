//! Many threads at once. `NMR_ROUNDS` sets the number of rounds.

use std::env;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use exnpi::{ClientCalls, ClientDispatch, Exnpi, ProviderCalls, ProviderDispatch};
use nmr::{Client, Guid, Identity, Module, Npi, Offer, Provider, Registration, Result, Slot};
use nmr_host::{Interface, OnReport, Policy, Registrar, Wrapping};

const CALLERS: usize = 8;
const MODULE: Identity = Identity::new(Guid::from_u128(0x13d03ee3_015e_4a1b_9d0f_9554bc36b506));

/// How often to repeat something.
fn rounds(usual: u64) -> u64 {
    let text = env::var("NMR_ROUNDS").ok();
    text.map_or(usual, |text| text.parse().expect("NMR_ROUNDS is a number"))
}

/// A registrar that ends the process when a rule is broken, or when a wait does not end. Every
/// second one watches the calls, too, where that is possible.
fn registrar(seed: u64) -> Registrar {
    println!("seed {seed}");
    let registrar = Registrar::new(Policy {
        on_report: OnReport::Panic,
        watchdog: Some(Duration::from_mins(1)),
        ..Policy::from_seed(seed)
    });
    registrar.set_recording(false);
    if seed % 2 == 1 && cfg!(all(target_os = "linux", target_arch = "x86_64", not(miri))) {
        let interface = Interface::of::<ClientDispatch, ProviderDispatch>(Exnpi::ID);
        registrar.wrap(interface, Wrapping::default()).unwrap();
    }
    registrar
}

/// What is known about one binding. It outlives the binding.
#[derive(Default)]
struct Watch {
    calls: AtomicU32,
    in_progress: AtomicU32,
    attaches: AtomicU32,
    is_gone: AtomicBool,
}

/// One end of a binding. It must not be called after it is gone, or be gone while it is called.
struct End(Arc<Watch>);

impl End {
    fn called(&self) -> u32 {
        let watch = Arc::clone(&self.0);
        assert!(!watch.is_gone.load(SeqCst), "called after the detach");
        watch.in_progress.fetch_add(1, SeqCst);
        let calls = watch.calls.fetch_add(1, SeqCst) + 1;
        assert!(!watch.is_gone.load(SeqCst), "cleaned up during a call");
        watch.in_progress.fetch_sub(1, SeqCst);
        calls
    }
}

impl Drop for End {
    fn drop(&mut self) {
        assert_eq!(self.0.in_progress.load(SeqCst), 0);
        assert!(!self.0.is_gone.swap(true, SeqCst), "cleaned up twice");
    }
}

impl ProviderCalls for End {
    fn add(&self, _value: u32) -> u32 {
        self.called()
    }
}

impl ClientCalls for End {
    fn changed(&self, _sum: u32) {
        self.called();
    }
}

struct Summer(Arc<Watch>);

impl Module<Provider<Exnpi>> for Summer {
    type Binding = End;

    fn identity(&self) -> Identity {
        MODULE
    }

    fn attach(&self, _offer: Offer<'_, Provider<Exnpi>>) -> Result<End> {
        self.0.attaches.fetch_add(1, SeqCst);
        Ok(End(self.0.clone()))
    }
}

struct Adder(Arc<Slot<ProviderDispatch>>, Arc<Watch>);

impl Module<Client<Exnpi>> for Adder {
    type Binding = End;

    fn identity(&self) -> Identity {
        MODULE
    }

    fn attach(&self, offer: Offer<'_, Client<Exnpi>>) -> Result<End> {
        offer.claim(&self.0)?;
        self.1.attaches.fetch_add(1, SeqCst);
        Ok(End(self.1.clone()))
    }
}

/// Calls until the provider is gone, and then some. Returns how often that worked.
fn call(slot: &Slot<ProviderDispatch>, start: &Barrier) -> u32 {
    start.wait();
    let mut calls = 0;
    let mut failures = 0;
    while failures < 3 {
        if let Ok(provider) = slot.enter() {
            let second = provider.clone();
            drop(provider);
            second.add(1);
            calls += 1;
        } else {
            failures += 1;
        }
    }
    calls
}

fn detach_under_load() {
    let slot = Arc::new(Slot::new().unwrap());
    let watches = [(); 2].map(|()| Arc::<Watch>::default());
    let provider = Registration::new(Summer(watches[0].clone())).unwrap();
    let client = Registration::new(Adder(slot.clone(), watches[1].clone())).unwrap();
    let start = Barrier::new(CALLERS + 2);
    thread::scope(|scope| {
        let callers = [(); CALLERS].map(|()| scope.spawn(|| call(&slot, &start)));
        scope.spawn(|| {
            start.wait();
            drop(provider);
        });
        start.wait();
        drop(client);
        let calls: u32 = callers.map(|caller| caller.join().unwrap()).iter().sum();
        assert_eq!(watches[0].calls.load(SeqCst), calls);
    });
    assert!(watches.iter().all(|watch| watch.is_gone.load(SeqCst)));
    assert!(!slot.is_attached());
}

#[test]
#[ignore = "long: cargo xtask test --all"]
fn long_calls_race_the_end_of_both_modules() {
    let total = rounds(10_000);
    for seed in 0..16 {
        let registrar = registrar(seed);
        let _entered = registrar.enter();
        for _ in 0..total / 16 {
            detach_under_load();
        }
        assert_eq!(registrar.finish(), []);
    }
}

/// One of two threads that register at the same moment, and end at the same moment.
fn race(registrar: &Registrar, moment: &Barrier, rounds: u64, mut round: impl FnMut(&Barrier)) {
    let _entered = registrar.enter();
    for _ in 0..rounds {
        moment.wait();
        round(moment);
    }
}

#[test]
fn a_client_and_a_provider_that_register_at_once_attach_once() {
    let total = rounds(100_000);
    for seed in 0..16 {
        let registrar = registrar(seed);
        let moment = Barrier::new(2);
        let rounds = total / 16;
        let count = Arc::<Watch>::default();
        thread::scope(|scope| {
            scope.spawn(|| {
                race(&registrar, &moment, rounds, |moment| {
                    let provider = Registration::new(Summer(Arc::default())).unwrap();
                    moment.wait();
                    drop(provider);
                });
            });
            race(&registrar, &moment, rounds, |moment| {
                let slot = Arc::new(Slot::new().unwrap());
                let watch = Arc::<Watch>::default();
                let client = Registration::new(Adder(slot.clone(), watch.clone())).unwrap();
                moment.wait();
                drop(client);
                assert_eq!(watch.attaches.load(SeqCst), 1);
                count.attaches.fetch_add(1, SeqCst);
            });
        });
        assert_eq!(u64::from(count.attaches.load(SeqCst)), rounds);
        assert_eq!(registrar.finish(), []);
    }
}

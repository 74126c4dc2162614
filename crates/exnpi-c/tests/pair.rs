//! The EXNPI modules in C and in Rust attach to each other, call each other and detach, on the
//! embedded registrar. Each test runs with a C client and a Rust provider, with a Rust client and a
//! C provider, and with both in C.

use std::any::Any;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use exnpi::{ClientDispatch, Exnpi, ProviderDispatch};
use exnpi_driver::client::Adder;
use exnpi_driver::provider::Summer;
use nmr::Npi;
use nmr_host::{Interface, Policy, Registrar, Wrapping};

type RustClient = nmr::Registration<nmr::Client<Exnpi>, Adder>;
type RustProvider = nmr::Registration<nmr::Provider<Exnpi>, Summer>;

/// The languages of a client and its provider.
#[derive(Clone, Copy, Debug)]
enum Pair {
    CWithRust,
    RustWithC,
    CWithC,
}

const PAIRS: [Pair; 3] = [Pair::CWithRust, Pair::RustWithC, Pair::CWithC];

/// The module that registers last, or deregisters first.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Who {
    Client,
    Provider,
}

const BOTH: [Who; 2] = [Who::Client, Who::Provider];

/// A client in either language. What the C one hears, it counts as the Rust one does.
enum Client {
    C(exnpi_c::Client, Arc<AtomicU32>),
    Rust(RustClient),
}

impl Client {
    /// Sends a value. `None` if there is no provider.
    fn add(&self, value: u32) -> Option<u32> {
        match self {
            Self::C(client, _) => client.add(value).ok(),
            Self::Rust(client) => client.add(value).ok(),
        }
    }

    fn changes(&self) -> u32 {
        match self {
            Self::C(_, changes) => changes.load(Ordering::Relaxed),
            Self::Rust(client) => client.changes(),
        }
    }
}

type Provider = Box<dyn Any + Send>;

impl Pair {
    /// Starts the client. If it is in C, `gate` is on its way of hearing a sum.
    fn client(self, gate: &Arc<Gate>) -> Client {
        if let Self::RustWithC = self {
            return Client::Rust(RustClient::new(Adder::new().unwrap()).unwrap());
        }
        let changes = Arc::new(AtomicU32::new(0));
        let (count, gate) = (Arc::clone(&changes), Arc::clone(gate));
        let client = exnpi_c::Client::start(move |_sum| {
            count.fetch_add(1, Ordering::Relaxed);
            gate.pass();
        });
        Client::C(client.unwrap(), changes)
    }

    /// Starts the provider. If it is in C with a Rust client, `gate` is on its way of adding.
    fn provider(self, gate: &Arc<Gate>) -> Provider {
        if let Self::CWithRust = self {
            return Box::new(RustProvider::new(Summer).unwrap());
        }
        let gate = Arc::clone(gate);
        let gated = matches!(self, Self::RustWithC);
        let provider = exnpi_c::Provider::start(move |_value| {
            if gated {
                gate.pass();
            }
        });
        Box::new(provider.unwrap())
    }

    /// Starts both, in the order that makes `last` the last.
    fn start(self, last: Who, gate: &Arc<Gate>) -> (Client, Provider) {
        if last == Who::Provider {
            let client = self.client(gate);
            assert_eq!(client.add(1), None);
            (client, self.provider(gate))
        } else {
            let provider = self.provider(gate);
            (self.client(gate), provider)
        }
    }
}

/// Holds up the first calls that come, until it is opened.
#[derive(Default)]
struct Gate {
    state: Mutex<GateState>,
    changed: Condvar,
}

#[derive(Default)]
struct GateState {
    /// How many calls are still to be held up.
    places: usize,
    waiting: usize,
    open: bool,
}

impl Gate {
    /// Holds up as many calls.
    fn with_places(places: usize) -> Arc<Self> {
        let gate = Self::default();
        gate.state.lock().unwrap().places = places;
        Arc::new(gate)
    }

    fn pass(&self) {
        let mut state = self.state.lock().unwrap();
        if state.places == 0 {
            return;
        }
        state.places -= 1;
        state.waiting += 1;
        self.changed.notify_all();
        drop(self.changed.wait_while(state, |state| !state.open));
    }

    fn wait_until_full(&self, places: usize) {
        let state = self.state.lock().unwrap();
        drop(
            self.changed
                .wait_while(state, |state| state.waiting < places),
        );
    }

    fn open(&self) {
        self.state.lock().unwrap().open = true;
        self.changed.notify_all();
    }
}

/// Runs a test for each pair, under different policies, each time with a registrar of its own, of
/// which every second one watches the calls where that is possible. No rule is broken, and nothing
/// is left.
fn for_each_pair(test: impl Fn(Pair)) {
    for pair in PAIRS {
        for seed in 0..8 {
            let registrar = Registrar::new(Policy::from_seed(seed));
            if seed % 2 == 1 && cfg!(all(target_os = "linux", target_arch = "x86_64", not(miri))) {
                let interface = Interface::of::<ClientDispatch, ProviderDispatch>(Exnpi::ID);
                registrar.wrap(interface, Wrapping::default()).unwrap();
            }
            let entered = registrar.enter();
            test(pair);
            drop(entered);
            assert_eq!(registrar.leaks(), [], "{pair:?}, {seed}");
            assert_eq!(registrar.reports(), [], "{pair:?}, {seed}");
        }
    }
}

#[test]
fn the_two_attach_and_call_each_other_in_any_order() {
    for_each_pair(|pair| {
        for last in BOTH {
            for first_to_end in BOTH {
                let (client, provider) = pair.start(last, &Gate::with_places(0));
                assert_eq!(
                    [1, 2, 3].map(|value| client.add(value)),
                    [1, 3, 6].map(Some)
                );
                assert_eq!(client.changes(), 3);
                if first_to_end == Who::Client {
                    drop(client);
                    drop(provider);
                } else {
                    drop(provider);
                    assert_eq!(client.add(4), None);
                    drop(client);
                }
            }
        }
    });
}

#[test]
fn a_client_attaches_again_when_its_provider_returns() {
    for_each_pair(|pair| {
        let gate = Gate::with_places(0);
        let client = pair.client(&gate);
        for round in 1..=3 {
            assert_eq!(client.add(1), None);
            let provider = pair.provider(&gate);
            assert_eq!(client.add(5), Some(5));
            assert_eq!(client.add(6), Some(11));
            assert_eq!(client.changes(), 2 * round);
            drop(provider);
        }
    });
}

#[test]
fn a_client_declines_a_second_provider() {
    for_each_pair(|pair| {
        let gate = Gate::with_places(0);
        let (client, first) = pair.start(Who::Client, &gate);
        let second = pair.provider(&gate);
        assert_eq!(client.add(5), Some(5));
        drop(second);
        assert_eq!(client.add(6), Some(11));
        drop(first);
        assert_eq!(client.add(7), None);
    });
}

#[test]
fn a_provider_keeps_a_sum_for_each_client() {
    for_each_pair(|pair| {
        let gate = Gate::with_places(0);
        let provider = pair.provider(&gate);
        let (one, two) = (pair.client(&gate), pair.client(&gate));
        assert_eq!((one.add(1), two.add(10)), (Some(1), Some(10)));
        assert_eq!((one.add(2), two.add(20)), (Some(3), Some(30)));
        assert_eq!((one.changes(), two.changes()), (2, 2));
        drop(one);
        assert_eq!(two.add(30), Some(60));
        drop(provider);
    });
}

/// A C client can also be ended while it is calling; a Rust one ends with its last user.
fn can_end_first(who: Who, client: &Client) -> bool {
    who == Who::Provider || matches!(client, Client::C(..))
}

/// Begins to end one of the two, on a thread of its own if that waits.
fn end<'scope>(
    who: Who,
    client: &Client,
    provider: Provider,
    scope: &'scope thread::Scope<'scope, '_>,
) -> Option<thread::ScopedJoinHandle<'scope, ()>> {
    match (who, client) {
        (Who::Client, Client::C(client, _)) => {
            client.close();
            // It ends after the scope.
            scope.spawn(move || drop(provider));
            None
        }
        _ => Some(scope.spawn(move || drop(provider))),
    }
}

#[test]
fn a_detach_waits_for_the_calls_of_several_threads() {
    const CALLS: usize = 3;
    for_each_pair(|pair| {
        for first_to_end in BOTH {
            let gate = Gate::with_places(CALLS);
            let (client, provider) = pair.start(Who::Client, &gate);
            if !can_end_first(first_to_end, &client) {
                continue;
            }
            thread::scope(|scope| {
                let calls = [(); CALLS].map(|()| scope.spawn(|| client.add(1)));
                gate.wait_until_full(CALLS);
                let end = end(first_to_end, &client, provider, scope);
                // The detach callbacks have been called when the client calls no more.
                while client.add(0).is_some() {
                    thread::yield_now();
                }
                assert!(end.is_none_or(|end| !end.is_finished()));
                assert!(calls.iter().all(|call| !call.is_finished()));
                gate.open();
                let mut sums = calls.map(|call| call.join().unwrap());
                sums.sort_unstable();
                assert_eq!(sums, [1, 2, 3].map(Some));
            });
        }
    });
}

#[test]
fn a_detach_can_come_at_any_time_between_calls() {
    for_each_pair(|pair| {
        for first_to_end in BOTH {
            for calls_before in 0..10 {
                let (client, provider) = pair.start(Who::Provider, &Gate::with_places(0));
                if !can_end_first(first_to_end, &client) {
                    continue;
                }
                thread::scope(|scope| {
                    for _ in 0..3 {
                        scope.spawn(|| while client.add(1).is_some() {});
                    }
                    while client.changes() < calls_before {
                        thread::yield_now();
                    }
                    end(first_to_end, &client, provider, scope);
                });
            }
        }
    });
}

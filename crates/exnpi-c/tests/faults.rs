//! The EXNPI modules in C, with each other and with those in Rust, when they do not get what they ask
//! for: each allocation and each call of the NMR is refused, one in each run, until none is left.

use std::any::Any;
use std::sync::{Mutex, PoisonError};

use exnpi::Exnpi;
use exnpi_c::memory;
use exnpi_driver::client::Adder;
use exnpi_driver::provider::Summer;
use nmr_host::{Policy, Registrar};
use nmr_sys::{NTSTATUS, STATUS_INSUFFICIENT_RESOURCES, STATUS_NOINTERFACE};

type RustClient = nmr::Registration<nmr::Client<Exnpi>, Adder>;
type RustProvider = nmr::Registration<nmr::Provider<Exnpi>, Summer>;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Language {
    C,
    Rust,
}

/// The languages of a client and its provider, and which of the two is there first.
#[derive(Clone, Copy, Debug)]
struct Pair {
    client: Language,
    provider: Language,
    client_first: bool,
}

enum Client {
    C(exnpi_c::Client),
    Rust(RustClient),
}

impl Client {
    fn start(language: Language) -> Result<Self, NTSTATUS> {
        match language {
            Language::C => exnpi_c::Client::start(|_sum| ()).map(Self::C),
            Language::Rust => Adder::new()
                .and_then(RustClient::new)
                .map(Self::Rust)
                .map_err(nmr::Error::status),
        }
    }

    /// Sends a value. `None` if there is no provider.
    fn add(&self, value: u32) -> Option<u32> {
        match self {
            Self::C(client) => client.add(value).ok(),
            Self::Rust(client) => client.add(value).ok(),
        }
    }
}

fn start_provider(language: Language) -> Result<Box<dyn Any>, NTSTATUS> {
    match language {
        Language::C => exnpi_c::Provider::start(|_value| ()).map(|it| Box::new(it) as _),
        Language::Rust => RustProvider::new(Summer)
            .map(|it| Box::new(it) as _)
            .map_err(nmr::Error::status),
    }
}

impl Pair {
    fn start(self) -> (Result<Client, NTSTATUS>, Result<Box<dyn Any>, NTSTATUS>) {
        if self.client_first {
            let client = Client::start(self.client);
            (client, start_provider(self.provider))
        } else {
            let provider = start_provider(self.provider);
            (Client::start(self.client), provider)
        }
    }
}

/// The pairs of which at least one is in C, in both orders.
fn pairs() -> impl Iterator<Item = Pair> {
    let languages = [
        (Language::C, Language::C),
        (Language::C, Language::Rust),
        (Language::Rust, Language::C),
    ];
    languages.into_iter().flat_map(|(client, provider)| {
        [false, true].map(|client_first| Pair {
            client,
            provider,
            client_first,
        })
    })
}

/// What is counted is counted for the process.
static ALONE: Mutex<()> = Mutex::new(());

/// Lets a pair come and go once for each fault, until the fault that is asked for does not come any
/// more. `refuse` asks for the n-th one, and `allow` takes that back and tells whether it was still
/// to come. Returns how many faults there were, and how many of them were attaches that failed.
fn each_fault(
    pair: Pair,
    refuse: impl Fn(&Registrar, u64),
    allow: impl Fn(&Registrar) -> bool,
) -> (u64, usize) {
    let mut refused = 0;
    for number in 1.. {
        let registrar = Registrar::new(Policy::strict());
        let entered = registrar.enter();
        refuse(&registrar, number);
        let (client, provider) = pair.start();
        let sum = client.as_ref().ok().and_then(|client| client.add(5));
        let none_left = allow(&registrar);
        let both = client.is_ok() && provider.is_ok();
        assert!(both || !none_left, "{pair:?}: only a fault fails");
        assert!(both || sum.is_none(), "{pair:?}, {number}");
        if both && sum.is_none() {
            refused += 1;
            assert!(!none_left, "{pair:?}, {number}");
            // The client is as it was before: it takes the next provider (T14).
            drop(provider);
            let next = start_provider(pair.provider).unwrap();
            assert_eq!(
                client.as_ref().ok().unwrap().add(6),
                Some(6),
                "{pair:?}, {number}"
            );
            drop(next);
            drop(client);
        } else {
            drop(client);
            drop(provider);
        }
        drop(entered);
        let reports = registrar.finish();
        assert!(reports.is_empty(), "{pair:?}, {number}: {reports:#?}");
        assert_eq!(memory::allocated(), 0, "{pair:?}, {number}");
        if none_left {
            assert_eq!(sum, Some(5), "{pair:?}: nothing fails in the end");
            return (number - 1, refused);
        }
    }
    unreachable!("no pair asks for so much")
}

#[test]
fn t_32_each_allocation_of_the_c_modules_can_fail() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    for pair in pairs() {
        let refuse = |_: &Registrar, number| memory::fail_allocation(number);
        let allow = |_: &Registrar| {
            let left = memory::will_fail_allocation();
            memory::fail_allocation(0);
            left
        };
        let (faults, attaches) = each_fault(pair, refuse, allow);
        // The registration and the binding of each module in C.
        let in_c = [pair.client, pair.provider].map(|it| u64::from(it == Language::C));
        let in_c: u64 = in_c.iter().sum();
        assert_eq!((faults, attaches as u64), (2 * in_c, in_c), "{pair:?}");
    }
}

#[test]
fn t_32_each_call_of_the_c_modules_can_fail() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    for status in [STATUS_NOINTERFACE, STATUS_INSUFFICIENT_RESOURCES] {
        for pair in pairs() {
            let refuse = |registrar: &Registrar, number| registrar.fail_call(number, status);
            let allow = |registrar: &Registrar| {
                let left = registrar.will_fail_call();
                registrar.fail_call(0, status);
                left
            };
            // Two registrations and one attach.
            assert_eq!(each_fault(pair, refuse, allow), (3, 1), "{pair:?}");
        }
    }
}

#[test]
fn t_21_the_teardown_of_the_c_modules_needs_no_memory() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    for pair in pairs() {
        let registrar = Registrar::new(Policy::strict());
        let entered = registrar.enter();
        let (client, provider) = pair.start();
        assert_eq!(client.as_ref().ok().unwrap().add(5), Some(5));
        assert!(memory::allocated() >= 2);
        memory::fail_allocation(1);
        drop(provider);
        drop(client);
        assert!(
            memory::will_fail_allocation(),
            "{pair:?} allocates at its end"
        );
        memory::fail_allocation(0);
        drop(entered);
        assert_eq!(registrar.finish(), []);
        assert_eq!(memory::allocated(), 0);
    }
}

//! The sample's modules, natively, when they do not get what they ask for: each allocation and each
//! call of the NMR is refused, one in each run, until none is left.
#![cfg(not(miri))]

mod scarce;

use std::panic::{self, AssertUnwindSafe};

use exnpi::Exnpi;
use exnpi_driver::client::Adder;
use exnpi_driver::provider::Summer;
use nmr::{Client, Error, Provider, Registration, Result};
use nmr_host::{Policy, Registrar, Role};
use scarce::{Refuse, Scarce, Seen};

#[global_allocator]
static ALLOCATOR: Scarce = Scarce;

type RustClient = Registration<Client<Exnpi>, Adder>;
type RustProvider = Registration<Provider<Exnpi>, Summer>;

const ROLES: [Role; 2] = [Role::Client, Role::Provider];

fn client() -> Result<RustClient> {
    Registration::new(Adder::new()?)
}

fn provider() -> Result<RustProvider> {
    Registration::new(Summer)
}

/// A client and a provider, the one of this role last, as far as they could be registered.
fn start(last: Role) -> (Result<RustClient>, Result<RustProvider>) {
    if last == Role::Client {
        let provider = provider();
        (client(), provider)
    } else {
        let client = client();
        (client, provider())
    }
}

/// A registrar in which a client and a provider may be attached already, who must not notice
/// anything.
struct Stage {
    bystanders: Option<(RustClient, RustProvider)>,
    registrar: Registrar,
    sum: u32,
}

impl Stage {
    /// Runs a test on a registrar of its own. Then no rule is broken, and nothing is left.
    fn with(bystanders: bool, test: impl FnOnce(&mut Self)) {
        let registrar = Registrar::new(Policy::strict());
        let entered = registrar.enter();
        // So that they are among what the safe layer has.
        scarce::watch(Refuse::Nothing);
        let bystanders = bystanders.then(|| (client().unwrap(), provider().unwrap()));
        let mut stage = Self {
            registrar,
            bystanders,
            sum: 0,
        };
        let before = scarce::seen().live;
        stage.check();
        test(&mut stage);
        stage.check();
        assert_eq!(
            scarce::seen().live,
            before,
            "the safe layer has lost memory"
        );
        let Self {
            registrar,
            bystanders,
            ..
        } = stage;
        drop(bystanders);
        assert_eq!(scarce::seen().live, 0);
        let reports = registrar.finish();
        assert!(reports.is_empty(), "{reports:#?}");
        drop(entered);
    }

    /// The bystanders still have their binding.
    fn check(&mut self) {
        if let Some((client, _)) = &self.bystanders {
            self.sum += 3;
            assert_eq!(client.add(3), Ok(self.sum));
            assert_eq!(client.changes(), self.sum / 3);
        }
    }
}

/// What a pair that came under a fault did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Outcome {
    /// One of the two was not registered.
    NotRegistered,
    /// They did not attach to each other.
    NotAttached,
    Attached,
}

/// Lets a pair come while something is refused, and go again. Nothing is refused any more when they
/// go.
fn come_and_go(last: Role, refuse: impl FnOnce(), allow: impl FnOnce()) -> Outcome {
    refuse();
    let (client, provider) = start(last);
    let sum = client.as_ref().ok().map(|client| client.add(5));
    allow();
    for error in [client.as_ref().err(), provider.as_ref().err()]
        .into_iter()
        .flatten()
    {
        assert_eq!(*error, Error::INSUFFICIENT_RESOURCES);
    }
    match (client.is_ok() && provider.is_ok(), sum) {
        (_, Some(Ok(sum))) => {
            assert_eq!(sum, 5);
            Outcome::Attached
        }
        // Nothing of the peer can be reached (T10); in strict mode touching it would fault.
        (true, sum) => {
            assert_eq!(sum, Some(Err(Error::DEVICE_NOT_READY)));
            Outcome::NotAttached
        }
        (false, _) => Outcome::NotRegistered,
    }
}

/// Lets a pair come and go once for each allocation, until none is left to refuse. Returns what the
/// pair did each time.
fn each_allocation(last: Role, bystanders: bool) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for number in 1.. {
        let mut left = false;
        Stage::with(bystanders, |_| {
            let refuse = || scarce::watch(Refuse::Ordinal(number));
            let mut seen = None;
            let outcome = come_and_go(last, refuse, || seen = Some(scarce::seen()));
            let Seen { asked, refused, .. } = seen.unwrap();
            assert_eq!(refused, u64::from(number <= asked));
            left = refused == 1;
            outcomes.push(outcome);
        });
        if !left {
            break;
        }
    }
    println!("{last} last: {outcomes:?}");
    outcomes
}

#[test]
fn t_32_each_allocation_of_the_safe_layer_can_fail() {
    use Outcome::{Attached, NotAttached, NotRegistered};
    // The client's slot, its count of changes, its block.
    let client = [NotRegistered; 3];
    // The client's binding, the provider's peer and its binding.
    let attach = [NotAttached; 3];
    let client_last = [&[NotRegistered], &client[..], &attach, &[Attached]].concat();
    assert_eq!(each_allocation(Role::Client, false), client_last);
    let provider_last = [&client[..], &[NotRegistered], &attach, &[Attached]].concat();
    assert_eq!(each_allocation(Role::Provider, false), provider_last);
}

#[test]
fn t_32_bystanders_do_not_notice_that_allocations_fail() {
    for last in ROLES {
        let outcomes = each_allocation(last, true);
        assert_eq!(outcomes.last(), Some(&Outcome::Attached));
        assert!(outcomes.len() > 8, "{outcomes:?}");
    }
}

/// Lets a pair come and go once for each call of the NMR, until none is left to fail. Returns how
/// many there are.
fn each_call(last: Role, bystanders: bool, status: i32) -> u64 {
    for number in 1.. {
        let mut left = false;
        Stage::with(bystanders, |stage| {
            stage.registrar.fail_call(number, status);
            let (client, provider) = start(last);
            left = !stage.registrar.will_fail_call();
            stage.registrar.fail_call(0, status);
            assert!(left || provider.is_ok(), "only a fault fails");
            let sum = client.map(|client| client.add(1));
            assert!(left || sum == Ok(Ok(1)), "only a fault fails: {sum:?}");
        });
        if !left {
            return number - 1;
        }
    }
    unreachable!("no pair calls so often")
}

#[test]
fn t_32_each_call_of_the_nmr_can_fail() {
    for status in [Error::NO_INTERFACE, Error::INSUFFICIENT_RESOURCES].map(Error::status) {
        for last in ROLES {
            // Two registrations and an attach.
            assert_eq!(each_call(last, false, status), 3);
            // The bystander's provider accepts the client, too, or is offered it first.
            assert!(each_call(last, true, status) >= 3);
        }
    }
}

#[test]
fn t_14_after_a_failed_attach_a_client_is_as_it_was() {
    let registrar = Registrar::new(Policy::strict());
    let _entered = registrar.enter();
    let client = client().unwrap();
    let mut ways = 0;
    for number in 1.. {
        scarce::watch(Refuse::Ordinal(number));
        let refused = provider();
        let Seen { refused: count, .. } = scarce::seen();
        if count == 0 {
            break;
        }
        assert_eq!(client.add(1), Err(Error::DEVICE_NOT_READY));
        drop(refused);
        let provider = provider().unwrap();
        assert_eq!(client.add(2), Ok(2), "allocation {number}");
        drop(provider);
        ways += 1;
    }
    assert!(
        ways >= 4,
        "{ways}: the registration, the client's binding, the provider's two"
    );
    for status in [Error::NO_INTERFACE, Error::INSUFFICIENT_RESOURCES].map(Error::status) {
        // The first call is the registration.
        registrar.fail_call(2, status);
        let refused = provider().unwrap();
        assert!(!registrar.will_fail_call());
        assert_eq!(client.add(1), Err(Error::DEVICE_NOT_READY));
        drop(refused);
        let provider = provider().unwrap();
        assert_eq!(client.add(2), Ok(2));
        drop(provider);
    }
    drop(client);
    assert_eq!(registrar.finish(), []);
}

#[test]
fn t_21_the_teardown_needs_no_memory() {
    for last in ROLES {
        for first_to_end in ROLES {
            Stage::with(true, |_| {
                scarce::watch(Refuse::Nothing);
                let (client, provider) = start(last);
                let (client, provider) = (client.unwrap(), provider.unwrap());
                assert_eq!(client.add(4), Ok(4));
                assert!(scarce::seen().asked >= 7, "it sees who asks");
                scarce::watch(Refuse::Everything);
                if first_to_end == Role::Client {
                    drop(client);
                    drop(provider);
                } else {
                    drop(provider);
                    drop(client);
                }
                assert_eq!(scarce::seen().asked, 0);
            });
        }
    }
}

/// The statuses of Deregister and Wait are fixed by the contract. If one were unknown, the memory on loan to the NMR would
/// have to stay (V-80).
#[test]
fn t_32_an_unknown_answer_to_the_end_of_a_registration_frees_nothing() {
    for (calls, operation) in [(1, "deregister"), (2, "wait")] {
        let registrar = Registrar::new(Policy::default());
        let _entered = registrar.enter();
        scarce::watch(Refuse::Nothing);
        let client = client().unwrap();
        let before = scarce::seen().live;
        registrar.fail_end(calls, Error::INSUFFICIENT_RESOURCES.status());
        let stopped = panic::catch_unwind(AssertUnwindSafe(|| drop(client)));
        let words = *stopped.unwrap_err().downcast::<String>().unwrap();
        assert_eq!(words, format!("the NMR answers 0xc000009a to {operation}"));
        assert_eq!(scarce::seen().live, before, "what was lent is still there");
        assert_eq!(registrar.leaks().len(), 1);
        if calls == 1 {
            // It is still registered, and still works.
            let provider = provider().unwrap();
            drop(provider);
        }
    }
}

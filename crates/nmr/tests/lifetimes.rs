//! Who lives how long, and what the NMR sees of it.

use std::sync::Arc;
use std::sync::Mutex;

use exnpi::{ClientCalls, Exnpi, ProviderCalls, ProviderDispatch};
use nmr::{
    Call, Client, Detach, Error, Guid, Identity, Module, Offer, Peer, Provider, Registration,
    Result,
};
use nmr_host::{Moment, Policy, Registrar};

/// What happened, in order.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<&'static str>>>);

impl Log {
    fn add(&self, event: &'static str) {
        self.0.lock().unwrap().push(event);
    }

    fn take(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// Says when it is dropped.
struct Tracked(&'static str, Log);

impl Drop for Tracked {
    fn drop(&mut self) {
        self.1.add(self.0);
    }
}

/// A place for a call that is in progress.
type Pending = Arc<Mutex<Option<Call<ProviderDispatch>>>>;

/// A client that logs everything, and begins a call when it is attached.
struct Logging {
    log: Log,
    call: Pending,
    _module: Tracked,
}

struct Session {
    provider: Peer<ProviderDispatch>,
    _binding: Tracked,
}

impl Logging {
    fn new(log: &Log, call: &Pending) -> Self {
        Self {
            log: log.clone(),
            call: call.clone(),
            _module: Tracked("module dropped", log.clone()),
        }
    }
}

const MODULE: Identity = Identity::new(Guid::from_u128(0xe6d26b1e_3cf0_4ee5_8a52_5be0c03c7f5f));

impl Module<Client<Exnpi>> for Logging {
    type Binding = Session;

    fn identity(&self) -> Identity {
        MODULE
    }

    fn attach(&self, offer: Offer<'_, Client<Exnpi>>) -> Result<Session> {
        self.log.add("attach");
        Ok(Session {
            provider: offer.peer()?,
            _binding: Tracked("binding dropped", self.log.clone()),
        })
    }

    fn attached(&self, session: &Session) {
        self.log.add("attached");
        *self.call.lock().unwrap() = session.provider.enter().ok();
    }

    fn declined(&self, _reason: Error) {
        self.log.add("declined");
    }

    fn detaching(&self, session: &Session, detach: Detach<ProviderDispatch>) {
        self.log.add("detaching");
        assert!(session.provider.enter().is_err());
        drop(detach);
    }
}

impl ClientCalls for Session {
    fn changed(&self, _sum: u32) {}
}

/// A provider that answers, or declines.
struct Answers(bool);

struct Zero;

impl Module<Provider<Exnpi>> for Answers {
    type Binding = Zero;

    fn identity(&self) -> Identity {
        MODULE
    }

    fn attach(&self, _offer: Offer<'_, Provider<Exnpi>>) -> Result<Zero> {
        if self.0 {
            Ok(Zero)
        } else {
            Err(Error::DEVICE_NOT_READY)
        }
    }
}

impl ProviderCalls for Zero {
    fn add(&self, _value: u32) -> u32 {
        0
    }
}

/// The statuses with which a callback or function of the NMR returned, in order.
fn statuses(registrar: &Registrar, function: &str) -> Vec<i32> {
    let records = registrar.records();
    let of_function = records.iter().filter(|record| record.function == function);
    of_function
        .filter_map(|record| match record.moment {
            Moment::Status(status) => Some(status),
            _ => None,
        })
        .collect()
}

fn count(registrar: &Registrar, function: &str) -> usize {
    let records = registrar.records();
    let of_function = records.iter().filter(|record| record.function == function);
    of_function
        .filter(|record| matches!(record.moment, Moment::Call(_)))
        .count()
}

/// A client with a call in progress, and the provider it is attached to.
struct Pair {
    registrar: Registrar,
    log: Log,
    call: Pending,
    client: Registration<Client<Exnpi>, Logging>,
    provider: Registration<Provider<Exnpi>, Answers>,
}

/// Runs a test on such a pair under several policies.
fn with_a_pair(test: impl Fn(Pair)) {
    for seed in 0..24 {
        let registrar = Registrar::new(Policy {
            detach_irql: nmr_host::DetachIrql::Dispatch,
            cleanup: nmr_host::Cleanup::Inline,
            ..Policy::from_seed(seed)
        });
        let _entered = registrar.enter();
        let log = Log::default();
        let call = Pending::default();
        let provider = Registration::new(Answers(true)).unwrap();
        let client = Registration::new(Logging::new(&log, &call)).unwrap();
        assert_eq!(log.take(), ["attach", "attached"]);
        test(Pair {
            registrar,
            log,
            call,
            client,
            provider,
        });
    }
}

const SUCCESS: i32 = nmr_sys::STATUS_SUCCESS;
const PENDING: i32 = nmr_sys::STATUS_PENDING;

#[test]
fn an_idle_client_detaches_at_once() {
    with_a_pair(|it| {
        drop(it.call.lock().unwrap().take());
        drop(it.client);
        let expected = ["detaching", "binding dropped", "module dropped"];
        assert_eq!(it.log.take(), expected);
        assert_eq!(statuses(&it.registrar, "ClientDetachProvider"), [SUCCESS]);
        assert_eq!(statuses(&it.registrar, "ProviderDetachClient"), [SUCCESS]);
        assert_eq!(count(&it.registrar, "NmrClientDetachProviderComplete"), 0);
        drop(it.provider);
        assert_eq!(it.registrar.finish(), []);
    });
}

#[test]
fn a_call_in_progress_makes_the_detach_pending() {
    with_a_pair(|it| {
        let closing = it.client.close();
        assert_eq!(it.log.take(), ["detaching"]);
        assert_eq!(statuses(&it.registrar, "ClientDetachProvider"), [PENDING]);
        drop(it.call.lock().unwrap().take());
        // The completion has run the cleanup; the module waits for the end of its registration.
        assert_eq!(it.log.take(), ["binding dropped"]);
        assert_eq!(count(&it.registrar, "NmrClientDetachProviderComplete"), 1);
        closing.wait();
        assert_eq!(it.log.take(), ["module dropped"]);
        drop(it.provider);
        assert_eq!(it.registrar.finish(), []);
    });
}

#[test]
fn the_end_of_the_provider_is_the_same_for_the_client() {
    with_a_pair(|it| {
        let closing = it.provider.close();
        assert_eq!(it.log.take(), ["detaching"]);
        drop(it.call.lock().unwrap().take());
        assert_eq!(it.log.take(), ["binding dropped"]);
        closing.wait();
        assert_eq!(it.log.take(), Vec::<&str>::new());
        drop(it.client);
        assert_eq!(it.log.take(), ["module dropped"]);
        assert_eq!(it.registrar.finish(), []);
    });
}

#[test]
fn both_may_end_while_a_call_is_in_progress() {
    with_a_pair(|it| {
        let closing = (it.provider.close(), it.client.close());
        assert_eq!(it.log.take(), ["detaching"]);
        drop(it.call.lock().unwrap().take());
        assert_eq!(it.log.take(), ["binding dropped"]);
        drop(closing);
        assert_eq!(it.log.take(), ["module dropped"]);
        assert_eq!(it.registrar.finish(), []);
    });
}

#[test]
fn a_declined_client_drops_its_binding_and_hears_why() {
    let registrar = Registrar::new(Policy::strict());
    let _entered = registrar.enter();
    let log = Log::default();
    let _provider = Registration::new(Answers(false)).unwrap();
    let client = Registration::new(Logging::new(&log, &Pending::default())).unwrap();
    assert_eq!(log.take(), ["attach", "binding dropped", "declined"]);
    drop(client);
    assert_eq!(log.take(), ["module dropped"]);
    let refusal = Error::DEVICE_NOT_READY.status();
    assert_eq!(statuses(&registrar, "ClientAttachProvider"), [refusal]);
}

#[test]
fn a_registration_that_fails_drops_the_module() {
    for skip in 0..2 {
        let registrar = Registrar::new(Policy::strict());
        let _entered = registrar.enter();
        let log = Log::default();
        registrar.fail_reservation(skip);
        let client = Registration::new(Logging::new(&log, &Pending::default()));
        assert_eq!(client.err(), Some(Error::INSUFFICIENT_RESOURCES));
        assert_eq!(log.take(), ["module dropped"]);
        assert_eq!(registrar.finish(), []);
    }
}

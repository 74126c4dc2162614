//! A client waits for its provider. No test depends on the clock: where time has to pass, it does so
//! in an event of the test's.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use exnpi::{Exnpi, ProviderCalls, ProviderDispatch};
use nmr::{
    Awaited, Client, Error, Event, Identity, Missing, Module, NtStatus, Offer, Provider,
    Registration, Result, Wait,
};
use nmr_host::{NotificationEvent, Policy, Registrar};

use crate::support::{Account, Attaches, Deaf, MODULE, Summer, run};

/// A client that can wait for its provider, on whatever event.
struct Patient<E>(Awaited<ProviderDispatch, E>);

impl<E: Event> Patient<E> {
    fn register() -> Registration<Client<Exnpi>, Self> {
        Registration::new(Self(Awaited::new().unwrap())).unwrap()
    }

    /// What a call returns, or why there is none.
    fn add(&self, wait: Wait) -> Result<u32, Missing> {
        self.0.capture(wait).map(|call| call.add(3))
    }
}

impl<E: Event> Module<Client<Exnpi>> for Patient<E> {
    type Binding = Deaf;

    fn identity(&self) -> Identity {
        Identity::new(MODULE)
    }

    fn attach(&self, offer: Offer<'_, Client<Exnpi>>) -> Result<Deaf> {
        self.0.claim(offer)?;
        Ok(Deaf)
    }

    fn attached(&self, _binding: &Deaf) {
        self.0.attached();
    }

    fn declined(&self, reason: Error) {
        self.0.refused(reason);
    }
}

fn patient() -> Registration<Client<Exnpi>, Patient<NotificationEvent>> {
    Patient::register()
}

fn provider() -> Registration<Provider<Exnpi>, Summer> {
    Registration::new(Summer).unwrap()
}

/// Every time-out that ends at once.
const SHORT: [Wait; 2] = [Wait::No, Wait::AtMost(Duration::ZERO)];
const EVERY: [Wait; 4] = [
    Wait::No,
    Wait::AtMost(Duration::ZERO),
    Wait::AtMost(Duration::MAX),
    Wait::Forever,
];
const REFUSED: Missing = Missing::Refused(Error::ACCESS_DENIED);

fn refuse(_: Offer<'_, Provider<Exnpi>>) -> Result<Account> {
    Err(Error::ACCESS_DENIED)
}

#[test]
fn p_01_no_provider() {
    run(|| {
        let client = patient();
        for wait in SHORT {
            assert_eq!(client.add(wait), Err(Missing::Absent));
        }
    });
}

#[test]
fn p_01_a_provider_that_is_there() {
    run(|| {
        let _provider = provider();
        let client = patient();
        let sums = EVERY.map(|wait| client.add(wait));
        assert_eq!(sums, [Ok(3), Ok(6), Ok(9), Ok(12)]);
    });
}

#[test]
fn p_01_a_provider_that_refuses() {
    run(|| {
        let provider = Registration::new(Attaches(refuse)).unwrap();
        let client = patient();
        for wait in EVERY {
            assert_eq!(client.add(wait), Err(REFUSED));
        }
        // It is not offered again, but another may be.
        drop(provider);
        assert_eq!(client.add(Wait::Forever), Err(REFUSED));
        client.0.forget_refusal();
        assert_eq!(client.add(Wait::No), Err(Missing::Absent));
    });
}

#[test]
fn p_01_a_client_that_refuses() {
    /// It wants another version.
    struct Particular(Awaited<ProviderDispatch, NotificationEvent>);

    impl Module<Client<Exnpi>> for Particular {
        type Binding = Deaf;

        fn identity(&self) -> Identity {
            Identity::new(MODULE)
        }

        fn attach(&self, _offer: Offer<'_, Client<Exnpi>>) -> Result<Deaf> {
            self.0.refused(Error::NOT_SUPPORTED);
            Err(Error::NO_INTERFACE)
        }
    }

    run(|| {
        let client = Registration::new(Particular(Awaited::new().unwrap())).unwrap();
        let _provider = provider();
        let missing = client.0.capture(Wait::Forever).err();
        assert_eq!(missing, Some(Missing::Refused(Error::NOT_SUPPORTED)));
    });
}

#[test]
fn p_01_a_refusal_beside_an_attached_provider_is_not_noted() {
    run(|| {
        let client = patient();
        let provider = provider();
        client.0.refused(Error::ACCESS_DENIED);
        drop(provider);
        assert_eq!(client.add(Wait::No), Err(Missing::Absent));
    });
}

#[test]
fn p_01_a_provider_that_is_late() {
    let registrar = Registrar::new(Policy::default());
    let entered = registrar.enter();
    let client = patient();
    for round in 0..10 {
        thread::scope(|scope| {
            let capture = |wait| client.0.capture(wait).map(drop);
            let waits = [Wait::Forever, Wait::AtMost(Duration::MAX)]
                .map(|wait| scope.spawn(move || capture(wait)));
            let provider = provider();
            for wait in waits {
                assert_eq!(wait.join().unwrap(), Ok(()), "round {round}");
            }
            drop(provider);
        });
    }
    drop(client);
    drop(entered);
    assert_eq!(registrar.finish(), []);
}

#[test]
fn p_01_a_wait_that_a_thread_ends() {
    run(|| {
        let client = patient();
        thread::scope(|scope| {
            let wait = scope.spawn(|| client.add(Wait::Forever));
            client.0.refused(Error::ACCESS_DENIED);
            assert_eq!(wait.join().unwrap(), Err(REFUSED));
        });
    });
}

/// An event for one test at a time, in which things happen while a thread waits, and then its time
/// is over.
struct Staged(AtomicBool);

/// What happens in a wait. The provider stays if it is returned.
type Scene = fn() -> Option<Registration<Provider<Exnpi>, Summer>>;

struct Stage {
    scenes: VecDeque<Scene>,
    deadlines: u64,
    stay: Vec<Registration<Provider<Exnpi>, Summer>>,
}

static STAGE: Mutex<Stage> = Mutex::new(Stage {
    scenes: VecDeque::new(),
    deadlines: 0,
    stay: Vec::new(),
});
static ONE_TEST: Mutex<()> = Mutex::new(());

impl Event for Staged {
    type Deadline = u64;

    fn new() -> Result<Self, NtStatus> {
        Ok(Self(AtomicBool::new(false)))
    }

    fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn reset(&self) {
        self.0.store(false, Ordering::SeqCst);
    }

    fn deadline(limit: Duration) -> u64 {
        assert_eq!(limit, Duration::from_secs(5));
        let mut stage = STAGE.lock().unwrap();
        stage.deadlines += 1;
        stage.deadlines
    }

    fn wait(&self, deadline: Option<u64>) -> bool {
        assert_eq!(deadline, Some(1), "the time is counted from the beginning");
        let scene = STAGE.lock().unwrap().scenes.pop_front();
        let stays = scene.expect("the wait fails less often")();
        STAGE.lock().unwrap().stay.extend(stays);
        self.0.load(Ordering::SeqCst)
    }
}

/// What the client finds while scenes happen, one in each of its waits. All have to happen.
fn on_stage<const N: usize>(scenes: [Scene; N]) -> Result<u32, Missing> {
    let _one = ONE_TEST.lock().unwrap();
    let registrar = Registrar::new(Policy::default());
    let entered = registrar.enter();
    STAGE.lock().unwrap().scenes = scenes.into();
    STAGE.lock().unwrap().deadlines = 0;
    let client = Patient::<Staged>::register();
    let found = client.add(Wait::AtMost(Duration::from_secs(5)));
    assert!(STAGE.lock().unwrap().scenes.is_empty());
    let stay = std::mem::take(&mut STAGE.lock().unwrap().stay);
    drop((client, stay));
    drop(entered);
    assert_eq!(registrar.finish(), []);
    found
}

const NOTHING: Scene = || None;
const COMES: Scene = || Some(provider());
const VISITS: Scene = || {
    drop(provider());
    None
};
const REFUSES: Scene = || {
    drop(Registration::new(Attaches(refuse)).unwrap());
    None
};

#[test]
fn p_01_the_time_is_over() {
    assert_eq!(on_stage([NOTHING]), Err(Missing::Absent));
}

#[test]
fn p_01_the_provider_attaches_between_the_look_and_the_wait() {
    assert_eq!(on_stage([COMES]), Ok(3));
}

#[test]
fn p_01_the_provider_leaves_between_the_set_and_the_call() {
    assert_eq!(on_stage([VISITS, VISITS, COMES]), Ok(3));
}

#[test]
fn p_01_the_provider_only_visits() {
    assert_eq!(on_stage([VISITS, NOTHING]), Err(Missing::Absent));
}

#[test]
fn p_01_the_provider_refuses_meanwhile() {
    assert_eq!(on_stage([REFUSES]), Err(REFUSED));
}

//! What stops the process, as it would stop the system: each case runs in a process of its own.

use std::env;
use std::mem::ManuallyDrop;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::thread;

use exnpi::{ClientCalls, ClientDispatch, Exnpi, ProviderCalls, ProviderDispatch};
use nmr::{Client, Detach, Guid, Identity, Module, Offer, Provider, Registration, Result, Slot};
use nmr_host::{Policy, Registrar};

/// Which case a process runs.
const CASE: &str = "NMR_TEST_CASE";
const ID: Identity = Identity::new(Guid::from_u128(0x4be1_1f0c_6a1d_4f69_9a8e_6c2d_0a51_c301));

struct Deaf;

impl ClientCalls for Deaf {
    fn changed(&self, _sum: u32) {}
}

/// Panics when its pending detach is about to complete.
struct Panics(Slot<ProviderDispatch>);

impl Module<Client<Exnpi>> for Panics {
    type Binding = Deaf;

    fn identity(&self) -> Identity {
        ID
    }

    fn attach(&self, offer: Offer<'_, Client<Exnpi>>) -> Result<Deaf> {
        offer.claim(&self.0)?;
        Ok(Deaf)
    }

    fn completed() {
        panic!("the counters are wrong");
    }
}

/// When a provider ends its own registration.
#[derive(Clone, Copy, PartialEq)]
enum When {
    Attach,
    Detaching,
    Never,
}

/// Where a provider finds its own registration.
type Own = Arc<Mutex<Option<Registration<Provider<Exnpi>, Ends>>>>;

/// A provider that can end its own registration.
struct Ends {
    own: Own,
    when: When,
}

impl Ends {
    fn end_if(&self, now: When) {
        if self.when == now {
            let own = self.own.lock().unwrap().take();
            drop(own);
        }
    }
}

struct Same;

impl ProviderCalls for Same {
    fn add(&self, value: u32) -> u32 {
        value
    }
}

impl Module<Provider<Exnpi>> for Ends {
    type Binding = Same;

    fn identity(&self) -> Identity {
        ID
    }

    fn attach(&self, _offer: Offer<'_, Provider<Exnpi>>) -> Result<Same> {
        self.end_if(When::Attach);
        Ok(Same)
    }

    fn detaching(&self, _binding: &Same, detach: Detach<ClientDispatch>) {
        self.end_if(When::Detaching);
        drop(detach);
    }
}

struct Plain;

impl Module<Client<Exnpi>> for Plain {
    type Binding = Deaf;

    fn identity(&self) -> Identity {
        ID
    }

    fn attach(&self, _offer: Offer<'_, Client<Exnpi>>) -> Result<Deaf> {
        Ok(Deaf)
    }
}

fn completed_panics() {
    let client = Registration::new(Panics(Slot::new().unwrap())).unwrap();
    let provider = Registration::new(Ends {
        own: Arc::default(),
        when: When::Never,
    })
    .unwrap();
    let call = client.0.enter().unwrap();
    let closing = provider.close();
    // A panic that unwinds would lose the completion, and the wait would never end.
    let caught = thread::spawn(move || drop(call)).join();
    println!("went on: {caught:?}");
    closing.wait();
}

fn ends_inside(when: When) {
    let own = Arc::default();
    let provider = Ends {
        own: Arc::clone(&own),
        when,
    };
    *own.lock().unwrap() = Some(Registration::new(provider).unwrap());
    drop(Registration::new(Plain).unwrap());
    println!("went on");
}

/// What a thread is called here.
fn thread_number() -> usize {
    thread_local!(static HERE: u8 = const { 0 });
    HERE.with(|here| std::ptr::from_ref(here).addr())
}

/// Runs a case in a process of its own, by the name of the test.
fn stopped(test: &str, case: fn()) -> Output {
    if env::var_os(CASE).is_some_and(|name| name == test) {
        let registrar = Registrar::new(Policy::default());
        let _entered = registrar.enter();
        case();
        std::process::exit(0);
    }
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(CASE, test)
        .output()
        .unwrap();
    assert!(!output.status.success(), "{output:?}");
    assert!(!String::from_utf8_lossy(&output.stdout).contains("went on"));
    output
}

fn says(output: &Output, text: &str) {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains(text), "{error}");
}

#[test]
fn a_panic_in_completed_stops_the_process() {
    let output = stopped("a_panic_in_completed_stops_the_process", completed_panics);
    says(&output, "the counters are wrong");
}

const OWN_CALLBACK: &str = "a registration ends inside one of its own callbacks";

#[test]
#[cfg_attr(not(debug_assertions), ignore = "release builds do not look")]
fn a_registration_that_ends_inside_its_attach_stops_the_process() {
    let test = "a_registration_that_ends_inside_its_attach_stops_the_process";
    let output = stopped(test, || {
        nmr::identify_threads(thread_number);
        ends_inside(When::Attach);
    });
    says(&output, OWN_CALLBACK);
}

#[test]
#[cfg_attr(not(debug_assertions), ignore = "release builds do not look")]
fn a_registration_that_ends_inside_its_detach_stops_the_process() {
    let test = "a_registration_that_ends_inside_its_detach_stops_the_process";
    let output = stopped(test, || {
        nmr::identify_threads(thread_number);
        ends_inside(When::Detaching);
    });
    says(&output, OWN_CALLBACK);
}

/// Threads are not identified: the registrar finds it.
#[test]
fn the_embedded_registrar_refuses_such_a_wait() {
    let test = "the_embedded_registrar_refuses_such_a_wait";
    let output = stopped(test, || ends_inside(When::Attach));
    says(&output, "to wait inside its own callback");
}

#[test]
fn registrations_are_counted_until_they_have_ended() {
    let test = "registrations_are_counted_until_they_have_ended";
    if env::var_os(CASE).is_none() {
        let status = Command::new(env::current_exe().unwrap())
            .args(["--exact", test])
            .env(CASE, test)
            .status();
        assert!(status.unwrap().success());
        return;
    }
    let registrar = Registrar::new(Policy::default());
    let _entered = registrar.enter();
    assert_eq!(nmr::registrations(), 0);
    let plain = Registration::new(Plain).unwrap();
    let closing = Registration::new(Plain).unwrap().close();
    assert_eq!(nmr::registrations(), 2);
    drop(closing);
    assert_eq!(nmr::registrations(), 1);
    let forgotten = ManuallyDrop::new((plain, Registration::new(Plain).unwrap().close()));
    assert_eq!(nmr::registrations(), 2);
    drop(ManuallyDrop::into_inner(forgotten));
    assert_eq!(nmr::registrations(), 0);
}

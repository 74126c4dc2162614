//! The order of registrations, attaches, requests, detaches and unload that an NT kernel of others showed for the same
//! image and the same requests: docs/windows.md, "The order of events".
//!
//! The registrar of that kernel differs in two points, which `quiet` and `one_after_the_other` take out of the comparison.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod images;
mod slow;

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;

use driver_host::{Event, Host, Value};
use exnpi_control::{Action, Role};
use images::requests::{call, open, set, state};
use images::{clean, finish, load};
use nmr::Registration;
use nmr_host::{Moment, Policy, Record};
use slow::Slow;

/// The load: the client registers, then the provider, and they attach.
const LOAD: &[&str] = &[
    "NmrRegisterClient",
    "NmrRegisterClient -> 0",
    "event Register client",
    "NmrRegisterProvider",
    "ClientAttachProvider",
    "NmrClientAttachProvider",
    "ProviderAttachClient",
    "event Attach provider",
    "ProviderAttachClient -> 0",
    "NmrClientAttachProvider -> 0",
    "event Attach client",
    "ClientAttachProvider -> 0",
    "NmrRegisterProvider -> 0",
    "event Register provider",
];

/// The provider leaves. Of the client, with its own functions, the same was seen.
const DETACH: &[&str] = &[
    "NmrDeregisterProvider",
    "ClientDetachProvider",
    "event Detach client",
    "ClientDetachProvider -> 0",
    "ProviderDetachClient",
    "event Detach provider",
    "ProviderDetachClient -> 0",
    "ClientCleanupBindingContext",
    "event Cleanup client",
    "ProviderCleanupBindingContext",
    "event Cleanup provider",
    "event Unregister provider",
];

/// The provider leaves while the client calls. What its image writes is left out: here it is native.
const DETACH_UNDER_LOAD: &[&str] = &[
    "NmrDeregisterProvider",
    "ClientDetachProvider",
    "event Detach client",
    "event Pend client",
    "ClientDetachProvider -> 103",
    "NmrDeregisterProvider -> 103",
    "NmrWaitForProviderDeregisterComplete",
    "event Complete client",
    "NmrClientDetachProviderComplete",
    "ProviderDetachClient",
    "ProviderDetachClient -> 0",
    "ClientCleanupBindingContext",
    "event Cleanup client",
    "ProviderCleanupBindingContext",
    "NmrWaitForProviderDeregisterComplete -> 0",
];

/// The record of the registrar, with the events of the images between its entries.
struct Trace<'a> {
    host: &'a Host,
    seen: usize,
}

impl<'a> Trace<'a> {
    fn new(host: &'a Host) -> Self {
        Self { host, seen: 0 }
    }

    /// What has happened since the last call.
    fn next(&mut self) -> Vec<String> {
        let records = self.host.registrar().records();
        let new = records.iter().skip(self.seen);
        let calls = new.filter_map(|record| Some((record.sequence, 1, shown(record)?)));
        let events = self.host.take_events();
        // An event stands in front of the entry that came after it.
        let events = events
            .iter()
            .map(|event| (event.recorded, 0, event_shown(event)));
        let mut all: Vec<_> = calls.chain(events).collect();
        all.sort_by_key(|(place, kind, _)| (*place, *kind));
        self.seen = records.len();
        all.into_iter().map(|(_, _, text)| text).collect()
    }
}

/// The call of a function, or the status that it returned.
fn shown(record: &Record) -> Option<String> {
    match &record.moment {
        Moment::Call(_) => Some(record.function.to_string()),
        Moment::Status(status) => Some(format!("{} -> {status:x}", record.function)),
        Moment::Return(_) => None,
    }
}

fn event_shown(event: &Event) -> String {
    let role = event.fields.iter().find(|field| field.name == "Role");
    match role.map(|field| &field.value) {
        Some(Value::Text(role)) => format!("event {} {role}", event.name.as_deref().unwrap()),
        other => panic!("{other:?}"),
    }
}

/// The first difference: there, a deregistration with nothing left returns `STATUS_SUCCESS`, and the
/// driver does not wait.
fn quiet(trace: Vec<String>) -> Vec<String> {
    let waits = |line: &String| {
        line.starts_with("NmrWait") || (line.starts_with("NmrDeregister") && line.contains(" -> "))
    };
    trace.into_iter().filter(|line| !waits(line)).collect()
}

/// The second difference: there, the provider is asked to detach when the client has completed, and not
/// together with it.
fn one_after_the_other(trace: Vec<String>) -> Vec<String> {
    let (asked, mut rest): (Vec<_>, Vec<_>) = trace
        .into_iter()
        .partition(|line| line.starts_with("ProviderDetachClient"));
    let completed = rest
        .iter()
        .position(|line| line == "NmrClientDetachProviderComplete");
    let after = completed.unwrap() + 1;
    rest.splice(after..after, asked);
    rest
}

/// The same with the functions of the client.
fn of_client(trace: &[&str]) -> Vec<String> {
    let lines = trace.iter().map(|line| match *line {
        "NmrDeregisterProvider" => "NmrDeregisterClient",
        "NmrRegisterProvider" => "NmrRegisterClient",
        "NmrRegisterProvider -> 0" => "NmrRegisterClient -> 0",
        "event Register provider" => "event Register client",
        "event Unregister provider" => "event Unregister client",
        line => line,
    });
    lines.map(str::to_owned).collect()
}

#[test]
#[ignore = "needs the driver built for Windows: run `cargo xtask test`"]
fn the_order_is_that_of_another_kernel() {
    let host = Host::new(Policy::default());
    let mut trace = Trace::new(&host);
    let image = load(&host, "both");
    assert_eq!(trace.next(), LOAD);
    let device = open(&image);
    assert_eq!(state(&device).roles, 3);
    assert_eq!(call(&device, 1000, 7), (1000, 7000, 0));
    assert_eq!(trace.next(), [""; 0]);
    for role in [Role::Provider, Role::Client] {
        assert_eq!(set(&device, Action::Detach, role), Ok(true));
        let detached = quiet(trace.next());
        let (made, _, status) = call(&device, 5, 1);
        assert!(made == 0 && status < 0, "{made} {status:#x}");
        assert_eq!(set(&device, Action::Attach, role), Ok(true));
        let attached = trace.next();
        assert_eq!(call(&device, 5, 1), (5, 5, 0));
        match role {
            Role::Provider => {
                assert_eq!(detached, DETACH);
                assert_eq!(attached, LOAD[3..]);
            }
            Role::Client => {
                assert_eq!(detached, of_client(DETACH));
                assert_eq!(attached, of_client(&LOAD[3..]));
            }
        }
    }
    drop(device);
    clean(&image.unload());
    let unloaded = quiet(trace.next());
    let bindings = &DETACH[1..DETACH.len() - 1];
    let [first, middle @ .., provider, client] = &unloaded[..] else {
        panic!("{unloaded:?}");
    };
    assert_eq!(first, "NmrDeregisterClient");
    assert_eq!(middle[..bindings.len()], *bindings);
    assert_eq!(middle[bindings.len()..], ["NmrDeregisterProvider"]);
    assert_eq!(provider, "event Unregister provider");
    assert_eq!(client, "event Unregister client");
    finish(&host);
}

/// Waits until the registrar is asked to wait.
fn wait_for_the_wait(host: &Host) {
    let waits = |record: &Record| record.function == "NmrWaitForProviderDeregisterComplete";
    while !host.registrar().records().iter().any(waits) {
        thread::yield_now();
    }
}

#[test]
#[ignore = "needs the driver built for Windows: run `cargo xtask test`"]
fn the_order_under_load_is_that_of_another_kernel() {
    let host = Host::new(Policy::default());
    let mut trace = Trace::new(&host);
    let (entered, has_entered) = channel();
    let (let_leave, leave) = channel();
    let slow = Slow {
        entered: Mutex::new(entered),
        leave: Arc::new(Mutex::new(leave)),
    };
    let provider = host.run(|| Registration::new(slow).unwrap()).unwrap();
    let image = load(&host, "client");
    let device = open(&image);
    trace.next();
    thread::scope(|scope| {
        let calling = scope.spawn(|| call(&device, 1, 7));
        has_entered.recv().unwrap();
        let leaving = scope.spawn(|| host.run(|| drop(provider)).unwrap());
        wait_for_the_wait(&host);
        let_leave.send(()).unwrap();
        assert_eq!(calling.join().unwrap(), (1, 7, 0));
        leaving.join().unwrap();
    });
    assert_eq!(one_after_the_other(trace.next()), DETACH_UNDER_LOAD);
    drop(device);
    clean(&image.unload());
    finish(&host);
}

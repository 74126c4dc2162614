//! Images leave the same events behind as native modules under the same policy.

mod lab;

use exnpi_driver::client::Adder;
use exnpi_driver::provider::Summer;
use nmr::Registration;
use nmr_host::{Actor, Moment, Policy, Record, Registrar, Role};
use serde_json::{Value, json};

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn images_make_the_events_of_native_modules() {
    // The native pair calls, which makes detaches wait; up to there the two are alike.
    let events = |arguments: &str| -> Vec<Value> {
        let attaching = |event: &Value| event["section"].as_u64().unwrap() <= 2;
        // Modules of images are named after their images.
        let plain = |mut event: Value| {
            for field in ["thread", "caller_name", "callee_name"] {
                event.as_object_mut().unwrap().remove(field);
            }
            event
        };
        let events = lab::calls(arguments).into_iter();
        events.filter(attaching).map(plain).collect()
    };
    let images = format!("{} {}", lab::driver("provider"), lab::driver("client"));
    for seed in 0..8 {
        let native = events(&format!("--seed {seed}"));
        let from_images = events(&format!("run {images} --seed {seed}"));
        assert!(!native.is_empty());
        assert_eq!(from_images, native, "seed {seed}");
    }
}

/// What modules in this process leave behind, in the order of the images below.
fn native(seed: u64) -> Vec<Value> {
    let registrar = Registrar::new(Policy::from_seed(seed));
    let entered = registrar.enter();
    let provider = Registration::new(Summer).unwrap();
    let client = Registration::new(Adder::new().unwrap()).unwrap();
    drop(client);
    drop(provider);
    drop(entered);
    let events: Vec<_> = registrar.records().iter().map(event).collect();
    in_order(&events)
}

/// Puts what the registrar does on threads of its own last: they run in parallel with the others.
fn in_order(events: &[(u64, Value)]) -> Vec<Value> {
    let is_own = |thread: u64| {
        let mut first = events.iter().filter(|(on, _)| *on == thread);
        first.next().is_some_and(|(_, event)| event[2] == "nmr")
    };
    let (own, others): (Vec<_>, Vec<_>) = events.iter().partition(|(on, _)| is_own(*on));
    let all = others.into_iter().chain(own);
    all.map(|(_, event)| event.clone()).collect()
}

/// A record as an event of a thread.
fn event(record: &Record) -> (u64, Value) {
    let (kind, status) = match record.moment {
        Moment::Call(_) => ("call", None),
        Moment::Status(status) => ("return", Some(status.cast_unsigned())),
        Moment::Return(_) => ("return", None),
    };
    let event = json!([
        record.irql.0,
        kind,
        party(record.caller),
        party(record.callee),
        record.function,
        record.binding,
        status,
    ]);
    (record.thread.0.into(), event)
}

fn party(actor: Actor) -> &'static str {
    match actor {
        Actor::Nmr => "nmr",
        Actor::Module(module) if module.role == Role::Client => "client",
        Actor::Module(_) => "provider",
        Actor::Unknown => "unknown",
    }
}

/// An event of the program, as above.
fn shown(event: &Value) -> (u64, Value) {
    let fields = [
        "irql",
        "event",
        "caller",
        "callee",
        "function",
        "binding",
        "status_code",
    ];
    let values = fields.iter().map(|field| event[field].clone());
    (event["thread"].as_u64().unwrap(), values.collect())
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn images_come_and_go_like_native_modules() {
    let images = format!("{} {}", lab::driver("provider"), lab::driver("client"));
    for seed in 0..32 {
        let events = lab::calls(&format!("run {images} --seed {seed}"));
        let events: Vec<_> = events.iter().map(shown).collect();
        assert_eq!(in_order(&events), native(seed), "seed {seed}");
    }
}

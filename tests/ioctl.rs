//! Control requests to the driver's own images: good ones, bad ones, at once, and during the unload.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod images;
mod slow;

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;

use driver_host::{Event, Host, RequestError, Value};
use exnpi_control::{Action, ETW_PROVIDER, ETW_PROVIDER_ID, ModuleState, Role, code, status};
use images::requests::{QUERY, call, calls, change, open, refused, send, set, state};
use images::{clean, finish, load, on_hosts};
use nmr::{Error, Guid, Registration};
use nmr_host::{Moment, Policy};
use slow::Slow;
use zerocopy::IntoBytes;

/// What the record of the registrar says about the one module in a role.
fn recorded(host: &Host, role: Role) -> ModuleState {
    let [register, attach, detach, complete, cleanup] = match role {
        Role::Client => [
            "NmrRegisterClient",
            "ClientAttachProvider",
            "ClientDetachProvider",
            "NmrClientDetachProviderComplete",
            "ClientCleanupBindingContext",
        ],
        Role::Provider => [
            "NmrRegisterProvider",
            "ProviderAttachClient",
            "ProviderDetachClient",
            "NmrProviderDetachClientComplete",
            "ProviderCleanupBindingContext",
        ],
    };
    let records = host.registrar().records();
    let count = |function: &str, wanted: &dyn Fn(&Moment) -> bool| {
        let found = records
            .iter()
            .filter(|record| record.function == function && wanted(&record.moment));
        found.count() as u64
    };
    let succeeded = |moment: &Moment| *moment == Moment::Status(status::SUCCESS);
    let pended = |moment: &Moment| *moment == Moment::Status(status::PENDING);
    let called = |moment: &Moment| matches!(moment, Moment::Call(_));
    let (attached, cleaned_up) = (count(attach, &succeeded), count(cleanup, &called));
    ModuleState {
        registrations: count(register, &succeeded),
        bindings: attached - cleaned_up,
        attached,
        detached: count(detach, &called),
        pended: count(detach, &pended),
        completed: count(complete, &called),
        cleaned_up,
        ..ModuleState::default()
    }
}

/// The part of a state that the record knows too.
fn comparable(state: ModuleState) -> ModuleState {
    ModuleState {
        registered: 0,
        last_status: 0,
        declined: 0,
        calls_received: 0,
        calls_made: 0,
        ..state
    }
}

/// What the events say about the module in a role.
fn traced(events: &[Event], role: &str) -> ModuleState {
    let of_role = |event: &&Event| {
        let role = Value::Text(role.to_owned());
        event
            .fields
            .iter()
            .any(|field| field.name == "Role" && field.value == role)
    };
    let count = |name: &str| {
        let found = events
            .iter()
            .filter(of_role)
            .filter(|event| event.name.as_deref() == Some(name));
        found.count() as u64
    };
    let (attached, cleaned_up) = (count("Attach"), count("Cleanup"));
    ModuleState {
        registrations: count("Register"),
        bindings: attached - cleaned_up,
        attached,
        detached: count("Detach"),
        pended: count("Pend"),
        completed: count("Complete"),
        cleaned_up,
        ..ModuleState::default()
    }
}

#[test]
#[ignore = "needs the driver built for Windows: run `cargo xtask test`"]
fn the_state_is_that_of_the_record_and_of_the_events() {
    on_hosts(|host| {
        let image = load(host, "both");
        let device = open(&image);
        assert_eq!(call(&device, 10, 2), (10, 20, 0));
        for role in [Role::Client, Role::Provider] {
            assert_eq!(set(&device, Action::Attach, role), Ok(false));
            assert_eq!(set(&device, Action::Detach, role), Ok(true));
            assert_eq!(set(&device, Action::Detach, role), Ok(false));
            assert_eq!(
                call(&device, 3, 1),
                (0, 0, Error::DEVICE_NOT_READY.status())
            );
            assert_eq!(set(&device, Action::Attach, role), Ok(true));
            assert_eq!(call(&device, 5, 1), (5, 5, 0));
        }
        let state = state(&device);
        assert_eq!(state.roles, 3);
        let events = host.events();
        for (role, name, module) in [
            (Role::Client, "client", state.client),
            (Role::Provider, "provider", state.provider),
        ] {
            assert_eq!(comparable(module), recorded(host, role), "{name}");
            assert_eq!(comparable(module), traced(&events, name), "{name}");
            assert_eq!((module.registered, module.calls_received), (1, 20));
        }
        assert_eq!((state.client.attached, state.client.calls_made), (3, 20));
        drop(device);
        clean(&image.unload());
    });
}

#[test]
#[ignore = "needs the driver built for Windows: run `cargo xtask test`"]
fn every_event_names_the_provider_and_the_module() {
    let host = Host::new(Policy::default());
    let image = load(&host, "both");
    clean(&image.unload());
    let events = host.events();
    let names: Vec<_> = events
        .iter()
        .filter_map(|event| event.name.as_deref())
        .collect();
    assert_eq!(
        names,
        [
            "Register",
            "Attach",
            "Attach",
            "Register",
            "Detach",
            "Detach",
            "Cleanup",
            "Cleanup",
            "Unregister",
            "Unregister",
        ]
    );
    let client = Value::Guid(Guid::from_u128(0x33beb4d2_6d9e_4897_b6fd_2e4ad5deefb9));
    let provider = Value::Guid(Guid::from_u128(0x332613ca_4d4f_4825_912c_9cf18b236564));
    for event in &events {
        assert_eq!(event.provider.as_deref(), Some(ETW_PROVIDER));
        assert_eq!(event.provider_id, Guid::from_u128(ETW_PROVIDER_ID));
        let value = |name| {
            &event
                .fields
                .iter()
                .find(|field| field.name == name)
                .unwrap()
                .value
        };
        let (own, peer) = if *value("Role") == Value::Text("client".to_owned()) {
            (&client, &provider)
        } else {
            (&provider, &client)
        };
        assert_eq!(value("Module"), own);
        if event
            .name
            .as_deref()
            .is_some_and(|name| !name.ends_with("egister"))
        {
            assert_eq!(value("Peer"), peer);
        }
        assert_eq!(*value("Status"), Value::Hexadecimal(0, 8));
    }
    finish(&host);
}

#[test]
#[ignore = "needs the driver built for Windows: run `cargo xtask test`"]
fn a_bad_request_is_refused_and_changes_nothing() {
    let host = Host::new(Policy::default());
    let image = load(&host, "both");
    let device = open(&image);
    let before = state(&device);
    let request = calls(1, 9);
    let good = request.as_bytes();
    let mut newer = good.to_vec();
    newer[4] = 2;
    let mut larger = good.to_vec();
    larger[0] = 24;
    let longer = [good, good].concat();
    for (code, input, space, expected) in [
        (code::CALL, &good[..15], 24, status::WRONG_SIZE),
        (code::CALL, &[][..], 24, status::WRONG_SIZE),
        (code::CALL, &longer, 24, status::WRONG_SIZE),
        (code::CALL, &larger, 24, status::WRONG_SIZE),
        (code::CALL, &newer, 24, status::WRONG_VERSION),
        (code::CALL, good, 23, status::NO_SPACE),
        (code::CALL, good, 0, status::NO_SPACE),
        (code::CALL, calls(0, 1).as_bytes(), 24, status::OUT_OF_RANGE),
        (
            code::CALL,
            calls(1_000_001, 1).as_bytes(),
            24,
            status::OUT_OF_RANGE,
        ),
        (code::QUERY, good, 192, status::WRONG_SIZE),
        (code::QUERY, QUERY.as_bytes(), 191, status::NO_SPACE),
        (code::CHANGE, good, 16, status::OUT_OF_RANGE),
        (code::CHANGE + 4, good, 16, status::UNKNOWN_CODE),
        (0, &[], 0, status::UNKNOWN_CODE),
    ] {
        let answer = device.control(code, input, space).unwrap();
        assert_eq!(answer, (expected, vec![]), "{code:#x} {input:?} {space}");
    }
    assert_eq!(state(&device), before);
    drop(device);
    clean(&image.unload());
    finish(&host);
}

#[test]
#[ignore = "needs the driver built for Windows: run `cargo xtask test`"]
fn a_driver_with_one_module_says_so() {
    for (name, own, other) in [
        ("client", Role::Client, Role::Provider),
        ("provider", Role::Provider, Role::Client),
    ] {
        let host = Host::new(Policy::default());
        let image = load(&host, name);
        let device = open(&image);
        assert_eq!(state(&device).roles, own as u32);
        for action in [Action::Detach, Action::Attach] {
            refused(set(&device, action, other), status::NO_MODULE);
            assert_eq!(set(&device, action, own), Ok(true));
        }
        let called = send::<exnpi_control::Called>(&device, code::CALL, &calls(1, 1));
        match own {
            Role::Client => assert_eq!(called.unwrap().made, 0),
            Role::Provider => refused(called, status::NO_MODULE),
        }
        drop(device);
        clean(&image.unload());
        finish(&host);
    }
}

#[test]
#[ignore = "needs the driver built for Windows: run `cargo xtask test`"]
fn a_detach_waits_for_a_call_in_progress() {
    on_hosts(|host| {
        let (entered, has_entered) = channel();
        let (let_leave, leave) = channel();
        let slow = Slow {
            entered: Mutex::new(entered),
            leave: Arc::new(Mutex::new(leave)),
        };
        let provider = host.run(|| Registration::new(slow).unwrap()).unwrap();
        let image = load(host, "client");
        let device = open(&image);
        thread::scope(|scope| {
            let calling = scope.spawn(|| call(&device, 2, 7));
            has_entered.recv().unwrap();
            let detaching = scope.spawn(|| set(&device, Action::Detach, Role::Client));
            while state(&device).client.pended == 0 {
                thread::yield_now();
            }
            let client = state(&device).client;
            assert_eq!(
                (client.registered, client.bindings, client.completed),
                (1, 1, 0)
            );
            assert_eq!(client.last_status, status::PENDING);
            refused(set(&device, Action::Detach, Role::Client), status::BUSY);
            refused(set(&device, Action::Attach, Role::Client), status::BUSY);
            let_leave.send(()).unwrap();
            // The second call finds no provider.
            assert_eq!(
                calling.join().unwrap(),
                (1, 7, Error::DEVICE_NOT_READY.status())
            );
            assert_eq!(detaching.join().unwrap(), Ok(true));
        });
        let client = state(&device).client;
        assert_eq!(comparable(client), recorded(host, Role::Client));
        assert_eq!(comparable(client), traced(&host.events(), "client"));
        assert_eq!(
            (client.registered, client.pended, client.completed),
            (0, 1, 1)
        );
        drop(device);
        clean(&image.unload());
        host.run(|| drop(provider)).unwrap();
    });
}

/// Sends requests of all kinds until the device is gone. Returns how many calls got through.
fn storm(image: &driver_host::Interface, seed: u32) -> u64 {
    let Ok(device) = image.open() else { return 0 };
    let mut made = 0;
    for turn in seed.. {
        let role = if turn % 2 == 0 {
            Role::Client
        } else {
            Role::Provider
        };
        let (code, request, space) = match turn % 5 {
            0 => (code::QUERY, QUERY.as_bytes().to_vec(), 192),
            1 => (
                code::CHANGE,
                change(Action::Detach, role).as_bytes().to_vec(),
                16,
            ),
            2 => (
                code::CHANGE,
                change(Action::Attach, role).as_bytes().to_vec(),
                16,
            ),
            _ => (code::CALL, calls(turn % 50 + 1, 1).as_bytes().to_vec(), 24),
        };
        match device.control(code, &request, space) {
            Ok((status::SUCCESS, reply)) => {
                assert_eq!(reply.len(), space);
                if code == code::CALL {
                    made += u64::from(u32::from_le_bytes(reply[8..12].try_into().unwrap()));
                }
            }
            Ok((refusal, reply)) => {
                assert_eq!((refusal, reply.len()), (status::BUSY, 0));
            }
            Err(RequestError::Removed) => break,
            Err(other) => panic!("{other}"),
        }
        if seed > 1000 && turn > seed + 300 {
            break;
        }
    }
    made
}

#[test]
#[ignore = "needs the driver built for Windows: run `cargo xtask test`"]
fn requests_from_several_threads_keep_the_books_right() {
    on_hosts(|host| {
        let image = load(host, "both");
        let interface = image
            .interfaces(Guid::from_u128(exnpi_control::INTERFACE))
            .remove(0);
        let made: u64 = thread::scope(|scope| {
            let threads = [10_000, 20_001, 30_002].map(|seed| {
                let interface = &interface;
                scope.spawn(move || storm(interface, seed))
            });
            threads.map(|thread| thread.join().unwrap()).iter().sum()
        });
        let device = open(&image);
        let state = state(&device);
        assert_eq!(state.client.calls_made, made);
        assert_eq!(state.provider.calls_received, made);
        for (role, name, module) in [
            (Role::Client, "client", state.client),
            (Role::Provider, "provider", state.provider),
        ] {
            assert_eq!(module.pended, module.completed);
            assert_eq!(module.detached, module.cleaned_up);
            assert_eq!(comparable(module), recorded(host, role), "{name}");
            assert_eq!(comparable(module), traced(&host.events(), name), "{name}");
        }
        drop(device);
        clean(&image.unload());
    });
}

#[test]
#[ignore = "needs the driver built for Windows: run `cargo xtask test`"]
fn requests_during_the_unload_end() {
    on_hosts(|host| {
        let image = load(host, "both");
        let interface = image
            .interfaces(Guid::from_u128(exnpi_control::INTERFACE))
            .remove(0);
        let (begun, has_begun) = channel();
        thread::scope(|scope| {
            for seed in 0..3 {
                let (interface, begun) = (&interface, begun.clone());
                scope.spawn(move || {
                    begun.send(()).unwrap();
                    storm(interface, seed)
                });
            }
            has_begun.recv().unwrap();
            while open(&image)
                .control(code::QUERY, QUERY.as_bytes(), 192)
                .is_ok()
                && host.registrar().records().len() < 200
            {
                thread::yield_now();
            }
            clean(&image.unload());
        });
    });
}

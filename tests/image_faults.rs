//! Every fault that the driver can meet on its way in and out, in every form of the driver: each ends
//! in a status from `DriverEntry`, in a refused attach, or in nothing at all; and nothing is lost.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod images;

use std::collections::BTreeSet;
use std::sync::Arc;

use driver_host::{Fate, Host, Outcome, Peer, PeerComes, Plan, Scenario, StartPeer, Trial};
use exnpi::Exnpi;
use exnpi_driver::client::Adder;
use exnpi_driver::provider::Summer;
use images::{clean, finish, load, path};
use nmr::{Error, Registration};
use nmr_host::{Moment, Policy};

struct NativeClient(Registration<nmr::Client<Exnpi>, Adder>);

impl Peer for NativeClient {
    fn meet(&self) {
        // It has no provider if the fault was in the attach.
        if let Ok(sum) = self.0.add(7) {
            assert_eq!((sum, self.0.changes()), (7, 1));
        }
    }
}

struct NativeProvider {
    _registration: Registration<nmr::Provider<Exnpi>, Summer>,
}

impl Peer for NativeProvider {}

fn client() -> StartPeer {
    Arc::new(|| {
        Box::new(NativeClient(
            Registration::new(Adder::new().unwrap()).unwrap(),
        ))
    })
}

fn provider() -> StartPeer {
    Arc::new(|| {
        Box::new(NativeProvider {
            _registration: Registration::new(Summer).unwrap(),
        })
    })
}

/// Images of the driver with some modules.
fn scenario(roles: &[&str]) -> Scenario {
    let image = |role: &&str| (format!("{role}.sys"), std::fs::read(path(role)).unwrap());
    Scenario::new(roles.iter().map(image).collect())
}

/// The driver in every form, with the number of bindings that it makes.
fn every_form() -> Vec<(Scenario, usize)> {
    let mut forms = vec![
        (scenario(&["both"]), 1),
        (scenario(&["provider"]), 0),
        (scenario(&["client"]), 0),
    ];
    for roles in [["provider", "client"], ["client", "provider"]] {
        for unload_in_order in [false, true] {
            let scenario = Scenario {
                unload_in_order,
                ..scenario(&roles)
            };
            forms.push((scenario, 1));
        }
    }
    for (role, peer) in [("provider", client()), ("client", provider())] {
        for comes in [PeerComes::First, PeerComes::Last] {
            let scenario = Scenario {
                peer: Some((comes, Arc::clone(&peer))),
                ..scenario(&[role])
            };
            forms.push((scenario, 1));
        }
    }
    forms
}

/// The policies that make the most difference.
fn policies() -> Vec<Policy> {
    let seeded = (1..4).map(Policy::from_seed);
    seeded
        .chain([Policy::default(), Policy::strict()])
        .collect()
}

/// Runs a form of the driver without a fault, and then once for each fault.
fn for_each_fault(form: &Scenario, test: impl Fn(&Trial, &Outcome, &Outcome)) {
    let dry = form.run(&Trial::Dry);
    assert_eq!(dry.wrong(), [""; 0], "{form:?}");
    for trial in dry.trials() {
        let outcome = form.run(&trial);
        assert_eq!(outcome.lost(&dry), [""; 0], "{form:?}, {trial:?}");
        test(&trial, &outcome, &dry);
    }
}

/// What failed for the driver: the statuses of the entry points and devices.
fn statuses(outcome: &Outcome) -> Vec<i32> {
    let status = |fate: &Fate| match fate {
        Fate::NotLoaded(status) | Fate::NoDevice(status) => Some(*status),
        _ => None,
    };
    let steps = outcome.steps.iter();
    steps.filter_map(|step| status(&step.fate)).collect()
}

#[test]
#[ignore = "needs the driver built for Windows: run `cargo xtask test`"]
fn t_32_each_fault_ends_in_a_status_or_a_refused_attach_and_nothing_is_lost() {
    let insufficient = Error::INSUFFICIENT_RESOURCES.status();
    for policy in policies() {
        println!("{policy}");
        for (form, expected) in every_form() {
            let form = Scenario {
                policy: policy.clone(),
                ..form
            };
            for_each_fault(&form, |trial, outcome, dry| {
                assert_eq!(dry.attached, expected, "{form:?}");
                assert!(dry.points.len() > 3, "{form:?}");
                let Trial::Point(point, _) = trial else {
                    return;
                };
                assert!(outcome.points.iter().any(|it| it.refused.is_some()));
                match &*statuses(outcome) {
                    [status] => assert_eq!(*status, insufficient, "{form:?}, {}", point.site),
                    // Without events the driver works.
                    [] if point.site.function == "EtwRegister" => {
                        assert_eq!(outcome.attached, expected, "{form:?}");
                    }
                    [] => assert_eq!(outcome.attached, 0, "{form:?}, {}", point.site),
                    several => panic!("{form:?}, {}: {several:x?}", point.site),
                }
            });
        }
    }
}

#[test]
#[ignore = "needs the driver built for Windows: run `cargo xtask test`"]
fn t_32_every_function_that_may_fail_is_made_to() {
    let mut functions = BTreeSet::new();
    for (form, _) in every_form() {
        let points = form.run(&Trial::Dry).points;
        functions.extend(points.into_iter().map(|point| point.site.function));
    }
    let expected = [
        "EtwRegister",
        "ExAllocatePool2",
        "NmrClientAttachProvider",
        "NmrRegisterClient",
        "NmrRegisterProvider",
        "WdfDeviceCreate",
        "WdfDeviceCreateDeviceInterface",
        "WdfDriverCreate",
        "WdfIoQueueCreate",
        "WdfVersionBind",
    ];
    assert!(functions.iter().eq(expected), "{functions:?}");
}

#[test]
#[ignore = "needs the driver built for Windows: run `cargo xtask test`"]
fn t_32_the_points_of_a_run_are_those_of_every_run() {
    for (form, _) in every_form() {
        let points = form.run(&Trial::Dry).points;
        for _ in 0..3 {
            assert_eq!(form.run(&Trial::Dry).points, points, "{form:?}");
        }
    }
}

#[test]
#[ignore = "needs the driver built for Windows: run `cargo xtask test`"]
fn t_21_the_teardown_asks_for_nothing() {
    for (form, _) in every_form() {
        let outcome = form.run(&Trial::Teardown);
        assert_eq!(outcome.wrong(), [""; 0], "{form:?}");
        let refused = outcome.points.iter().filter(|it| it.refused.is_some());
        assert_eq!(refused.count(), 0, "{form:?}");
    }
}

/// Lets a native provider come and go.
fn visit(host: &Host) {
    let visit = || drop(Registration::<nmr::Provider<Exnpi>, _>::new(Summer).unwrap());
    host.run(visit).unwrap();
}

/// How many bindings were made, and not only offered.
fn attached(host: &Host) -> usize {
    let records = host.registrar().records();
    let attached = records.iter().filter(|record| {
        record.function == "ClientAttachProvider" && record.moment == Moment::Status(0)
    });
    attached.count()
}

#[test]
#[ignore = "needs the driver built for Windows: run `cargo xtask test`"]
fn t_14_after_a_failed_attach_a_client_is_as_it_was() {
    let host = Host::new(Policy::strict());
    let client = load(&host, "client");
    let before = host.points().len();
    visit(&host);
    let points = host.points().split_off(before);
    assert_eq!(points.len(), 2, "{points:?}");
    let mut expected = 1;
    for (place, point) in (1..).zip(&points) {
        for (index, refusal) in point.refusals.iter().enumerate() {
            let before = host.points().len() as u64;
            host.refuse(Plan::Ordinal(before + place, index));
            visit(&host);
            assert_eq!(attached(&host), expected, "{}: {refusal}", point.site);
            // It takes the next provider, so it has not kept the one that it was refused.
            host.refuse(Plan::Nothing);
            visit(&host);
            expected += 1;
            assert_eq!(attached(&host), expected, "{}: {refusal}", point.site);
        }
    }
    assert_eq!(expected, 4);
    clean(&client.unload());
    finish(&host);
}

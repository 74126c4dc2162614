//! The driver's own images: the bytes that ship, loaded, attached and unloaded.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod images;

use driver_host::facts::Facts;
use driver_host::{Host, LoadOptions, hygiene};
use exnpi::{ClientCalls, ClientDispatch, Exnpi, ProviderCalls};
use exnpi_driver::client::Adder;
use exnpi_driver::provider::Summer;
use images::{bindings, clean, finish, fixture, load, on_hosts, path, watch_calls};
use nmr::{Identity, Lent, Module, Offer, Peer, Provider, Registration};
use nmr_host::{Cleanup, Policy, Record, Registrar, Rule};

#[test]
#[ignore = "needs the driver built for Windows: run `cargo xtask test`"]
fn one_driver_with_both_roles_attaches_to_itself() {
    on_hosts(|host| {
        let both = load(host, "both");
        assert_eq!(bindings(host), 1);
        assert_eq!(both.missing_imports(), [""; 0]);
        clean(&both.unload());
    });
}

#[test]
#[ignore = "needs the driver built for Windows: run `cargo xtask test`"]
fn two_images_attach_in_both_orders_and_go_in_both() {
    on_hosts(|host| {
        let orders = [["provider", "client"], ["client", "provider"]];
        for order in orders {
            for first in 0..2 {
                let mut loaded = Vec::from(order.map(|role| load(host, role)));
                clean(&loaded.remove(first).unload());
                clean(&loaded.remove(0).unload());
            }
        }
        assert_eq!(bindings(host), 4);
    });
}

#[test]
#[ignore = "needs the driver built for Windows: run `cargo xtask test`"]
fn an_image_that_returns_is_attached_again() {
    on_hosts(|host| {
        let client = load(host, "client");
        for _ in 0..3 {
            clean(&load(host, "provider").unload());
        }
        let provider = load(host, "provider");
        clean(&client.unload());
        for _ in 0..3 {
            clean(&load(host, "client").unload());
        }
        assert_eq!(bindings(host), 7);
        clean(&provider.unload());
    });
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn v_48_an_image_calls_another_in_its_detach_callback() {
    let host = Host::new(Policy::default());
    watch_calls(&host);
    let provider = load(&host, "provider");
    let client = host
        .load(fixture("late"), LoadOptions::named("late.sys"))
        .unwrap();
    clean(&provider.unload());
    let reports = host.registrar().take_reports();
    assert_eq!(reports.len(), 1, "{reports:#?}");
    assert_eq!((reports[0].rule, reports[0].called), (Rule::V48, Some(0)));
    assert_eq!(reports[0].function, "a call into the provider");
    clean(&client.unload());
    finish(&host);
}

#[test]
#[ignore = "needs the driver built for Windows: run `cargo xtask test`"]
fn several_images_of_one_file_are_several_drivers() {
    let host = Host::new(Policy::default());
    let providers = ["provider"; 3].map(|role| load(&host, role));
    let both = load(&host, "both");
    for provider in providers {
        clean(&provider.unload());
    }
    clean(&both.unload());
    finish(&host);
}

#[test]
#[ignore = "needs the driver built for Windows: run `cargo xtask test`"]
fn a_native_client_calls_an_image() {
    on_hosts(|host| {
        let provider = load(host, "provider");
        let add = || {
            let client = Registration::new(Adder::new().unwrap()).unwrap();
            let sums = [7, 5, 30].map(|value| client.add(value));
            (sums, client.changes())
        };
        assert_eq!(host.run(add), Ok(([Ok(7), Ok(12), Ok(42)], 3)));
        clean(&provider.unload());
    });
}

/// A record without what depends on the threads.
fn event(record: &Record) -> String {
    format!(
        "{} {:?} -> {:?}: {} {:?} {:?}",
        record.irql, record.caller, record.callee, record.function, record.binding, record.moment
    )
}

/// The events of a run. Where a worker cleans up, their order is up to the threads.
fn events(registrar: &Registrar) -> Vec<String> {
    let mut events: Vec<_> = registrar.records().iter().map(event).collect();
    if registrar.policy().cleanup == Cleanup::Worker {
        events.sort();
    }
    events
}

/// A run of the pair: who registers first, and who goes first.
#[derive(Clone, Copy)]
struct Story {
    client_comes_first: bool,
    client_goes_first: bool,
}

/// The story of two native modules.
fn native(policy: Policy, story: Story) -> Vec<String> {
    let registrar = Registrar::new(policy);
    let entered = registrar.enter();
    let provider = || Registration::new(Summer).unwrap();
    let client = || Registration::new(Adder::new().unwrap()).unwrap();
    let (client, provider) = if story.client_comes_first {
        let client = client();
        (client, provider())
    } else {
        let provider = provider();
        (client(), provider)
    };
    if story.client_goes_first {
        drop(client);
        drop(provider);
    } else {
        drop(provider);
        drop(client);
    }
    drop(entered);
    events(&registrar)
}

/// The same story of two images.
fn loaded(policy: Policy, story: Story) -> Vec<String> {
    let host = Host::new(policy);
    let (client, provider) = if story.client_comes_first {
        let client = load(&host, "client");
        (client, load(&host, "provider"))
    } else {
        let provider = load(&host, "provider");
        (load(&host, "client"), provider)
    };
    let order = if story.client_goes_first {
        [client, provider]
    } else {
        [provider, client]
    };
    for image in order {
        clean(&image.unload());
    }
    events(host.registrar())
}

#[test]
#[ignore = "needs the driver built for Windows: run `cargo xtask test`"]
fn the_record_of_two_images_is_that_of_two_native_modules() {
    for seed in 0..64 {
        for (client_comes_first, client_goes_first) in
            [(false, false), (false, true), (true, false), (true, true)]
        {
            let story = Story {
                client_comes_first,
                client_goes_first,
            };
            let policy = Policy::from_seed(seed);
            let native = native(policy.clone(), story);
            assert!(native.len() > 20);
            assert_eq!(loaded(policy, story), native, "seed {seed}");
        }
    }
}

#[test]
#[ignore = "needs the driver built for Windows: run `cargo xtask test`"]
fn every_image_is_fit_to_be_signed() {
    for role in ["both", "provider", "client"] {
        let facts = Facts::read(&std::fs::read(path(role)).unwrap()).unwrap();
        let points = hygiene::check(&facts);
        assert!(hygiene::passes(&points), "{role}: {points:#?}");
        let imports = facts.imports();
        let libraries: Vec<_> = imports.keys().copied().collect();
        assert_eq!(
            libraries,
            ["NETIO.SYS", "WDFLDR.SYS", "ntoskrnl.exe"],
            "{role}"
        );
        assert!(
            imports["NETIO.SYS"]
                .iter()
                .all(|name| name.starts_with("Nmr")),
            "{role}"
        );
    }
}

/// A provider whose sums are great.
struct Boaster;

struct Boast(Peer<ClientDispatch>);

impl Module<Provider<Exnpi>> for Boaster {
    type Binding = Boast;

    fn identity(&self) -> Identity {
        Module::<Provider<Exnpi>>::identity(&Summer)
    }

    fn characteristics(&self) -> Option<Lent<'_, exnpi::Characteristics>> {
        Some(Lent::new(&exnpi::CHARACTERISTICS))
    }

    fn attach(&self, offer: Offer<'_, Provider<Exnpi>>) -> nmr::Result<Boast> {
        Ok(Boast(offer.peer()?))
    }
}

impl ProviderCalls for Boast {
    fn add(&self, _value: u32) -> u32 {
        self.0.enter().map_or(0, |client| {
            client.changed(101);
            101
        })
    }
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_bug_check_inside_watched_calls_stops_the_host_and_nothing_else() {
    let host = Host::new(Policy::default());
    watch_calls(&host);
    let entered = host.registrar().enter();
    let provider = Registration::new(Boaster).unwrap();
    let stopped = host.load(fixture("late"), LoadOptions::default());
    let error = stopped.unwrap_err().to_string();
    assert!(error.contains("panic at src/late.rs"), "{error}");
    assert_eq!(host.registrar().reports(), []);
    // The binding never ends: its client is stopped inside its attach callback.
    std::mem::forget(provider);
    drop(entered);
}

//! The rules about dispatch tables of an interface that the program has declared. See `reports.rs`.

mod common;

use common::*;
use nmr_host::Severity::Warning;
use nmr_host::{Interface, Report, Table};

/// An interface whose sides have functions, or not.
fn declare(rig: &Rig, [client, provider]: [bool; 2]) {
    let table = Table {
        size: 8,
        functions: 1,
    };
    rig.registrar.declare(Interface {
        npi: Shape::new().npi,
        client: client.then_some(table),
        provider: provider.then_some(table),
    });
}

/// Lets a client and a provider attach with a table, or without.
fn exchange(rig: &Rig, tables: [bool; 2]) -> [Module; 2] {
    let [client, provider] = tables.map(usize::from).map(|table| {
        move |offer: &Offer| {
            let address = table * 0xd15_0000;
            offer.ask(address).status
        }
    });
    let client = rig.client().on_attach(client).registered();
    [client, rig.provider().on_attach(provider).registered()]
}

/// Returns `true` if a report accuses the first of two modules in this function.
fn accuses(report: &Report, [module, peer]: [Module; 2], function: &str) -> bool {
    let id = |label: Option<nmr_host::ModuleLabel>| label.and_then(|label| label.id);
    let modules = (id(report.module), id(report.peer));
    modules == (Some(module.id()), Some(peer.id()))
        && (report.function, report.binding) == (function, Some(1))
        && report.severity == Warning
}

#[test]
fn v_31_a_provider_with_functions_passes_a_table() {
    let rig = Rig::new();
    declare(&rig, [true, true]);
    let [client, provider] = exchange(&rig, [true, false]);
    let report = rig.expect_one(Rule::V31);
    assert!(accuses(&report, [provider, client], "ProviderAttachClient"));
    close_all([client, provider]);
}

#[test]
fn v_32_a_client_with_functions_passes_a_table_and_another_none() {
    for defined in [true, false] {
        let rig = Rig::new();
        declare(&rig, [defined, true]);
        let modules = exchange(&rig, [!defined, true]);
        let report = rig.expect_one(Rule::V32);
        assert!(accuses(&report, modules, "NmrClientAttachProvider"));
        close_all(modules);
    }
}

#[test]
fn tables_as_declared_are_in_order() {
    for sides in [[false, false], [false, true], [true, true]] {
        let rig = Rig::new();
        declare(&rig, sides);
        close_all(exchange(&rig, sides));
    }
}

#[test]
fn tables_of_other_interfaces_are_not_looked_at() {
    let rig = Rig::new();
    close_all(exchange(&rig, [true, false]));
}

//! The tables of the last chapter: each name of `nmr-sys` has a row, and each name in a row exists.
#![cfg(not(miri))]

mod api;

use std::collections::BTreeSet;

use api::Api;
use nmr_guide::{Page, project};

fn page() -> Page {
    Page::read(&project().join("docs/guide/16-where-everything-is.md"))
}

/// The rows of the tables, as cells.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let rows = text.lines().filter(|line| line.starts_with("| "));
    rows.map(|row| row.split('|').map(str::trim).skip(1).collect())
        .collect()
}

/// What is in backquotes.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_name_of_the_header_has_a_row() {
    let text = page().text;
    let first: BTreeSet<&str> = rows(&text)
        .iter()
        .flat_map(|cells| quoted(cells[0]))
        .collect();
    let api = Api::of("nmr-sys");
    let missing: Vec<String> = api
        .names()
        .map(|name| name.replace("::", "."))
        .filter(|name| !first.contains(name.as_str()))
        .collect();
    assert!(missing.is_empty(), "these have no row: {missing:#?}");
    assert!(api.names().count() > 60);
}

/// What the pages name besides: statuses, parameters, and the names of their samples.
const PAGES: [&str; 28] = [
    "STATUS_SUCCESS",
    "STATUS_PENDING",
    "STATUS_NOINTERFACE",
    "STATUS_INSUFFICIENT_RESOURCES",
    "STATUS_INVALID_PARAMETER",
    "ClientAttachProvider",
    "ClientDetachProvider",
    "ClientCleanupBindingContext",
    "ProviderAttachClient",
    "ProviderDetachClient",
    "ProviderCleanupBindingContext",
    "NmrBindingHandle",
    "NmrClientHandle",
    "ClientCharacteristics",
    "ClientContext",
    "ClientBindingContext",
    "ClientDispatch",
    "ProviderBindingContext",
    "ProviderDispatch",
    "ClientRegistrationInstance",
    "ProviderRegistrationInstance",
    "CLIENT_REGISTRATION_CONTEXT",
    "PROVIDER_BINDING_CONTEXT",
    "BINDING_CONTEXT_POOL_TAG",
    "EXNPI_NPIID",
    "EXNPI_CLIENT_CHARACTERISTICS",
    "EXNPI_CLIENT_DISPATCH",
    "EXNPI_PROVIDER_DISPATCH",
];

#[test]
fn every_name_of_the_pages_has_a_row() {
    let text = page().text;
    let first: BTreeSet<&str> = rows(&text)
        .iter()
        .flat_map(|cells| quoted(cells[0]))
        .collect();
    for name in PAGES {
        assert!(first.contains(name), "{name} has no row");
    }
}

#[test]
fn every_name_in_a_row_exists() {
    let text = page().text;
    let crates = [
        "nmr",
        "nmr-sys",
        "nmr-driver",
        "nmr-host",
        "exnpi",
        "driver-host",
    ];
    let crates = crates.map(Api::of);
    let mut count = 0;
    for name in rows(&text).iter().flatten().flat_map(|cell| quoted(cell)) {
        let Some((package, path)) = name.split_once("::") else {
            continue;
        };
        let api = crates.iter().find(|api| api.name() == package);
        let api = api.unwrap_or_else(|| panic!("{name}: of which crate?"));
        assert!(api.has(path.trim_end_matches('!')), "there is no {name}");
        count += 1;
    }
    assert!(count > 120, "only {count} names were looked for");
}

#[test]
fn a_name_that_is_not_there_is_missed() {
    let nmr = Api::of("nmr");
    assert!(nmr.has("Registration::close") && nmr.has("Module::Binding") && nmr.has("dispatch"));
    for wrong in [
        "Registration::open",
        "Link",
        "Gate::enter",
        "Registered",
        "Binding",
    ] {
        assert!(!nmr.has(wrong), "{wrong}");
    }
    let host = Api::of("nmr-host");
    assert!(host.has("irql::raise") && host.has("Registrar::wrap"));
    assert!(!host.has("raise") && !host.has("irql::lower") && !host.has("Shell"));
}

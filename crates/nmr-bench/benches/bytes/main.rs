//! How many bytes of the heap the registrar takes for a registration and for a binding:
//! `cargo bench -p nmr-bench --bench bytes`. With `UPDATE_DOCS=1` they go into `docs/performance.md`.

use std::fmt::Write;

mod counting;

use nmr_bench::c::Callbacks;
use nmr_bench::callbacks::{Nothing, callbacks};
use nmr_bench::document;
use nmr_bench::lives::NPI;
use nmr_bench::raw::{
    Client, Provider, close_client, close_provider, register_client, register_provider,
};
use nmr_bench::setting::Setting;

use crate::counting::{Counting, in_use};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const MINIMAL: Callbacks = callbacks::<Nothing>();
const REGISTRATIONS: u32 = 10_000;
/// So many clients, and as many providers: as many bindings as there are registrations above.
const SIDE: u32 = 100;

/// How many more bytes are in use after this than before, for each of so many.
fn bytes<T>(count: u32, work: impl FnOnce() -> T) -> f64 {
    let before = in_use();
    let kept = work();
    let after = in_use();
    drop(kept);
    f64::from(u32::try_from(after - before).expect("it is not that much")) / f64::from(count)
}

fn providers(interfaces: impl Iterator<Item = u128>) -> Vec<&'static Provider> {
    interfaces
        .map(|npi| Provider::leak(npi, &MINIMAL))
        .collect()
}

/// What a registration takes that matches nothing, whose interface is its own or that of all.
fn registrations(setting: Setting, interfaces: impl Iterator<Item = u128>) -> f64 {
    let registrar = setting.registrar();
    let _entered = registrar.enter();
    let providers = providers(interfaces);
    bytes(REGISTRATIONS, || {
        for provider in &providers {
            register_provider(provider);
        }
    })
}

/// What a binding takes, without the registrations of its modules; and what is still taken when all are
/// gone.
fn bindings(setting: Setting) -> (f64, f64) {
    let registrar = setting.registrar();
    let _entered = registrar.enter();
    let modules = providers((0..SIDE).map(|_| NPI));
    let clients: Vec<_> = (0..SIDE).map(|_| Client::leak(NPI, &MINIMAL)).collect();
    let mut unbound = Vec::with_capacity(SIDE as usize);
    let mut bound = Vec::with_capacity(SIDE as usize);
    let start = in_use();
    let one_side = bytes(1, || {
        unbound.extend(modules.iter().copied().map(register_provider));
    });
    let both = bytes(1, || {
        bound.extend(clients.iter().copied().map(register_client));
    });
    bound.into_iter().for_each(close_client);
    unbound.into_iter().for_each(close_provider);
    // Both vectors are freed by now, and were counted before.
    let handles = 2 * SIDE as usize * size_of::<usize>();
    let end = in_use() + handles;
    let left = u32::try_from(end.saturating_sub(start)).expect("it is not that much");
    ((both - one_side) / f64::from(SIDE * SIDE), f64::from(left))
}

fn main() {
    let mut table = String::from("| bytes | off | watched, with the record |\n|---|--:|--:|\n");
    let both = [Setting::Off, Setting::Tests];
    let apart = both.map(|setting| registrations(setting, (1..).take(REGISTRATIONS as usize)));
    let together = both.map(|setting| registrations(setting, (0..REGISTRATIONS).map(|_| NPI)));
    let bindings = both.map(bindings);
    for (what, [off, watched]) in [
        ("a registration, each of an interface of its own", apart),
        ("a registration, all of one interface", together),
        ("a binding", bindings.map(|(each, _)| each)),
        (
            "what is left of 10,000 bindings and their modules",
            bindings.map(|(_, left)| left),
        ),
    ] {
        writeln!(table, "| {what} | {off:.0} | {watched:.0} |").expect("a string takes everything");
    }
    print!("{table}");
    if document::wanted() {
        document::write("bytes", &table);
    }
}

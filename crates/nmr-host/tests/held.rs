//! Interfaces that were not declared are watched as their tables are found in memory, and a call can be
//! held until a detach has met it.
#![cfg(all(target_os = "linux", target_arch = "x86_64", not(miri)))]

mod common;

use std::time::Duration;

use common::*;
use nmr_host::{Extent, TableLayout, Wrapping};

const PATIENCE: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(20);

fn watching() -> Rig {
    let rig = Rig::new();
    let layout = |table: *const ()| {
        assert_eq!(table.addr(), TABLE.address());
        Some(TableLayout::new(Extent::Bytes(8), [0]))
    };
    rig.registrar
        .wrap_others(Wrapping::default(), layout)
        .expect("calls can be watched here");
    rig
}

fn accept(offer: &Offer) -> NTSTATUS {
    offer.ask(TABLE.address()).status
}

fn attached(rig: &Rig) -> (Module, Module) {
    let (client, provider) = rig.pair();
    let client = client.on_attach(accept).registered();
    (client, provider.on_attach(accept).registered())
}

fn nothing() {}

#[test]
fn tables_that_were_not_declared_are_copied_as_found() {
    let rig = watching();
    let (client, provider) = attached(&rig);
    for end in [client.binding(0), provider.binding(0)] {
        assert_ne!(end.peer_dispatch, TABLE.address());
        let mut called = false;
        end.call(|| called = true);
        assert!(called);
    }
    close_all([client, provider]);
}

#[test]
fn tables_that_are_not_found_or_cannot_be_are_handed_on() {
    let impossible = TableLayout::new(Extent::Bytes(8), [8]);
    for layout in [None, Some(impossible)] {
        let rig = Rig::new();
        let found = rig
            .registrar
            .wrap_others(Wrapping::default(), move |_| layout.clone());
        assert_eq!(found, Ok(()));
        let (client, provider) = attached(&rig);
        assert_eq!(client.binding(0).peer_dispatch, TABLE.address());
        close_all([client, provider]);
    }
}

#[test]
fn a_held_call_goes_on_when_the_detach_callback_has_returned() {
    let rig = watching();
    let (client, provider) = attached(&rig);
    client.pends();
    let binding = client.binding(0);
    rig.registrar.hold_call(1);
    let other = rig.thread(move || {
        binding.call(nothing);
        binding.call(nothing);
    });
    let held = rig.registrar.wait_for_held_call(PATIENCE);
    let held = held.expect("the second call is held");
    assert_eq!((held.binding, held.caller.id), (1, Some(client.id())));
    assert!(!other.is_finished());
    assert_eq!(provider.deregister(), STATUS_PENDING);
    other.join();
    assert_eq!(rig.registrar.release_call(), Some(STATUS_PENDING));
    binding.complete();
    assert_eq!(provider.wait(), STATUS_SUCCESS);
    client.detaches().close();
}

#[test]
fn a_module_that_does_not_wait_for_a_held_call_is_reported() {
    let rig = watching();
    let (client, provider) = attached(&rig);
    let binding = client.binding(0);
    rig.registrar.hold_call(0);
    let other = rig.thread(move || binding.call(nothing));
    assert!(rig.registrar.wait_for_held_call(PATIENCE).is_some());
    assert_eq!(provider.deregister(), STATUS_PENDING);
    other.join();
    assert_eq!(rig.registrar.release_call(), Some(STATUS_SUCCESS));
    rig.expect_one(nmr_host::Rule::V49);
    assert_eq!(provider.wait(), STATUS_SUCCESS);
    client.close();
}

#[test]
fn a_held_call_can_be_let_go_on() {
    let rig = watching();
    let (client, provider) = attached(&rig);
    let binding = client.binding(0);
    rig.registrar.hold_call(0);
    let other = rig.thread(move || binding.call(nothing));
    assert!(rig.registrar.wait_for_held_call(PATIENCE).is_some());
    assert_eq!(rig.registrar.release_call(), None);
    other.join();
    close_all([client, provider]);
}

#[test]
fn calls_are_not_held_that_a_detach_may_wait_for() {
    let rig = watching();
    let (client, provider) = attached(&rig);
    rig.registrar.hold_call(0);
    client.on_detach(|binding| {
        binding.call(nothing);
        STATUS_SUCCESS
    });
    assert_eq!(rig.registrar.wait_for_held_call(SHORT), None);
    close_all([provider, client]);
    assert_eq!(rig.registrar.release_call(), None);
}

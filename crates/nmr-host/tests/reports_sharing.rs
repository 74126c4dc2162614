//! The rules about what modules share. See `reports.rs`.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use common::*;
use nmr_host::Severity::Warning;

/// Registers modules again under the handles of their first registrations.
fn close_first(role: Role, handle: usize) {
    assert_eq!(
        Function::Deregister(role).call(handle),
        Some(STATUS_PENDING)
    );
    assert_eq!(Function::Wait(role).call(handle), Some(STATUS_SUCCESS));
}

#[test]
fn v_14_each_registration_has_characteristics_of_its_own() {
    for (role, policy) in ROLES.into_iter().zip(["", "sharing=identities"]) {
        let rig = Rig::with(policy);
        let module = rig.module(role).registered();
        let first = module.handle();
        module.registered();
        let report = rig.expect_one(Rule::V14);
        assert_eq!(report.severity, Warning);
        assert_eq!(report.module.unwrap().id, Some(module.id()));
        close_first(role, first);
        module.close();
        module.registered().close();
    }
}

#[test]
fn v_14_is_left_out_where_an_earlier_report_explains_it() {
    for role in ROLES {
        let rig = Rig::new();
        let module = rig.shaped(role, "forgetful", |shape| shape.version = 1);
        let first = module.registered().handle();
        module.registered();
        let reports = rig.expect(&[Rule::V02; 2]);
        assert_eq!(reports[0].count, 2);
        close_first(role, first);
        module.close();
    }
}

#[test]
fn v_16_a_module_registers_once() {
    for role in ROLES {
        let rig = Rig::with("sharing=identities");
        let mut identity = None;
        let one = rig.shaped(role, "one", |shape| identity = Some(shape.id));
        let same = |shape: &mut Shape| shape.id = identity.expect("the first has one");
        let two = rig.shaped(role, "two", same);
        let other = rig.shaped(role.other(), "other", same);
        let elsewhere = rig.shaped(role, "elsewhere", |shape| {
            same(shape);
            shape.npi.Data1 ^= 1;
        });
        let modules = [one, other, elsewhere].map(Module::registered);
        rig.expect(&[]);
        two.registered();
        let report = rig.expect_one(Rule::V16);
        assert_eq!(report.severity, Warning);
        assert_eq!(report.module.unwrap().id, Some(two.id()));
        close_all(modules);
        two.close();
        close_all([one.registered()]);
    }
}

#[test]
fn v_35_each_binding_has_a_context_of_its_own() {
    let rig = Rig::new();
    let providers = ["A", "B"].map(|name| rig.named(Role::Provider, name).registered());
    let client = rig
        .client()
        .on_attach(|offer| offer.accept_as(0x5ba_0000, 1).status);
    client.registered();
    let report = rig.expect_one(Rule::V35);
    assert_eq!((report.severity, report.binding), (Warning, Some(2)));
    assert_eq!(report.module.unwrap().id, Some(client.id()));
    assert_eq!(report.peer.unwrap().id, Some(providers[1].id()));
    client.close();
    close_all(providers);
}

#[test]
fn v_35_only_if_a_cleanup_callback_gets_it_and_one_at_a_time() {
    let rig = Rig::new();
    let providers = ["A", "B"].map(|name| rig.named(Role::Provider, name).registered());
    let client = rig.shaped(Role::Client, "static", |shape| {
        shape.leave_out(Part::Cleanup);
    });
    client.on_attach(|offer| offer.accept_as(0x5ba_0010, 1).status);
    client.registered().close();
    providers[1].close();
    let client = rig
        .client()
        .on_attach(|offer| offer.accept_as(0x5ba_0020, 1).status);
    client.registered().close();
    client.registered().close();
    providers[0].close();
}

#[test]
fn v_35_a_context_is_free_for_another_once_its_cleanup_begins() {
    let rig = Rig::with("cleanup-order=provider-first");
    let accept = |offer: &Offer| offer.accept_as(0x5ba_0030, 1).status;
    let provider = rig.provider().on_attach(accept).registered();
    let second = rig.named(Role::Client, "second");
    let registrar = Arc::clone(&rig.registrar);
    let first = rig.client().on_cleanup(move |_| {
        let registrar = Arc::clone(&registrar);
        let attach = thread::spawn(move || {
            let _entered = registrar.enter();
            second.registered();
        });
        attach.join().expect("the second client registers");
    });
    first.registered().close();
    close_all([second, provider]);
}

#[test]
fn v_35_or_once_the_client_has_failed_and_gets_no_cleanup() {
    let rig = Rig::with("failed-client-cleanup=false");
    let providers = ["A", "B"].map(|name| rig.named(Role::Provider, name).registered());
    let offers = AtomicUsize::new(0);
    let client = rig.client().on_attach(move |offer| {
        let status = offer.accept_as(0x5ba_0040, 1).status;
        if offers.fetch_add(1, Ordering::Relaxed) == 0 {
            STATUS_NO_MEMORY
        } else {
            status
        }
    });
    client.registered();
    rig.expect_one(Rule::V22);
    close_all([client, providers[0], providers[1]]);
}

#[test]
fn what_is_shared_may_be_ignored() {
    let rig = Rig::with("sharing=ignored");
    let client = rig.client().registered();
    let first = client.handle();
    client.registered();
    close_first(Role::Client, first);
    client.close();
}

//! Calls that fail on demand: nothing changes, and no module is called.

mod common;

use common::Rig;
use nmr_host::{Policy, Role, Rule};
use nmr_sys::{
    NTSTATUS, STATUS_INSUFFICIENT_RESOURCES, STATUS_NOINTERFACE, STATUS_PENDING, STATUS_SUCCESS,
};

#[test]
fn t_32_a_registration_that_fails_changes_nothing() {
    for role in [Role::Client, Role::Provider] {
        let rig = Rig::strict();
        let peer = rig.module(role.other()).registered();
        let module = rig.module(role);
        rig.registrar.fail_call(1, STATUS_INSUFFICIENT_RESOURCES);
        assert_eq!(module.register(), STATUS_INSUFFICIENT_RESOURCES);
        assert!(!rig.registrar.will_fail_call());
        assert_eq!(module.handle(), 0, "the handle is cleared (A-12)");
        assert_eq!((module.counts(), peer.counts()), ([0, 0, 0], [0, 0, 0]));
        assert_eq!(rig.registrar.leaks().len(), 1, "the peer");
        module.registered().close();
        peer.close();
    }
}

/// Lets the attach of a pair fail with a status, and expects that the two attach later.
fn attach_fails(status: NTSTATUS) {
    let rig = Rig::strict();
    let client = rig.client().registered();
    let provider = rig.provider();
    rig.registrar.fail_call(2, status);
    provider.registered();
    assert!(!rig.registrar.will_fail_call());
    assert_eq!(
        client.counts(),
        [1, 0, 0],
        "it was offered, and is not detached"
    );
    assert_eq!(provider.counts(), [0, 0, 0], "it was not asked");
    provider.close();
    let late = rig.named(Role::Provider, "late").registered();
    assert_eq!(late.counts(), [1, 0, 0]);
    assert_eq!(rig.registrar.reports(), []);
    client.close();
    late.close();
    assert_eq!(rig.registrar.finish(), []);
}

#[test]
fn t_14_an_attach_that_fails_leaves_both_as_they_were() {
    attach_fails(STATUS_NOINTERFACE);
    attach_fails(STATUS_INSUFFICIENT_RESOURCES);
}

#[test]
fn v_20_a_client_that_hides_a_fault_is_reported() {
    let rig = Rig::new();
    let client = rig.client();
    client.on_attach(|offer| match offer.accept() {
        STATUS_INSUFFICIENT_RESOURCES => STATUS_NOINTERFACE,
        other => other,
    });
    let provider = rig.provider().registered();
    rig.registrar.fail_call(2, STATUS_INSUFFICIENT_RESOURCES);
    client.registered();
    rig.expect(&[Rule::V20]);
    client.close();
    provider.close();
}

#[test]
fn the_policy_can_say_which_call_fails() {
    let policy: Policy = "fault=2".parse().unwrap();
    assert_eq!(policy.to_string().parse(), Ok(policy.clone()));
    let rig = Rig::under(policy);
    let provider = rig.provider().registered();
    assert_eq!(rig.client().register(), STATUS_INSUFFICIENT_RESOURCES);
    provider.close();
}

#[test]
fn a_fault_of_a_thread_is_of_its_next_call() {
    let rig = Rig::new();
    nmr_host::fail_next_call(STATUS_INSUFFICIENT_RESOURCES);
    let other = rig.client();
    assert_eq!(rig.thread(move || other.register()).join(), STATUS_SUCCESS);
    assert_eq!(rig.provider().register(), STATUS_INSUFFICIENT_RESOURCES);
    rig.provider().registered().close();
    other.close();
}

#[test]
fn t_32_an_end_that_fails_does_nothing() {
    let rig = Rig::strict();
    let (client, provider) = rig.attached();
    rig.registrar.fail_end(1, STATUS_NOINTERFACE);
    assert_eq!(client.deregister(), STATUS_NOINTERFACE);
    assert_eq!(client.counts(), [1, 0, 0], "it is still attached");
    assert_eq!(client.deregister(), STATUS_PENDING);
    rig.registrar.fail_end(1, STATUS_NOINTERFACE);
    assert_eq!(client.wait(), STATUS_NOINTERFACE);
    assert_eq!(client.wait(), STATUS_SUCCESS);
    provider.close();
    assert_eq!(rig.registrar.finish(), []);
}

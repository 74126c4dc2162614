//! `verify=light`: a thread takes fewer steps, and what modules see is the same. What modules do wrong in
//! an attach is reported as usual: tests in `reports.rs` see to it, most by `attach_report`.

mod common;

use common::*;
use nmr_host::{Role, Rule};

#[test]
fn a_life_is_the_same() {
    let rig = Rig::light();
    let (client, provider) = rig.attached();
    close_all([client, provider]);
    let light = rig.calls_and_returns();
    let rig = Rig::new();
    let (client, provider) = rig.attached();
    close_all([client, provider]);
    assert_eq!(light, rig.calls_and_returns());
}

#[test]
fn pending_detaches_are_completed() {
    let rig = Rig::light();
    let (client, provider) = rig.attached();
    client.pends();
    assert_eq!(client.deregister(), STATUS_PENDING);
    assert_eq!(client.counts(), [1, 1, 0]);
    client.binding(0).complete();
    assert_eq!(client.wait(), STATUS_SUCCESS);
    assert_eq!(client.counts(), [1, 1, 1]);
    provider.close();
}

#[test]
fn v_25_also_after_another_offer_was_made_meanwhile() {
    let rig = Rig::light();
    let elsewhere = |role, name| rig.shaped(role, name, |shape| shape.npi.Data1 ^= 1);
    let other = elsewhere(Role::Provider, "other");
    let inner = elsewhere(Role::Client, "inner");
    other.registered();
    let client = rig.client().on_attach(move |offer| {
        let status = offer.accept();
        inner.registered();
        let again = Function::Attach.call(offer.offered.handle);
        assert_eq!(again, Some(STATUS_INVALID_DEVICE_STATE));
        status
    });
    let provider = rig.provider().registered();
    client.registered();
    rig.expect(&[Rule::V25]);
    assert_eq!(inner.counts(), [1, 0, 0]);
    close_all([inner, other, client, provider]);
}

#[test]
fn v_29_a_provider_that_writes_nothing() {
    let provider = |offer: &Offer| {
        offer.store_context();
        STATUS_SUCCESS
    };
    let rig = Rig::light();
    let (client, provider) = (rig.client(), rig.provider().on_attach(provider));
    close_all([client.registered(), provider.registered()]);
    rig.expect(&[Rule::V29]);
}

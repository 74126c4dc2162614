//! `verify=light`: a thread takes fewer steps, and what modules see is the same.

mod common;

use common::*;
use nmr_host::{Role, Rule};

/// Lets a client and a provider attach and leave, and requires that these rules are reported, and no
/// other.
fn attach(
    rules: &[Rule],
    client: impl Fn(&Offer) -> NTSTATUS + Send + Sync + 'static,
    provider: impl Fn(&Offer) -> NTSTATUS + Send + Sync + 'static,
) {
    let rig = Rig::light();
    let client = rig.client().on_attach(client).registered();
    let provider = rig.provider().on_attach(provider).registered();
    rig.expect(rules);
    close_all([client, provider]);
}

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
fn v_24_an_attach_inside_the_providers_callback_is_refused() {
    let rig = Rig::light();
    let (client, provider) = rig.pair();
    provider.on_attach(move |offer| {
        let nested = Function::Attach.call(client.offer(0));
        assert_eq!(nested, Some(STATUS_INVALID_DEVICE_STATE));
        offer.accept()
    });
    client.registered();
    provider.registered();
    rig.expect(&[Rule::V24]);
    assert_eq!(provider.counts(), [1, 0, 0]);
    close_all([client, provider]);
}

#[test]
fn v_25_a_second_attach_is_refused() {
    let client = |offer: &Offer| {
        let status = offer.accept();
        let again = Function::Attach.call(offer.offered.handle);
        assert_eq!(again, Some(STATUS_INVALID_DEVICE_STATE));
        status
    };
    attach(&[Rule::V25], client, Offer::accept);
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
fn v_26_a_try_after_another_status_than_a_decline() {
    let client = |offer: &Offer| {
        offer.accept();
        offer.accept()
    };
    attach(&[Rule::V26], client, |_| STATUS_DEVICE_NOT_READY);
}

#[test]
fn v_29_a_provider_that_writes_nothing() {
    let provider = |offer: &Offer| {
        offer.store_context();
        STATUS_SUCCESS
    };
    attach(&[Rule::V29], Offer::accept, provider);
}

#[test]
fn v_30_a_provider_that_fails_and_stores_a_context() {
    let provider = |offer: &Offer| {
        offer.store_context();
        STATUS_NOINTERFACE
    };
    attach(&[Rule::V30], Offer::accept, provider);
}

#[test]
fn v_36_no_context() {
    let without = |offer: &Offer| offer.accept_as(0, 1).status;
    attach(&[Rule::V36], without, Offer::accept);
    attach(&[Rule::V36], Offer::accept, without);
}

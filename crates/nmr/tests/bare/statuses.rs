//! What the registrar may answer, and when it may call back.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use exnpi::ProviderCalls;
use nmr::{Error, Registration};
use nmr_sys::{STATUS_INVALID_PARAMETER, STATUS_NOINTERFACE, STATUS_PENDING, STATUS_SUCCESS};

use crate::client::adder;
use crate::registrar::{clean_up, detach, nmr, offer};

fn panics(run: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(run)).is_err()
}

#[test]
fn a_registration_that_fails_is_undone() {
    let (slot, client) = adder();
    nmr().register.set(STATUS_INVALID_PARAMETER);
    let result = Registration::new(client);
    assert_eq!(result.err(), Some(Error::INVALID_PARAMETER));
    assert_eq!(Arc::strong_count(&slot), 1);
}

#[test]
fn a_deregistration_that_succeeds_is_not_waited_for() {
    let (slot, client) = adder();
    nmr().deregister.set(STATUS_SUCCESS);
    drop(Registration::new(client).unwrap());
    assert_eq!(nmr().waits.get(), 0);
    assert_eq!(Arc::strong_count(&slot), 1);
}

#[test]
fn a_deregistration_that_is_pending_is_waited_for_once() {
    let (slot, client) = adder();
    nmr().deregister.set(STATUS_PENDING);
    drop(Registration::new(client).unwrap());
    assert_eq!(nmr().waits.get(), 1);
    assert_eq!(Arc::strong_count(&slot), 1);
}

#[test]
fn a_deregistration_that_fails_stops_and_frees_nothing() {
    let (slot, client) = adder();
    let registration = Registration::new(client).unwrap();
    nmr().deregister.set(STATUS_INVALID_PARAMETER);
    assert!(panics(|| drop(registration)));
    assert_eq!(nmr().waits.get(), 0);
    assert_eq!(Arc::strong_count(&slot), 2);
}

#[test]
fn a_wait_that_fails_stops_and_frees_nothing() {
    let (slot, client) = adder();
    let registration = Registration::new(client).unwrap();
    nmr().deregister.set(STATUS_PENDING);
    nmr().wait.set(STATUS_INVALID_PARAMETER);
    assert!(panics(|| drop(registration)));
    assert_eq!(Arc::strong_count(&slot), 2);
}

#[test]
fn only_success_attaches() {
    for (answer, expected) in [
        (STATUS_PENDING, STATUS_NOINTERFACE),
        (STATUS_INVALID_PARAMETER, STATUS_INVALID_PARAMETER),
    ] {
        let (slot, client) = adder();
        let registration = Registration::new(client).unwrap();
        nmr().attach.set(answer);
        assert_eq!(offer(), expected);
        assert!(!slot.is_attached());
        assert_eq!(Arc::strong_count(&slot), 2);
        nmr().attach.set(STATUS_SUCCESS);
        // The slot is vacant again.
        assert_eq!(offer(), STATUS_SUCCESS);
        assert_eq!(slot.enter().unwrap().add(1), 5);
        detach();
        clean_up();
        drop(registration);
    }
}

#[test]
fn a_detach_during_the_attach_is_completed_when_that_ends() {
    let (slot, client) = adder();
    let registration = Registration::new(client).unwrap();
    nmr().is_early.set(true);
    assert_eq!(offer(), STATUS_SUCCESS);
    assert_eq!(nmr().detach_status.get(), STATUS_PENDING);
    assert_eq!(nmr().completions.get(), 1);
    assert!(slot.enter().is_err());
    assert_eq!(nmr().completions.get(), 1);
    clean_up();
    drop(registration);
    assert_eq!(Arc::strong_count(&slot), 1);
}

#[test]
fn a_binding_that_is_not_cleaned_up_yet_keeps_its_slot() {
    let (slot, client) = adder();
    let registration = Registration::new(client).unwrap();
    assert_eq!(offer(), STATUS_SUCCESS);
    let binding = nmr().binding.get();
    detach();
    assert_eq!(nmr().detach_status.get(), STATUS_SUCCESS);
    assert_eq!(offer(), STATUS_NOINTERFACE);
    nmr().binding.set(binding);
    clean_up();
    assert_eq!(offer(), STATUS_SUCCESS);
    assert!(slot.is_attached());
    detach();
    clean_up();
    drop(registration);
}

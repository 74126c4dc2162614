//! Every rule about registration and attachment is broken once, and reported as just that. The
//! rules about detachment, handles and the wait are in `reports_detach.rs`, the text of reports and
//! what happens to them in `reports_text.rs`.

mod common;

use common::*;
use nmr_host::Severity::{self, Error, Warning};
use nmr_host::irql::{self, DISPATCH_LEVEL};

/// Registers malformed modules of both roles, in compatible and in strict mode.
fn malformed(rule: Rule, compatible: Severity, fault: Fault) {
    for (policy, severity) in [("mode=compatible", compatible), ("mode=strict", Error)] {
        let rig = Rig::with(policy);
        for (role, function) in ROLES
            .into_iter()
            .zip(["NmrRegisterClient", "NmrRegisterProvider"])
        {
            let module = rig.shaped(role, "malformed", fault);
            let status = module.register();
            let report = rig.expect_one(rule);
            assert_eq!((report.severity, report.function), (severity, function));
            assert_eq!(
                (report.binding, report.peer, report.status),
                (None, None, None)
            );
            if status == STATUS_SUCCESS {
                assert_eq!(report.module.map(|module| module.role), Some(role));
                module.close();
            }
        }
    }
}

#[test]
fn v_01_characteristics_are_given() {
    malformed(Rule::V01, Error, |shape| {
        shape.leave_out(Part::Characteristics);
    });
}

#[test]
fn v_02_their_version_is_zero() {
    malformed(Rule::V02, Warning, |shape| shape.version = 1);
}

#[test]
fn v_03_their_length_is_their_size() {
    malformed(Rule::V03, Error, |shape| shape.length = 71);
}

#[test]
fn v_04_both_callbacks_are_set() {
    malformed(Rule::V04, Error, |shape| shape.leave_out(Part::Detach));
}

#[test]
fn v_05_the_size_of_the_instance_is_its_size() {
    malformed(Rule::V05, Error, |shape| shape.size = 39);
}

#[test]
fn v_06_the_version_of_the_instance_is_zero() {
    malformed(Rule::V06, Warning, |shape| shape.instance_version = 1);
}

#[test]
fn v_07_the_interface_is_given() {
    malformed(Rule::V07, Error, |shape| shape.leave_out(Part::NpiId));
}

#[test]
fn v_08_the_identity_is_well_formed() {
    malformed(Rule::V08, Warning, |shape| shape.id_type = 9);
}

#[test]
fn v_09_the_place_for_the_handle_is_given() {
    malformed(Rule::V09, Error, |shape| shape.leave_out(Part::Output));
}

#[test]
fn v_10_a_module_registers_at_passive_level() {
    for role in ROLES {
        let rig = Rig::new();
        let module = rig.module(role);
        let raised = irql::raise(irql::APC_LEVEL);
        assert_eq!(module.register(), STATUS_SUCCESS);
        drop(raised);
        let report = rig.expect_one(Rule::V10);
        assert_eq!((report.severity, report.irql), (Error, irql::APC_LEVEL));
        assert_eq!(report.module.unwrap().id, Some(module.id()));
        module.close();
    }
}

/// Lets a client and a provider meet whose attach callbacks are scripts, and returns the report. The same
/// is reported without verification.
fn attach_report(
    rule: Rule,
    client: impl Fn(&Offer) -> NTSTATUS + Clone + Send + Sync + 'static,
    provider: impl Fn(&Offer) -> NTSTATUS + Clone + Send + Sync + 'static,
) -> nmr_host::Report {
    attach_report_of(&Rig::light(), rule, client.clone(), provider.clone());
    attach_report_of(&Rig::new(), rule, client, provider)
}

fn attach_report_of(
    rig: &Rig,
    rule: Rule,
    client: impl Fn(&Offer) -> NTSTATUS + Send + Sync + 'static,
    provider: impl Fn(&Offer) -> NTSTATUS + Send + Sync + 'static,
) -> nmr_host::Report {
    let modules = [
        rig.client().on_attach(client),
        rig.provider().on_attach(provider),
    ];
    close_all(modules.map(Module::registered));
    let report = rig.expect_one(rule);
    assert_eq!(report.binding, Some(1));
    let culprit = report.module.unwrap();
    let [own, peer] = if culprit.role == Role::Client {
        [0, 1]
    } else {
        [1, 0]
    };
    assert_eq!(culprit.id, Some(modules[own].id()));
    assert_eq!(report.peer.unwrap().id, Some(modules[peer].id()));
    report
}

#[test]
fn v_20_the_client_returns_what_the_attach_returned() {
    let client = |offer: &Offer| {
        assert_eq!(offer.accept(), STATUS_DEVICE_NOT_READY);
        STATUS_NOINTERFACE
    };
    let report = attach_report(Rule::V20, client, |_| STATUS_DEVICE_NOT_READY);
    assert_eq!(
        (report.severity, report.status),
        (Error, Some(STATUS_NOINTERFACE))
    );
    assert_eq!(report.function, "ClientAttachProvider");
}

#[test]
fn v_21_the_client_succeeds_only_after_an_attach() {
    let report = attach_report(Rule::V21, |_| STATUS_SUCCESS, Offer::accept);
    assert_eq!(
        (report.severity, report.status),
        (Error, Some(STATUS_SUCCESS))
    );
    assert_eq!(report.function, "ClientAttachProvider");
}

#[test]
fn v_21_not_after_a_declined_one() {
    let client = |offer: &Offer| {
        offer.accept();
        STATUS_SUCCESS
    };
    attach_report(Rule::V21, client, |_| STATUS_NOINTERFACE);
}

#[test]
fn v_22_the_client_does_not_fail_after_an_attach() {
    let client = |offer: &Offer| {
        offer.accept();
        STATUS_INSUFFICIENT_RESOURCES
    };
    let report = attach_report(Rule::V22, client, Offer::accept);
    assert_eq!(
        (report.severity, report.status),
        (Error, Some(STATUS_INSUFFICIENT_RESOURCES))
    );
    assert_eq!(report.function, "ClientAttachProvider");
}

#[test]
fn v_23_the_provider_does_not_answer_pending() {
    let provider = |offer: &Offer| {
        offer.accept();
        STATUS_PENDING
    };
    let report = attach_report(Rule::V23, Offer::accept, provider);
    assert_eq!(
        (report.severity, report.status),
        (Error, Some(STATUS_PENDING))
    );
    assert_eq!(report.function, "ProviderAttachClient");
}

#[test]
fn v_23_nor_does_the_client() {
    let client = |offer: &Offer| {
        offer.accept();
        STATUS_PENDING
    };
    let report = attach_report(Rule::V23, client, Offer::accept);
    assert_eq!(report.function, "ClientAttachProvider");
    attach_report(Rule::V23, |_| STATUS_PENDING, Offer::accept);
}

#[test]
fn v_24_an_attach_is_inside_the_offer() {
    let rig = Rig::new();
    let (client, provider) = rig.attached();
    assert_eq!(
        Function::Attach.call(client.offer(0)),
        Some(STATUS_INVALID_DEVICE_STATE)
    );
    let report = rig.expect_one(Rule::V24);
    assert_eq!(
        (report.severity, report.function),
        (Error, "NmrClientAttachProvider")
    );
    assert_eq!(report.module.unwrap().id, Some(client.id()));
    close_all([client, provider]);
}

#[test]
fn v_24_an_attach_is_on_the_offers_thread() {
    let rig = Rig::new();
    let (client, provider) = rig.pair();
    client.on_attach(|offer| {
        let handle = offer.offered.handle;
        let elsewhere = std::thread::spawn(move || Function::Attach.call(handle));
        assert_eq!(elsewhere.join().unwrap(), Some(STATUS_INVALID_DEVICE_STATE));
        offer.accept()
    });
    client.registered();
    provider.registered();
    assert_ne!(rig.expect_one(Rule::V24).thread, nmr_host::current_thread());
    close_all([client, provider]);
    assert_eq!(provider.counts(), [1, 1, 1]);
}

#[test]
fn v_24_an_attach_is_not_inside_the_providers_callback() {
    for make in [Rig::light, Rig::new] {
        let rig = make();
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
}

#[test]
fn v_25_a_client_attaches_once() {
    let client = |offer: &Offer| {
        let status = offer.accept();
        let again = Function::Attach.call(offer.offered.handle);
        assert_eq!(again, Some(STATUS_INVALID_DEVICE_STATE));
        status
    };
    let report = attach_report(Rule::V25, client, Offer::accept);
    assert_eq!(
        (report.severity, report.function),
        (Error, "NmrClientAttachProvider")
    );
}

#[test]
fn v_26_a_client_tries_again_only_after_a_decline() {
    let client = |offer: &Offer| {
        offer.accept();
        offer.accept()
    };
    let report = attach_report(Rule::V26, client, |_| STATUS_DEVICE_NOT_READY);
    assert_eq!(
        (report.severity, report.status),
        (Warning, Some(STATUS_DEVICE_NOT_READY))
    );
}

#[test]
fn v_26_and_not_without_end() {
    let tries = |count: usize| {
        move |offer: &Offer| {
            for _ in 1..count {
                offer.accept();
            }
            offer.accept()
        }
    };
    attach_report(Rule::V26, tries(9), |_| STATUS_NOINTERFACE);
    let rig = Rig::new();
    let client = rig.client().on_attach(tries(8)).registered();
    close_all([client, rig.provider().declines().registered()]);
}

#[test]
fn v_28_the_outputs_are_given() {
    let rig = Rig::new();
    let (client, provider) = rig.pair();
    client.on_attach(Offer::ask_without_outputs);
    client.registered();
    provider.registered();
    let report = rig.expect_one(Rule::V28);
    assert_eq!(
        (report.severity, report.function),
        (Error, "NmrClientAttachProvider")
    );
    assert_eq!(report.module.unwrap().id, Some(client.id()));
    assert_eq!(provider.counts(), [0, 0, 0]);
    close_all([client, provider]);
}

#[test]
fn v_29_a_provider_that_succeeds_writes_its_outputs() {
    let provider = |offer: &Offer| {
        offer.store_context();
        STATUS_SUCCESS
    };
    let rig = Rig::new();
    let client = rig.client().on_attach(|offer| {
        assert_eq!(offer.ask(0).dispatch, 0, "what was not written is null");
        STATUS_SUCCESS
    });
    let provider = rig.provider().on_attach(provider).registered();
    client.registered();
    let report = rig.expect_one(Rule::V29);
    assert_eq!(
        (report.severity, report.function),
        (Error, "ProviderAttachClient")
    );
    assert_eq!(report.module.unwrap().id, Some(provider.id()));
    close_all([client, provider]);
}

#[test]
fn v_29_an_unwritten_context_is_no_null_context() {
    let provider = |offer: &Offer| {
        offer.store_table();
        STATUS_SUCCESS
    };
    attach_report(Rule::V29, Offer::accept, provider);
}

#[test]
fn v_30_a_provider_that_fails_stores_no_context() {
    let provider = |offer: &Offer| {
        offer.store_context();
        STATUS_NOINTERFACE
    };
    let report = attach_report(Rule::V30, Offer::accept, provider);
    assert_eq!(
        (report.severity, report.status),
        (Warning, Some(STATUS_NOINTERFACE))
    );
    assert_eq!(report.function, "ProviderAttachClient");
}

#[test]
fn v_36_a_client_gives_a_context() {
    let report = attach_report(
        Rule::V36,
        |offer| offer.accept_as(0, 1).status,
        Offer::accept,
    );
    assert_eq!(report.severity, Warning);
    assert_eq!(report.module.unwrap().role, Role::Client);
}

#[test]
fn v_36_a_provider_gives_a_context() {
    let report = attach_report(Rule::V36, Offer::accept, |offer| {
        offer.accept_as(0, 1).status
    });
    assert_eq!(report.severity, Warning);
    assert_eq!(report.module.unwrap().role, Role::Provider);
}

#[test]
fn v_36_a_module_without_a_cleanup_callback_needs_no_context() {
    for strict in [false, true] {
        let rig = if strict { Rig::strict() } else { Rig::new() };
        let plain = |role, name| rig.shaped(role, name, |shape| shape.leave_out(Part::Cleanup));
        let client = plain(Role::Client, "client");
        let provider = plain(Role::Provider, "provider");
        client.on_attach(|offer| offer.accept_as(0, 1).status);
        provider.on_attach(|offer| offer.accept_as(0, 1).status);
        close_all([client.registered(), provider.registered()]);
        rig.expect(&[]);
    }
}

#[test]
fn a_failed_attach_hands_out_nothing_to_use() {
    for strict in [false, true] {
        let rig = if strict { Rig::strict() } else { Rig::new() };
        let (client, provider) = rig.pair();
        client.on_attach(move |offer| {
            let answer = offer.ask(1);
            assert_eq!(answer.context, answer.dispatch);
            assert_eq!(nmr_host::is_poison(answer.context), strict);
            assert!(strict || answer.context == 0);
            answer.status
        });
        provider.declines().registered();
        client.registered();
        assert_eq!(client.counts(), [1, 0, 0]);
        close_all([client, provider]);
    }
}

/// Lets a client use what a failed attach has stored: as its context, or as its table.
fn uses_outputs_of_a_failed_attach(again: fn(&Offer, usize) -> NTSTATUS) {
    let rig = Rig::strict();
    let (client, provider) = rig.pair();
    client.on_attach(move |offer| {
        let answer = offer.ask(1);
        assert_eq!(answer.status, STATUS_NOINTERFACE);
        again(offer, answer.context)
    });
    provider.on_attach(move |offer| {
        if provider.counts()[0] == 1 {
            STATUS_NOINTERFACE
        } else {
            offer.accept()
        }
    });
    provider.registered();
    client.registered();
    let report = rig.expect_one(Rule::V38);
    assert_eq!(
        (report.severity, report.function),
        (Error, "NmrClientAttachProvider")
    );
    assert_eq!(report.module.unwrap().id, Some(client.id()));
    assert_eq!(report.peer.unwrap().id, Some(provider.id()));
    close_all([client, provider]);
}

#[test]
fn v_38_what_a_failed_attach_has_stored_is_not_used() {
    uses_outputs_of_a_failed_attach(|offer, poison| offer.accept_as(poison, 1).status);
    uses_outputs_of_a_failed_attach(|offer, poison| offer.ask(poison + 8).status);
}

#[test]
fn a_report_tells_the_level_of_a_callback() {
    let rig = Rig::with("irql=dispatch");
    let (client, provider) = rig.attached();
    client.pends().on_cleanup(Binding::complete);
    assert_eq!(client.deregister(), STATUS_PENDING);
    client.binding(0).complete();
    assert_eq!(rig.expect_one(Rule::V55).irql, DISPATCH_LEVEL);
    assert_eq!(client.wait(), STATUS_SUCCESS);
    provider.close();
}

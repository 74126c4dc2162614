//! What a report says of the one who broke the rule: the module, the binding, and what the registrar got;
//! and that a finding which repeats is one report.

mod common;

use common::*;
use nmr_host::{Got, ModuleLabel, Report};

/// The modules of a report and its binding.
fn parties(report: &Report) -> [Option<nmr_host::ModuleId>; 2] {
    let id = |label: Option<ModuleLabel>| label.and_then(|label| label.id);
    [id(report.module), id(report.peer)]
}

fn both(module: Module, peer: Module) -> [Option<nmr_host::ModuleId>; 2] {
    [Some(module.id()), Some(peer.id())]
}

#[test]
fn v_46_names_the_module_whose_handle_is_dead() {
    for role in ROLES {
        let rig = Rig::new();
        let (module, peer) = rig.attached_as(role);
        module.pends();
        assert_eq!(module.deregister(), STATUS_PENDING);
        module.binding(0).complete();
        assert_eq!(module.wait(), STATUS_SUCCESS);
        peer.close();
        module.binding(0).complete();
        let report = rig.expect_one(Rule::V46);
        assert_eq!(parties(&report), both(module, peer));
        assert_eq!(report.binding, Some(1));
        assert_eq!(report.got, Some(Got::Handle(module.offer(0))));
    }
}

#[test]
fn v_72_names_the_module_whose_registration_is_gone() {
    for role in ROLES {
        let rig = Rig::new();
        let module = rig.module(role).registered();
        module.close();
        assert_eq!(module.wait(), STATUS_INVALID_PARAMETER);
        let report = rig.expect_one(Rule::V72);
        assert_eq!(parties(&report), [Some(module.id()), None]);
    }
}

#[test]
fn v_55_names_the_client_whose_offer_was_declined() {
    let rig = Rig::new();
    let (client, provider) = rig.pair();
    provider.declines().registered();
    client.registered();
    Function::Attach.call(client.offer(0));
    let report = rig.expect_one(Rule::V55);
    assert_eq!(parties(&report), both(client, provider));
    close_all([client, provider]);
}

#[test]
fn v_45_names_the_module_that_has_the_handle_of_its_peer() {
    for role in ROLES {
        let rig = Rig::new();
        let (module, peer) = rig.attached_as(role);
        module.pends();
        assert_eq!(module.deregister(), STATUS_PENDING);
        Function::Complete(role).call(peer.offer(0));
        let report = rig.expect_one(Rule::V45);
        assert_eq!(parties(&report), both(module, peer));
        module.binding(0).complete();
        assert_eq!(module.wait(), STATUS_SUCCESS);
        peer.close();
    }
}

#[test]
fn v_75_names_the_module_whose_callback_makes_the_call() {
    let rig = Rig::new();
    let (client, provider) = rig.pair();
    client.on_attach(|offer| {
        Function::Complete(Role::Client).call(0xbad0);
        offer.accept()
    });
    client.registered();
    provider.registered();
    let report = rig.expect_one(Rule::V75);
    assert_eq!(parties(&report), [Some(client.id()), None]);
    assert_eq!(report.got, Some(Got::Handle(0xbad0)));
    close_all([client, provider]);
}

#[test]
#[cfg(all(target_os = "linux", not(miri)))]
fn v_03_names_the_module_and_the_length() {
    for role in ROLES {
        let rig = Rig::new();
        let module = rig.shaped(role, "short", |shape| shape.length = 40);
        assert_eq!(module.register(), STATUS_INVALID_PARAMETER);
        let report = rig.expect_one(Rule::V03);
        assert_eq!(parties(&report), [Some(module.id()), None]);
        assert_eq!(report.got, Some(Got::Field("Length", 40)));
        let text = report.to_string();
        assert!(text.contains(" by short (") && text.contains(", got Length 40, "));
    }
}

#[test]
fn characteristics_are_reported_with_their_module_and_value() {
    let rows: [(Fault, Rule, Got); 6] = [
        (
            |shape| shape.version = 3,
            Rule::V02,
            Got::Field("Version", 3),
        ),
        (|shape| shape.size = 39, Rule::V05, Got::Field("Size", 39)),
        (
            |shape| shape.instance_version = 1,
            Rule::V06,
            Got::Field("Version", 1),
        ),
        (|shape| shape.leave_out(Part::NpiId), Rule::V07, Got::Null),
        (|shape| shape.id_type = 7, Rule::V08, Got::Field("Type", 7)),
        (|shape| shape.leave_out(Part::Output), Rule::V09, Got::Null),
    ];
    for (fault, rule, got) in rows {
        let rig = Rig::strict();
        let module = rig.shaped(Role::Client, "malformed", fault);
        let status = module.register();
        let report = rig.expect_one(rule);
        assert_eq!(report.got, Some(got));
        assert_eq!(report.module.map(|label| label.role), Some(Role::Client));
        let id = (rule != Rule::V08).then_some(module.id());
        assert_eq!(parties(&report), [id, None]);
        if status == STATUS_SUCCESS {
            module.close();
        }
    }
}

#[test]
fn v_04_says_which_callback_is_missing() {
    for (part, words) in [
        (Part::Attach, "no ProviderAttachClient"),
        (Part::Detach, "no ProviderDetachClient"),
    ] {
        let rig = Rig::new();
        let module = rig.shaped(Role::Provider, "half", |shape| shape.leave_out(part));
        assert_eq!(module.register(), STATUS_INVALID_PARAMETER);
        assert_eq!(rig.expect_one(Rule::V04).got, Some(Got::Words(words)));
    }
}

#[test]
fn v_73_says_which_half_is_missing() {
    let rig = Rig::new();
    let (client, provider) = rig.pair();
    client.registered();
    provider.registered();
    assert_eq!(client.deregister(), STATUS_PENDING);
    let got: Vec<_> = rig.registrar.finish().iter().map(|it| it.got).collect();
    let expected = ["a deregistration and no wait", "no deregistration"];
    assert_eq!(got, expected.map(|words| Some(Got::Words(words))));
    rig.expect(&[Rule::V73; 2]);
    assert_eq!(client.wait(), STATUS_SUCCESS);
    provider.close();
}

#[test]
fn a_finding_that_repeats_is_one_report() {
    let rig = Rig::new();
    rig.silence();
    let module = rig.shaped(Role::Client, "again", |shape| shape.version = 1);
    for _ in 0..1234 {
        module.registered().close();
    }
    let reports = rig.registrar.take_reports();
    let [report] = &reports[..] else {
        panic!("{} reports", reports.len());
    };
    assert_eq!((report.rule, report.count), (Rule::V02, 1234));
    let text = report.to_string();
    assert!(
        text.contains(", got Version 1, 1234 times, thread "),
        "{text}"
    );
    // The count begins anew.
    module.registered().close();
    assert_eq!(rig.expect_one(Rule::V02).count, 1);
}

#[test]
fn other_modules_values_and_functions_are_other_reports() {
    let rig = Rig::new();
    let one = rig.shaped(Role::Client, "one", |shape| shape.version = 1);
    let two = rig.shaped(Role::Client, "two", |shape| shape.version = 1);
    let three = rig.shaped(Role::Provider, "three", |shape| shape.version = 2);
    for module in [one, two, three, one] {
        module.registered().close();
    }
    let counts: Vec<_> = rig
        .expect(&[Rule::V02; 4])
        .iter()
        .map(|report| report.count)
        .collect();
    assert_eq!(counts, [2, 1, 1]);
}

#[test]
fn the_list_of_reports_has_an_end() {
    let rig = Rig::new();
    rig.silence();
    for _ in 0..1100 {
        let module = rig.shaped(Role::Client, "other", |shape| shape.version = 1);
        module.registered().close();
    }
    assert_eq!(rig.registrar.reports().len(), 1000);
    assert_eq!(rig.registrar.lost_reports(), 100);
    drop(rig.registrar.take_reports());
    assert_eq!(rig.registrar.lost_reports(), 0);
}

//! What the registrar accepts as characteristics (A-26, A-30; rules V-01 to V-09).

mod common;

use common::*;
use nmr_host::Severity::{self, Error, Warning};

/// What becomes of a registration.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Verdict {
    Refused,
    /// It succeeds, with a report.
    Accepted(Severity),
}
use Verdict::{Accepted, Refused};

/// What is malformed, the rule, and the verdicts in compatible and in strict mode.
type Row = (&'static str, Fault, Rule, Verdict, Verdict);

const ROWS: [Row; 21] = [
    (
        "no characteristics",
        |shape| shape.leave_out(Part::Characteristics),
        Rule::V01,
        Refused,
        Refused,
    ),
    (
        "Version 1",
        |shape| shape.version = 1,
        Rule::V02,
        Accepted(Warning),
        Refused,
    ),
    (
        "Length 0",
        |shape| shape.length = 0,
        Rule::V03,
        Refused,
        Refused,
    ),
    (
        "Length of the instance",
        |shape| shape.length = 40,
        Rule::V03,
        Refused,
        Refused,
    ),
    (
        "Length 71",
        |shape| shape.length = 71,
        Rule::V03,
        Refused,
        Refused,
    ),
    (
        "Length 73",
        |shape| shape.length = 73,
        Rule::V03,
        Accepted(Warning),
        Accepted(Warning),
    ),
    (
        "no attach callback",
        |shape| shape.leave_out(Part::Attach),
        Rule::V04,
        Refused,
        Refused,
    ),
    (
        "no detach callback",
        |shape| shape.leave_out(Part::Detach),
        Rule::V04,
        Refused,
        Refused,
    ),
    (
        "Size 0",
        |shape| shape.size = 0,
        Rule::V05,
        Refused,
        Refused,
    ),
    (
        "Size 39",
        |shape| shape.size = 39,
        Rule::V05,
        Refused,
        Refused,
    ),
    (
        "Size 41",
        |shape| shape.size = 41,
        Rule::V05,
        Accepted(Warning),
        Accepted(Warning),
    ),
    (
        "instance Version 1",
        |shape| shape.instance_version = 1,
        Rule::V06,
        Accepted(Warning),
        Accepted(Error),
    ),
    (
        "no NpiId",
        |shape| shape.leave_out(Part::NpiId),
        Rule::V07,
        Refused,
        Refused,
    ),
    (
        "nil NpiId",
        |shape| shape.npi = nmr_sys::GUID::default(),
        Rule::V07,
        Accepted(Warning),
        Accepted(Warning),
    ),
    (
        "no ModuleId",
        |shape| shape.leave_out(Part::ModuleId),
        Rule::V08,
        Accepted(Warning),
        Refused,
    ),
    (
        "ModuleId Length 23",
        |shape| shape.id_length = 23,
        Rule::V08,
        Accepted(Warning),
        Refused,
    ),
    (
        "ModuleId Length 25",
        |shape| shape.id_length = 25,
        Rule::V08,
        Accepted(Warning),
        Refused,
    ),
    (
        "ModuleId Type 0",
        |shape| shape.id_type = 0,
        Rule::V08,
        Accepted(Warning),
        Refused,
    ),
    (
        "ModuleId Type 3",
        |shape| shape.id_type = 3,
        Rule::V08,
        Accepted(Warning),
        Refused,
    ),
    (
        "ModuleId Type -1",
        |shape| shape.id_type = -1,
        Rule::V08,
        Accepted(Warning),
        Refused,
    ),
    (
        "no output",
        |shape| shape.leave_out(Part::Output),
        Rule::V09,
        Refused,
        Refused,
    ),
];

/// Registers a malformed module beside a peer, and looks at what it gets.
fn judge(rig: &Rig, role: Role, (what, fault, broken, ..): Row, verdict: Verdict) {
    let malformed = rig.shaped(role, what, fault);
    let peer = rig.shaped(role.other(), "peer", |shape| {
        let mut same = Shape::new();
        fault(&mut same);
        shape.npi = same.npi;
    });
    peer.register();
    let _ = rig.registrar.take_reports();
    let before = malformed.handle();
    let status = malformed.register();
    let report = rig.expect_one(broken);
    if let Accepted(severity) = verdict {
        assert_eq!(
            (status, report.severity),
            (STATUS_SUCCESS, severity),
            "{what}"
        );
        assert_eq!(peer.counts()[0], 1, "{what}: it is offered");
        malformed.close();
    } else {
        assert_eq!(
            (status, report.severity),
            (STATUS_INVALID_PARAMETER, Error),
            "{what}"
        );
        assert_eq!(peer.counts()[0], 0, "{what}: it is not offered");
        let untouched = broken == Rule::V09;
        assert_eq!(
            malformed.handle(),
            if untouched { before } else { 0 },
            "{what}"
        );
    }
    peer.close();
}

#[test]
fn a_26_malformed_characteristics_in_compatible_mode() {
    for (row, role) in ROWS
        .into_iter()
        .flat_map(|row| ROLES.map(|role| (row, role)))
    {
        judge(&Rig::new(), role, row, row.3);
    }
}

#[test]
fn a_26_malformed_characteristics_in_strict_mode() {
    for (row, role) in ROWS
        .into_iter()
        .flat_map(|row| ROLES.map(|role| (row, role)))
    {
        judge(&Rig::strict(), role, row, row.4);
    }
}

#[test]
fn every_fault_of_one_module_is_reported() {
    let rig = Rig::new();
    let module = rig.shaped(Role::Client, "hopeless", |shape| {
        shape.version = 1;
        shape.size = 0;
        shape.leave_out(Part::Detach);
        shape.leave_out(Part::ModuleId);
        shape.leave_out(Part::NpiId);
    });
    assert_eq!(module.register(), STATUS_INVALID_PARAMETER);
    rig.expect(&[Rule::V02, Rule::V04, Rule::V05, Rule::V08, Rule::V07]);
}

#[test]
fn what_may_be_missing_is_not_reported() {
    for role in ROLES {
        let rig = Rig::strict();
        let module = rig.shaped(role, "frugal", |shape| {
            shape.leave_out(Part::Cleanup);
            shape.leave_out(Part::Context);
            shape.id_type = nmr_sys::MIT_IF_LUID;
        });
        let peer = rig.module(role.other()).registered();
        module.registered().close();
        assert_eq!(module.counts(), [1, 1, 0]);
        assert_eq!(peer.counts(), [1, 1, 1]);
        peer.close();
    }
}

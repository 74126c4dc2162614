//! A judge who never objects is worth nothing: each test breaks a good run in one way.

use clap::Parser;
use nmr_host::{Moment, Policy, Record};
use nmr_sys::{STATUS_NOINTERFACE, STATUS_SUCCESS};

use super::{Verdict, judge};
use crate::options::CommandLine;
use crate::run::Run;
use crate::story;
use crate::trace::Trace;

/// A run whose record a test may break. Returns what the judge says.
fn judge_after(arguments: &str, change: impl FnOnce(&mut Vec<Record>)) -> Verdict {
    let mut run = run(arguments);
    change(&mut run.records);
    judge(&run, &Trace::new(&run))
}

fn run(arguments: &str) -> Run {
    let arguments = ["cargo-nmr"]
        .into_iter()
        .chain(arguments.split_whitespace());
    let options = CommandLine::try_parse_from(arguments).unwrap().story;
    story::tell(&options, Policy::default()).unwrap()
}

fn faults_after(change: impl FnOnce(&mut Vec<Record>)) -> Vec<String> {
    judge_after("", change).faults
}

fn place(records: &[Record], function: &str, moment: &Moment) -> usize {
    let wanted = |record: &Record| {
        record.function == function
            && std::mem::discriminant(&record.moment) == std::mem::discriminant(moment)
    };
    records.iter().position(wanted).unwrap()
}

const CALL: Moment = Moment::Call(std::borrow::Cow::Borrowed(""));
const RETURN: Moment = Moment::Return(std::borrow::Cow::Borrowed(""));
const STATUS: Moment = Moment::Status(STATUS_SUCCESS);

#[test]
fn a_good_run_is_good() {
    let verdict = judge_after("", |_| ());
    let expected = Verdict {
        attached: 1,
        to_provider: 8,
        to_client: 8,
        refused: 2,
        pended: 2,
        cleanups: 2,
        ..Verdict::default()
    };
    assert_eq!(verdict, expected);
}

#[test]
fn a_declined_offer_is_good() {
    for arguments in [
        "--decline",
        "--decline=provider",
        "--decline --order client-first",
    ] {
        let verdict = judge_after(arguments, |_| ());
        let expected = Verdict {
            declined: 1,
            refused: 1,
            ..Verdict::default()
        };
        assert_eq!(verdict, expected, "{arguments}");
    }
}

#[test]
fn a_cleanup_that_is_missing_is_noticed() {
    let faults = faults_after(|records| {
        records.retain(|record| record.function != "ClientCleanupBindingContext");
    });
    assert!(
        faults[0].contains("0 x ClientCleanupBindingContext instead of 1"),
        "{faults:?}"
    );
}

#[test]
fn a_cleanup_before_the_detach_is_complete_is_noticed() {
    let faults = faults_after(|records| {
        let cleanup = place(records, "ClientCleanupBindingContext", &CALL);
        let complete = place(records, "NmrClientDetachProviderComplete", &CALL);
        let moved: Vec<_> = records.drain(cleanup..cleanup + 2).collect();
        records.splice(complete..complete, moved);
        for (record, sequence) in records.iter_mut().zip(0..) {
            record.sequence = sequence;
        }
    });
    let expected = "binding 1: ClientCleanupBindingContext before both sides have detached";
    assert_eq!(faults, [expected]);
}

#[test]
fn a_detach_that_is_not_completed_is_noticed() {
    let faults = faults_after(|records| {
        records.retain(|record| record.function != "NmrProviderDetachClientComplete");
    });
    let expected = "binding 1: 0 x NmrProviderDetachClientComplete instead of 1";
    assert!(faults.iter().any(|fault| fault == expected), "{faults:?}");
}

#[test]
fn a_status_that_does_not_fit_is_noticed() {
    let faults = faults_after(|records| {
        let attach = place(records, "ProviderAttachClient", &STATUS);
        records[attach].moment = Moment::Status(STATUS_NOINTERFACE);
    });
    assert_eq!(faults, ["binding 1: the attach callbacks do not agree"]);
    let faults = faults_after(|records| {
        let detach = place(records, "ClientDetachProvider", &STATUS);
        records[detach].moment = Moment::Status(STATUS_NOINTERFACE);
    });
    let expected = "binding 1: ClientDetachProvider answers neither success nor pending";
    assert!(faults.iter().any(|fault| fault == expected), "{faults:?}");
}

#[test]
fn a_call_after_the_detach_is_noticed() {
    let faults = faults_after(|records| {
        let call = place(records, "changed", &CALL);
        let calls: Vec<_> = [call, place(records, "changed", &RETURN)]
            .map(|place| records[place].clone())
            .into();
        let wait = place(records, "NmrWaitForClientDeregisterComplete", &CALL);
        records.splice(wait..wait, calls);
        for (record, sequence) in records.iter_mut().zip(0..) {
            record.sequence = sequence;
        }
    });
    let expected = "binding 1: a call after its caller has detached";
    assert!(faults.iter().any(|fault| fault == expected), "{faults:?}");
}

#[test]
fn a_call_that_does_not_return_is_noticed() {
    let faults = faults_after(|records| {
        let end = place(records, "NmrRegisterProvider", &STATUS);
        records.remove(end);
    });
    assert!(
        faults[0].starts_with("NmrRegisterProvider does not return on T"),
        "{faults:?}"
    );
}

#[test]
fn a_wait_that_is_missing_is_noticed() {
    let faults = faults_after(|records| {
        records.retain(|record| record.function != "NmrWaitForClientDeregisterComplete");
    });
    let expected = "1 x NmrRegisterClient, but 0 x NmrWaitForClientDeregisterComplete with \
                    STATUS_SUCCESS";
    assert_eq!(faults, [expected]);
}

#[test]
fn the_reason_for_a_story_without_an_end_is_told() {
    let mut run = run("");
    run.failure = Some("T3 is still busy".to_owned());
    let verdict = judge(&run, &Trace::new(&run));
    assert_eq!(verdict.faults, ["T3 is still busy"]);
}

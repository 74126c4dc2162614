//! Fuzzing of the nine functions: any bytes are a small program of calls and of answers to
//! callbacks, which runs twice and has to end the same way.
//!
//! One run goes through the exported functions, as a driver would; the other passes to the pure machine
//! the same events. Every call, every callback with its arguments, every status and every broken
//! rule that the machine sees has to be equal. What the machine itself should do is not the
//! question here: the exploration of `nmr-machine` asks that.
//!
//! A program runs on one thread. A wait that would block is left out of both runs.

mod answer;
mod call;
mod functions;
mod module;
mod oracle;
mod program;
mod run;
#[cfg(test)]
mod tests;

use std::fmt::Debug;

use nmr_machine::Finding;

use crate::instances;
use crate::policy::{Choice, DetachIrql, EarlyCompletion, Mode, Offers, Order, Policy, Verify};
use program::Program;
use run::Outcome;

/// Runs a program both ways.
///
/// # Panics
///
/// If the runs differ: the first difference is the message.
pub fn functions(bytes: &[u8]) {
    let _ = compare(bytes);
}

/// The same, and says what happened.
fn compare(bytes: &[u8]) -> Outcome {
    let mut program = Program::new(bytes);
    let policy = policy(|count| program.choose(count));
    let shell = instances::create(policy.clone());
    let expected = oracle::run(bytes, shell.instance, &policy);
    let found = functions::run(bytes, &shell, &expected.blocked);
    let context = format!("of the functions (left) and the machine (right) under {policy}");
    assert_equal(&found.trace, &expected.trace, "step", &context);
    let [broken, found_broken] = [&expected, &found].map(|outcome| distinct(&outcome.broken));
    assert_equal(&found_broken, &broken, "broken rule", &context);
    assert_eq!(found.leaks, expected.leaks, "registrations left {context}");
    expected
}

/// The findings that do not repeat earlier ones: those that the registrar makes one report of.
fn distinct(findings: &[Finding]) -> Vec<Finding> {
    let mut distinct: Vec<Finding> = Vec::new();
    for finding in findings {
        let repeats = |known: &Finding| {
            Finding {
                binding: finding.binding,
                ..*known
            } == *finding
        };
        if !distinct.iter().any(repeats) {
            distinct.push(*finding);
        }
    }
    distinct
}

/// Fails with the first difference.
fn assert_equal<T: PartialEq + Debug>(found: &[T], expected: &[T], what: &str, context: &str) {
    for number in 0..found.len().max(expected.len()) {
        let (found, expected) = (found.get(number), expected.get(number));
        assert_eq!(found, expected, "{what} {number} {context}");
    }
}

/// The policy that the first choices of a program stand for. Cleanup stays on the thread that
/// completes last: a worker would be a second thread.
fn policy(mut choose: impl FnMut(usize) -> usize) -> Policy {
    Policy {
        mode: Mode::ALL[choose(Mode::ALL.len())],
        offers: Offers::ALL[choose(Offers::ALL.len())],
        detach_order: Order::ALL[choose(Order::ALL.len())],
        cleanup_order: Order::ALL[choose(Order::ALL.len())],
        detach_irql: DetachIrql::ALL[choose(DetachIrql::ALL.len())],
        early_completion: EarlyCompletion::ALL[choose(EarlyCompletion::ALL.len())],
        cleanup_failed_client: choose(2) == 0,
        seed: choose(256) as u64,
        verify: Verify::ALL[choose(Verify::ALL.len())],
        ..Policy::default()
    }
}

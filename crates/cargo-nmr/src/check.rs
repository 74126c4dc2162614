//! The judge: reads a run's record and says what it amounts to, and what is wrong with it.

mod binding;
mod calls;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use nmr_host::{Actor, Severity};

pub(crate) use calls::Call;

use crate::check::binding::Outcome;
use crate::run::{Expected, Run};
use crate::status;
use crate::trace::Trace;

/// What a run amounts to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Verdict {
    /// The bindings that were attached.
    pub(crate) attached: usize,
    /// The offers that were declined.
    pub(crate) declined: usize,
    /// The calls of clients into providers.
    pub(crate) to_provider: u64,
    /// The calls of providers into clients.
    pub(crate) to_client: u64,
    /// The calls that were refused because nothing was attached.
    pub(crate) refused: u64,
    /// The detach callbacks that answered at once.
    pub(crate) detached_at_once: usize,
    /// The detach callbacks that answered `STATUS_PENDING`.
    pub(crate) pended: usize,
    /// The cleanup callbacks.
    pub(crate) cleanups: usize,
    /// The rules that were broken, in words.
    pub(crate) reports: Vec<String>,
    /// The registrations that were not closed.
    pub(crate) leaks: usize,
    /// What is wrong, in words. Empty if nothing is.
    pub(crate) faults: Vec<String>,
}

/// Judges a run.
pub(crate) fn judge(run: &Run, trace: &Trace<'_>) -> Verdict {
    let (calls, faults) = calls::pair(trace);
    let mut verdict = Verdict {
        faults,
        leaks: run.leaks.len(),
        reports: run.reports.iter().map(ToString::to_string).collect(),
        ..Verdict::default()
    };
    verdict.faults.extend(run.failure.clone());
    judge_images(&mut verdict, run);
    count_calls(&mut verdict, &calls);
    for (number, calls) in by_binding(&calls) {
        judge_binding(&mut verdict, run, number, &calls);
    }
    // An image that leaves a registration behind is reported by its name. The numbers say no more.
    if run.images.is_none() || run.leaks.is_empty() {
        judge_registrations(&mut verdict, &calls);
    }
    judge_reports(&mut verdict, run);
    // After a failure it is no news that not everything happened.
    if run.failure.is_none() {
        compare(&mut verdict, run.expected);
    }
    verdict
}

fn count_calls(verdict: &mut Verdict, calls: &[Call<'_>]) {
    for call in calls.iter().filter(|call| call.is_between_modules()) {
        match call.callee_role() {
            _ if call.is_refused() => verdict.refused += 1,
            Some(nmr_host::Role::Provider) => verdict.to_provider += 1,
            Some(nmr_host::Role::Client) => verdict.to_client += 1,
            None => {}
        }
    }
}

fn by_binding<'a, 'b>(calls: &'b [Call<'a>]) -> BTreeMap<u64, Vec<&'b Call<'a>>> {
    let mut bindings: BTreeMap<u64, Vec<_>> = BTreeMap::new();
    for call in calls {
        if let Some(binding) = call.binding() {
            bindings.entry(binding).or_default().push(call);
        }
    }
    bindings
}

fn judge_binding(verdict: &mut Verdict, run: &Run, number: u64, calls: &[&Call<'_>]) {
    let judged = binding::judge(calls);
    match judged.outcome {
        Outcome::Attached => verdict.attached += 1,
        Outcome::Declined => verdict.declined += 1,
    }
    verdict.pended += judged.pended;
    verdict.detached_at_once += judged.detached_at_once;
    verdict.cleanups += judged.cleanups;
    // Images may do what the modules of the story do not. The registrar knows the rules.
    if run.images.is_some() {
        return;
    }
    let named = |fault: String| format!("binding {number}: {fault}");
    verdict.faults.extend(judged.faults.into_iter().map(named));
}

/// Each successful registration is followed by one deregistration that answers `STATUS_PENDING`,
/// and by one wait that succeeds.
fn judge_registrations(verdict: &mut Verdict, calls: &[Call<'_>]) {
    for (register, deregister, wait) in [
        (
            "NmrRegisterClient",
            "NmrDeregisterClient",
            "NmrWaitForClientDeregisterComplete",
        ),
        (
            "NmrRegisterProvider",
            "NmrDeregisterProvider",
            "NmrWaitForProviderDeregisterComplete",
        ),
    ] {
        let count = |function, answer| {
            let matching = |call: &&Call<'_>| call.is(function) && call.status() == Some(answer);
            calls.iter().filter(matching).count()
        };
        let registered = count(register, nmr_sys::STATUS_SUCCESS);
        for (function, answer) in [
            (deregister, nmr_sys::STATUS_PENDING),
            (wait, nmr_sys::STATUS_SUCCESS),
        ] {
            let found = count(function, answer);
            if found != registered {
                verdict.faults.push(format!(
                    "{registered} x {register}, but {found} x {function} with {}",
                    status::name(answer)
                ));
            }
        }
    }
}

fn judge_reports(verdict: &mut Verdict, run: &Run) {
    let errors = run.reports.iter();
    let errors = errors.filter(|report| report.severity == Severity::Error);
    verdict.faults.extend(errors.map(ToString::to_string));
    for leak in &run.leaks {
        let name = run.participants.name(Actor::Module(leak.module));
        verdict.faults.push(format!("{name} is still registered"));
    }
}

fn judge_images(verdict: &mut Verdict, run: &Run) {
    let reports = run.images.iter().flat_map(|images| &images.reports);
    let texts = reports.map(|report| report.text.clone());
    verdict.reports.extend(texts.clone());
    verdict.faults.extend(texts);
}

/// Returns `true` if the run led to what the story is about.
fn compare(verdict: &mut Verdict, expected: Expected) {
    let mut faults = Vec::new();
    let mut expect = |what: &str, found: u64, wanted: u64| {
        if found != wanted {
            faults.push(format!("{what}: {found} instead of {wanted}"));
        }
    };
    let (attached, declined, calls) = match expected {
        Expected::Attached { calls } => (1, 0, calls),
        Expected::Declined => (0, 1, 0),
        Expected::Anything => return,
    };
    expect("bindings", verdict.attached as u64, attached);
    expect(
        "offers that were declined",
        verdict.declined as u64,
        declined,
    );
    expect("calls into the provider", verdict.to_provider, calls);
    expect("calls into the client", verdict.to_client, calls);
    verdict.faults.extend(faults);
    if verdict.refused == 0 {
        verdict.faults.push("no call was refused".to_owned());
    }
    if attached == 1 && verdict.pended == 0 {
        verdict
            .faults
            .push("no detach had to wait for a call".to_owned());
    }
}

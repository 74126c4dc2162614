//! Memory that runs out: a registration may be refused, everything else goes on, and no report is lost
//! without being counted.

mod allocator;
mod pair;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use allocator::with_memory;
use nmr_host::{Policy, Registrar, Rule};
use nmr_sys::{STATUS_INSUFFICIENT_RESOURCES, STATUS_SUCCESS};
use pair::Pair;

const POLICIES: [&str; 4] = [
    "",
    "verify=light",
    "sharing=identities,detach=provider-first",
    "cleanup=worker,irql=dispatch",
];

/// A registrar without a record, which is off in that of C programs, too.
fn registrar(policy: &str) -> Registrar {
    let registrar = Registrar::new(policy.parse::<Policy>().unwrap());
    registrar.set_recording(false);
    registrar
}

/// How often a rule was found broken, in all.
fn found(registrar: &Registrar) -> u64 {
    registrar.reports().iter().map(|report| report.count).sum()
}

#[test]
fn a_report_without_memory_is_kept_or_counted() {
    let pair = Pair::leak();
    for policy in POLICIES {
        let all = {
            let registrar = registrar(policy);
            let _entered = registrar.enter();
            assert_eq!(pair.cycle(), [STATUS_SUCCESS; 2]);
            found(&registrar)
        };
        // Two contexts and three handles.
        assert_eq!(all, 5, "{policy}");
        let (mut refused, mut lost) = (0, 0);
        for allocations in 0..40 {
            let registrar = registrar(policy);
            let _entered = registrar.enter();
            if policy.contains("worker") {
                // Its thread takes memory to start.
                pair.cycle();
                drop(registrar.take_reports());
            }
            let statuses = with_memory(allocations, || pair.cycle());
            let kept = registrar.reports();
            if statuses == [STATUS_SUCCESS; 2] {
                let sum = found(&registrar) + registrar.lost_reports();
                assert_eq!(sum, all, "{policy}, {allocations} allocations");
            } else {
                assert!(statuses.contains(&STATUS_INSUFFICIENT_RESOURCES));
                refused += 1;
            }
            assert!(!kept.is_empty());
            assert_ne!(registrar.finish(), []);
            lost += registrar.lost_reports();
            assert!(registrar.leaks().is_empty());
            // Memory comes back, and so does everything else.
            drop(registrar.take_reports());
            assert_eq!(pair.cycle(), [STATUS_SUCCESS; 2]);
            assert_eq!(found(&registrar), all);
            assert_eq!(registrar.lost_reports(), 0);
        }
        let warm = policy.contains("worker");
        assert!(
            (warm || refused > 0) && lost > 0,
            "{policy}: {refused}, {lost}"
        );
    }
}

#[test]
fn a_function_gets_the_first_report_without_memory() {
    let pair = Pair::leak();
    for allocations in 0..40 {
        let registrar = registrar("");
        let heard = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&heard);
        registrar.on_report(move |_| {
            count.fetch_add(1, Ordering::Relaxed);
        });
        let _entered = registrar.enter();
        let statuses = with_memory(allocations, || pair.cycle());
        let heard = heard.load(Ordering::Relaxed);
        assert!(heard > 0);
        if statuses == [STATUS_SUCCESS; 2] {
            assert!(heard as u64 + registrar.lost_reports() >= 5);
        }
    }
}

#[test]
fn a_registration_that_was_not_closed_is_reported_at_the_end() {
    let pair = Pair::leak();
    let registrar = registrar("");
    let _entered = registrar.enter();
    let reports = pair.with_client(|| registrar.finish());
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0].rule, Rule::V73);
}

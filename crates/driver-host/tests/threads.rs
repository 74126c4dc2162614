//! System threads, lists and MDLs: the driver of `cross/threads`.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod common;

use common::{fixture, host, lines, printed};
use driver_host::{Fault, Host, Image, LoadError, LoadOptions, Scenario, Trial};

/// What it prints, without its judgement.
const LINES: [&str; 28] = [
    "interlocked lists",
    "single lists",
    "sequenced lists",
    "lookaside list",
    "paged lookaside list",
    "initialized",
    "extended list",
    "initialized",
    "own functions",
    "own functions freed all",
    "MDL",
    "clocks",
    "wait for any",
    "wait for all",
    "semaphores",
    "a routine that returns",
    "client id",
    "reference",
    "another type",
    "counts",
    "close",
    "closed",
    "served",
    "still there",
    "thread ends after 2",
    "wait",
    "last reference",
    "",
];

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn threads_are_started_waited_for_and_ended() {
    let host = host();
    host.use_special_pool();
    let image = host
        .load(fixture("threads"), LoadOptions::default())
        .unwrap();
    assert_eq!(image.missing_imports(), [""; 0]);
    let unloaded = image.unload();
    assert_eq!(lines(&unloaded.reports), [""; 0]);
    assert!(unloaded.unmapped);
    assert_eq!(lines(&host.reports()), [""; 0]);
    assert_eq!(host.pool_in_use(), 0);
    let said = printed(&host);
    let said: Vec<_> = said
        .split('\n')
        .map(|line| line.strip_suffix(": right").unwrap_or(line))
        .collect();
    assert_eq!(said, LINES);
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn it_loses_nothing_when_something_is_refused() {
    let bytes = std::fs::read(fixture("threads")).unwrap();
    let scenario = Scenario::new(vec![("threads.sys".to_owned(), bytes)]);
    let dry = scenario.run(&Trial::Dry);
    assert_eq!(dry.wrong(), [""; 0]);
    let trials = dry.trials();
    assert!(trials.len() > 15, "{}", trials.len());
    for trial in trials {
        assert_eq!(scenario.run(&trial).lost(&dry), [""; 0], "{trial:?}");
    }
}

/// Loads the driver with a mistake in the registry.
fn load_mistaken(host: &Host, mistake: u32) -> Image {
    try_mistaken(host, mistake).unwrap()
}

fn try_mistaken(host: &Host, mistake: u32) -> Result<Image, LoadError> {
    let file = format!("[threads\\Parameters]\n\"Mistake\"=dword:{mistake}\n");
    host.import_registry(file.as_bytes()).unwrap();
    host.load(fixture("threads"), LoadOptions::default())
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_semaphore_beyond_its_limit_stops_the_host() {
    let host = host();
    let error = try_mistaken(&host, 4).unwrap_err();
    assert!(matches!(error, LoadError::Stopped(_)), "{error}");
    let expected =
        "threads.sys: KeReleaseSemaphore raised STATUS_SEMAPHORE_LIMIT_EXCEEDED at address 0x";
    let reports = lines(&host.reports());
    assert!(reports[0].starts_with(expected), "{reports:?}");
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_handle_and_a_reference_that_are_left_are_reported() {
    let host = host();
    let unloaded = load_mistaken(&host, 1).unload();
    assert_eq!(
        lines(&unloaded.reports),
        [
            "threads.sys: ZwClose: not called for 1 handles of system threads",
            "threads.sys: ObDereferenceObject: not called for 1 references to system threads",
        ]
    );
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_thread_that_still_runs_at_the_unload_is_reported() {
    let host = host();
    let unloaded = load_mistaken(&host, 2).unload();
    assert!(!unloaded.unmapped);
    let inside = |fault: &Fault| match fault {
        Fault::ThreadInside(visit) => visit.what == "a system thread",
        _ => false,
    };
    let mut reports = unloaded.reports.iter();
    assert!(reports.any(|report| inside(&report.fault)), "{unloaded:?}");
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn only_a_system_thread_can_be_ended() {
    let host = host();
    drop(load_mistaken(&host, 3));
    assert!(printed(&host).starts_with("not ended: right\n"));
    assert_eq!(
        lines(&host.reports()),
        [
            "threads.sys: PsTerminateSystemThread: the thread is not one of PsCreateSystemThread, or \
          is in a callback"
        ]
    );
}

//! The rules about memory in images: a provider whose contexts are special pool, and which treats each
//! as its client asks.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod common;
#[path = "common/numbered.rs"]
mod numbered;

use common::{fixture, lines};
use driver_host::{Fault, Host, LoadOptions, Stopped};
use nmr_host::{Lent, Rule};

/// What the provider is to do wrong: see the fixture `contexts`.
const HONEST: u32 = 0;
const EARLY: u32 = 1;
const LATE: u32 = 2;
const KEPT: u32 = 3;
const PAGED: u32 = 4;
const COMPLETED: u32 = 5;
const BEHIND: u32 = 6;

/// A host with special pool whose registrar looks at memory.
fn host() -> Host {
    let host = Host::new("memory=checked".parse().unwrap());
    host.use_special_pool();
    host
}

/// Lets a client come and go beside a fixture, and unloads that. Returns the host, and why it
/// stopped if it did.
fn run(name: &str, mistake: u32) -> (Host, Option<Stopped>) {
    let host = host();
    let image = host.load(fixture(name), LoadOptions::default()).unwrap();
    let visit = move || numbered::come_and_go(mistake, mistake != COMPLETED);
    let stopped = host.run(visit).err();
    drop(image);
    let stopped = stopped.or_else(|| host.stopped());
    (host, stopped)
}

/// The rules that were broken, with what they are about.
fn rules(host: &Host) -> Vec<(Rule, Option<Lent>)> {
    let reports = host.registrar().reports();
    let lent = |report: &nmr_host::Report| report.memory.as_ref().map(|memory| memory.lent);
    reports
        .iter()
        .map(|report| (report.rule, lent(report)))
        .collect()
}

/// The code of the bug check that stopped a host, and what it says.
fn bug_check(stopped: Option<Stopped>) -> (u32, String) {
    match stopped.expect("the host is stopped").0.fault {
        Fault::BugCheck { code, meaning, .. } => (code, meaning.into()),
        other => panic!("{other}"),
    }
}

const CONTEXT: Option<Lent> = Some(Lent::BindingContext);

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn an_honest_image_in_special_pool_is_quiet() {
    let (host, stopped) = run("contexts", HONEST);
    assert_eq!((rules(&host), stopped), (vec![], None));
    assert_eq!(lines(&host.reports()), [""; 0]);
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn v_51_an_image_frees_its_context_in_the_detach_callback() {
    let (host, stopped) = run("contexts", EARLY);
    assert_eq!(rules(&host), [(Rule::V51, CONTEXT)]);
    let report = host.registrar().reports().remove(0);
    assert_eq!(report.function, "ProviderDetachClient");
    // Its cleanup callback looks at the context, which ends it.
    let (code, meaning) = bug_check(stopped);
    assert_eq!(code, 0xcc);
    let expected =
        "PAGE_FAULT_IN_FREED_SPECIAL_POOL: a touch of freed memory: the block of 16 bytes";
    assert!(meaning.starts_with(expected), "{meaning}");
    assert!(
        meaning.contains("inside ProviderDetachClient of binding 1"),
        "{meaning}"
    );
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn v_61_an_image_touches_a_context_after_its_cleanup() {
    let (host, stopped) = run("contexts", LATE);
    assert_eq!(rules(&host), [(Rule::V61, CONTEXT)]);
    assert_eq!(bug_check(stopped).0, 0xcc);
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn v_56_an_image_touches_a_context_after_its_completion() {
    let (host, stopped) = run("contexts", COMPLETED);
    assert_eq!(rules(&host), [(Rule::V56, CONTEXT)]);
    assert_eq!(bug_check(stopped).0, 0xcc);
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn v_63_an_image_keeps_a_context() {
    let (host, stopped) = run("contexts", KEPT);
    assert_eq!((rules(&host), stopped), (vec![(Rule::V63, CONTEXT)], None));
    let left = "contexts.sys: unloaded with 16 bytes of pool left, tag 'Cntx', allocation 1";
    assert_eq!(lines(&host.reports()), [left]);
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn v_53_an_image_takes_a_context_from_paged_pool() {
    let (host, stopped) = run("contexts", PAGED);
    assert_eq!((rules(&host), stopped), (vec![(Rule::V53, CONTEXT)], None));
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn v_53_an_image_has_its_detach_callback_in_a_paged_section() {
    let (host, stopped) = run("paged", HONEST);
    assert_eq!((rules(&host), stopped), (vec![(Rule::V53, None)], None));
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_write_behind_special_pool_stops_the_host() {
    let (host, stopped) = run("contexts", BEHIND);
    assert_eq!(rules(&host), []);
    let (code, meaning) = bug_check(stopped);
    assert_eq!(code, 0xcd);
    assert!(
        meaning.starts_with(
            "PAGE_FAULT_BEYOND_END_OF_ALLOCATION: a touch behind the block of 16 bytes"
        ),
        "{meaning}"
    );
}

//! A bounded run of the fuzz target, with fixed seeds.

use std::collections::BTreeSet;

use nmr_machine::{Role, Rule};

use super::compare;
use super::functions::watches;
use super::run::Step;

/// How many programs there are.
const PROGRAMS: u64 = 20_000;

fn program(seed: u64) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut bytes = vec![0; random.usize(..400)];
    random.fill(&mut bytes);
    bytes
}

#[test]
fn both_runs_end_the_same_way_and_break_every_rule() {
    let mut broken = BTreeSet::new();
    let (mut detached, mut cleaned, mut blocked, mut leaks) = (0, 0, 0, 0);
    for seed in 0..PROGRAMS {
        let outcome = std::panic::catch_unwind(|| compare(&program(seed)))
            .unwrap_or_else(|_| panic!("program {seed}"));
        broken.extend(outcome.broken.iter().map(|finding| finding.rule));
        let count = |is: fn(&Step) -> bool| outcome.trace.iter().filter(|step| is(step)).count();
        detached += count(|step| matches!(step, Step::Detach(Role::Client, _)));
        cleaned += count(|step| matches!(step, Step::Cleanup(Role::Provider, _)));
        blocked += outcome.blocked.iter().filter(|blocked| **blocked).count();
        leaks += outcome.leaks;
    }
    let watched: BTreeSet<Rule> = Rule::ALL
        .iter()
        .copied()
        .filter(|rule| watches(*rule))
        .collect();
    assert_eq!(broken, watched);
    for count in [detached, cleaned, blocked, leaks] {
        assert!(count > 1000, "{detached} {cleaned} {blocked} {leaks}");
    }
}

#[test]
fn the_empty_program_does_nothing() {
    let outcome = compare(&[]);
    assert!(outcome.trace.is_empty());
    assert_eq!(outcome.leaks, 0);
}

#[test]
fn the_corpus_ends_the_same_way() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/functions");
    let mut count = 0;
    for file in std::fs::read_dir(corpus).expect("the corpus is a folder") {
        let path = file.expect("the corpus can be read").path();
        compare(&std::fs::read(&path).expect("a seed can be read"));
        count += 1;
    }
    assert!(count >= 20, "{count} seeds");
}

//! Every order of events that a few modules of one interface can bring about, by exhaustive search.
//!
//! The exploration plays the modules. In each state it makes every move that they could make: a
//! module registers, deregisters or waits, a callback that is running answers, a detach is
//! completed, each from a thread of its own, at any time the contract allows. [`books`] keeps what
//! the modules know, and [`follow`] compares it with what the machine wants next: the invariants of
//! contract section 4, that both modules are asked to detach though the first pends, that
//! a deregistration is always pending, that honest modules cause no findings and every
//! mistake causes its own. Where no move is owed, every call has returned, every wait among
//! them, and the machine holds only what is live.
//!
//! The search is this crate's own. The crate `stateright` finds counterexamples too, but with 44
//! further crates, a web server among them, and it cannot ask whether a good end stays reachable;
//! here that follows, because the states form no cycle and every quiet state is checked.
//!
//! # What is covered
//!
//! * One client and one provider, without limits: declines, second tries, either or both pending,
//!   completion before, inside and after the detach callback, deregistration during offers and by
//!   both, two registrations each, want of memory at each reservation, and up to three mistakes out
//!   of V-20 to V-23, V-25, V-40, V-42 to V-44, V-46, V-55 and V-70 to V-72. With one registration
//!   and one mistake also every order of callbacks, cleanups inline and by the worker, and modules
//!   without cleanup callbacks.
//! * Two clients and one provider, and the reverse: all honest answers and completion before the
//!   detach, any number of threads; re-registration with limits.
//! * Two of each, and three of a role: the same with limits on the calls in progress and on the
//!   unusual answers (see [`Setup`]), and reduced: moves that commute with all others go first.
//!   What the limits and the reduction leave out happens to one binding, or to two that share a
//!   module, and was seen above. What is new here is lists: a registration with several bindings
//!   whose peers have others, deregistered from several ends.
//!
//! # What is not covered
//!
//! Invariant I-6 (no lock is held during a callback) is the shell's. Several interfaces, shuffled
//! and seeded orders, a lost early completion, null contexts, and handles of the wrong kind have
//! tests elsewhere. A state is known by a hash, so one could be taken for another, in theory.
//!
//! `cargo test -p nmr-machine --lib explore -- --nocapture` prints what was visited. With `--ignored long_` it
//! goes deeper, for half a minute, and with `--ignored deep_` deeper still, for some minutes.
//! `cargo xtask plant-faults machine` shows that the exploration finds faults.

mod begin;
mod books;
mod calls;
mod code;
mod follow;
mod moves;
mod returns;
mod rules;
mod search;
mod setup;
mod sights;
mod world;

use std::collections::BTreeSet;

use search::Visited;
use setup::Setup;
use sights::{Sight, Sights};

use crate::policy::{Cleanup, Order, Policy};
use crate::rule::Rule;

/// Explores a setup and expects at least so many states and transitions.
fn explore(name: &str, setup: &Setup, states: u64, transitions: u64) -> Visited {
    let visited = search::explore(setup).unwrap_or_else(|text| panic!("{name}: {text}"));
    println!(
        "{name}: {} states, {} transitions, {} quiet states, at most {} moves",
        visited.states, visited.transitions, visited.quiet, visited.depth
    );
    assert!(
        visited.states >= states && visited.transitions >= transitions,
        "{name}: fewer than {states} states and {transitions} transitions"
    );
    visited
}

/// Expects that every situation was seen, but for some.
fn expect(seen: Sights, but: &[Sight]) {
    for &sight in Sight::ALL {
        let seen = seen.has(sight) || but.contains(&sight);
        assert!(seen, "{sight:?} was not seen");
    }
}

fn worker() -> Policy {
    Policy {
        cleanup: Cleanup::Worker,
        ..Policy::default()
    }
}

fn provider_first() -> Policy {
    Policy {
        detach_order: Order::ProviderFirst,
        cleanup_order: Order::ProviderFirst,
        ..Policy::default()
    }
}

/// Everything that one client and one provider can do.
fn one_by_one(policy: Policy) -> Setup {
    Setup {
        policy,
        registrations: 2,
        early: true,
        mistakes: 3,
        no_memory: true,
        ..Setup::honest(1, 1)
    }
}

/// Expects that every mistake was made.
fn expect_mistakes(visited: &Visited) {
    use Rule::*;
    let mistakes = [
        V20, V21, V22, V23, V25, V40, V42, V43, V44, V46, V55, V70, V71, V72,
    ];
    assert_eq!(visited.broken, BTreeSet::from(mistakes));
}

#[test]
fn one_by_one_inline() {
    let setup = one_by_one(Policy::default());
    let visited = explore("1x1, 3 mistakes", &setup, 69_000, 424_000);
    expect(visited.sights, &[Sight::WorkerCleanup]);
    expect_mistakes(&visited);
}

#[test]
fn one_by_one_worker() {
    let setup = one_by_one(worker());
    let visited = explore("1x1, 3 mistakes, worker", &setup, 430_000, 3_190_000);
    expect(visited.sights, &[Sight::CleanupInComplete]);
    expect_mistakes(&visited);
}

/// Every combination of orders, of places for the cleanup, and of cleanup callbacks.
#[test]
fn one_by_one_every_policy() {
    let (mut states, mut transitions) = (0, 0);
    for choice in 0..64_u8 {
        let bit = |place: u8| choice >> place & 1 == 1;
        let order = |place| [Order::ClientFirst, Order::ProviderFirst][usize::from(bit(place))];
        let policy = Policy {
            detach_order: order(0),
            cleanup_order: order(1),
            cleanup: [Cleanup::Inline, Cleanup::Worker][usize::from(bit(2))],
            cleanup_failed_client: bit(3),
            ..Policy::default()
        };
        let setup = Setup {
            cleanup: [!bit(4), !bit(5)],
            registrations: 1,
            mistakes: 1,
            ..one_by_one(policy)
        };
        let visited = search::explore(&setup).unwrap_or_else(|text| panic!("{setup:?}: {text}"));
        states += visited.states;
        transitions += visited.transitions;
    }
    println!("1x1, 1 mistake, 64 policies: {states} states, {transitions} transitions");
    assert!(states >= 497_000 && transitions >= 2_317_000);
}

/// Honest modules, completion before the detach, want of memory; any number of threads.
fn honest(clients: usize, providers: usize) -> Setup {
    Setup {
        early: true,
        no_memory: true,
        ..Setup::honest(clients, providers)
    }
}

const ONCE_INLINE: &[Sight] = &[Sight::SecondRegistration, Sight::WorkerCleanup];

#[test]
#[ignore = "long: cargo xtask test --all"]
fn long_two_by_one() {
    let visited = explore("2x1", &honest(2, 1), 1_221_000, 5_432_000);
    expect(visited.sights, ONCE_INLINE);
}

#[test]
#[ignore = "long: cargo xtask test --all"]
fn long_one_by_two() {
    let setup = Setup {
        policy: provider_first(),
        ..honest(1, 2)
    };
    let visited = explore("1x2, provider first", &setup, 1_221_000, 5_432_000);
    expect(visited.sights, ONCE_INLINE);
}

#[test]
fn two_by_one_registering_twice() {
    let setup = Setup {
        registrations: 2,
        threads: 2,
        twists: 1,
        ..honest(2, 1)
    };
    explore(
        "2x1, registering twice, 2 threads, 1 twist",
        &setup,
        360_000,
        1_127_000,
    );
}

/// Two clients and two providers, with so many calls at a time and so many unusual answers.
fn two_by_two(threads: usize, twists: u8) -> Setup {
    Setup {
        threads,
        twists,
        reduced: true,
        ..honest(2, 2)
    }
}

/// One module and three peers: a peer may come while two others are still to be offered.
fn three(modules: [usize; 2]) -> Setup {
    Setup {
        threads: 3,
        twists: 1,
        reduced: true,
        ..honest(modules[0], modules[1])
    }
}

#[test]
fn three_by_one() {
    explore("3x1, 3 threads, 1 twist", &three([3, 1]), 498_000, 872_000);
}

#[test]
fn one_by_three() {
    explore("1x3, 3 threads, 1 twist", &three([1, 3]), 498_000, 872_000);
}

#[test]
#[ignore = "long: cargo xtask test --all"]
fn long_two_by_two_with_two_twists() {
    let setup = two_by_two(2, 2);
    let visited = explore("2x2, 2 threads, 2 twists", &setup, 3_400_000, 5_730_000);
    expect(visited.sights, ONCE_INLINE);
}

#[test]
#[ignore = "long: cargo xtask test --all"]
fn long_two_by_two_with_three_threads() {
    let setup = two_by_two(3, 1);
    let visited = explore("2x2, 3 threads, 1 twist", &setup, 2_640_000, 4_600_000);
    let pairs_of_twists = [Sight::BothPend, Sight::Retry];
    expect(visited.sights, &[ONCE_INLINE, &pairs_of_twists].concat());
}

#[test]
fn two_by_two_worker() {
    let setup = Setup {
        policy: worker(),
        ..two_by_two(2, 0)
    };
    explore("2x2, 2 threads, worker", &setup, 389_000, 567_000);
}

#[test]
#[ignore = "takes minutes"]
fn deep_two_by_one_with_a_mistake() {
    let setup = Setup {
        mistakes: 1,
        ..honest(2, 1)
    };
    explore("2x1, 1 mistake", &setup, 5_690_000, 40_650_000);
}

#[test]
#[ignore = "takes minutes"]
fn deep_two_by_two() {
    explore(
        "2x2, 3 threads, 2 twists",
        &two_by_two(3, 2),
        17_720_000,
        32_800_000,
    );
}

#[test]
#[ignore = "takes minutes"]
fn deep_two_by_two_any_threads() {
    let setup = two_by_two(usize::MAX, 1);
    explore("2x2, any threads, 1 twist", &setup, 5_870_000, 10_910_000);
}

#[test]
#[ignore = "takes minutes"]
fn deep_two_by_two_worker() {
    let setup = Setup {
        policy: worker(),
        ..two_by_two(2, 1)
    };
    explore(
        "2x2, 2 threads, 1 twist, worker",
        &setup,
        5_190_000,
        7_940_000,
    );
}

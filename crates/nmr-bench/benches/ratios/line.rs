//! What is compared with what, and what has to come out.

use std::fmt;

use crate::table;
use crate::works::{self, Variant};

/// A comparison.
pub(crate) struct Line {
    /// What it says.
    pub(crate) name: &'static str,
    pub(crate) value: Value,
    pub(crate) bound: Option<Bound>,
}

/// What is computed from the times of one repetition.
pub(crate) enum Value {
    /// How much longer the first takes than the second.
    Ratio(&'static Variant, &'static Variant),
    /// How often it can be done in a second.
    PerSecond(&'static Variant),
}

/// What has to come out.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Bound {
    /// No more than this.
    AtMost(f64),
    /// Less than this.
    Below(f64),
    /// No less than this.
    AtLeast(f64),
}

impl Bound {
    pub(crate) fn holds(self, value: f64) -> bool {
        match self {
            Self::AtMost(bound) => value <= bound,
            Self::Below(bound) => value < bound,
            Self::AtLeast(bound) => value >= bound,
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(bound) => write!(f, "≤ {}", table::number(*bound)),
            Self::Below(bound) => write!(f, "< {}", table::number(*bound)),
            Self::AtLeast(bound) => write!(f, "≥ {}", table::number(*bound)),
        }
    }
}

impl Value {
    /// What has to be measured for it.
    pub(crate) fn variants(&self) -> Vec<&'static Variant> {
        match *self {
            Self::Ratio(over, under) => vec![over, under],
            Self::PerSecond(variant) => vec![variant],
        }
    }

    /// It, from the nanoseconds that these took.
    pub(crate) fn compute(&self, nanoseconds: &[f64]) -> f64 {
        match self {
            Self::Ratio(..) => nanoseconds[0] / nanoseconds[1],
            Self::PerSecond(_) => 1e9 / nanoseconds[0],
        }
    }
}

use Bound::{AtLeast, AtMost, Below};
use Value::{PerSecond, Ratio};

const fn line(name: &'static str, value: Value, bound: Option<Bound>) -> Line {
    Line { name, value, bound }
}

/// All comparisons.
pub(crate) const LINES: &[Line] = &[
    line(
        "a call with its enter and drop / C, add and subtract",
        Ratio(&works::GUARDED, &works::C_ADD),
        Some(AtMost(1.05)),
    ),
    line(
        "a call with its enter and drop / C, as EX_RUNDOWN_REF",
        Ratio(&works::GUARDED, &works::C_EXCHANGE),
        Some(Below(1.0)),
    ),
    line(
        "a call with its enter and drop / C, a word for each thread",
        Ratio(&works::GUARDED, &works::C_SHARDED),
        None,
    ),
    line(
        "a call with its enter and drop / C, a read-write lock",
        Ratio(&works::GUARDED, &works::C_RWLOCK),
        None,
    ),
    line(
        "a call with its enter and drop / C, a mutex",
        Ratio(&works::GUARDED, &works::C_MUTEX),
        None,
    ),
    line(
        "a call in a batch / C, the bare call",
        Ratio(&works::BATCH, &works::C_BARE),
        Some(AtMost(1.02)),
    ),
    line(
        "a call with its enter and drop, 2 threads on two peers / 1 thread",
        Ratio(&works::GUARDED_APART, &works::GUARDED),
        None,
    ),
    line(
        "a call with its enter and drop, 2 threads on one peer / 1 thread",
        Ratio(&works::GUARDED_TOGETHER, &works::GUARDED),
        None,
    ),
    line(
        "the same in C, add and subtract",
        Ratio(&works::C_ADD_TOGETHER, &works::C_ADD),
        None,
    ),
    line(
        "the same in C, a word for each thread",
        Ratio(&works::C_SHARDED_TOGETHER, &works::C_SHARDED),
        None,
    ),
    line(
        "a call counted for each processor, 2 threads on one peer / 1 thread",
        Ratio(&works::SPREAD_TOGETHER, &works::SPREAD),
        Some(AtMost(1.1)),
    ),
    line(
        "a call counted for each processor / in one word",
        Ratio(&works::SPREAD, &works::GUARDED),
        None,
    ),
    line(
        "a cycle / its six callbacks",
        Ratio(&works::LIFE, &works::FLOOR),
        None,
    ),
    line(
        "its six callbacks and five locks / its six callbacks",
        Ratio(&works::FLOOR_AND_LOCKS, &works::FLOOR),
        None,
    ),
    line(
        "a cycle / its six callbacks and five locks",
        Ratio(&works::LIFE, &works::FLOOR_AND_LOCKS),
        Some(AtMost(1.6)),
    ),
    line(
        "a cycle, watched as in tests / a cycle",
        Ratio(&works::LIFE_IN_TESTS, &works::LIFE),
        Some(AtMost(2.75)),
    ),
    line(
        "one of 1,000 clients registers and attaches / a cycle",
        Ratio(&works::REGISTERS, &works::LIFE),
        Some(AtMost(0.5)),
    ),
    line(
        "one of 1,000 clients deregisters, detaches and waits / a cycle",
        Ratio(&works::DEREGISTERS, &works::LIFE),
        Some(AtMost(0.3)),
    ),
    line(
        "a cycle without a provider / with one",
        Ratio(&works::LIFE_ALONE, &works::LIFE),
        None,
    ),
    line(
        "a cycle beside 100,000 unrelated registrations / 10",
        Ratio(&works::BESIDE_100_000, &works::BESIDE_10),
        Some(AtMost(1.2)),
    ),
    line(
        "a cycle beside 100,000 unrelated bound pairs / 10",
        Ratio(&works::BESIDE_100_000_PAIRS, &works::BESIDE_10_PAIRS),
        Some(AtMost(1.2)),
    ),
    line(
        "cycles a second, 2 threads on 2 interfaces / 1 thread",
        Ratio(&works::ONE_THREAD, &works::TWO_THREADS),
        Some(AtLeast(1.6)),
    ),
    line(
        "cycles a second, 2 threads on 1 interface / 1 thread",
        Ratio(&works::ONE_THREAD, &works::TWO_THREADS_TOGETHER),
        None,
    ),
    line(
        "a binding ends: a provider leaves 10,000 clients / 100",
        Ratio(&works::LEAVES_10_000, &works::LEAVES_100),
        Some(AtMost(1.3)),
    ),
    line(
        "a binding ends: 10,000 clients leave / 100",
        Ratio(&works::LEFT_BY_10_000, &works::LEFT_BY_100),
        Some(AtMost(1.3)),
    ),
    line(
        "a binding begins and ends: 300 × 300 / 10 × 10",
        Ratio(&works::ALL_300, &works::ALL_10),
        Some(AtMost(1.3)),
    ),
    line(
        "cycles with a pending detach a second, completed by the same thread",
        PerSecond(&works::COMPLETED_HERE),
        None,
    ),
    line(
        "cycles with a pending detach a second, completed by another thread",
        PerSecond(&works::COMPLETED_THERE),
        Some(AtLeast(400_000.0)),
    ),
    line(
        "completions a second by another thread, 1,000 at once",
        PerSecond(&works::COMPLETED_THERE_1000),
        Some(AtLeast(400_000.0)),
    ),
];

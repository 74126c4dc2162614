//! The policy of a registrar: its choices where the public record leaves Windows open, and its strictness. Tests
//! run under every setting.

mod settings;

use std::time::Duration;

pub use settings::UnknownSetting;

pub use nmr_machine::policy::{Cleanup, Deregistration, EarlyCompletion, Offers, Order, Sharing};

/// The behaviour of a registrar. The default is contract section 5's.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Policy {
    /// How severe the rules are that shipped drivers break.
    pub mode: Mode,
    /// The order in which a registering module is offered its peers.
    pub offers: Offers,
    /// Which detach callback of a binding comes first.
    pub detach_order: Order,
    /// Which cleanup callback of a binding comes first.
    pub cleanup_order: Order,
    /// The IRQL of detach and cleanup callbacks.
    pub detach_irql: DetachIrql,
    /// The thread of the cleanup callbacks.
    pub cleanup: Cleanup,
    /// What a completion means that comes before the detach callback.
    pub early_completion: EarlyCompletion,
    /// Whether a client that fails after it has attached gets its cleanup callback.
    pub cleanup_failed_client: bool,
    /// What a deregistration answers.
    pub deregistration: Deregistration,
    /// The verification level.
    pub verify: Verify,
    /// Whether the memory that modules lend is looked at.
    pub memory: MemoryChecks,
    /// The seed of every random order.
    pub seed: u64,
    /// After how long an unfinished wait is reported. It never changes what the wait does.
    pub watchdog: Option<Duration>,
    /// After how long a line on standard error says whom an unfinished wait waits for, if there is no
    /// watchdog: [`STALL`] if this is `None`, and never if it is zero. It is no report.
    pub stall: Option<Duration>,
    /// Which call fails that may fail, as
    /// [`Registrar::fail_call`](crate::Registrar::fail_call) counts them from the start, with
    /// `STATUS_INSUFFICIENT_RESOURCES`. 0 for none.
    pub fault: u64,
    /// After how long a detach callback is said to be slow (V-54). Without it the rule is off.
    pub slow: Option<Duration>,
    /// What of all that modules may share is reported (V-14, V-16, V-35).
    pub sharing: Sharing,
    /// What happens when a rule is broken.
    pub on_report: OnReport,
}

/// A choice among a few values.
pub trait Choice: Copy + PartialEq + 'static {
    /// Every value, the default first.
    const ALL: &'static [Self];

    /// The name of this value.
    #[must_use]
    fn word(self) -> &'static str;
}

macro_rules! words {
    ($name:ident: $($variant:ident = $word:literal),+) => {
        impl Choice for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),+];

            fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }
    };
}

words!(Mode: Compatible = "compatible", Strict = "strict");
words!(Offers: InOrder = "in-order", Shuffled = "shuffled");
words!(Order: ClientFirst = "client-first", ProviderFirst = "provider-first", Seeded = "seeded");
words!(DetachIrql: Caller = "caller", Dispatch = "dispatch");
words!(Cleanup: Inline = "inline", Worker = "worker");
words!(EarlyCompletion: Remembered = "remembered", Ignored = "ignored");
words!(Deregistration: Pending = "pending", Fails = "fails");
words!(MemoryChecks: Unchecked = "unchecked", Checked = "checked");
words!(Verify: Full = "full", Light = "light");
words!(Sharing: Memory = "memory", Identities = "identities", Ignored = "ignored");
words!(OnReport: Collect = "collect", Print = "print", Panic = "panic");

/// How severe the rules are that shipped drivers break.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Mode {
    /// They are warnings, and the drivers work.
    #[default]
    Compatible,
    /// They are errors: malformed module identifiers are rejected, detach and cleanup callbacks
    /// run at `DISPATCH_LEVEL`, and a failed attach hands out addresses that fault.
    Strict,
}

/// The IRQL of detach and cleanup callbacks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum DetachIrql {
    /// That of the thread which causes them.
    #[default]
    Caller,
    /// `DISPATCH_LEVEL`.
    Dispatch,
}

/// Whether the memory that modules lend is looked at. It costs a call of the system for each look.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum MemoryChecks {
    /// It is not.
    #[default]
    Unchecked,
    /// It is, wherever the system allows that: on Linux.
    Checked,
}

/// How much of what modules do wrong is looked for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Verify {
    /// All of it.
    #[default]
    Full,
    /// Violations detectable without extra checks: malformed characteristics, wrong handles, wrong answers, calls out of
    /// turn. Nothing else costs time then, as long as there is no record.
    Light,
}

/// What happens when a rule is broken.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum OnReport {
    /// It is written down.
    #[default]
    Collect,
    /// It is written down and to standard error.
    Print,
    /// The call panics, which ends the process if it came through the C library.
    Panic,
}

/// After how long a wait that has not ended is printed.
pub const STALL: Duration = Duration::from_secs(10);

/// How many numbers of bindings a lane takes at once where they are seldom seen.
const SERIALS: u64 = 1024;

impl Policy {
    /// The strictest policy.
    #[must_use]
    pub fn strict() -> Self {
        Self {
            mode: Mode::Strict,
            ..Self::default()
        }
    }

    /// A policy whose every choice follows from a seed, except how reports are handled. No two
    /// choices depend on each other.
    #[expect(clippy::indexing_slicing, reason = "each index is below the length")]
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut pick = |count: usize| random.usize(..count);
        Self {
            offers: Offers::ALL[pick(Offers::ALL.len())],
            detach_order: Order::ALL[pick(Order::ALL.len())],
            cleanup_order: Order::ALL[pick(Order::ALL.len())],
            detach_irql: DetachIrql::ALL[pick(DetachIrql::ALL.len())],
            cleanup: Cleanup::ALL[pick(Cleanup::ALL.len())],
            seed,
            ..Self::default()
        }
    }

    /// The choices that are the machine's.
    pub(crate) fn of_machine(&self) -> nmr_machine::Policy {
        let light = self.verify == Verify::Light;
        nmr_machine::Policy {
            offers: self.offers,
            detach_order: self.detach_order,
            cleanup_order: self.cleanup_order,
            cleanup: self.cleanup,
            early_completion: self.early_completion,
            cleanup_failed_client: self.cleanup_failed_client,
            deregistration: self.deregistration,
            sharing: if light {
                Sharing::Ignored
            } else {
                self.sharing
            },
            seed: self.seed,
            serials: if light { SERIALS } else { 1 },
        }
    }

    /// After how long a wait that has not ended is printed, if it is.
    pub(crate) fn stall(&self) -> Option<Duration> {
        // Where time is simulated it says nothing.
        let default = (!cfg!(any(miri, shuttle))).then_some(STALL);
        let stall = self.stall.or(default).filter(|stall| !stall.is_zero());
        stall.filter(|_| self.watchdog.is_none())
    }

    /// Returns `true` if detach and cleanup callbacks run at `DISPATCH_LEVEL`, for every cause.
    pub(crate) fn detaches_at_dispatch(&self) -> bool {
        self.mode == Mode::Strict || self.detach_irql == DetachIrql::Dispatch
    }
}

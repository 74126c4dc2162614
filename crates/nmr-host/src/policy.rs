//! What a registrar does where the public record leaves Windows open, and how strict it is. Tests
//! run under every setting.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

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

/// A setting with a few values, as a policy's text form has it.
pub trait Choice: Copy + PartialEq + 'static {
    /// Its name.
    const KEY: &'static str;
    /// Every value, the default first.
    const ALL: &'static [Self];

    /// The name of this value.
    #[must_use]
    fn word(self) -> &'static str;
}

fn choose<T: Choice>(word: &str) -> Result<T, UnknownSetting> {
    let found = T::ALL.iter().find(|value| value.word() == word);
    found.copied().ok_or_else(|| {
        let words: Vec<_> = T::ALL.iter().map(|value| value.word()).collect();
        let words = words.join(", ");
        UnknownSetting(format!("{} is one of {words}, not `{word}`", T::KEY))
    })
}

macro_rules! words {
    ($name:ident, $key:literal: $($variant:ident = $word:literal),+) => {
        impl Choice for $name {
            const KEY: &'static str = $key;
            const ALL: &'static [Self] = &[$(Self::$variant),+];

            fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }
    };
}

words!(Mode, "mode": Compatible = "compatible", Strict = "strict");
words!(Offers, "offers": InOrder = "in-order", Shuffled = "shuffled");
words!(Order, "order":
    ClientFirst = "client-first", ProviderFirst = "provider-first", Seeded = "seeded");
words!(DetachIrql, "irql": Caller = "caller", Dispatch = "dispatch");
words!(Cleanup, "cleanup": Inline = "inline", Worker = "worker");
words!(EarlyCompletion, "early": Remembered = "remembered", Ignored = "ignored");
words!(Deregistration, "deregister": Pending = "pending", Fails = "fails");
words!(MemoryChecks, "memory": Unchecked = "unchecked", Checked = "checked");
words!(Verify, "verify": Full = "full", Light = "light");
words!(Sharing, "sharing": Memory = "memory", Identities = "identities", Ignored = "ignored");
words!(OnReport, "report": Collect = "collect", Print = "print", Panic = "panic");

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

/// A setting that does not exist, in words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownSetting(String);

impl fmt::Display for UnknownSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UnknownSetting {}

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

    /// Whether detach and cleanup callbacks run at `DISPATCH_LEVEL`, for every cause.
    pub(crate) fn detaches_at_dispatch(&self) -> bool {
        self.mode == Mode::Strict || self.detach_irql == DetachIrql::Dispatch
    }

    /// Every setting of the text form with its values, one a line. Of words the first is the default.
    #[must_use]
    pub fn settings() -> String {
        fn line<T: Copy>(key: &str, all: &[T], word: impl Fn(T) -> &'static str) -> String {
            let words: Vec<_> = all.iter().map(|&value| word(value)).collect();
            format!("{key}={}", words.join("|"))
        }
        let lines = [
            line(Mode::KEY, Mode::ALL, Mode::word),
            line(Offers::KEY, Offers::ALL, Offers::word),
            line("detach", Order::ALL, Order::word),
            line("cleanup-order", Order::ALL, Order::word),
            line(DetachIrql::KEY, DetachIrql::ALL, DetachIrql::word),
            line(Cleanup::KEY, Cleanup::ALL, Cleanup::word),
            line(
                EarlyCompletion::KEY,
                EarlyCompletion::ALL,
                EarlyCompletion::word,
            ),
            line(
                Deregistration::KEY,
                Deregistration::ALL,
                Deregistration::word,
            ),
            line(Verify::KEY, Verify::ALL, Verify::word),
            line(MemoryChecks::KEY, MemoryChecks::ALL, MemoryChecks::word),
            line(Sharing::KEY, Sharing::ALL, Sharing::word),
            line(OnReport::KEY, OnReport::ALL, OnReport::word),
            "failed-client-cleanup=false|true".to_owned(),
            "seed=NUMBER".to_owned(),
            "fault=NUMBER (which call fails that may fail, from 1)".to_owned(),
            "slow-ms=NUMBER (how long a detach callback may take)".to_owned(),
            "stall-ms=NUMBER (after how long a wait is printed, 0 for never; 10000)".to_owned(),
            "watchdog-ms=NUMBER (after how long a wait is reported)".to_owned(),
        ];
        lines.join("\n")
    }

    fn set(&mut self, key: &str, word: &str) -> Result<(), UnknownSetting> {
        match key {
            Mode::KEY => self.mode = choose(word)?,
            Offers::KEY => self.offers = choose(word)?,
            "detach" => self.detach_order = choose(word)?,
            "cleanup-order" => self.cleanup_order = choose(word)?,
            DetachIrql::KEY => self.detach_irql = choose(word)?,
            Cleanup::KEY => self.cleanup = choose(word)?,
            EarlyCompletion::KEY => self.early_completion = choose(word)?,
            Deregistration::KEY => self.deregistration = choose(word)?,
            Verify::KEY => self.verify = choose(word)?,
            MemoryChecks::KEY => self.memory = choose(word)?,
            Sharing::KEY => self.sharing = choose(word)?,
            OnReport::KEY => self.on_report = choose(word)?,
            "failed-client-cleanup" => self.cleanup_failed_client = parse(key, word)?,
            "seed" => self.seed = parse(key, word)?,
            "fault" => self.fault = parse(key, word)?,
            "slow-ms" => self.slow = Some(Duration::from_millis(parse(key, word)?)),
            "stall-ms" => self.stall = Some(Duration::from_millis(parse(key, word)?)),
            "watchdog-ms" => self.watchdog = Some(Duration::from_millis(parse(key, word)?)),
            _ => {
                return Err(UnknownSetting(format!(
                    "there is no setting `{key}`: {SETTINGS}"
                )));
            }
        }
        Ok(())
    }
}

const SETTINGS: &str = "use mode, offers, detach, cleanup-order, irql, cleanup, early, \
                        deregister, verify, memory, sharing, report, failed-client-cleanup, seed, fault, \
                        slow-ms, stall-ms, watchdog-ms";

fn parse<T: FromStr>(key: &str, word: &str) -> Result<T, UnknownSetting> {
    word.parse()
        .map_err(|_| UnknownSetting(format!("`{word}` is no value for {key}")))
}

/// Settings as `key=value`, separated by commas: `detach=provider-first,irql=dispatch`. What is not
/// named is as in [`Policy::default`].
impl FromStr for Policy {
    type Err = UnknownSetting;

    fn from_str(text: &str) -> Result<Self, UnknownSetting> {
        let mut policy = Self::default();
        for setting in text
            .split(',')
            .map(str::trim)
            .filter(|setting| !setting.is_empty())
        {
            let (key, word) = setting.split_once('=').ok_or_else(|| {
                UnknownSetting(format!("`{setting}` is not of the form key=value"))
            })?;
            policy.set(key.trim(), word.trim())?;
        }
        Ok(policy)
    }
}

/// The settings in the text form that parses back to this policy.
impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mode={},offers={}", self.mode.word(), self.offers.word())?;
        write!(f, ",detach={}", self.detach_order.word())?;
        write!(f, ",cleanup-order={}", self.cleanup_order.word())?;
        write!(
            f,
            ",irql={},cleanup={}",
            self.detach_irql.word(),
            self.cleanup.word()
        )?;
        write!(
            f,
            ",early={},report={}",
            self.early_completion.word(),
            self.on_report.word()
        )?;
        write!(
            f,
            ",failed-client-cleanup={},seed={}",
            self.cleanup_failed_client, self.seed
        )?;
        if self.fault != 0 {
            write!(f, ",fault={}", self.fault)?;
        }
        // These are for tests of memory only, and not worth a word otherwise.
        if self.deregistration != Deregistration::default() {
            write!(f, ",deregister={}", self.deregistration.word())?;
        }
        if self.verify != Verify::default() {
            write!(f, ",verify={}", self.verify.word())?;
        }
        if self.memory != MemoryChecks::default() {
            write!(f, ",memory={}", self.memory.word())?;
        }
        if self.sharing != Sharing::default() {
            write!(f, ",sharing={}", self.sharing.word())?;
        }
        for (key, limit) in [
            ("slow-ms", self.slow),
            ("stall-ms", self.stall),
            ("watchdog-ms", self.watchdog),
        ] {
            if let Some(limit) = limit {
                write!(f, ",{key}={}", limit.as_millis())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_form_parses_back() {
        for seed in 0..100 {
            let policy = Policy {
                watchdog: Some(Duration::from_millis(seed)),
                deregistration: Deregistration::ALL[(seed % 2) as usize],
                memory: MemoryChecks::ALL[(seed / 2 % 2) as usize],
                verify: Verify::ALL[(seed / 4 % 2) as usize],
                slow: Some(Duration::from_millis(seed + 1)),
                stall: (seed % 2 == 0).then(|| Duration::from_millis(seed)),
                sharing: Sharing::ALL[(seed % 3) as usize],
                ..Policy::from_seed(seed)
            };
            assert_eq!(policy.to_string().parse(), Ok(policy));
        }
        assert_eq!("".parse(), Ok(Policy::default()));
    }

    #[test]
    fn every_setting_is_listed_with_values_that_it_takes() {
        let mut keys = Vec::new();
        for line in Policy::settings().lines() {
            let (key, values) = line.split_once('=').unwrap();
            keys.push(key.to_owned());
            for value in values.split('|') {
                let value = if value.starts_with("NUMBER") {
                    "7"
                } else {
                    value
                };
                let set = format!("{key}={value}").parse::<Policy>();
                assert!(set.is_ok(), "{set:?}");
            }
        }
        let named = SETTINGS
            .trim_start_matches("use ")
            .split(',')
            .map(str::trim);
        assert_eq!(keys, named.collect::<Vec<_>>());
    }

    #[test]
    fn a_wrong_setting_is_explained() {
        let error = |text: &str| text.parse::<Policy>().unwrap_err().to_string();
        assert_eq!(
            error("irql=high"),
            "irql is one of caller, dispatch, not `high`"
        );
        assert!(error("colour=red").starts_with("there is no setting `colour`: use mode, "));
        assert_eq!(error("strict"), "`strict` is not of the form key=value");
        assert_eq!(error("seed=x"), "`x` is no value for seed");
    }
}

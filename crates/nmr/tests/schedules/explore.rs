//! Runs a scenario under many schedules.

use std::any::type_name;
use std::cell::RefCell;
use std::io::{self, Write};
use std::ops::Range;
use std::sync::Once;
use std::{panic, process};

use shuttle::{Config, FailurePersistence, MaxSteps, Runner};

use crate::scheduler::Seeded;
use crate::world::World;

/// How many schedules of each scenario are tried, unless `NMR_SCHEDULES` says otherwise.
const SCHEDULES: u64 = 3_000;
/// More steps than any schedule takes that comes to an end.
const STEPS: usize = 100_000;
const STACK: usize = 256 * 1024;
/// The exit code of tests that failed.
const FAILED: i32 = 101;

thread_local! {
    /// How to repeat the execution that runs on this thread: shuttle's threads are not threads of
    /// the system.
    static REPEAT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs a scenario once for each seed, and prints how to repeat the execution that fails.
pub(crate) fn explore<F>(scenario: F)
where
    F: Fn(&World) + Copy + Send + Sync + 'static,
{
    announce_failures();
    let name = name::<F>();
    let seeds = seeds();
    println!("{name}: schedules {seeds:?}");
    for seed in seeds {
        let command =
            format!("NMR_SCHEDULE={seed} scripts/schedules.sh --include-ignored --exact {name}");
        REPEAT.set(Some(command));
        execute(seed, move || World::run(seed, scenario));
    }
    REPEAT.set(None);
}

/// Runs something under the schedule of a seed.
pub(crate) fn execute(seed: u64, run: impl Fn() + Send + Sync + 'static) {
    Runner::new(Seeded::new(seed), config()).run(run);
}

fn config() -> Config {
    let mut config = Config::new();
    config.stack_size = STACK;
    config.max_steps = MaxSteps::FailAfter(STEPS);
    config.failure_persistence = FailurePersistence::None;
    config
}

/// The name of the test that the scenario is a closure of.
fn name<F>() -> &'static str {
    let path = type_name::<F>().trim_end_matches("::{{closure}}");
    path.split_once("::").expect("a path in a crate").1
}

fn seeds() -> Range<u64> {
    if let Some(seed) = number("NMR_SCHEDULE") {
        return seed..seed + 1;
    }
    0..number("NMR_SCHEDULES").unwrap_or(SCHEDULES)
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    let number = text.parse();
    Some(number.unwrap_or_else(|_| panic!("{variable} is a number, not `{text}`")))
}

/// Lets a panic inside an execution say how to repeat it. It also ends the process, because it may be
/// inside a callback, through which it cannot unwind.
fn announce_failures() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let Some(command) = REPEAT.take() else {
                return before(info);
            };
            // Not with `eprintln!`, whose text the test harness would keep.
            let text = format!("{info}\nthis schedule again:\n    {command}\n");
            let _ = io::stderr().write_all(text.as_bytes());
            process::exit(FAILED);
        }));
    });
}

//! How it is measured: everything once in each repetition, so that what slows the machine down for a
//! while slows down both sides of a ratio.

use std::io::{self, IsTerminal};
use std::time::Duration;

use nmr_bench::Work;

use crate::line::Line;
use crate::works::Variant;

/// How long one measurement takes, if one unit of the work is not longer.
const LONG_ENOUGH: Duration = Duration::from_millis(2);

/// Of the order in each repetition: nothing is always measured after the same thing.
const SEED: u64 = 6;

struct Measured {
    variant: &'static Variant,
    work: Box<dyn Work>,
    times: u64,
}

/// The nanoseconds of every variant, in every repetition.
pub(crate) struct Measurements {
    variants: Vec<&'static Variant>,
    nanoseconds: Vec<Vec<f64>>,
}

impl Measurements {
    /// Measures everything that these lines need.
    pub(crate) fn take(lines: &[&Line], repetitions: u32) -> Self {
        let mut measured = Vec::<Measured>::new();
        for variant in lines.iter().flat_map(|line| line.value.variants()) {
            if !measured
                .iter()
                .any(|other| std::ptr::eq(other.variant, variant))
            {
                measured.push(Measured::prepare(variant));
            }
        }
        let mut nanoseconds = vec![Vec::new(); measured.len()];
        let mut random = fastrand::Rng::with_seed(SEED);
        let mut order: Vec<_> = (0..measured.len()).collect();
        for repetition in 0..repetitions {
            progress(repetition + 1, repetitions);
            random.shuffle(&mut order);
            for &index in &order {
                nanoseconds[index].push(measured[index].once());
            }
        }
        Self {
            variants: measured.iter().map(|measured| measured.variant).collect(),
            nanoseconds,
        }
    }

    /// Those of one variant, which was measured.
    pub(crate) fn of(&self, variant: &'static Variant) -> &[f64] {
        let index = self
            .variants
            .iter()
            .position(|other| std::ptr::eq(*other, variant));
        &self.nanoseconds[index.expect("it was measured")]
    }
}

impl Measured {
    /// Finds how often it has to be done.
    fn prepare(variant: &'static Variant) -> Self {
        let mut work = (variant.prepare)();
        let mut times = variant.unit;
        // The fastest of three, or what slows the machine down once would pass for the work.
        while (0..3).map(|_| work.run(times)).min() < Some(LONG_ENOUGH) {
            times *= 2;
        }
        Self {
            variant,
            work,
            times,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "there are less than 2^52")]
    fn once(&mut self) -> f64 {
        self.work.run(self.times).as_secs_f64() * 1e9 / self.times as f64
    }
}

fn progress(repetition: u32, repetitions: u32) {
    if io::stderr().is_terminal() {
        let end = if repetition == repetitions { "\n" } else { "" };
        eprint!("\r{repetition} of {repetitions}{end}");
    }
}

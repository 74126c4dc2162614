//! A progress bar for runs that last longer than a second.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::hand::Answer;

/// How long a run may last without one.
const SHORT: Duration = Duration::from_secs(1);
/// How often it moves.
const TICK: Duration = Duration::from_millis(50);

/// Counts calls, and shows the count on standard error if that is a terminal.
pub(crate) struct Progress {
    total: u64,
    started: Instant,
    bar: Option<ProgressBar>,
    /// The calls that were made.
    pub(crate) done: Arc<AtomicU64>,
}

impl Progress {
    pub(crate) fn new(total: u64) -> Self {
        Self {
            total,
            started: Instant::now(),
            bar: None,
            done: Arc::default(),
        }
    }

    /// Waits for the answers, however long it takes.
    pub(crate) fn watch<T>(&mut self, answers: &[Answer<T>]) -> Result<Vec<T>, String> {
        let results = answers
            .iter()
            .map(|answer| self.watch_one(answer))
            .collect();
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        results
    }

    fn watch_one<T>(&mut self, answer: &Answer<T>) -> Result<T, String> {
        loop {
            if let Some(result) = answer.wait_for(TICK)? {
                return Ok(result);
            }
            self.draw();
        }
    }

    fn draw(&mut self) {
        if self.started.elapsed() >= SHORT {
            let bar = self.bar.get_or_insert_with(|| new_bar(self.total));
            bar.set_position(self.done.load(Ordering::Relaxed));
        }
    }
}

/// A bar on standard error; it draws nothing if that is not a terminal.
fn new_bar(total: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("calling {wide_bar} {human_pos}/{human_len} {eta}");
    ProgressBar::new(total).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_comes_after_a_second() {
        let mut progress = Progress::new(10);
        progress.done.store(4, Ordering::Relaxed);
        progress.draw();
        assert!(progress.bar.is_none());
        progress.started = progress.started.checked_sub(SHORT).unwrap();
        progress.draw();
        assert_eq!(progress.bar.unwrap().position(), 4);
    }
}

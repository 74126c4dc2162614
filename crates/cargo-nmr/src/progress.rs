//! A progress bar for runs that last longer than a second.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::job_thread::Answer;

/// How long a run may last without one.
const SHORT: Duration = Duration::from_secs(1);
/// How often it moves.
const TICK: Duration = Duration::from_millis(50);

/// Counts something, and shows the count on standard error if that is a terminal.
pub(crate) struct Progress {
    /// What is being done, in a word.
    what: &'static str,
    total: u64,
    started: Instant,
    bar: Option<ProgressBar>,
    /// How many are done.
    pub(crate) done: Arc<AtomicU64>,
}

impl Progress {
    pub(crate) fn new(what: &'static str, total: u64) -> Self {
        Self {
            what,
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
        self.finish();
        results
    }

    /// One more is done.
    pub(crate) fn step(&mut self) {
        self.done.fetch_add(1, Ordering::Relaxed);
        self.draw();
    }

    /// Nothing more is to come.
    pub(crate) fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
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
            let bar = self
                .bar
                .get_or_insert_with(|| new_bar(self.what, self.total));
            bar.set_position(self.done.load(Ordering::Relaxed));
        }
    }
}

/// A bar on standard error; it draws nothing if that is not a terminal.
fn new_bar(what: &'static str, total: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {human_pos}/{human_len} {eta}");
    ProgressBar::new(total)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_message(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_comes_after_a_second() {
        let mut progress = Progress::new("calling", 10);
        progress.done.store(4, Ordering::Relaxed);
        progress.draw();
        assert!(progress.bar.is_none());
        progress.started = progress.started.checked_sub(SHORT).unwrap();
        progress.draw();
        assert_eq!(progress.bar.unwrap().position(), 4);
    }
}

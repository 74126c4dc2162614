//! The list of reports. A finding that repeats is one report with a count, and the list has an end, so a
//! loop that breaks a rule a million times takes the memory of one report.

use nmr_machine::{Noted, Rule};

use crate::report::Report;

/// The most reports that are kept.
const MOST: usize = 1000;

/// The reports of a registrar.
#[derive(Debug, Default)]
pub(super) struct Reports {
    list: Noted<Entry>,
    /// Whether a report was added or repeated since the last announcement.
    has_news: bool,
}

/// A report, and how much of it was handed on.
#[derive(Debug)]
struct Entry {
    report: Report,
    /// The count that was announced.
    announced: u64,
    /// The count that was printed.
    printed: u64,
}

/// A report to be handed on.
pub(super) struct News {
    pub(super) report: Report,
    /// Whether it is to be printed: the first time, and each time when the count has become ten times as
    /// high.
    pub(super) prints: bool,
}

impl Reports {
    /// Adds a report, or counts it if it repeats another.
    pub(super) fn push(&mut self, report: Report) {
        self.has_news = true;
        let known = self
            .list
            .iter_mut()
            .find(|known| known.report.repeats(&report));
        if let Some(known) = known {
            known.report.count = known.report.count.saturating_add(report.count);
        } else if self.list.len() < MOST {
            self.list.push(Entry {
                report,
                announced: 0,
                printed: 0,
            });
        } else {
            self.lose(1);
        }
    }

    pub(super) fn lose(&mut self, count: u64) {
        self.list.lose(count);
    }

    /// How many were not kept, or not handed on.
    pub(super) fn lost(&self) -> u64 {
        self.list.lost()
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn get(&self, index: usize) -> Option<&Report> {
        self.list.get(index).map(|entry| &entry.report)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Report> {
        self.list.iter().map(|entry| &entry.report)
    }

    pub(super) fn into_iter(self) -> impl Iterator<Item = Report> {
        self.list.into_iter().map(|entry| entry.report)
    }

    /// Returns `true` if a report was added or repeated since the last announcement.
    pub(super) fn has_news(&self) -> bool {
        self.has_news
    }

    /// The same, and forgets it.
    pub(super) fn take_has_news(&mut self) -> bool {
        std::mem::take(&mut self.has_news)
    }

    /// Copies what is new, to be handed on without the lock, as far as there is memory. With `prints` the
    /// copies are going to be printed.
    pub(super) fn take_news(&mut self, prints: bool) -> Noted<News> {
        let mut news = Noted::default();
        for entry in self.list.iter_mut() {
            let count = entry.report.count;
            if entry.announced == count {
                continue;
            }
            entry.announced = count;
            let prints = prints && count.ilog10() >= digits(entry.printed);
            if prints {
                entry.printed = count;
            }
            news.push(News {
                report: entry.report.copy(),
                prints,
            });
        }
        self.list.lose(news.lost());
        news
    }

    /// Hands on each report that was not printed with its count, one after the other.
    pub(super) fn print_rest(&mut self, print: impl Fn(&Report)) {
        self.print_if(|_| true, print);
    }

    /// The same for those that were printed with a lower count.
    pub(super) fn print_counts(&mut self, print: impl Fn(&Report)) {
        self.print_if(|entry| entry.printed != 0, print);
    }

    fn print_if(&mut self, is_meant: impl Fn(&Entry) -> bool, print: impl Fn(&Report)) {
        for entry in self.list.iter_mut() {
            if is_meant(entry) && entry.printed != entry.report.count {
                entry.printed = entry.report.count;
                print(&entry.report);
            }
        }
    }

    /// Returns `true` if a module has a report already that explains this rule: characteristics that are shared
    /// (V-14) are the consequence of a registration that was not closed, or of characteristics that are
    /// on a stack.
    pub(super) fn explain(&self, rule: Rule, module: Option<nmr_machine::ModuleLabel>) -> bool {
        rule == Rule::V14
            && module.is_some()
            && self
                .iter()
                .any(|report| report.module == module && report.rule != rule)
    }
}

/// How many digits a number has; 0 has none.
fn digits(number: u64) -> u32 {
    number.checked_ilog10().map_or(0, |log| log + 1)
}

//! [`Findings`]: what is wrong with the characteristics of a module.

use nmr_machine::{Rule, Severity};

use crate::policy::Mode;

/// A rule that characteristics break.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Fault {
    pub(crate) rule: Rule,
    /// The severity, where it is not the rule's own.
    pub(crate) severity: Option<Severity>,
}

/// What was found in characteristics. It takes no memory: each of the rules about them is found once or
/// twice, so there are never more than [`MOST`].
#[derive(Debug)]
pub(crate) struct Findings {
    /// The first so many are faults.
    faults: [Fault; MOST],
    count: usize,
    /// Whether the registration is refused.
    rejected: bool,
}

const MOST: usize = 16;

impl Findings {
    pub(crate) fn new() -> Self {
        let (rule, severity) = (Rule::V01, None);
        Self {
            faults: [Fault { rule, severity }; MOST],
            count: 0,
            rejected: false,
        }
    }

    pub(crate) fn reject(&mut self, rule: Rule) {
        self.rejected = true;
        self.report(rule);
    }

    pub(crate) fn report(&mut self, rule: Rule) {
        self.add(rule, None);
    }

    pub(crate) fn warn(&mut self, rule: Rule) {
        self.add(rule, Some(Severity::Warning));
    }

    fn add(&mut self, rule: Rule, severity: Option<Severity>) {
        if let Some(place) = self.faults.get_mut(self.count) {
            *place = Fault { rule, severity };
            self.count += 1;
        }
    }

    /// Rejects in strict mode, reports otherwise.
    pub(crate) fn judge(&mut self, rule: Rule, mode: Mode) {
        if mode == Mode::Strict {
            self.reject(rule);
        } else {
            self.report(rule);
        }
    }

    pub(crate) fn rejected(&self) -> bool {
        self.rejected
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.faults.iter().take(self.count)
    }

    /// Judges a size that must be at least `size` and should be just that.
    pub(crate) fn size(&mut self, rule: Rule, actual: u16, size: usize) -> bool {
        if usize::from(actual) > size {
            self.warn(rule);
        } else if usize::from(actual) < size {
            self.reject(rule);
        }
        usize::from(actual) >= size
    }
}

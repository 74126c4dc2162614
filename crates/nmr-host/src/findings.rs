//! [`Findings`]: what is wrong with the characteristics of a module.

use nmr_machine::{ModuleLabel, Rule, Severity};

use crate::got::Got;
use crate::policy::Mode;

/// A rule that characteristics break.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Fault {
    pub(crate) rule: Rule,
    /// The severity, where it is not the rule's own.
    pub(crate) severity: Option<Severity>,
    /// What the module has there.
    pub(crate) got: Option<Got>,
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
    /// Whose characteristics they are, as far as they say so.
    label: Option<ModuleLabel>,
}

const MOST: usize = 16;

impl Findings {
    pub(crate) fn new() -> Self {
        let none = Fault {
            rule: Rule::V01,
            severity: None,
            got: None,
        };
        Self {
            faults: [none; MOST],
            count: 0,
            rejected: false,
            label: None,
        }
    }

    pub(crate) fn reject(&mut self, rule: Rule, got: Option<Got>) {
        self.rejected = true;
        self.report(rule, got);
    }

    pub(crate) fn report(&mut self, rule: Rule, got: Option<Got>) {
        self.add(rule, None, got);
    }

    pub(crate) fn warn(&mut self, rule: Rule, got: Got) {
        self.add(rule, Some(Severity::Warning), Some(got));
    }

    fn add(&mut self, rule: Rule, severity: Option<Severity>, got: Option<Got>) {
        if let Some(place) = self.faults.get_mut(self.count) {
            *place = Fault {
                rule,
                severity,
                got,
            };
            self.count += 1;
        }
    }

    /// Rejects in strict mode, reports otherwise.
    pub(crate) fn judge(&mut self, rule: Rule, got: Got, mode: Mode) {
        if mode == Mode::Strict {
            self.reject(rule, Some(got));
        } else {
            self.report(rule, Some(got));
        }
    }

    /// Whose characteristics they are, as far as they say so.
    pub(crate) fn label(&self) -> Option<ModuleLabel> {
        self.label
    }

    pub(crate) fn set_label(&mut self, label: ModuleLabel) {
        self.label = Some(label);
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
    pub(crate) fn size(
        &mut self,
        rule: Rule,
        field: &'static str,
        actual: u16,
        size: usize,
    ) -> bool {
        let got = Got::Field(field, actual.into());
        if usize::from(actual) > size {
            self.warn(rule, got);
        } else if usize::from(actual) < size {
            self.reject(rule, Some(got));
        }
        usize::from(actual) >= size
    }
}

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

/// What was found in characteristics. The first fault takes no memory; without memory, others are left
/// out.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    first: Option<Fault>,
    others: Vec<Fault>,
    /// Whether the registration is refused.
    rejected: bool,
    /// Whose characteristics they are, as far as they say so, if the registration is refused.
    label: Option<ModuleLabel>,
}

impl Findings {
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

    #[cold]
    fn add(&mut self, rule: Rule, severity: Option<Severity>, got: Option<Got>) {
        let fault = Fault {
            rule,
            severity,
            got,
        };
        if self.first.is_none() {
            self.first = Some(fault);
        } else if self.others.try_reserve(1).is_ok() {
            self.others.push(fault);
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

    /// Whose characteristics they are, as far as they say so, if the registration is refused.
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
        self.first.is_none()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Fault> {
        self.first.iter().chain(&self.others)
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

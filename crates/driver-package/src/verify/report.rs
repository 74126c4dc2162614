//! The report on a package.

use crate::certificate::Certificate;

/// How a check ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It holds.
    Good,
    /// Something to know.
    Note,
    /// Windows takes it, and something does not work as it should.
    Warning,
    /// Windows refuses it.
    Refused,
}

/// A check.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// How it ended.
    pub outcome: Outcome,
    /// What was found. Texts from files are as they are there, with control characters.
    pub text: String,
}

/// The checks of a package, in their order.
#[derive(Clone, Debug)]
pub struct Report {
    /// The name of the INF.
    pub inf: String,
    /// The checks.
    pub lines: Vec<Line>,
    /// The certificate that has to be trusted, and the name of its file, if there is one.
    pub trust: Option<(Certificate, Option<String>)>,
}

impl Report {
    pub(super) fn new(inf: &str) -> Self {
        Self {
            inf: inf.to_owned(),
            lines: Vec::new(),
            trust: None,
        }
    }

    /// Returns `true` if Windows with test signing would take the package, as far as its files show.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.refusals().next().is_none()
    }

    /// Why Windows would refuse it.
    pub fn refusals(&self) -> impl Iterator<Item = &str> {
        let refused = self
            .lines
            .iter()
            .filter(|line| line.outcome == Outcome::Refused);
        refused.map(|line| line.text.as_str())
    }

    pub(super) fn add(&mut self, outcome: Outcome, text: String) {
        self.lines.push(Line { outcome, text });
    }

    pub(super) fn good(&mut self, text: String) {
        self.add(Outcome::Good, text);
    }

    pub(super) fn note(&mut self, text: String) {
        self.add(Outcome::Note, text);
    }

    pub(super) fn warning(&mut self, text: String) {
        self.add(Outcome::Warning, text);
    }

    pub(super) fn refused(&mut self, text: String) {
        self.add(Outcome::Refused, text);
    }
}

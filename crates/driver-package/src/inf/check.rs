//! The check of an INF or INX file against the rules that are known.

use std::fmt;

use super::Inf;
use super::rules::RULES;
use super::survey::Survey;
use crate::image::Arch;

/// The most findings of one rule, so that a hostile file has no endless report.
const MOST: usize = 20;

/// How bad a finding is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// Advice, which drivers that ship do not all follow.
    Note,
    /// `InfVerif /w` refuses it, or Windows does something else than the line says.
    Warning,
    /// Windows, `stampinf` or `inf2cat` refuses it, or the driver is not loaded.
    Error,
}

/// A rule of Windows or of its tools.
pub struct Rule {
    /// The name.
    pub name: &'static str,
    /// Why it is one.
    pub reason: &'static str,
    pub(super) check: fn(&Survey<'_>, &mut Report<'_>),
}

/// A place that breaks a rule.
#[derive(Clone)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// How bad it is.
    pub severity: Severity,
    /// The number of the line, from 1, or 0 if it is about the whole file.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

/// What a file has to agree with, as far as it is known.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// The name of the package: of the file, of its catalog and of its image.
    pub package: Option<String>,
    /// The version of KMDF that the driver is built for.
    pub kmdf: Option<(u32, u32)>,
    /// The hardware id that devices are made with.
    pub hardware_id: Option<String>,
    /// The name of the service.
    pub service: Option<String>,
    /// The security descriptor of the device.
    pub security: Option<String>,
    /// The processor of the image.
    pub arch: Option<Arch>,
    /// The file belongs to a package: whatever has to be stamped has been.
    pub packaged: bool,
    /// Today, as year, month and day.
    pub today: Option<(u16, u8, u8)>,
}

/// Collects the findings of one rule.
pub(super) struct Report<'a> {
    rule: &'static Rule,
    findings: &'a mut Vec<Finding>,
    count: usize,
}

/// All rules.
#[must_use]
pub fn rules() -> &'static [Rule] {
    RULES
}

/// Checks a file with a name, whose ending says whether it is stamped: `.inx` is not. The findings
/// are in the order of their lines.
#[must_use]
pub fn check(name: &str, inf: &Inf, expected: &Expected) -> Vec<Finding> {
    let survey = Survey::new(name, inf, expected);
    let mut findings = Vec::new();
    for rule in RULES {
        let count = 0;
        let findings = &mut findings;
        (rule.check)(
            &survey,
            &mut Report {
                rule,
                findings,
                count,
            },
        );
    }
    findings.sort_by_key(|finding| finding.line);
    findings
}

impl Report<'_> {
    pub(super) fn error(&mut self, line: usize, what: impl Into<String>) {
        self.add(Severity::Error, line, what);
    }

    pub(super) fn warning(&mut self, line: usize, what: impl Into<String>) {
        self.add(Severity::Warning, line, what);
    }

    pub(super) fn note(&mut self, line: usize, what: impl Into<String>) {
        self.add(Severity::Note, line, what);
    }

    fn add(&mut self, severity: Severity, line: usize, what: impl Into<String>) {
        self.count += 1;
        if self.count <= MOST {
            let (rule, what) = (self.rule, what.into());
            self.findings.push(Finding {
                rule,
                severity,
                line,
                what,
            });
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

impl Finding {
    /// The line, what is wrong, why, and the rule, without the severity.
    #[must_use]
    pub fn text(&self) -> String {
        let Self {
            rule, line, what, ..
        } = self;
        let place = if *line > 0 {
            format!("line {line}: ")
        } else {
            String::new()
        };
        format!("{place}{what}: {} [{}]", rule.reason, rule.name)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.severity, self.text())
    }
}

impl fmt::Debug for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

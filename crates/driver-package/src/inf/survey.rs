//! A survey of an INF file for the rules: its models, its devices and their sections.

use std::collections::HashSet;

use super::check::Expected;
use super::{Inf, Line, MAX_NAMES, stamp};

/// The endings of an install section that Windows looks for, the most specific one first.
const DECORATIONS: [&str; 7] = [
    ".NT$ARCH$",
    ".NTamd64",
    ".NTarm64",
    ".NTx86",
    ".NTarm",
    ".NT",
    "",
];

/// The most lists of models that are looked at.
const MAX_MODELS: usize = 1000;

pub(super) struct Survey<'a> {
    pub(super) inf: &'a Inf,
    pub(super) expected: &'a Expected,
    /// The name of the file.
    pub(super) file: &'a str,
    /// The file is an INF: neither an INX nor an INF with macros, which some projects stamp in place.
    pub(super) stamped: bool,
    pub(super) models: Vec<Models<'a>>,
    pub(super) devices: Vec<Device<'a>>,
    /// The install sections of all devices, each once.
    pub(super) installs: Vec<String>,
    /// The driver is for KMDF.
    pub(super) is_kmdf: bool,
}

/// A list of models, as `[Manufacturer]` names it.
pub(super) struct Models<'a> {
    pub(super) line: &'a Line,
    pub(super) name: &'a str,
    /// `NTamd64.10.0...19041`, empty for none.
    pub(super) decoration: &'a str,
}

/// A line of a list of models.
pub(super) struct Device<'a> {
    pub(super) line: &'a Line,
    /// The name of the install section without its decoration.
    pub(super) install: &'a str,
    /// Its sections that exist, with their decoration.
    pub(super) sections: Vec<String>,
}

impl Models<'_> {
    pub(super) fn section(&self) -> String {
        match self.decoration {
            "" => self.name.to_owned(),
            decoration => format!("{}.{decoration}", self.name),
        }
    }

    /// The build of Windows that it asks for: the sixth part of `NT…major.minor.type.suite.build`.
    pub(super) fn build(&self) -> Option<u32> {
        self.decoration.split('.').nth(5)?.parse().ok()
    }
}

impl Device<'_> {
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        self.line
            .values
            .iter()
            .skip(1)
            .map(String::as_str)
            .filter(|id| !id.is_empty())
    }
}

impl<'a> Survey<'a> {
    pub(super) fn new(file: &'a str, inf: &'a Inf, expected: &'a Expected) -> Self {
        let is_inx = file
            .rsplit('.')
            .next()
            .is_some_and(|end| end.eq_ignore_ascii_case("inx"));
        let has_macros = stamp::macros(inf.text.as_str()).next().is_some();
        let mut survey = Self {
            inf,
            expected,
            file,
            stamped: expected.packaged || !(is_inx || has_macros),
            models: Vec::new(),
            devices: Vec::new(),
            installs: Vec::new(),
            is_kmdf: false,
        };
        survey.find_models();
        survey.find_devices();
        survey.find_installs();
        survey
    }

    fn find_models(&mut self) {
        let mut seen = HashSet::new();
        for line in self.inf.lines("Manufacturer") {
            let Some((name, decorations)) = line.values.split_first() else {
                continue;
            };
            let plain = decorations.is_empty().then_some("");
            for decoration in decorations.iter().map(String::as_str).chain(plain) {
                if self.models.len() == MAX_MODELS {
                    return;
                }
                let models = Models {
                    line,
                    name,
                    decoration,
                };
                if seen.insert(models.section().to_lowercase()) {
                    self.models.push(models);
                }
            }
        }
    }

    fn find_devices(&mut self) {
        for models in &self.models {
            for line in self.inf.lines(&models.section()) {
                let install = line.value(0);
                let decorated = DECORATIONS
                    .iter()
                    .map(|ending| format!("{install}{ending}"));
                let sections = decorated.filter(|section| self.inf.has(section)).collect();
                self.devices.push(Device {
                    line,
                    install,
                    sections,
                });
            }
        }
    }

    fn find_installs(&mut self) {
        let sections = self.devices.iter().flat_map(|device| &device.sections);
        self.installs = sections.cloned().collect();
        self.installs.sort_unstable();
        self.installs.dedup();
        let installs = self.installs.iter();
        let mut wdf =
            installs.map(|install| self.inf.line(&format!("{install}.Wdf"), "KmdfService"));
        self.is_kmdf = wdf.any(|line| line.is_some());
    }

    /// The `AddService` lines of all devices, with their values expanded.
    pub(super) fn services(&self) -> Vec<(&'a Line, Vec<String>)> {
        let mut all = Vec::new();
        for install in &self.installs {
            for line in self.inf.lines(&format!("{install}.Services")) {
                if line.has_key("AddService") && all.len() < MAX_NAMES {
                    let values = line
                        .values
                        .iter()
                        .take(3)
                        .map(|value| self.inf.expand(value));
                    all.push((line, values.collect()));
                }
            }
        }
        all
    }

    /// The sections of services, each once, as the third value of `AddService` names them.
    pub(super) fn service_sections(&self) -> Vec<String> {
        let sections = self
            .services()
            .into_iter()
            .filter_map(|(_, values)| values.into_iter().nth(2));
        let mut all: Vec<String> = sections.map(|name| name.to_lowercase()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// The sections that the lines with a key in sections name, each once: `CopyFiles = A, B`.
    pub(super) fn named_by(&self, sections: &[String], key: &str) -> Vec<(&'a Line, &'a str)> {
        let lines = sections.iter().flat_map(|section| self.inf.lines(section));
        let lines = lines.filter(|line| line.has_key(key));
        lines
            .flat_map(|line| line.values.iter().map(move |name| (line, name.as_str())))
            .collect()
    }

    /// The files that are copied, with the section that lists them, empty for `CopyFiles = @file`.
    pub(super) fn copied(&self) -> Vec<(&'a Line, &'a str, &'a str)> {
        let (mut files, mut seen) = (Vec::new(), HashSet::new());
        for (line, name) in self.named_by(&self.installs, "CopyFiles") {
            if !seen.insert(name.to_lowercase()) {
                continue;
            }
            if let Some(file) = name.strip_prefix('@') {
                files.push((line, "", file));
            } else {
                let listed = self.inf.lines(name);
                files.extend(listed.map(|line| (line, name, line.value(0))));
            }
        }
        files
    }

    /// The directory that the files of a section are copied to: `13`, or `12,sub`.
    pub(super) fn destination(&self, section: &str) -> Option<&'a Line> {
        let own = (!section.is_empty()).then(|| self.inf.line("DestinationDirs", section));
        own.flatten()
            .or_else(|| self.inf.line("DestinationDirs", "DefaultDestDir"))
    }

    /// The values of a line of `[Version]`.
    pub(super) fn version(&self, key: &str) -> Option<(&'a Line, String)> {
        let line = self.inf.line("Version", key)?;
        Some((line, self.inf.expand(line.value(0))))
    }
}

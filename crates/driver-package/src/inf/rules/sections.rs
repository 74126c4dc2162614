//! Rules about strings, sections and words.

use std::collections::{HashMap, HashSet};

use crate::inf::check::Report;
use crate::inf::survey::Survey;
use crate::inf::{Line, stamp};

/// Sections that Windows reads without a reference to their name, up to the first dot.
const KNOWN: [&str; 14] = [
    "version",
    "destinationdirs",
    "sourcedisksnames",
    "sourcedisksfiles",
    "manufacturer",
    "strings",
    "classinstall32",
    "interfaceinstall32",
    "defaultinstall",
    "defaultuninstall",
    "controlflags",
    "signatureattributes",
    "layoutfile",
    "autorun",
];
/// The words of directives that delete.
const DELETING: [&str; 4] = ["delfiles", "delservice", "delreg", "renfiles"];

fn lines<'a>(survey: &Survey<'a>) -> impl Iterator<Item = &'a Line> {
    survey
        .inf
        .sections()
        .iter()
        .flat_map(|section| &section.lines)
}

/// The names between percent signs of a value, without the numbers of directories.
fn tokens(value: &str) -> impl Iterator<Item = &str> {
    let count = value.matches('%').count() / 2;
    let between = value.split('%').skip(1).step_by(2).take(count);
    between.filter(|name| !name.is_empty() && name.parse::<u32>().is_err())
}

/// Keys and values of a line.
fn texts(line: &Line) -> impl Iterator<Item = &str> {
    line.key.iter().chain(&line.values).map(String::as_str)
}

pub(super) fn co_installers(survey: &Survey<'_>, report: &mut Report<'_>) {
    let mut found = Vec::new();
    for section in survey.inf.sections() {
        if section.name.to_lowercase().contains("coinstaller") {
            found.push(section.number);
        }
        let uses =
            |line: &&Line| texts(line).any(|text| text.to_lowercase().contains("coinstaller"));
        found.extend(section.lines.iter().filter(uses).map(|line| line.number));
    }
    found.sort_unstable();
    if let Some(first) = found.first() {
        report.warning(*first, "the line is about a co-installer");
    }
}

pub(super) fn strings_defined(survey: &Survey<'_>, report: &mut Report<'_>) {
    let mut seen = HashSet::new();
    for line in lines(survey) {
        for token in texts(line).flat_map(tokens) {
            let is_name = token
                .chars()
                .all(|character| !character.is_whitespace() && character != '\\');
            if is_name && survey.inf.string(token).is_none() && seen.insert(token.to_lowercase()) {
                report.error(line.number, format!("[Strings] has no {token}"));
            }
        }
    }
}

pub(super) fn strings_used(survey: &Survey<'_>, report: &mut Report<'_>) {
    let in_lines = lines(survey).flat_map(|line| texts(line).flat_map(tokens));
    let in_names = survey
        .inf
        .sections()
        .iter()
        .flat_map(|section| tokens(&section.name));
    let used: HashSet<String> = in_lines.chain(in_names).map(str::to_lowercase).collect();
    let unused = survey
        .inf
        .string_names()
        .filter(|name| !used.contains(*name));
    let number = |name| {
        survey
            .inf
            .line("Strings", name)
            .map_or(0, |line| line.number)
    };
    let mut unused: Vec<_> = unused.map(|name| (number(name), name)).collect();
    unused.sort_unstable();
    for (number, name) in unused {
        report.note(number, format!("no line uses the string {name}"));
    }
}

/// A section belongs to another if that names it, up to the first dot.
pub(super) fn sections_used(survey: &Survey<'_>, report: &mut Report<'_>) {
    let values = lines(survey).flat_map(|line| &line.values);
    // A value that is one token is the string itself; others with tokens name no section.
    let named = values.map(|value| {
        let token = value
            .strip_prefix('%')
            .and_then(|value| value.strip_suffix('%'));
        token
            .and_then(|token| survey.inf.string(token))
            .unwrap_or(value)
    });
    let used: HashSet<String> = named.map(str::to_lowercase).collect();
    for section in survey.inf.sections() {
        let name = section.name.to_lowercase();
        let stem = name.split('.').next().unwrap_or_default();
        if !KNOWN.contains(&stem) && !used.contains(&name) && !is_part_of_used(&name, &used) {
            report.note(section.number, format!("no line names [{}]", section.name));
        }
    }
}

/// `A.B.NT.Services` belongs to `A.B`.
fn is_part_of_used(name: &str, used: &HashSet<String>) -> bool {
    name.match_indices('.')
        .take(8)
        .any(|(at, _)| used.contains(&name[..at]))
}

pub(super) fn sections_twice(survey: &Survey<'_>, report: &mut Report<'_>) {
    let mut first: HashMap<String, usize> = HashMap::new();
    for section in survey.inf.sections() {
        let (name, number) = (&section.name, section.number);
        if let Some(first) = first.get(&name.to_lowercase()) {
            report.warning(number, format!("[{name}] is in line {first} already"));
        } else {
            first.insert(name.to_lowercase(), number);
        }
    }
}

pub(super) fn registry_root(survey: &Survey<'_>, report: &mut Report<'_>) {
    for line in lines(survey) {
        let root = line.value(0).to_uppercase();
        if line.key.is_none() && ["HKLM", "HKCR", "HKCU", "HKU"].contains(&root.as_str()) {
            report.warning(line.number, format!("the line is about {root}"));
        }
    }
}

pub(super) fn to_do(survey: &Survey<'_>, report: &mut Report<'_>) {
    let mut lines = survey.inf.text.as_str().lines();
    if let Some(at) = lines.position(|line| line.to_uppercase().contains("TODO")) {
        report.note(at + 1, "the line says TODO");
    }
}

pub(super) fn macros(survey: &Survey<'_>, report: &mut Report<'_>) {
    let umdf = lines(survey).any(|line| line.has_key("UmdfLibraryVersion"));
    let known = |name: &str| {
        let always = [
            "ARCH",
            "KMDFVERSION",
            "KMDFCOINSTALLERVERSION",
            "UMDFCOINSTALLERVERSION",
        ];
        always.contains(&name) || (name == "UMDFVERSION" && umdf)
    };
    for (number, name) in stamp::macros(survey.inf.text.as_str()) {
        if survey.expected.packaged {
            report.error(number, format!("${name}$ is not filled in"));
        } else if !known(name) {
            report.error(
                number,
                format!("${name}$ is no macro that is filled in here"),
            );
        }
    }
}

pub(super) fn nothing_deleted(survey: &Survey<'_>, report: &mut Report<'_>) {
    let is_device = survey.inf.has("Manufacturer");
    for section in survey.inf.sections() {
        let is_default = section.name.to_lowercase().starts_with("defaultinstall");
        if is_default && is_device {
            let what = format!("[{}] installs without a device", section.name);
            report.warning(section.number, what);
        }
        for line in &section.lines {
            let key = line.key.as_deref().unwrap_or_default().to_lowercase();
            if DELETING.contains(&key.as_str()) {
                report.note(line.number, format!("{key} deletes or renames"));
            }
        }
    }
}

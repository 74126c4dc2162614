//! Rules about services and the framework.

use std::collections::{HashMap, HashSet};

use crate::inf::check::Report;
use crate::inf::survey::{Device, Survey};

/// `SPSVCINST_ASSOCSERVICE`.
const ASSOCIATED: u32 = 2;
/// `SERVICE_WIN32`: services that are programs.
const USER_MODE: u32 = 0x30;
/// What a framework keeps of a service's name, in characters.
const NAME_KEPT: usize = 31;
/// Services of Microsoft's samples.
const SAMPLES: [&str; 6] = [
    "echo",
    "statbus",
    "toaster",
    "nonpnp",
    "kmdfsamples",
    "sioctl",
];

/// The path of a service's image: its directory, `13`, and its name.
fn split_binary(path: &str) -> Option<(&str, &str)> {
    let (directory, rest) = path.strip_prefix('%')?.split_once('%')?;
    Some((directory, rest.rsplit('\\').next().unwrap_or(rest)))
}

pub(super) fn image_copied(survey: &Survey<'_>, report: &mut Report<'_>) {
    let copied = survey.copied().into_iter();
    let copied: HashSet<String> = copied
        .map(|(_, _, name)| survey.inf.expand(name).to_lowercase())
        .collect();
    for section in survey.service_sections() {
        let Some(line) = survey.inf.line(&section, "ServiceBinary") else {
            continue;
        };
        let binary = survey.inf.expand(line.value(0));
        let file = binary.rsplit('\\').next().unwrap_or_default();
        let is_copied = copied.contains(&file.to_lowercase());
        // UMDF's own driver comes with Windows.
        if !is_copied && !copied.is_empty() && !file.eq_ignore_ascii_case("WUDFRd.sys") {
            report.warning(line.number, format!("no CopyFiles copies {file}"));
        }
        let package = survey.expected.package.as_ref().filter(|_| is_copied);
        if let Some(package) =
            package.filter(|package| !file.eq_ignore_ascii_case(&format!("{package}.sys")))
        {
            report.error(
                line.number,
                format!("the image is {file}, not {package}.sys"),
            );
        }
    }
}

pub(super) fn values(survey: &Survey<'_>, report: &mut Report<'_>) {
    let ids = || survey.devices.iter().flat_map(Device::ids);
    let is_root = |id: &str| id.to_lowercase().starts_with(r"root\");
    let without_hardware = ids().next().is_some() && ids().all(is_root);
    for section in survey.service_sections() {
        if section.is_empty() {
            continue;
        }
        if !survey.inf.has(&section) {
            report.error(
                0,
                format!("AddService names [{section}], which is not there"),
            );
            continue;
        }
        for (key, most) in [
            ("ServiceType", 0x1FF),
            ("StartType", 4),
            ("ErrorControl", 3),
        ] {
            let Some((line, value)) = service_value(survey, &section, key, most, report) else {
                continue;
            };
            match key {
                "ServiceType" if survey.is_kmdf && value != 1 && value & USER_MODE == 0 => {
                    report.error(line, format!("{key} is {value}, not 1, for KMDF"));
                }
                "StartType" if without_hardware && value < 3 => {
                    report.note(
                        line,
                        format!("{key} is {value}, not 3, for a device without hardware"),
                    );
                }
                "ErrorControl" if without_hardware && value > 1 => {
                    report.note(
                        line,
                        format!("{key} is {value}, not 1, for a device without hardware"),
                    );
                }
                _ => {}
            }
        }
    }
}

/// A number of a service, up to a greatest one, and its line. Reports if there is none.
fn service_value(
    survey: &Survey<'_>,
    section: &str,
    key: &str,
    most: u32,
    report: &mut Report<'_>,
) -> Option<(usize, u32)> {
    let Some(line) = survey.inf.line(section, key) else {
        report.error(
            survey.inf.number(section),
            format!("[{section}] has no {key}"),
        );
        return None;
    };
    let value = survey.inf.expand(line.value(0));
    let number = parse_number(&value).filter(|number| *number <= most);
    if number.is_none() {
        report.error(line.number, format!("{key} is \"{value}\""));
    }
    Some((line.number, number?))
}

/// A number in decimal or hexadecimal.
fn parse_number(text: &str) -> Option<u32> {
    let lower = text.trim().to_lowercase();
    match lower.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => lower.parse().ok(),
    }
}

pub(super) fn binary(survey: &Survey<'_>, report: &mut Report<'_>) {
    let mut targets: HashMap<String, Vec<&str>> = HashMap::new();
    for (_, section, name) in survey.copied() {
        let directory = survey.destination(section).map(|line| line.value(0));
        targets
            .entry(name.to_lowercase())
            .or_default()
            .extend(directory);
    }
    for section in survey.service_sections() {
        let Some(line) = survey.inf.line(&section, "ServiceBinary") else {
            continue;
        };
        let Some((directory, file)) = split_binary(line.value(0)) else {
            continue;
        };
        let targets = targets
            .get(&file.to_lowercase())
            .map_or(&[][..], Vec::as_slice);
        let is_elsewhere = targets
            .iter()
            .all(|target| survey.inf.expand(target) != directory);
        if let Some(target) = targets.first().filter(|_| is_elsewhere) {
            let what =
                format!("{file} is copied to directory {target} and started from {directory}");
            report.error(line.number, what);
        }
    }
}

pub(super) fn one_service(survey: &Survey<'_>, report: &mut Report<'_>) {
    for install in &survey.installs {
        let section = format!("{install}.Services");
        let lines = survey
            .inf
            .lines(&section)
            .filter(|line| line.has_key("AddService"));
        let associated = |flags: &str| {
            let flags = survey.inf.expand(flags);
            // Without the string that gives it a value, the name says it.
            parse_number(&flags).map_or(flags.to_lowercase().contains("assocservice"), |flags| {
                flags & ASSOCIATED != 0
            })
        };
        let count = lines.filter(|line| associated(line.value(1))).count();
        let number = survey.inf.number(&section);
        if count > 1 {
            report.error(
                number,
                format!("[{section}] has {count} associated services"),
            );
        } else if count == 0 && number > 0 && !may_have_none(survey, install) {
            report.warning(number, format!("[{section}] has no associated service"));
        }
    }
}

/// Filters, network protocols and extensions belong to a service of another package.
fn may_have_none(survey: &Survey<'_>, install: &str) -> bool {
    let section = format!("{install}.Services");
    let elsewhere = ["Include", "Needs"].iter().any(|key| {
        survey.inf.line(install, key).is_some() || survey.inf.line(&section, key).is_some()
    });
    let class = survey
        .version("Class")
        .map_or_else(String::new, |(_, class)| class.to_lowercase());
    elsewhere || class.starts_with("net") || class == "extension" || !survey.is_kmdf
}

pub(super) fn name(survey: &Survey<'_>, report: &mut Report<'_>) {
    for (line, values) in survey.services() {
        let name = values.first().map_or("", String::as_str);
        if name.chars().count() > NAME_KEPT && survey.is_kmdf {
            report.warning(
                line.number,
                format!("the service's name {name} is too long"),
            );
        }
        if SAMPLES.contains(&name.to_lowercase().as_str()) {
            report.warning(
                line.number,
                format!("the service has the name of a sample, {name}"),
            );
        } else if let Some(wanted) = &survey.expected.service
            && !name.is_empty()
            && !wanted.eq_ignore_ascii_case(name)
        {
            report.error(line.number, format!("the service is {name}, not {wanted}"));
        }
    }
}

pub(super) fn kmdf_service(survey: &Survey<'_>, report: &mut Report<'_>) {
    for install in &survey.installs {
        let Some(line) = survey.inf.line(&format!("{install}.Wdf"), "KmdfService") else {
            continue;
        };
        let told = survey.inf.expand(line.value(0));
        let services = survey.inf.lines(&format!("{install}.Services"));
        let mut names = services
            .filter(|line| line.has_key("AddService"))
            .map(|line| survey.inf.expand(line.value(0)))
            .peekable();
        if names.peek().is_some() && !names.any(|name| name.eq_ignore_ascii_case(&told)) {
            report.error(
                line.number,
                format!("KmdfService is {told}, which no AddService adds"),
            );
        }
    }
}

pub(super) fn kmdf_version(survey: &Survey<'_>, report: &mut Report<'_>) {
    for install in &survey.installs {
        let Some(line) = survey.inf.line(&format!("{install}.Wdf"), "KmdfService") else {
            continue;
        };
        let section = line.value(1);
        let Some(line) = survey.inf.line(section, "KmdfLibraryVersion") else {
            report.error(
                line.number,
                format!("[{section}] has no KmdfLibraryVersion"),
            );
            continue;
        };
        let version = survey.inf.expand(line.value(0));
        let is_macro = version == "$KMDFVERSION$" && !survey.stamped;
        let parts: Vec<_> = version.split('.').map(str::parse::<u32>).collect();
        let own = match &parts[..] {
            [Ok(major), Ok(minor)] => Some((*major, *minor)),
            _ => None,
        };
        if own.is_none() && !is_macro {
            report.error(line.number, format!("KmdfLibraryVersion is \"{version}\""));
        } else if own.is_some() && survey.expected.kmdf.is_some() && own != survey.expected.kmdf {
            let (major, minor) = survey.expected.kmdf.unwrap_or_default();
            let what = format!("KmdfLibraryVersion is {version}, not {major}.{minor}");
            report.error(line.number, what);
        }
    }
}

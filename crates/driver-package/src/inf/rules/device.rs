//! Rules about models, devices and the files that are copied for them.

use std::collections::HashSet;

use crate::inf::Line;
use crate::inf::check::Report;
use crate::inf::survey::Survey;

/// The first builds of Windows 10 and later that have a version of KMDF.
const FRAMEWORKS: [(u32, u32); 10] = [
    (15, 10240),
    (17, 10586),
    (19, 14393),
    (21, 15063),
    (23, 16299),
    (25, 17134),
    (27, 17763),
    (29, 18362),
    (31, 19041),
    (33, 20348),
];
/// `FILE_DEVICE_SECURE_OPEN`.
const SECURE_OPEN: u32 = 0x100;

pub(super) fn driver_store(survey: &Survey<'_>, report: &mut Report<'_>) {
    for line in survey.inf.lines("DestinationDirs") {
        let key = line.key.as_deref().unwrap_or_default();
        if line.value(0) != "13" {
            let what = format!("{key} is directory {}, not 13", line.value(0));
            report.warning(line.number, what);
        }
    }
    let copied = survey.copied();
    if let Some((line, section, _)) = copied
        .iter()
        .find(|(_, section, _)| survey.destination(section).is_none())
    {
        let list = if section.is_empty() {
            "CopyFiles"
        } else {
            section
        };
        report.error(
            line.number,
            format!("[DestinationDirs] has no directory for {list}"),
        );
    }
}

pub(super) fn models(survey: &Survey<'_>, report: &mut Report<'_>) {
    if !survey.inf.has("Manufacturer") {
        let has_default = survey.inf.sections().iter().any(|section| {
            let name = section.name.to_lowercase();
            name.starts_with("defaultinstall") || name.starts_with("classinstall32")
        });
        if !has_default {
            report.error(0, "there is no [Manufacturer]");
        }
        return;
    }
    for models in &survey.models {
        let (number, section) = (models.line.number, models.section());
        if !survey.inf.has(&section) {
            report.error(number, format!("there is no [{section}]"));
        } else if models.decoration.is_empty() {
            report.warning(
                number,
                format!("[{section}] without NTamd64 or NTarm64 is for x86 only"),
            );
        }
    }
    let Some(arch) = survey.expected.arch.filter(|_| survey.stamped) else {
        return;
    };
    let wanted = format!("nt{}", arch.inf_name());
    let is_for = |decoration: &str| {
        let name = decoration
            .split('.')
            .next()
            .unwrap_or_default()
            .to_lowercase();
        name == wanted || name == "nt"
    };
    if !survey.models.iter().any(|models| is_for(models.decoration)) {
        let what = format!("no models are for {wanted}, the processor of the image");
        report.error(survey.inf.number("Manufacturer"), what);
    }
}

pub(super) fn models_build(survey: &Survey<'_>, report: &mut Report<'_>) {
    let kmdf = survey.expected.kmdf.or_else(|| own_kmdf(survey));
    let Some((1, minor)) = kmdf else { return };
    let Some((_, first)) = FRAMEWORKS.iter().find(|(known, _)| *known >= minor) else {
        return;
    };
    for models in &survey.models {
        let (number, decoration) = (models.line.number, models.decoration);
        match models.build() {
            Some(build) if build < *first => report.error(
                number,
                format!(
                    "{decoration} installs on build {build}, and KMDF 1.{minor} begins with {first}"
                ),
            ),
            None if survey.expected.kmdf.is_some() => report.warning(
                number,
                format!(
                    "{decoration} installs on every build, and KMDF 1.{minor} begins with {first}"
                ),
            ),
            _ => {}
        }
        if survey.expected.kmdf.is_some() && !survey.stamped && !decoration.contains("$ARCH$") {
            report.error(
                number,
                format!("{decoration} is for one processor: write NT$ARCH$"),
            );
        }
    }
}

/// The version of KMDF that the file itself has.
fn own_kmdf(survey: &Survey<'_>) -> Option<(u32, u32)> {
    let all = survey
        .inf
        .sections()
        .iter()
        .flat_map(|section| &section.lines);
    let line = all
        .into_iter()
        .find(|line| line.has_key("KmdfLibraryVersion"))?;
    let (major, minor) = line.value(0).split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

pub(super) fn hardware_id(survey: &Survey<'_>, report: &mut Report<'_>) {
    for device in &survey.devices {
        let number = device.line.number;
        if device.install.is_empty() {
            report.error(number, "the device has no install section");
        } else if device.ids().next().is_none() {
            report.error(number, "the device has no hardware id");
        }
        if let Some(wanted) = &survey.expected.hardware_id
            && !device.ids().any(|id| id.eq_ignore_ascii_case(wanted))
        {
            report.error(
                number,
                format!("the device has not the hardware id {wanted}"),
            );
        }
    }
}

pub(super) fn device_sections(survey: &Survey<'_>, report: &mut Report<'_>) {
    for device in &survey.devices {
        let (number, install) = (device.line.number, device.install);
        if install.is_empty() || install.eq_ignore_ascii_case("NULL") {
            continue;
        }
        if device.sections.is_empty() {
            report.error(number, format!("there is no [{install}] or [{install}.NT]"));
        }
        let plain = device.sections.iter().any(|section| section == install);
        for suffix in ["Services", "Wdf", "HW", "CoInstallers", "Interfaces"] {
            let section = format!("{install}.{suffix}");
            if !plain && !device.sections.is_empty() && survey.inf.has(&section) {
                let what = format!(
                    "[{section}] is not read: Windows chooses [{}]",
                    device.sections[0]
                );
                report.error(survey.inf.number(&section), what);
            }
        }
    }
}

pub(super) fn source_disks(survey: &Survey<'_>, report: &mut Report<'_>) {
    let keyed = |name| {
        let sections = survey.inf.sections().iter();
        let sections = sections.filter(move |section| is_named(&section.name, name));
        sections
            .flat_map(|section| &section.lines)
            .filter_map(|line| Some((line.key.as_ref()?.to_lowercase(), line)))
    };
    let disks: HashSet<String> = keyed("SourceDisksNames").map(|(disk, _)| disk).collect();
    for (_, line) in keyed("SourceDisksFiles") {
        let disk = line.value(0);
        if !disks.contains(&disk.to_lowercase()) {
            report.error(
                line.number,
                format!("[SourceDisksNames] has no disk {disk}"),
            );
        }
    }
    // A file that includes others copies from theirs.
    let mut installs = survey.installs.iter();
    if installs.any(|install| survey.inf.line(install, "Include").is_some()) {
        return;
    }
    let known: HashSet<String> = keyed("SourceDisksFiles").map(|(file, _)| file).collect();
    for (line, section, file) in survey.copied() {
        // `target,source`: the second is the name on the disk.
        let own = Some(line.value(1)).filter(|own| !section.is_empty() && !own.is_empty());
        let source = survey.inf.expand(own.unwrap_or(file));
        if !source.is_empty() && !known.contains(&source.to_lowercase()) {
            report.error(line.number, format!("[SourceDisksFiles] has no {source}"));
        }
    }
}

/// Returns `true` for a section and for its versions for one processor.
fn is_named(section: &str, name: &str) -> bool {
    section
        .split('.')
        .next()
        .is_some_and(|own| own.eq_ignore_ascii_case(name))
}

/// The lines `HKR,,NAME,…` of the devices' registry keys.
fn registry<'a>(survey: &Survey<'a>, name: &str) -> Vec<&'a Line> {
    let hardware = survey
        .installs
        .iter()
        .map(|install| format!("{install}.HW"));
    let hardware: Vec<String> = hardware.collect();
    let named = survey.named_by(&hardware, "AddReg").into_iter();
    let mut sections: Vec<String> = named.map(|(_, section)| section.to_lowercase()).collect();
    sections.sort_unstable();
    sections.dedup();
    let lines = sections
        .iter()
        .flat_map(|section| survey.inf.lines(section));
    let is_own = |line: &&Line| {
        let root = line.value(0).eq_ignore_ascii_case("HKR") && line.value(1).is_empty();
        root && line.value(2).eq_ignore_ascii_case(name)
    };
    lines.filter(is_own).collect()
}

pub(super) fn security(survey: &Survey<'_>, report: &mut Report<'_>) {
    let lines = registry(survey, "Security");
    for line in &lines {
        let descriptor = survey.inf.expand(line.value(4));
        let compact: String = descriptor.to_uppercase().split_whitespace().collect();
        if compact.contains("(A;;GA;;;WD)") {
            report.warning(line.number, "everyone has all rights to the device");
        } else if let Some(wanted) = survey
            .expected
            .security
            .as_ref()
            .filter(|wanted| **wanted != descriptor)
        {
            report.error(
                line.number,
                format!("the descriptor is {descriptor}, not {wanted}"),
            );
        }
    }
    if lines.is_empty() && survey.expected.security.is_some() && !survey.devices.is_empty() {
        report.error(0, "no HKR,,Security,, gives the device a descriptor");
    }
}

pub(super) fn secure_open(survey: &Survey<'_>, report: &mut Report<'_>) {
    let guarded = registry(survey, "DeviceCharacteristics")
        .into_iter()
        .any(|line| {
            let digits = line
                .value(4)
                .trim_start_matches("0x")
                .trim_start_matches("0X");
            u32::from_str_radix(digits, 16).is_ok_and(|flags| flags & SECURE_OPEN != 0)
        });
    if let Some(line) = registry(survey, "Security").first().filter(|_| !guarded) {
        report.note(
            line.number,
            "no HKR,,DeviceCharacteristics,0x10001,0x0100 goes with it",
        );
    }
}

//! Rules about `[Version]`.

use crate::inf::check::Report;
use crate::inf::survey::Survey;

/// Classes of Windows, and whether their identifiers are those of the documentation's list of
/// classes for vendors.
const CLASSES: &[(&str, &str)] = &[
    ("Battery", "72631e54-78a4-11d0-bcf7-00aa00b7b32a"),
    ("Biometric", "53d29ef7-377c-4d14-864b-eb3a85769359"),
    ("Bluetooth", "e0cbf06c-cd8b-4647-bb8a-263b43f0f974"),
    ("Camera", "ca3e7ab9-b4c3-4ae6-8251-579ef933890f"),
    ("CDROM", "4d36e965-e325-11ce-bfc1-08002be10318"),
    ("DiskDrive", "4d36e967-e325-11ce-bfc1-08002be10318"),
    ("Display", "4d36e968-e325-11ce-bfc1-08002be10318"),
    ("Extension", "e2f84ce7-8efa-411c-aa69-97454ca4cb57"),
    ("HDC", "4d36e96a-e325-11ce-bfc1-08002be10318"),
    ("HIDClass", "745a17a0-74d3-11d0-b6fe-00a0c90f57da"),
    ("Image", "6bdd1fc6-810f-11d0-bec7-08002be2092f"),
    ("Keyboard", "4d36e96b-e325-11ce-bfc1-08002be10318"),
    ("MEDIA", "4d36e96c-e325-11ce-bfc1-08002be10318"),
    ("Modem", "4d36e96d-e325-11ce-bfc1-08002be10318"),
    ("Monitor", "4d36e96e-e325-11ce-bfc1-08002be10318"),
    ("Mouse", "4d36e96f-e325-11ce-bfc1-08002be10318"),
    ("Net", "4d36e972-e325-11ce-bfc1-08002be10318"),
    ("NetClient", "4d36e973-e325-11ce-bfc1-08002be10318"),
    ("NetService", "4d36e974-e325-11ce-bfc1-08002be10318"),
    ("NetTrans", "4d36e975-e325-11ce-bfc1-08002be10318"),
    ("Ports", "4d36e978-e325-11ce-bfc1-08002be10318"),
    ("Printer", "4d36e979-e325-11ce-bfc1-08002be10318"),
    ("SCSIAdapter", "4d36e97b-e325-11ce-bfc1-08002be10318"),
    ("Sensor", "5175d334-c371-4806-b3ba-71fd53c9258d"),
    ("SmartCardReader", "50dd5230-ba8a-11d1-bf5d-0000f805f530"),
    ("SoftwareComponent", "5c4c3332-344d-483c-8739-259e934c9cc8"),
    ("System", "4d36e97d-e325-11ce-bfc1-08002be10318"),
    ("USB", "36fc9e60-c465-11cf-8056-444553540000"),
    ("USBDevice", "88bae032-5a81-49f0-bc3d-a4ff138216d6"),
    ("Volume", "71a27cdd-812a-11d0-bec7-08002be2092f"),
];

pub(super) fn signature(survey: &Survey<'_>, report: &mut Report<'_>) {
    match survey.version("Signature") {
        None => report.error(
            survey.inf.number("Version"),
            "there is no Signature in [Version]",
        ),
        Some((line, signature)) => {
            let known = ["$WINDOWS NT$", "$CHICAGO$"];
            if !known
                .iter()
                .any(|known| known.eq_ignore_ascii_case(&signature))
            {
                let number = line.number;
                report.error(
                    number,
                    format!("Signature is \"{signature}\", not \"$WINDOWS NT$\""),
                );
            }
        }
    }
}

pub(super) fn class(survey: &Survey<'_>, report: &mut Report<'_>) {
    let heading = survey.inf.number("Version");
    let (class, guid) = (survey.version("Class"), survey.version("ClassGuid"));
    let Some((line, class)) = class else {
        return report.error(heading, "there is no Class in [Version]");
    };
    if class.eq_ignore_ascii_case("Sample") {
        report.warning(
            line.number,
            "the class Sample is reserved for Microsoft's samples",
        );
    }
    if class.chars().count() > 31 {
        report.error(
            line.number,
            "the name of the class has more than 31 characters",
        );
    }
    let Some((line, guid)) = guid else {
        return report.error(heading, "there is no ClassGuid in [Version]");
    };
    let guid = guid.trim_matches(['{', '}']).to_lowercase();
    let by_name = CLASSES
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(&class));
    let by_guid = CLASSES.iter().find(|(_, own)| *own == guid);
    match (by_name, by_guid) {
        (Some((name, own)), _) if *own != guid => {
            report.error(
                line.number,
                format!("the class {name} has ClassGuid {{{own}}}"),
            );
        }
        (None, Some((name, _))) => {
            report.error(
                line.number,
                format!("this ClassGuid is {name}'s, not {class}'s"),
            );
        }
        _ => {}
    }
}

pub(super) fn provider(survey: &Survey<'_>, report: &mut Report<'_>) {
    let Some((line, provider)) = survey.version("Provider") else {
        let heading = survey.inf.number("Version");
        return report.error(heading, "there is no Provider in [Version]");
    };
    let (number, lower) = (line.number, provider.trim().to_lowercase());
    if lower.is_empty() {
        report.error(number, "Provider is empty");
    } else if lower.starts_with("microsoft") || lower.starts_with("todo") {
        report.warning(number, format!("Provider is \"{provider}\""));
    }
}

pub(super) fn catalog_file(survey: &Survey<'_>, report: &mut Report<'_>) {
    let heading = survey.inf.number("Version");
    let lines = survey.inf.lines("Version");
    let is_catalog = |key: &str| {
        key.get(..11)
            .is_some_and(|key| key.eq_ignore_ascii_case("CatalogFile"))
    };
    let mut named = lines
        .filter(|line| line.key.as_deref().is_some_and(is_catalog))
        .peekable();
    if named.peek().is_none() && survey.stamped {
        report.warning(heading, "there is no CatalogFile in [Version]");
    }
    for line in named {
        let (number, file) = (line.number, survey.inf.expand(line.value(0)));
        let wanted = survey
            .expected
            .package
            .as_ref()
            .map(|package| format!("{package}.cat"));
        let is_cat = file
            .rsplit_once('.')
            .is_some_and(|(_, end)| end.eq_ignore_ascii_case("cat"));
        if !is_cat {
            report.error(
                number,
                format!("CatalogFile is \"{file}\", and does not end in .cat"),
            );
        } else if let Some(wanted) = wanted.filter(|wanted| !wanted.eq_ignore_ascii_case(&file)) {
            report.error(
                number,
                format!("CatalogFile is \"{file}\", not \"{wanted}\""),
            );
        }
    }
}

pub(super) fn driver_version(survey: &Survey<'_>, report: &mut Report<'_>) {
    let Some(line) = survey.inf.line("Version", "DriverVer") else {
        // stampinf writes it into an INX.
        if survey.stamped {
            report.error(
                survey.inf.number("Version"),
                "there is no DriverVer in [Version]",
            );
        }
        return;
    };
    let (number, date) = (line.number, survey.inf.expand(line.value(0)));
    let version = survey.inf.expand(line.value(1));
    if !survey.stamped && date.is_empty() {
        return;
    }
    if !survey.stamped && date.is_empty() {
        return;
    }
    match parse_date(&date) {
        None => report.error(number, format!("the date \"{date}\" is not MM/DD/YYYY")),
        Some(date) if survey.stamped && survey.expected.today.is_some_and(|today| date > today) => {
            report.warning(
                number,
                "the date is in the future, which inf2cat refuses (22.9.7)",
            );
        }
        Some(_) if date.len() != 10 => {
            report.note(
                number,
                format!("the date \"{date}\" is not written as MM/DD/YYYY"),
            );
        }
        Some(_) => {}
    }
    let parts: Vec<_> = version.split('.').map(str::parse::<u16>).collect();
    if parts.len() > 4 || parts.iter().any(Result::is_err) {
        // stampinf writes the version of an INX that has none.
        if survey.stamped || !version.is_empty() {
            let what = format!("the version \"{version}\" is not four numbers up to 65535");
            report.error(number, what);
        }
    } else if parts.len() < 4 {
        report.note(
            number,
            format!("the version \"{version}\" has fewer than four numbers"),
        );
    }
}

/// `MM/DD/YYYY` or `MM-DD-YYYY`, as year, month and day.
fn parse_date(date: &str) -> Option<(u16, u8, u8)> {
    let parts: Vec<&str> = date.split(['/', '-']).collect();
    let [month, day, year] = parts[..] else {
        return None;
    };
    let (month, day) = (month.parse().ok()?, day.parse().ok()?);
    let year = (year.len() == 4).then(|| year.parse().ok())??;
    ((1..=12).contains(&month) && (1..=31).contains(&day)).then_some((year, month, day))
}

pub(super) fn pnp_lockdown(survey: &Survey<'_>, report: &mut Report<'_>) {
    match survey.version("PnpLockdown") {
        Some((_, value)) if value == "1" => {}
        Some((line, value)) => {
            report.warning(line.number, format!("PnpLockdown is {value}, not 1"));
        }
        None => {
            let heading = survey.inf.number("Version");
            report.warning(heading, "there is no PnpLockdown = 1 in [Version]");
        }
    }
}

pub(super) fn class_install(survey: &Survey<'_>, report: &mut Report<'_>) {
    let guid = survey
        .version("ClassGuid")
        .map(|(_, guid)| guid.trim_matches(['{', '}']).to_lowercase());
    let Some((name, _)) = CLASSES
        .iter()
        .find(|(_, own)| Some(*own) == guid.as_deref())
    else {
        return;
    };
    for section in survey.inf.sections() {
        if section.name.to_lowercase().starts_with("classinstall32") {
            let what = format!("[{}] installs the class {name} of Windows", section.name);
            report.error(section.number, what);
        }
    }
}

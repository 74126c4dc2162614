//! What Windows, stampinf, inf2cat and `InfVerif` want of the file, rule by rule.

use crate::facts::Facts;
use crate::reader::{Inx, Line};

/// What is wrong.
pub(crate) type Verdict = Result<(), String>;

pub(crate) struct Rule {
    pub(crate) name: &'static str,
    pub(crate) check: fn(&Inx, &Facts) -> Verdict,
}

macro_rules! rules {
    ($($name:ident)*) => {
        pub(crate) const RULES: &[Rule] = &[$(Rule { name: stringify!($name), check: $name }),*];
    };
}

rules! {
    r_01_the_file_has_the_name_of_the_package
    r_02_the_file_is_ascii
    r_02_lines_end_as_on_windows
    r_03_it_is_for_windows_nt
    r_03_the_class_is_system
    r_03_the_provider_is_no_placeholder
    r_03_the_catalog_is_named_after_the_package
    r_03_the_date_and_the_version_are_well_formed
    r_03_the_files_are_locked
    r_04_a_class_of_windows_is_not_installed
    r_05_everything_stays_in_the_driver_store
    r_06_there_is_one_list_of_models
    r_06_the_models_are_for_a_windows_with_the_framework
    r_07_the_hardware_id_is_the_one_that_devices_are_made_with
    r_08_a_device_has_its_sections
    r_08_nothing_is_co_installed
    r_09_the_image_is_copied_and_started
    r_09_the_image_is_on_the_disk
    r_10_the_service_is_a_kernel_driver_that_starts_with_its_device
    r_10_the_image_is_started_from_the_driver_store
    r_11_there_is_one_service_and_it_is_the_device_s
    r_11_the_service_has_its_own_name
    r_11_the_framework_is_told_the_service
    r_12_the_framework_is_the_one_of_the_manifest
    r_13_every_token_is_defined
    r_13_every_string_is_used
    r_14_every_section_is_used
    r_14_no_section_stands_twice
    r_14_the_registry_is_the_device_s_own
    r_14_nothing_is_left_to_do
    r_15_stampinf_knows_every_macro
    r_16_only_administrators_open_the_device
    r_16_paths_behind_the_device_are_guarded
    r_17_nothing_is_deleted_or_installed_without_a_device
}

fn demand(holds: bool, what: impl FnOnce() -> String) -> Verdict {
    holds.then_some(()).ok_or_else(what)
}

fn equal(what: &str, is: Option<&str>, wanted: &str) -> Verdict {
    let same = is.is_some_and(|is| is.eq_ignore_ascii_case(wanted));
    demand(same, || format!("{what} is {is:?}, not {wanted:?}"))
}

fn version<'a>(inx: &'a Inx, key: &str) -> Option<&'a str> {
    inx.value("Version", key)
}

/// The only line of a section.
fn only<'a>(inx: &'a Inx, section: &str) -> Option<&'a Line> {
    match inx.lines(section) {
        [line] => Some(line),
        _ => None,
    }
}

/// The name of the list of models, and its decoration.
fn models(inx: &Inx) -> Option<(&str, &str)> {
    match &only(inx, "Manufacturer")?.values[..] {
        [name, decoration] => Some((name, decoration)),
        _ => None,
    }
}

/// The line of the list of models: the section of the device, and the hardware id.
fn model(inx: &Inx) -> Option<(&str, &str)> {
    let line = inx.sections.iter().find_map(|section| {
        let name = section.name.split('.').next()?;
        let is_list = name.eq_ignore_ascii_case(models(inx)?.0);
        is_list.then(|| section.lines.first()).flatten()
    })?;
    match &line.values[..] {
        [section, id] => Some((section, id)),
        _ => None,
    }
}

/// A section of the device.
fn device(inx: &Inx, suffix: &str) -> String {
    let (section, _) = model(inx).unwrap_or_default();
    format!("{section}.NT{suffix}")
}

/// What an entry of a section of the device says.
fn of_device<'a>(inx: &'a Inx, suffix: &str, key: &str) -> &'a [String] {
    inx.values(&device(inx, suffix), key).unwrap_or_default()
}

/// The section of the service.
fn service(inx: &Inx) -> &str {
    let values = of_device(inx, ".Services", "AddService");
    values.get(2).map_or("", String::as_str)
}

fn service_name(inx: &Inx) -> &str {
    let values = of_device(inx, ".Services", "AddService");
    values.first().map_or("", String::as_str)
}

fn r_01_the_file_has_the_name_of_the_package(inx: &Inx, facts: &Facts) -> Verdict {
    equal(
        "the name",
        Some(&inx.name),
        &format!("{}.inx", facts.package),
    )
}

fn r_02_the_file_is_ascii(inx: &Inx, _: &Facts) -> Verdict {
    let other = inx.bytes.iter().position(|byte| !byte.is_ascii());
    demand(other.is_none(), || format!("no ASCII at byte {other:?}"))
}

fn r_02_lines_end_as_on_windows(inx: &Inx, _: &Facts) -> Verdict {
    let mut lines = inx.bytes.split_inclusive(|byte| *byte == b'\n');
    let wrong = lines.position(|line| !line.ends_with(b"\r\n"));
    demand(wrong.is_none(), || {
        format!("line {wrong:?}, counted from 0, has no CRLF")
    })
}

fn r_03_it_is_for_windows_nt(inx: &Inx, _: &Facts) -> Verdict {
    equal("Signature", version(inx, "Signature"), "$WINDOWS NT$")
}

/// The class `Sample` is reserved for Microsoft's samples: `InfVerif` 1284.
fn r_03_the_class_is_system(inx: &Inx, _: &Facts) -> Verdict {
    equal("Class", version(inx, "Class"), "System")?;
    let system = "{4D36E97D-E325-11CE-BFC1-08002BE10318}";
    equal("ClassGuid", version(inx, "ClassGuid"), system)
}

fn r_03_the_provider_is_no_placeholder(inx: &Inx, _: &Facts) -> Verdict {
    let provider = version(inx, "Provider").map(|provider| inx.expand(provider));
    let provider = provider.unwrap_or_default();
    let good = !provider.is_empty() && !provider.to_lowercase().starts_with("microsoft");
    demand(good, || format!("Provider is {provider:?}"))
}

fn r_03_the_catalog_is_named_after_the_package(inx: &Inx, facts: &Facts) -> Verdict {
    let catalog = format!("{}.cat", facts.package);
    equal("CatalogFile", version(inx, "CatalogFile"), &catalog)
}

fn r_03_the_date_and_the_version_are_well_formed(inx: &Inx, _: &Facts) -> Verdict {
    let values = inx.values("Version", "DriverVer").unwrap_or_default();
    let [date, version] = values else {
        return Err(format!("DriverVer is {values:?}"));
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let date: Vec<_> = date.split('/').collect();
    let is_date =
        date.iter().all(|part| digits(part)) && date.iter().map(|part| part.len()).eq([2, 2, 4]);
    let parts: Vec<_> = version.split('.').map(str::parse::<u16>).collect();
    let is_version = parts.len() == 4 && parts.iter().all(Result::is_ok);
    demand(is_date && is_version, || format!("DriverVer is {values:?}"))
}

fn r_03_the_files_are_locked(inx: &Inx, _: &Facts) -> Verdict {
    equal("PnpLockdown", version(inx, "PnpLockdown"), "1")
}

fn r_04_a_class_of_windows_is_not_installed(inx: &Inx, _: &Facts) -> Verdict {
    demand(!inx.has("ClassInstall32"), || "[ClassInstall32]".to_owned())
}

fn r_05_everything_stays_in_the_driver_store(inx: &Inx, _: &Facts) -> Verdict {
    let lines = inx.lines("DestinationDirs");
    let all = lines.iter().all(|line| line.values == ["13"]);
    demand(all && !lines.is_empty(), || format!("{lines:?}"))
}

fn r_06_there_is_one_list_of_models(inx: &Inx, _: &Facts) -> Verdict {
    let (name, decoration) = models(inx).ok_or("not one line in [Manufacturer]")?;
    let section = format!("{name}.{decoration}");
    demand(inx.has(&section), || format!("no [{section}]"))
}

/// KMDF comes with Windows; on an older one the package would install and the driver not load.
fn r_06_the_models_are_for_a_windows_with_the_framework(inx: &Inx, facts: &Facts) -> Verdict {
    let (_, decoration) = models(inx).unwrap_or_default();
    let build = decoration.strip_prefix("NT$ARCH$.10.0...");
    let build = build.and_then(|build| build.parse::<u32>().ok());
    let enough = build.is_some_and(|build| build >= facts.first_build());
    demand(enough, || {
        format!("{decoration:?} for KMDF {:?}", facts.kmdf)
    })
}

fn r_07_the_hardware_id_is_the_one_that_devices_are_made_with(inx: &Inx, facts: &Facts) -> Verdict {
    equal("the id", model(inx).map(|(_, id)| id), &facts.hardware_id)?;
    let root = facts.hardware_id.starts_with(r"Root\");
    demand(root, || facts.hardware_id.clone())
}

fn r_08_a_device_has_its_sections(inx: &Inx, _: &Facts) -> Verdict {
    let mut suffixes = ["", ".Services", ".Wdf", ".HW"].into_iter();
    let missing = suffixes.find(|suffix| !inx.has(&device(inx, suffix)));
    demand(missing.is_none(), || format!("no .NT{missing:?}"))
}

fn r_08_nothing_is_co_installed(inx: &Inx, _: &Facts) -> Verdict {
    let there = inx.text().to_lowercase().contains("coinstaller");
    demand(!there, || "the framework comes with Windows".to_owned())
}

fn r_09_the_image_is_copied_and_started(inx: &Inx, facts: &Facts) -> Verdict {
    let image = format!("{}.sys", facts.package);
    let list = of_device(inx, "", "CopyFiles").concat();
    let files: Vec<_> = inx.lines(&list).iter().map(|line| &line.values).collect();
    demand(files == [&[image.as_str()][..]], || {
        format!("copied: {files:?}")
    })?;
    let binary = inx.value(service(inx), "ServiceBinary").unwrap_or_default();
    let binary = binary.rsplit('\\').next();
    equal("the name in ServiceBinary", binary, &image)
}

fn r_09_the_image_is_on_the_disk(inx: &Inx, facts: &Facts) -> Verdict {
    let files: Vec<_> = inx.lines("SourceDisksFiles").iter().collect();
    let [file] = files[..] else {
        return Err(format!("{files:?}"));
    };
    let image = format!("{}.sys", facts.package);
    equal("the file", file.key.as_deref(), &image)?;
    let disk = file.values.first().map_or("", String::as_str);
    let known = inx.values("SourceDisksNames", disk).is_some();
    demand(known, || format!("no disk {disk:?}"))
}

fn r_10_the_service_is_a_kernel_driver_that_starts_with_its_device(
    inx: &Inx,
    _: &Facts,
) -> Verdict {
    for (key, value) in [
        ("ServiceType", "1"),
        ("StartType", "3"),
        ("ErrorControl", "1"),
    ] {
        equal(key, inx.value(service(inx), key), value)?;
    }
    Ok(())
}

fn r_10_the_image_is_started_from_the_driver_store(inx: &Inx, _: &Facts) -> Verdict {
    let binary = inx.value(service(inx), "ServiceBinary").unwrap_or_default();
    demand(binary.starts_with(r"%13%\"), || {
        format!("ServiceBinary is {binary:?}")
    })
}

fn r_11_there_is_one_service_and_it_is_the_device_s(inx: &Inx, _: &Facts) -> Verdict {
    let line = only(inx, &device(inx, ".Services"));
    let flags = line.and_then(|line| Some(inx.expand(line.values.get(1)?)));
    equal("what the only service is", flags.as_deref(), "0x00000002")
}

/// The framework keeps 31 characters of the name. `InfVerif` 1017: names of samples are reserved.
fn r_11_the_service_has_its_own_name(inx: &Inx, facts: &Facts) -> Verdict {
    let name = service_name(inx);
    equal("the service", Some(name), &facts.service)?;
    let samples = [
        "echo",
        "statbus",
        "toaster",
        "nonpnp",
        "kmdfsamples",
        "sioctl",
    ];
    let own = name.len() <= 31 && !samples.contains(&name.to_lowercase().as_str());
    demand(own, || format!("the service is {name:?}"))
}

fn r_11_the_framework_is_told_the_service(inx: &Inx, _: &Facts) -> Verdict {
    let told = of_device(inx, ".Wdf", "KmdfService").first();
    if !inx.has(&device(inx, ".Wdf")) {
        return Ok(());
    }
    equal("KmdfService", told.map(String::as_str), service_name(inx))
}

fn r_12_the_framework_is_the_one_of_the_manifest(inx: &Inx, facts: &Facts) -> Verdict {
    if !inx.has(&device(inx, ".Wdf")) {
        return Ok(());
    }
    let section = of_device(inx, ".Wdf", "KmdfService").get(1);
    let section = section.map_or("", String::as_str);
    let version = inx.value(section, "KmdfLibraryVersion");
    equal("KmdfLibraryVersion", version, "$KMDFVERSION$")?;
    demand(facts.kmdf == (1, 31), || format!("KMDF {:?}", facts.kmdf))
}

/// The names between percent signs, without those of directories.
fn tokens(inx: &Inx) -> Vec<String> {
    let text = inx.text().replace("%%", "");
    let between = text.split('%').skip(1).step_by(2);
    between
        .filter(|name| name.parse::<u32>().is_err())
        .map(str::to_owned)
        .collect()
}

fn r_13_every_token_is_defined(inx: &Inx, _: &Facts) -> Verdict {
    let tokens = tokens(inx);
    let unknown = tokens
        .iter()
        .find(|token| inx.value("Strings", token).is_none());
    demand(unknown.is_none(), || format!("{unknown:?}"))
}

fn r_13_every_string_is_used(inx: &Inx, _: &Facts) -> Verdict {
    let tokens = tokens(inx);
    let keys = inx
        .lines("Strings")
        .iter()
        .filter_map(|line| line.key.as_ref());
    let unused = keys.clone().find(|key| !tokens.contains(key));
    demand(unused.is_none(), || format!("{unused:?}"))
}

/// `InfVerif` 2083. A section belongs to another if that names it, up to the first dot.
fn r_14_every_section_is_used(inx: &Inx, _: &Facts) -> Verdict {
    let known = [
        "Version",
        "DestinationDirs",
        "SourceDisksNames",
        "SourceDisksFiles",
        "Manufacturer",
        "Strings",
        "ClassInstall32",
        "DefaultInstall",
    ];
    let lines = inx.sections.iter().flat_map(|section| &section.lines);
    let values: Vec<_> = lines.flat_map(|line| &line.values).collect();
    let used = |name: &str| {
        let name = name.split('.').next().unwrap_or_default();
        known.iter().any(|known| known.eq_ignore_ascii_case(name))
            || values.iter().any(|value| value.eq_ignore_ascii_case(name))
    };
    let unused = inx.sections.iter().find(|section| !used(&section.name));
    demand(unused.is_none(), || format!("{unused:?}"))
}

/// `InfVerif` 1209.
fn r_14_no_section_stands_twice(inx: &Inx, _: &Facts) -> Verdict {
    let mut names: Vec<_> = inx.sections.iter().map(|s| s.name.to_lowercase()).collect();
    let count = names.len();
    names.sort();
    names.dedup();
    demand(names.len() == count, || "a section stands twice".to_owned())
}

/// `InfVerif` 1320 and 1321.
fn r_14_the_registry_is_the_device_s_own(inx: &Inx, _: &Facts) -> Verdict {
    let text = inx.text();
    let mut roots = ["HKLM", "HKCR", "HKCU", "HKU"].into_iter();
    let other = roots.find(|root| text.contains(root));
    demand(other.is_none(), || format!("{other:?}"))
}

fn r_14_nothing_is_left_to_do(inx: &Inx, _: &Facts) -> Verdict {
    let text = String::from_utf8_lossy(&inx.bytes).to_uppercase();
    demand(!text.contains("TODO"), || "something is".to_owned())
}

fn r_15_stampinf_knows_every_macro(inx: &Inx, _: &Facts) -> Verdict {
    let text = inx.text();
    let mut names = text.split('$').skip(1).step_by(2);
    let known = ["ARCH", "KMDFVERSION", "WINDOWS NT"];
    let unknown = names.find(|name| !known.contains(name));
    demand(unknown.is_none(), || format!("{unknown:?}"))
}

/// What a line of the device's registry key says.
fn registry<'a>(inx: &'a Inx, value: &str) -> Option<&'a [String]> {
    let section = of_device(inx, ".HW", "AddReg").concat();
    let mut lines = inx.lines(&section).iter().map(|line| &line.values[..]);
    lines.find_map(|line| match line {
        [root, key, name, rest @ ..] if root == "HKR" && key.is_empty() && name == value => {
            Some(rest)
        }
        _ => None,
    })
}

fn r_16_only_administrators_open_the_device(inx: &Inx, facts: &Facts) -> Verdict {
    let security = registry(inx, "Security").and_then(|rest| rest.get(1));
    equal("Security", security.map(String::as_str), &facts.security)
}

fn r_16_paths_behind_the_device_are_guarded(inx: &Inx, _: &Facts) -> Verdict {
    let flags = registry(inx, "DeviceCharacteristics").map(<[String]>::concat);
    equal("DeviceCharacteristics", flags.as_deref(), "0x100010x0100")
}

fn r_17_nothing_is_deleted_or_installed_without_a_device(inx: &Inx, _: &Facts) -> Verdict {
    let text = inx.text().to_lowercase();
    let mut words = [
        "defaultinstall",
        "delfiles",
        "delservice",
        "delreg",
        "renfiles",
    ]
    .into_iter();
    let there = words.find(|word| text.contains(word));
    demand(there.is_none(), || format!("{there:?}"))
}

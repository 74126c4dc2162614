//! The INX follows every rule of rules.rs, and each rule finds a fault that is planted.

mod facts;
mod reader;
mod rules;

use std::collections::BTreeSet;

use crate::facts::Facts;
use crate::reader::Inx;
use crate::rules::RULES;

fn inx() -> Inx {
    Inx::read(&facts::path("inf/exnpi_driver.inx"))
}

#[test]
fn the_inx_follows_every_rule() {
    let (inx, facts) = (inx(), Facts::new());
    for rule in RULES {
        let verdict = (rule.check)(&inx, &facts);
        assert_eq!(verdict, Ok(()), "{}", rule.name);
    }
}

/// Git keeps the line ends wherever the file is checked out.
#[test]
fn git_keeps_the_line_ends() {
    let attributes = include_str!("../../.gitattributes");
    assert!(attributes.lines().any(|line| line == "*.inx text eol=crlf"));
}

/// A rule, and what a copy says instead so that this rule and no other is broken.
const FAULTS: &[(&str, &str, &str)] = &[
    (
        "r_02_the_file_is_ascii",
        "for Rust drivers",
        "f\u{fc}r Rust",
    ),
    (
        "r_02_the_file_is_ascii",
        ";\r\n; exnpi",
        "\u{feff};\r\n; exnpi",
    ),
    (
        "r_02_lines_end_as_on_windows",
        "PnpLockdown = 1\r\n",
        "PnpLockdown = 1\n",
    ),
    (
        "r_03_it_is_for_windows_nt",
        "\"$WINDOWS NT$\"",
        "\"Windows NT\"",
    ),
    ("r_03_the_class_is_system", "= System", "= Sample"),
    ("r_03_the_class_is_system", "{4D36E97D-", "{4D36E97E-"),
    (
        "r_03_the_provider_is_no_placeholder",
        "\"NMR for Rust drivers\"",
        "\"Microsoft NMR\"",
    ),
    (
        "r_03_the_provider_is_no_placeholder",
        "\"NMR for Rust drivers\"",
        "\"\"",
    ),
    (
        "r_03_the_catalog_is_named_after_the_package",
        "exnpi_driver.cat",
        "exnpi.cat",
    ),
    (
        "r_03_the_date_and_the_version_are_well_formed",
        "01/01/2026",
        "2026-01-01",
    ),
    (
        "r_03_the_date_and_the_version_are_well_formed",
        "01/01/2026",
        "1/1/2026",
    ),
    (
        "r_03_the_date_and_the_version_are_well_formed",
        "0.1.0.0",
        "0.1.0",
    ),
    (
        "r_03_the_date_and_the_version_are_well_formed",
        "0.1.0.0",
        "0.1.0.65536",
    ),
    (
        "r_03_the_files_are_locked",
        "PnpLockdown = 1",
        "PnpLockdown = 0",
    ),
    ("r_03_the_files_are_locked", "PnpLockdown = 1\r\n", ""),
    (
        "r_04_a_class_of_windows_is_not_installed",
        "[Strings]",
        "[ClassInstall32]\r\n[Strings]",
    ),
    (
        "r_05_everything_stays_in_the_driver_store",
        "DefaultDestDir = 13",
        "DefaultDestDir = 12",
    ),
    (
        "r_05_everything_stays_in_the_driver_store",
        "DefaultDestDir = 13\r\n",
        "",
    ),
    (
        "r_06_there_is_one_list_of_models",
        "[Exnpi.NT$ARCH$.10.0...19041]",
        "[Exnpi.NTamd64]",
    ),
    (
        "r_06_the_models_are_for_a_windows_with_the_framework",
        "19041",
        "16299",
    ),
    (
        "r_06_the_models_are_for_a_windows_with_the_framework",
        "NT$ARCH$.",
        "NTamd64.",
    ),
    (
        "r_07_the_hardware_id_is_the_one_that_devices_are_made_with",
        r"Root\Exnpi",
        r"Root\Sample",
    ),
    (
        "r_08_a_device_has_its_sections",
        "[ExnpiDriver_Device.NT.Wdf]",
        "[ExnpiDriver_Device.Wdf]",
    ),
    (
        "r_08_nothing_is_co_installed",
        "[Strings]",
        "[ExnpiDriver_Device.NT.CoInstallers]\r\n[Strings]",
    ),
    (
        "r_09_the_image_is_copied_and_started",
        "[ExnpiDriver_Files]\r\nexnpi_driver.sys",
        "[ExnpiDriver_Files]\r\nexnpi.sys",
    ),
    (
        "r_09_the_image_is_copied_and_started",
        r"%13%\exnpi_driver.sys",
        r"%13%\exnpi.sys",
    ),
    (
        "r_09_the_image_is_on_the_disk",
        "exnpi_driver.sys = 1,,",
        "exnpi.sys = 1,,",
    ),
    (
        "r_09_the_image_is_on_the_disk",
        "exnpi_driver.sys = 1,,",
        "exnpi_driver.sys = 2,,",
    ),
    (
        "r_10_the_service_is_a_kernel_driver_that_starts_with_its_device",
        "ServiceType   = 1",
        "ServiceType = 2",
    ),
    (
        "r_10_the_service_is_a_kernel_driver_that_starts_with_its_device",
        "StartType     = 3",
        "StartType = 0",
    ),
    (
        "r_10_the_service_is_a_kernel_driver_that_starts_with_its_device",
        "ErrorControl  = 1",
        "ErrorControl = 3",
    ),
    (
        "r_10_the_image_is_started_from_the_driver_store",
        r"%13%\",
        r"%12%\",
    ),
    (
        "r_11_there_is_one_service_and_it_is_the_device_s",
        "0x00000002",
        "0x00000000",
    ),
    (
        "r_11_there_is_one_service_and_it_is_the_device_s",
        "[ExnpiDriver_Service]",
        "AddService = ,2\r\n[ExnpiDriver_Service]",
    ),
    (
        "r_11_the_service_has_its_own_name",
        "= ExnpiDriver,",
        "= ECHO,",
    ),
    (
        "r_11_the_framework_is_told_the_service",
        "KmdfService = ExnpiDriver,",
        "KmdfService = Exnpi,",
    ),
    (
        "r_12_the_framework_is_the_one_of_the_manifest",
        "$KMDFVERSION$",
        "1.33",
    ),
    ("r_13_every_token_is_defined", "%Disk%", "%DiskName%,%Disk%"),
    (
        "r_13_every_string_is_used",
        "[Strings]",
        "[Strings]\r\nMore = \"more\"",
    ),
    (
        "r_14_every_section_is_used",
        "[Strings]",
        "[Forgotten]\r\n[Strings]",
    ),
    (
        "r_14_no_section_stands_twice",
        "[Strings]",
        "[ExnpiDriver_Files]\r\n[Strings]",
    ),
    (
        "r_14_the_registry_is_the_device_s_own",
        "HKR,,Device",
        "HKLM,Software,Name,,\"\"\r\nHKR,,Device",
    ),
    (
        "r_14_nothing_is_left_to_do",
        "; The image stays",
        "; TODO: the image stays",
    ),
    (
        "r_15_stampinf_knows_every_macro",
        "%Disk%,,,\"\"",
        "%Disk%,,,\"$UMDFVERSION$\"",
    ),
    (
        "r_16_only_administrators_open_the_device",
        "(A;;GA;;;SY)",
        "(A;;GA;;;SY)(A;;GA;;;WD)",
    ),
    (
        "r_16_only_administrators_open_the_device",
        "HKR,,Security",
        "HKR,,Safety",
    ),
    (
        "r_16_paths_behind_the_device_are_guarded",
        "0x0100\r\n",
        "0x0000\r\n",
    ),
    (
        "r_17_nothing_is_deleted_or_installed_without_a_device",
        "[Strings]",
        "[DefaultInstall]\r\n[Strings]",
    ),
];

/// The names of the rules that a copy breaks.
fn broken(inx: &Inx) -> Vec<&'static str> {
    let facts = Facts::new();
    let breaks = RULES
        .iter()
        .filter(|rule| (rule.check)(inx, &facts).is_err());
    breaks.map(|rule| rule.name).collect()
}

/// A copy of the INX with each occurrence of a text replaced.
fn with_fault(find: &str, replace: &str) -> Inx {
    let inx = inx();
    let text = String::from_utf8(inx.bytes).unwrap();
    assert!(text.contains(find), "{find:?} is not in the INX");
    Inx::new(&inx.name, text.replace(find, replace).into_bytes())
}

#[test]
fn each_fault_breaks_one_rule() {
    let results = FAULTS.iter().map(|(rule, find, replace)| {
        let broken = broken(&with_fault(find, replace));
        (broken != [*rule]).then(|| format!("{find:?} became {replace:?}: {broken:?}"))
    });
    assert_eq!(results.flatten().collect::<Vec<_>>(), [""; 0]);
    let misnamed = Inx::new("exnpi-driver.inx", inx().bytes);
    assert_eq!(
        broken(&misnamed),
        ["r_01_the_file_has_the_name_of_the_package"]
    );
}

#[test]
fn each_rule_has_a_fault() {
    let mut found: BTreeSet<_> = FAULTS.iter().map(|(rule, ..)| *rule).collect();
    found.insert("r_01_the_file_has_the_name_of_the_package");
    let all: BTreeSet<_> = RULES.iter().map(|rule| rule.name).collect();
    assert_eq!(found, all);
}

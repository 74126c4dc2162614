//! The INX follows every rule of `driver-package`, and each rule finds a fault that is planted.

mod facts;

use std::collections::BTreeSet;

use driver_package::inf::Inf;
use driver_package::inf::check::{check, rules};

use crate::facts::Facts;

const NAME: &str = "exnpi_driver.inx";

fn inx() -> Vec<u8> {
    std::fs::read(facts::path("inf/exnpi_driver.inx")).unwrap()
}

#[test]
fn the_inx_follows_every_rule() {
    let inf = Inf::read(&inx()).unwrap();
    assert_eq!(
        format!("{:?}", check(NAME, &inf, &Facts::new().expected())),
        "[]"
    );
}

/// Git keeps the line ends wherever the file is checked out.
#[test]
fn git_keeps_the_line_ends() {
    let attributes = include_str!("../../.gitattributes");
    assert!(attributes.lines().any(|line| line == "*.inx text eol=crlf"));
}

/// A rule, and what a copy says instead so that this rule and no other is broken; two rules if one
/// fault breaks both.
const FAULTS: &[(&str, &str, &str)] = &[
    ("encoding", "for Rust drivers", "f\u{fc}r Rust"),
    ("encoding", ";\r\n; exnpi", "\u{feff};\r\n; exnpi"),
    ("line-ends", "PnpLockdown = 1\r\n", "PnpLockdown = 1\n"),
    ("signature", "\"$WINDOWS NT$\"", "\"Windows NT\""),
    ("class", "= System", "= Sample"),
    ("class", "{4D36E97D-", "{4D36E97E-"),
    ("provider", "\"NMR for Rust drivers\"", "\"Microsoft NMR\""),
    ("provider", "\"NMR for Rust drivers\"", "\"\""),
    ("catalog-file", "exnpi_driver.cat", "exnpi.cat"),
    ("driver-version", "01/01/2026", "2026-01-01"),
    ("driver-version", "01/01/2026", "1/1/2026"),
    ("driver-version", "0.1.0.0", "0.1.0"),
    ("driver-version", "0.1.0.0", "0.1.0.65536"),
    ("pnp-lockdown", "PnpLockdown = 1", "PnpLockdown = 0"),
    ("pnp-lockdown", "PnpLockdown = 1\r\n", ""),
    (
        "class-install",
        "[Strings]",
        "[ClassInstall32]\r\n[Strings]",
    ),
    (
        "driver-store service-binary",
        "DefaultDestDir = 13",
        "DefaultDestDir = 12",
    ),
    ("driver-store", "DefaultDestDir = 13\r\n", ""),
    ("models", "[Exnpi.NT$ARCH$.10.0...19041]", "[Exnpi.NTamd64]"),
    ("models-build", "19041", "16299"),
    ("models-build", "NT$ARCH$.", "NTamd64."),
    ("hardware-id", r"Root\Exnpi", r"Root\Sample"),
    (
        "device-sections",
        "[ExnpiDriver_Device.NT.Wdf]",
        "[ExnpiDriver_Device.Wdf]",
    ),
    (
        "co-installers",
        "[Strings]",
        "[ExnpiDriver_Device.NT.CoInstallers]\r\n[Strings]",
    ),
    (
        "image-copied source-disks",
        "[ExnpiDriver_Files]\r\nexnpi_driver.sys",
        "[ExnpiDriver_Files]\r\nexnpi.sys",
    ),
    ("image-copied", r"%13%\exnpi_driver.sys", r"%13%\exnpi.sys"),
    ("source-disks", "exnpi_driver.sys = 1,,", "exnpi.sys = 1,,"),
    (
        "source-disks",
        "exnpi_driver.sys = 1,,",
        "exnpi_driver.sys = 2,,",
    ),
    ("service-values", "ServiceType   = 1", "ServiceType = 2"),
    ("service-values", "StartType     = 3", "StartType = 0"),
    ("service-values", "ErrorControl  = 1", "ErrorControl = 3"),
    ("service-binary", r"%13%\", r"%12%\"),
    ("one-service", "0x00000002", "0x00000000"),
    (
        "one-service",
        "[ExnpiDriver_Service]",
        "AddService = ,2\r\n[ExnpiDriver_Service]",
    ),
    ("service-name", "= ExnpiDriver,", "= ECHO,"),
    (
        "kmdf-service",
        "KmdfService = ExnpiDriver,",
        "KmdfService = Exnpi,",
    ),
    ("kmdf-version", "$KMDFVERSION$", "1.33"),
    ("strings-defined", "%Disk%", "%DiskName%,%Disk%"),
    ("strings-used", "[Strings]", "[Strings]\r\nMore = \"more\""),
    ("sections-used", "[Strings]", "[Forgotten]\r\n[Strings]"),
    (
        "sections-twice",
        "[Strings]",
        "[ExnpiDriver_Files]\r\n[Strings]",
    ),
    (
        "registry-root",
        "HKR,,Device",
        "HKLM,Software,Name,,\"\"\r\nHKR,,Device",
    ),
    ("to-do", "; The image stays", "; TODO: the image stays"),
    ("macros", "%Disk%,,,\"\"", "%Disk%,,,\"$UMDFVERSION$\""),
    (
        "device-security",
        "(A;;GA;;;SY)",
        "(A;;GA;;;SY)(A;;GA;;;WD)",
    ),
    ("device-security", "HKR,,Security", "HKR,,Safety"),
    ("secure-open", "0x0100\r\n", "0x0000\r\n"),
    (
        "nothing-deleted",
        "[Strings]",
        "[DefaultInstall]\r\n[Strings]",
    ),
];

/// The names of the rules that a copy breaks.
fn broken(name: &str, bytes: &[u8]) -> Vec<&'static str> {
    let inf = Inf::read(bytes).unwrap();
    let findings = check(name, &inf, &Facts::new().expected());
    let mut rules: Vec<_> = findings.iter().map(|finding| finding.rule.name).collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

/// A copy of the INX with each occurrence of a text replaced.
fn with_fault(find: &str, replace: &str) -> Vec<u8> {
    let text = String::from_utf8(inx()).unwrap();
    assert!(text.contains(find), "{find:?} is not in the INX");
    text.replace(find, replace).into_bytes()
}

#[test]
fn each_fault_breaks_one_rule() {
    let results = FAULTS.iter().map(|(rules, find, replace)| {
        let broken = broken(NAME, &with_fault(find, replace));
        (broken.join(" ") != *rules).then(|| format!("{find:?} became {replace:?}: {broken:?}"))
    });
    assert_eq!(results.flatten().collect::<Vec<_>>(), [""; 0]);
    assert_eq!(broken("exnpi-driver.inx", &inx()), ["file-name"]);
}

#[test]
fn each_rule_has_a_fault() {
    let mut found: BTreeSet<_> = FAULTS
        .iter()
        .flat_map(|(rules, ..)| rules.split(' '))
        .collect();
    found.insert("file-name");
    let all: BTreeSet<_> = rules().iter().map(|rule| rule.name).collect();
    assert_eq!(found, all);
}

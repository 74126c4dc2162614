use der::DateTime;

use super::check::{Expected, Severity, check};
use super::stamp::Stamp;
use super::*;
use crate::image::Arch;

/// A small INX whose findings are none.
const INX: &str = r#"; comment
[Version]
Signature = "$WINDOWS NT$"
Class = System
ClassGuid = {4D36E97D-E325-11CE-BFC1-08002BE10318}
Provider = %Us%
PnpLockdown = 1 ; "locked"
[DestinationDirs]
DefaultDestDir = 13
[SourceDisksNames]
1 = %Us%
[SourceDisksFiles]
a.sys = 1
[Manufacturer]
%Us% = Models,NT$ARCH$.10.0...19041
[Models.NT$ARCH$.10.0...19041]
%Us% = Install, Root\A
[Install.NT]
CopyFiles = @a.sys
[Install.NT.Services]
AddService = A, 2, Service
[Service]
ServiceType = 1
StartType = 3
ErrorControl = 1
ServiceBinary = %13%\a.sys
[Install.NT.Wdf]
KmdfService = A, Framework
[Framework]
KmdfLibraryVersion = $KMDFVERSION$
[Strings]
Us = "We ""and"" you; all"
"#;

fn read(text: &str) -> Inf {
    Inf::read(text.as_bytes()).unwrap()
}

fn utf16(text: &str) -> Vec<u8> {
    let units = text.encode_utf16().flat_map(u16::to_le_bytes);
    b"\xFF\xFE".iter().copied().chain(units).collect()
}

fn stamp() -> Stamp {
    Stamp {
        arch: Arch::Arm64,
        kmdf: "1.31".to_owned(),
        date: DateTime::new(2026, 2, 3, 4, 5, 6).unwrap(),
        version: None,
        catalog: "a.cat".to_owned(),
    }
}

fn findings(name: &str, inf: &Inf) -> Vec<String> {
    let findings = check(name, inf, &Expected::default());
    findings
        .iter()
        .map(|finding| {
            format!(
                "{} {} {}",
                finding.line, finding.severity, finding.rule.name
            )
        })
        .collect()
}

#[test]
fn comments_quotes_and_continuations_are_read() {
    let inf =
        read("[A] ; x\nkey = \"a;b\",\"c \"\"d\"\"\" , %s% ; y\nx, \\\n  y\n[Strings]\ns=\"1\"");
    let lines: Vec<_> = inf.lines("a").collect();
    assert_eq!(lines[0].key.as_deref(), Some("key"));
    assert_eq!(lines[0].values, ["a;b", "c \"d\"", "%s%"]);
    assert_eq!(
        (lines[1].number, &lines[1].values[..]),
        (3, &["x".to_owned(), "y".to_owned()][..])
    );
    assert_eq!(inf.expand("%%-%S%-%13%-%open"), "%-1-%13%-%open");
}

#[test]
fn sections_of_one_name_are_one() {
    let inf = read("[a]\nx=1\n[B]\ny=2\n[A]\nz=3\n");
    assert_eq!(inf.lines("A").count(), 2);
    assert_eq!(inf.value("a", "Z").as_deref(), Some("3"));
}

#[test]
fn encodings_that_windows_reads_are_read_and_others_refused() {
    let inf = Inf::read(&utf16(INX)).unwrap();
    assert_eq!(
        (inf.encoding(), findings("a.inx", &inf)),
        (Encoding::Utf16, vec![])
    );
    for (bytes, reason) in [
        (&b"\xFE\xFF\0["[..], "big endian"),
        (b"\xFF\xFE[", "odd number"),
        (b"\xFF\xFE\0\xD8a\0", "surrogate"),
        (b"[\0a\0]\0", "zero character"),
        (b"", "no [section]"),
        (b"PK\x03\x04", "no [section]"),
    ] {
        let error = Inf::read(bytes).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
    let large = vec![b'['; MAX_SIZE + 1];
    assert!(Inf::read(&large).unwrap_err().to_string().contains("4 MiB"));
}

#[test]
fn an_inx_without_faults_has_no_findings_and_neither_has_its_inf() {
    assert_eq!(findings("a.inx", &read(INX)), [""; 0]);
    let inf = Inf::read(&stamp().apply(&read(INX)).unwrap()).unwrap();
    assert_eq!(findings("a.inf", &inf), [""; 0]);
}

#[test]
fn macros_version_and_catalog_are_stamped() {
    let bytes = stamp().apply(&read(INX)).unwrap();
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert_eq!(text.matches("\r\n").count(), text.matches('\n').count());
    assert!(text.contains("[Models.NTarm64.10.0...19041]\r\n"), "{text}");
    assert!(text.contains("KmdfLibraryVersion = 1.31\r\n"), "{text}");
    let inf = Inf::read(&bytes).unwrap();
    let ver = inf.line("Version", "DriverVer").unwrap();
    assert_eq!(ver.values, ["02/03/2026", "1.0.0.0"]);
    assert_eq!(
        inf.value("Version", "CatalogFile").as_deref(),
        Some("a.cat")
    );
}

#[test]
fn entries_that_are_there_are_replaced_and_their_comments_stay() {
    let text = INX.replace(
        "Class =",
        "DriverVer=1/1/2020,2.3.4.5 ; mine\nCatalogFile = b.cat\nClass =",
    );
    let bytes = stamp().apply(&read(&text)).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    assert!(
        text.contains("DriverVer=02/03/2026,2.3.4.5 ; mine\r\nCatalogFile = a.cat\r\n"),
        "{text}"
    );
    assert_eq!(text.matches("CatalogFile").count(), 1);
}

#[test]
fn stamping_keeps_the_encoding() {
    let bytes = stamp().apply(&Inf::read(&utf16(INX)).unwrap()).unwrap();
    assert!(bytes.starts_with(b"\xFF\xFE"));
    let ansi: Vec<u8> = INX
        .bytes()
        .map(|byte| if byte == b'W' { 0xFC } else { byte })
        .collect();
    let ansi = stamp().apply(&Inf::read(&ansi).unwrap()).unwrap();
    assert!(ansi.contains(&0xFC) && Inf::read(&ansi).unwrap().encoding() == Encoding::Ansi);
}

#[test]
fn a_macro_that_cannot_be_filled_in_is_refused() {
    let error = stamp()
        .apply(&read(&INX.replace("1 ;", "$UMDFVERSION$ ;")))
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("line 7 of the INX has $UMDFVERSION$"),
        "{error}"
    );
}

/// Each of these is in drivers that ship, or in Microsoft's samples.
#[test]
fn what_shipped_drivers_do_is_no_error() {
    for (find, replace) in [
        (
            "AddService = A, 2",
            "AddService = A, %SPSVCINST_ASSOCSERVICE%",
        ),
        ("DefaultDestDir = 13", "DefaultDestDir = 12"),
        ("ServiceType = 1", "ServiceType = 0x00000001"),
        ("PnpLockdown = 1", "PnpLockdown = 0"),
        ("Class = System", "Class=System\nDriverVer = ; TODO: set it"),
        ("$WINDOWS NT$", "$Windows NT$"),
        (
            "[Strings]",
            "[Unused]\nHKLM,a\n[Strings]\nSPSVCINST_ASSOCSERVICE=2",
        ),
    ] {
        let text = INX.replace(find, replace);
        assert_ne!(text, INX);
        let text = text.replace("[Strings]", "[Strings]\nSPSVCINST_ASSOCSERVICE=0x2");
        let found = check(
            "a.inx",
            &read(&text.replace("%13%", "%12%").replace("= 13", "= 12")),
            &Expected::default(),
        );
        let bad: Vec<_> = found
            .iter()
            .filter(|one| one.severity == Severity::Error)
            .collect();
        assert!(bad.is_empty(), "{replace}: {bad:?}");
    }
}

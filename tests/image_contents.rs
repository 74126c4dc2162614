//! What is in the driver's images, byte for byte: how many, what they import, and which texts.
//!
//! A text that is left is one that could be shown: a panic's message would mean that some
//! data can make the driver panic.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod images;

use std::collections::BTreeSet;
use std::fs;

use driver_host::facts::Facts;
use driver_host::pe::Access;
use images::path;

/// The release images are 14 kB with one module and 17 kB with both. This leaves room for a
/// compiler that does a little worse, and none for formatted messages.
const LIMIT: usize = 18 * 1024;

const ROLES: [&str; 3] = ["both", "provider", "client"];

/// Texts that belong in an image, each with the reason why. Imports come on top.
const EXPECTED: [(&str, &str); 14] = [
    ("Unregister", "an event"),
    ("client", "a value in events"),
    ("provider", "a value in events"),
    ("ExnpiDriver", "the name of the events' provider"),
    ("Complete", "an event"),
    ("Register", "an event"),
    (
        "crates/nmr/src/registration.rs",
        "where an undocumented answer of the NMR would stop it",
    ),
    (
        "DriverEntry",
        "exported: what the entry point of the framework calls",
    ),
    (
        "__CxxFrameHandler3",
        "exported by wdk-sys, for compilers that expect it",
    ),
    (
        "__CxxFrameHandler4",
        "exported by wdk-sys, for compilers that expect it",
    ),
    (
        "__GSHandlerCheck_EH4",
        "exported by wdk-sys, for compilers that expect it",
    ),
    (
        "_fltused",
        "exported by wdk-sys, for compilers that expect it",
    ),
    ("exnpi_driver.dll", "the name in the export directory"),
    ("exnpi_driver.pdb", "the name of the symbols"),
];

/// The texts of eight characters or more in a part of an image: shorter ones occur by chance.
fn texts(bytes: &[u8]) -> BTreeSet<String> {
    bytes
        .split(|byte| !(b' '..=b'~').contains(byte))
        .filter(|text| text.len() >= 8)
        .map(|text| String::from_utf8_lossy(text).into_owned())
        .collect()
}

/// An image without the identity of its symbols, a hash whose bytes may look like text.
fn without_identity(mut bytes: Vec<u8>) -> Vec<u8> {
    let signature = b"RSDS";
    let start = bytes
        .windows(signature.len())
        .position(|window| window == signature)
        .expect("the linker names the symbols");
    bytes[start + signature.len()..][..16].fill(0);
    bytes
}

/// The texts of an image outside its code and its headers.
fn texts_of_data(bytes: &[u8], facts: &Facts) -> BTreeSet<String> {
    let data = facts
        .sections()
        .iter()
        .filter(|section| section.access != Access::Execute);
    data.flat_map(|section| {
        let start = section.file_offset as usize;
        texts(&bytes[start..start + section.file_size as usize])
    })
    .collect()
}

/// What is left of a text without those that are expected.
fn without_expected(role: &str, text: &str) -> String {
    let mut left = text.to_owned();
    for (expected, reason) in EXPECTED {
        if left.contains(expected) {
            println!("{role}: {expected}: {reason}");
            left = left.replace(expected, "");
        }
    }
    left
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn the_images_are_small() {
    for role in ROLES {
        let size = fs::metadata(path(role)).unwrap().len();
        println!("{role}: {size} bytes");
        assert!(size <= LIMIT as u64, "{role} has {size} bytes");
    }
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn the_images_import_from_the_kernel_the_framework_and_the_nmr_alone() {
    for role in ROLES {
        let bytes = fs::read(path(role)).unwrap();
        let facts = Facts::read(&bytes).unwrap();
        let imports = facts.imports();
        let libraries: Vec<_> = imports.keys().copied().collect();
        assert_eq!(
            libraries,
            ["NETIO.SYS", "WDFLDR.SYS", "ntoskrnl.exe"],
            "{role}"
        );
        let functions = &imports["NETIO.SYS"];
        assert!(
            functions.iter().all(|name| name.starts_with("Nmr")),
            "{functions:?}"
        );
        let expected = if role == "both" { 9 } else { 5 };
        assert!(functions.len() >= expected, "{role}: {functions:?}");
    }
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn no_text_of_a_panic_is_left() {
    for role in ROLES {
        let bytes = without_identity(fs::read(path(role)).unwrap());
        let facts = Facts::read(&bytes).unwrap();
        let mut left = texts_of_data(&bytes, &facts);
        for (library, names) in facts.imports() {
            left.remove(library);
            for name in &names {
                left.remove(name);
            }
        }
        // Texts of Rust have no end of their own: several may stand side by side.
        let mut left: BTreeSet<_> = left
            .iter()
            .map(|text| without_expected(role, text))
            .collect();
        left.remove("");
        // Where events would be registered twice: the crate refuses, and the driver does it once.
        left.retain(|text| !(text.contains("/tracelogging-") && text.ends_with("/native.rs")));
        assert!(left.is_empty(), "{role}: {left:?}");
    }
}

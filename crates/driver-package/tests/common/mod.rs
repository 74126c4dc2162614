//! A small driver package, made from nothing.
#![allow(dead_code, reason = "not every test needs everything")]

pub(crate) mod reading;

use std::str::FromStr;

use driver_package::DateTime;
use driver_package::certificate::Identity;
use driver_package::folder::Folder;
use driver_package::package::{Package, Request};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

pub(crate) const INX: &str = include_str!("sample.inx");
pub(crate) const AMD64: u16 = 0x8664;
pub(crate) const ARM64: u16 = 0xAA64;

pub(crate) fn time(text: &str) -> DateTime {
    DateTime::from_str(text).unwrap()
}

/// The time of everything here.
pub(crate) fn now() -> DateTime {
    time("2026-02-03T04:05:06Z")
}

/// A certificate whose key follows from a seed.
pub(crate) fn identity(seed: u64) -> Identity {
    let mut random = ChaCha20Rng::seed_from_u64(seed);
    Identity::generate_from(&format!("Test {seed}"), now(), &mut random).unwrap()
}

/// A PE32+ image with one section of 17 bytes, and so of an odd length.
pub(crate) fn image(machine: u16) -> Vec<u8> {
    let mut bytes = vec![0; 0x211];
    let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
    put(0, b"MZ");
    put(0x3C, &0x40_u32.to_le_bytes());
    put(0x40, b"PE\0\0");
    put(0x44, &machine.to_le_bytes());
    put(0x46, &1_u16.to_le_bytes());
    put(0x54, &0xF0_u16.to_le_bytes());
    put(0x56, &0x22_u16.to_le_bytes());
    let optional = 0x58;
    put(optional, &0x20B_u16.to_le_bytes());
    put(optional + 32, &0x1000_u32.to_le_bytes());
    put(optional + 36, &0x200_u32.to_le_bytes());
    put(optional + 56, &0x2000_u32.to_le_bytes());
    put(optional + 60, &0x200_u32.to_le_bytes());
    put(optional + 68, &1_u16.to_le_bytes());
    put(optional + 108, &16_u32.to_le_bytes());
    let section = optional + 0xF0;
    put(section, b".text\0\0\0");
    put(section + 8, &17_u32.to_le_bytes());
    put(section + 12, &0x1000_u32.to_le_bytes());
    put(section + 16, &17_u32.to_le_bytes());
    put(section + 20, &0x200_u32.to_le_bytes());
    put(section + 36, &0x6000_0020_u32.to_le_bytes());
    put(0x200, b"\xC3the code of it..");
    bytes
}

/// The sample, signed.
pub(crate) fn package(machine: u16, identity: &Identity) -> Package {
    let request = Request {
        name: "sample",
        image_name: "sample.sys",
        image: &image(machine),
        inf: INX.as_bytes(),
        kmdf: "1.31",
        version: None,
        time: now(),
    };
    Package::make(&request, identity).unwrap()
}

/// Its files as a folder.
pub(crate) fn folder(package: &Package) -> Folder {
    let mut folder = Folder::default();
    for (name, bytes) in &package.files {
        folder.add(name, bytes.clone());
    }
    folder
}

/// The bytes of a file of a package.
pub(crate) fn file<'a>(package: &'a Package, name: &str) -> &'a [u8] {
    let mut files = package.files.iter();
    &files.find(|(own, _)| own == name).unwrap().1
}

//! The parts of a PE image that a signature depends on: the checksum, the certificate table, and the
//! digest of everything else.
//!
//! The layout is that of the PE format specification; the digest is that of the Authenticode
//! specification ("Windows Authenticode Portable Executable Signature Format"). The crate
//! `authenticode` computes the digest too, on the previous generation of the cryptographic
//! libraries, and cannot write.

use std::ops::Range;

use crate::digest::Algorithm;
use crate::error::{Error, Result};

/// The largest image that is read, in bytes.
pub const MAX_SIZE: usize = 0x1000_0000;

const MACHINE_AMD64: u16 = 0x8664;
const MACHINE_ARM64: u16 = 0xAA64;
const MACHINE_I386: u16 = 0x014C;
const PE32: u16 = 0x10B;
const PE32_PLUS: u16 = 0x20B;
/// The index of the certificate table among the data directories.
const SECURITY: usize = 4;
/// `WIN_CERT_REVISION_2_0` and `WIN_CERT_TYPE_PKCS_SIGNED_DATA`.
const CERTIFICATE_KIND: u32 = 0x0002_0200;
/// The size of the header of an entry of the certificate table, in bytes.
const ENTRY_HEADER: usize = 8;

/// A processor architecture.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arch {
    /// x86-64.
    Amd64,
    /// AArch64.
    Arm64,
    /// 32-bit x86.
    X86,
}

impl Arch {
    /// The name in INF files.
    #[must_use]
    pub const fn inf_name(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
            Self::X86 => "x86",
        }
    }

    /// The name in the `OS` attribute of catalogs.
    #[must_use]
    pub const fn catalog_name(self) -> &'static str {
        match self {
            Self::Amd64 => "X64",
            Self::Arm64 => "ARM64",
            Self::X86 => "X86",
        }
    }
}

/// A PE image whose headers have been checked.
#[derive(Clone, Debug)]
pub struct Image<'a> {
    bytes: &'a [u8],
    /// The processor it is for.
    pub arch: Arch,
    /// The checksum in the header.
    pub checksum: u32,
    checksum_at: usize,
    security_at: usize,
    /// The certificate table, which ends the file.
    table: Option<Range<usize>>,
}

impl<'a> Image<'a> {
    /// Reads the headers. Fails if the file is no PE image, is for another processor, or has bytes
    /// after its certificate table.
    pub fn read(bytes: &'a [u8]) -> Result<Self> {
        let bad = |reason| Error::malformed("the image", reason);
        if bytes.len() > MAX_SIZE {
            return Err(bad("it has more than 256 MiB"));
        }
        if !bytes.starts_with(b"MZ") {
            return Err(Error::new("no PE image: it does not begin with MZ"));
        }
        let short = || bad("its headers are cut short");
        let header = u32_at(bytes, 0x3C).ok_or_else(short)? as usize;
        if bytes
            .get(header..)
            .is_none_or(|rest| !rest.starts_with(b"PE\0\0"))
        {
            return Err(Error::new("no PE image: it has no PE header"));
        }
        if !header.is_multiple_of(4) {
            return Err(bad("its PE header is not at a multiple of 4"));
        }
        let arch = arch(u16_at(bytes, header + 4).ok_or_else(short)?)?;
        let optional = header + 24;
        let directories = match u16_at(bytes, optional).ok_or_else(short)? {
            PE32 => optional + 96,
            PE32_PLUS => optional + 112,
            _ => return Err(bad("its optional header is neither PE32 nor PE32+")),
        };
        let count = u32_at(bytes, directories - 4).ok_or_else(short)? as usize;
        if count <= SECURITY {
            return Err(bad("it has no directory entry for certificates"));
        }
        let security_at = directories + SECURITY * 8;
        let at = u32_at(bytes, security_at).ok_or_else(short)? as usize;
        let size = u32_at(bytes, security_at + 4).ok_or_else(short)? as usize;
        let checksum_at = optional + 64;
        Ok(Self {
            bytes,
            arch,
            checksum: u32_at(bytes, checksum_at).ok_or_else(short)?,
            checksum_at,
            security_at,
            table: table(at, size, security_at + 8, bytes.len())?,
        })
    }

    /// The checksum that the header should have.
    #[must_use]
    pub fn computed_checksum(&self) -> u32 {
        checksum(self.bytes, self.checksum_at)
    }

    /// The Authenticode digest.
    #[must_use]
    pub fn digest(&self, algorithm: Algorithm) -> Vec<u8> {
        let end = self
            .table
            .as_ref()
            .map_or(self.bytes.len(), |table| table.start);
        algorithm.of(&[
            &self.bytes[..self.checksum_at],
            &self.bytes[self.checksum_at + 4..self.security_at],
            &self.bytes[self.security_at + 8..end],
        ])
    }

    /// The PKCS #7 signature in the certificate table, `None` if the image is not signed. Fails if
    /// the first entry of the table is malformed or of another kind.
    pub fn signature(&self) -> Result<Option<&'a [u8]>> {
        let bad = |reason| Error::malformed("the certificate table", reason);
        let Some(table) = self.table.clone() else {
            return Ok(None);
        };
        let table = &self.bytes[table];
        let length = u32_at(table, 0).ok_or_else(|| bad("it is cut short"))? as usize;
        if u32_at(table, 4) != Some(CERTIFICATE_KIND) {
            return Err(bad("its first entry is no PKCS #7 signature"));
        }
        let entry = table.get(ENTRY_HEADER..length);
        entry
            .map(Some)
            .ok_or_else(|| bad("its first entry is larger than the table"))
    }

    /// The image without a signature, padded to a multiple of 8 bytes: the bytes to digest before
    /// it is signed.
    #[must_use]
    pub fn unsigned(&self) -> Vec<u8> {
        let end = self
            .table
            .as_ref()
            .map_or(self.bytes.len(), |table| table.start);
        let mut bytes = self.bytes[..end].to_vec();
        bytes[self.security_at..self.security_at + 8].fill(0);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    }

    /// The image with a signature in place of the one that it has, and with the right checksum.
    ///
    /// The signature has to be over the digest of [`Image::unsigned`].
    pub fn with_signature(&self, signature: &[u8]) -> Result<Vec<u8>> {
        let mut bytes = self.unsigned();
        let at = bytes.len();
        // The length with the padding, as signtool writes it.
        let length = (ENTRY_HEADER + signature.len()).next_multiple_of(8);
        bytes.extend(number(length)?.to_le_bytes());
        bytes.extend(CERTIFICATE_KIND.to_le_bytes());
        bytes.extend(signature);
        bytes.resize(at + length, 0);
        bytes[self.security_at..][..4].copy_from_slice(&number(at)?.to_le_bytes());
        bytes[self.security_at + 4..][..4].copy_from_slice(&number(length)?.to_le_bytes());
        let checksum = checksum(&bytes, self.checksum_at);
        bytes[self.checksum_at..][..4].copy_from_slice(&checksum.to_le_bytes());
        Ok(bytes)
    }
}

fn arch(machine: u16) -> Result<Arch> {
    match machine {
        MACHINE_AMD64 => Ok(Arch::Amd64),
        MACHINE_ARM64 => Ok(Arch::Arm64),
        MACHINE_I386 => Ok(Arch::X86),
        other => Err(Error::new(format!(
            "the image is for machine {other:#06x}, which is neither x64 nor ARM64 nor x86"
        ))),
    }
}

/// The certificate table, which must lie between the headers and the end of the file.
fn table(at: usize, size: usize, headers: usize, end: usize) -> Result<Option<Range<usize>>> {
    if at == 0 && size == 0 {
        return Ok(None);
    }
    let bad = |reason| Err(Error::malformed("the certificate table", reason));
    if at < headers || at > end {
        return bad("it lies outside of the file");
    }
    match at.checked_add(size) {
        Some(stop) if stop == end => Ok(Some(at..end)),
        Some(stop) if stop < end => bad("bytes follow it, which no signature covers"),
        _ => bad("it lies outside of the file"),
    }
}

/// The checksum of a PE image: the sum of its 16-bit words with the carry added, without the
/// checksum itself, plus the length. The field is at an even offset.
fn checksum(bytes: &[u8], field: usize) -> u32 {
    let mut sum = 0_u64;
    let mut add = |part: &[u8]| {
        for word in part.chunks(2) {
            let high = word.get(1).copied().unwrap_or(0);
            sum += u64::from(u16::from_le_bytes([word[0], high]));
        }
    };
    add(&bytes[..field]);
    add(&bytes[field + 4..]);
    while sum > 0xFFFF {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    u32::try_from(sum + bytes.len() as u64).unwrap_or(u32::MAX)
}

fn number(size: usize) -> Result<u32> {
    u32::try_from(size).map_err(|_| Error::new("the signed image would have more than 4 GiB"))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_le_bytes(bytes.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

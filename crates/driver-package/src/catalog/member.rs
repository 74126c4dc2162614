//! The members of a catalog.

use der::asn1::{BmpString, OctetString, SetOfVec};
use der::{Any, Decode, Sequence};
use x509_cert::attr::Attribute;

use super::PART;
use crate::digest::Algorithm;
use crate::error::{Error, Result, malformed};
use crate::indirect::{self, Kind};
use crate::oid;

/// `CRYPTCAT_ATTR_DATAASCII`, `CRYPTCAT_ATTR_NAMEASCII` and `CRYPTCAT_ATTR_AUTHENTICATED`.
const AUTHENTICATED_TEXT: u32 = 0x1001_0001;
/// Windows 10: platform 2 (NT), version 10.0.
const WINDOWS_10: &str = "2:10.0";

/// A file in a catalog.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    /// The name, if the catalog has it.
    pub file: Option<String>,
    /// What the digest is over.
    pub kind: Kind,
    /// The algorithm of the digest.
    pub algorithm: Algorithm,
    /// The digest.
    pub digest: Vec<u8>,
}

#[derive(Sequence)]
pub(super) struct TrustedSubject {
    identifier: OctetString,
    #[asn1(optional = "true")]
    attributes: Option<SetOfVec<Attribute>>,
}

/// `CAT_NAMEVALUE`.
#[derive(Sequence)]
pub(super) struct NameValue {
    name: BmpString,
    flags: u32,
    value: OctetString,
}

impl NameValue {
    pub(super) fn new(name: &str, value: &str) -> der::Result<Self> {
        let value = value.encode_utf16().chain([0]).flat_map(u16::to_le_bytes);
        Ok(Self {
            name: BmpString::from_utf8(name)?,
            flags: AUTHENTICATED_TEXT,
            value: OctetString::new(value.collect::<Vec<u8>>())?,
        })
    }

    /// The name and the value, up to its zero.
    pub(super) fn read(der: &[u8]) -> Result<(String, String)> {
        let read = Self::from_der(der).map_err(malformed(PART))?;
        Ok((read.name.to_string(), utf16(read.value.as_bytes())))
    }
}

/// Text in UTF-16LE up to the first zero.
fn utf16(bytes: &[u8]) -> String {
    let units = bytes
        .chunks_exact(2)
        .map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
    let units: Vec<u16> = units.take_while(|unit| *unit != 0).collect();
    String::from_utf16_lossy(&units)
}

/// The member as it is signed. `CAT_MEMBERINFO2` is a choice of NULLs: `[0]` image, `[2]` file.
pub(super) fn encode(member: &Member) -> Result<TrustedSubject> {
    let info = match member.kind {
        Kind::Image => 0,
        Kind::File => 2,
    };
    let info = indirect::context(info, false, Vec::new()).map_err(malformed(PART))?;
    let mut attributes = vec![
        (oid::MEMBER_INFO, info),
        (oid::NAME_VALUE, name_value("OSAttr", WINDOWS_10)?),
    ];
    if let Some(file) = &member.file {
        attributes.push((oid::NAME_VALUE, name_value("File", &file.to_lowercase())?));
    }
    if member.algorithm != Algorithm::Sha1 {
        let digest = indirect::encode(member.kind, member.algorithm, &member.digest)?;
        attributes.push((oid::INDIRECT_DATA, digest));
    }
    let attribute = |(oid, value)| -> der::Result<Attribute> {
        let values = SetOfVec::try_from(vec![value])?;
        Ok(Attribute { oid, values })
    };
    let encode = || {
        let attributes = attributes
            .into_iter()
            .map(attribute)
            .collect::<Result<Vec<_>, _>>()?;
        Ok(TrustedSubject {
            identifier: OctetString::new(member.digest.as_slice())?,
            attributes: Some(SetOfVec::try_from(attributes)?),
        })
    };
    encode().map_err(malformed::<der::Error>(PART))
}

fn name_value(name: &str, value: &str) -> Result<Any> {
    let value = NameValue::new(name, value).and_then(|value| Any::encode_from(&value));
    value.map_err(malformed(PART))
}

/// Reads a member: its digest is in the attributes, or else the identifier itself.
pub(super) fn decode(subject: &TrustedSubject) -> Result<Member> {
    let attributes = || subject.attributes.iter().flat_map(|set| set.iter());
    let values = |oid| {
        let of = attributes().filter(move |attribute| attribute.oid == oid);
        of.flat_map(|attribute| attribute.values.iter())
    };
    let mut file = None;
    for value in values(oid::NAME_VALUE) {
        let value: NameValue = value.decode_as().map_err(malformed(PART))?;
        if value.name.to_string() == "File" {
            file = Some(utf16(value.value.as_bytes()));
        }
    }
    if let Some(value) = values(oid::INDIRECT_DATA).next() {
        let (kind, algorithm, digest) = indirect::decode(value)?;
        return Ok(Member {
            file,
            kind,
            algorithm,
            digest,
        });
    }
    let image = indirect::context(0, false, Vec::new()).map_err(malformed(PART))?;
    let is_image = values(oid::MEMBER_INFO).any(|value| *value == image);
    let digest = subject.identifier.as_bytes().to_vec();
    Ok(Member {
        file,
        kind: if is_image { Kind::Image } else { Kind::File },
        algorithm: match digest.len() {
            20 => Algorithm::Sha1,
            32 => Algorithm::Sha256,
            _ => return Err(Error::malformed(PART, "a member has no digest")),
        },
        digest,
    })
}

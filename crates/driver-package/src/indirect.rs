//! `SpcIndirectDataContent`: the digest of a file in a signature, and what kind of file it is.

use der::asn1::{BitString, ObjectIdentifier, OctetString};
use der::{Any, Encode, Sequence, Tag, TagNumber};
use x509_cert::spki::AlgorithmIdentifierOwned;

use crate::digest::Algorithm;
use crate::error::{Error, Result, malformed};
use crate::oid;

/// What a digest is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A PE image: its Authenticode digest.
    Image,
    /// Any file: all of its bytes.
    File,
}

#[derive(Sequence)]
struct IndirectData {
    data: TypedValue,
    digest: DigestInfo,
}

#[derive(Sequence)]
struct TypedValue {
    kind: ObjectIdentifier,
    value: Any,
}

#[derive(Sequence)]
struct DigestInfo {
    algorithm: AlgorithmIdentifierOwned,
    digest: OctetString,
}

/// `SpcPeImageData`, whose flags say nothing and whose file has an empty name.
#[derive(Sequence)]
struct PeImageData {
    flags: BitString,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    file: Any,
}

/// A tag of the context with these content octets.
pub(crate) fn context(number: u32, constructed: bool, octets: Vec<u8>) -> der::Result<Any> {
    let tag = Tag::ContextSpecific {
        constructed,
        number: TagNumber(number),
    };
    Any::new(tag, octets)
}

/// `SpcLink`, an empty file name: `[2] { [0] "" }`.
fn empty_name() -> der::Result<Any> {
    context(2, true, context(0, false, Vec::new())?.to_der()?)
}

/// The content for a digest by SHA-256 or another algorithm.
pub(crate) fn encode(kind: Kind, algorithm: Algorithm, digest: &[u8]) -> Result<Any> {
    let encode = || {
        let data = match kind {
            Kind::Image => TypedValue {
                kind: oid::PE_IMAGE,
                value: Any::encode_from(&PeImageData {
                    flags: BitString::new(5, [0xA0])?,
                    file: empty_name()?,
                })?,
            },
            Kind::File => TypedValue {
                kind: oid::ANY_FILE,
                value: empty_name()?,
            },
        };
        Any::encode_from(&IndirectData {
            data,
            digest: DigestInfo {
                algorithm: algorithm.identifier(),
                digest: OctetString::new(digest)?,
            },
        })
    };
    encode().map_err(malformed::<der::Error>("the digest"))
}

/// The kind of file, the algorithm and the digest in a content.
pub(crate) fn decode(content: &Any) -> Result<(Kind, Algorithm, Vec<u8>)> {
    let part = "the signed digest";
    let data: IndirectData = content.decode_as().map_err(malformed(part))?;
    let algorithm = data.digest.algorithm.oid;
    let algorithm = Algorithm::from_oid(algorithm)
        .ok_or_else(|| Error::malformed(part, format!("algorithm {algorithm} is unknown")))?;
    let kind = if data.data.kind == oid::PE_IMAGE {
        Kind::Image
    } else {
        Kind::File
    };
    Ok((kind, algorithm, data.digest.digest.as_bytes().to_vec()))
}

//! PKCS #7 signed data with one signer, as Authenticode uses it.
//!
//! Three details differ from CMS, and decide how the types of `cms` are filled in: the content is a
//! SEQUENCE instead of an OCTET STRING, and the digest is over its content octets; the version is 1;
//! and the signature algorithm is named `rsaEncryption`.

mod time_stamp;

use cms::cert::{CertificateChoices, IssuerAndSerialNumber};
use cms::content_info::{CmsVersion, ContentInfo};
use cms::signed_data::{
    CertificateSet, EncapsulatedContentInfo, SignedAttributes, SignedData, SignerIdentifier,
    SignerInfo, SignerInfos,
};
use der::asn1::{ObjectIdentifier, OctetString, SetOfVec};
use der::{Any, DateTime, Decode, Encode, Sequence, Tag};
use x509_cert::Certificate as X509;
use x509_cert::attr::Attribute;
use x509_cert::spki::AlgorithmIdentifierOwned;

use crate::certificate::{Certificate, Identity};
use crate::digest::Algorithm;
use crate::error::{Error, Result, malformed};
use crate::oid;

/// `SPC_STATEMENT_TYPE`.
#[derive(Sequence)]
struct StatementType {
    purpose: ObjectIdentifier,
}

/// Signs a content, which is a SEQUENCE. The same arguments give the same bytes.
pub(crate) fn sign(kind: ObjectIdentifier, content: &Any, identity: &Identity) -> Result<Vec<u8>> {
    let encode = malformed("the signature");
    encode_signed(kind, content, identity).map_err(encode)
}

fn encode_signed(kind: ObjectIdentifier, content: &Any, by: &Identity) -> der::Result<Vec<u8>> {
    let digest = Algorithm::Sha256.of(&[content.value()]);
    let attributes = attributes(kind, digest)?;
    let signature = by
        .sign(&attributes.to_der()?)
        .ok_or(der::ErrorKind::Failed)?;
    let x509 = by.certificate.x509();
    let signer = SignerInfo {
        version: CmsVersion::V1,
        sid: SignerIdentifier::IssuerAndSerialNumber(IssuerAndSerialNumber {
            issuer: x509.tbs_certificate().issuer().clone(),
            serial_number: x509.tbs_certificate().serial_number().clone(),
        }),
        digest_alg: Algorithm::Sha256.identifier(),
        signed_attrs: Some(attributes),
        signature_algorithm: AlgorithmIdentifierOwned {
            oid: oid::RSA,
            parameters: Some(Any::null()),
        },
        signature: OctetString::new(signature)?,
        unsigned_attrs: None,
    };
    let certificates = by
        .chain()
        .map(|one| CertificateChoices::Certificate(one.x509().clone()));
    let data = SignedData {
        version: CmsVersion::V1,
        digest_algorithms: SetOfVec::try_from(vec![Algorithm::Sha256.identifier()])?,
        encap_content_info: EncapsulatedContentInfo {
            econtent_type: kind,
            econtent: Some(content.clone()),
        },
        certificates: Some(CertificateSet(SetOfVec::from_iter(certificates)?)),
        crls: None,
        signer_infos: SignerInfos(SetOfVec::try_from(vec![signer])?),
    };
    let info = ContentInfo {
        content_type: oid::SIGNED_DATA,
        content: Any::encode_from(&data)?,
    };
    info.to_der()
}

/// The attributes that the signature is over.
fn attributes(kind: ObjectIdentifier, digest: Vec<u8>) -> der::Result<SignedAttributes> {
    let attribute = |oid, value: Any| -> der::Result<Attribute> {
        let values = SetOfVec::try_from(vec![value])?;
        Ok(Attribute { oid, values })
    };
    let statement = StatementType {
        purpose: oid::INDIVIDUAL_SIGNING,
    };
    SetOfVec::try_from(vec![
        attribute(oid::CONTENT_TYPE, Any::encode_from(&kind)?)?,
        attribute(
            oid::MESSAGE_DIGEST,
            Any::encode_from(&OctetString::new(digest)?)?,
        )?,
        attribute(oid::STATEMENT_TYPE, Any::encode_from(&statement)?)?,
        attribute(oid::OPUS_INFO, Any::new(Tag::Sequence, Vec::new())?)?,
    ])
}

/// Signed data as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Signed {
    /// The type of the content.
    pub(crate) kind: ObjectIdentifier,
    /// The content, a SEQUENCE.
    pub(crate) content: Any,
    /// Why the signature does not hold, `None` if it does.
    pub(crate) flaw: Option<String>,
    /// The certificate of the signer, `None` if there is no signer or it does not come along.
    pub(crate) signer: Option<Certificate>,
    /// When a server of time stamps has seen the signature. The server is not checked.
    pub(crate) stamped: Option<DateTime>,
}

impl Signed {
    /// Reads signed data and checks its signature. Fails if the bytes are none. Bytes of zero may
    /// follow, with which certificate tables are padded.
    pub(crate) fn read(part: &'static str, bytes: &[u8]) -> Result<Self> {
        let (info, rest) = ContentInfo::from_der_partial(bytes).map_err(malformed(part))?;
        if rest.iter().any(|byte| *byte != 0) {
            return Err(Error::malformed(part, "bytes follow it"));
        }
        if info.content_type != oid::SIGNED_DATA {
            return Err(Error::malformed(part, "it is no PKCS #7 signed data"));
        }
        let data: SignedData = info.content.decode_as().map_err(malformed(part))?;
        let content = data.encap_content_info.econtent.clone();
        let content = content.ok_or_else(|| Error::malformed(part, "it has no content"))?;
        let signer = signer(&data);
        Ok(Self {
            kind: data.encap_content_info.econtent_type,
            flaw: check(&data, &content, signer.as_ref()).err(),
            stamped: data.signer_infos.0.iter().next().and_then(time_stamp::read),
            content,
            signer,
        })
    }
}

/// The certificate that the signer is named after.
fn signer(data: &SignedData) -> Option<Certificate> {
    let info = data.signer_infos.0.iter().next()?;
    let SignerIdentifier::IssuerAndSerialNumber(wanted) = &info.sid else {
        return None;
    };
    let is_wanted = |x509: &&X509| {
        let tbs = x509.tbs_certificate();
        *tbs.issuer() == wanted.issuer && *tbs.serial_number() == wanted.serial_number
    };
    let certificates = data.certificates.iter().flat_map(|set| set.0.iter());
    let x509 = certificates.filter_map(|choice| match choice {
        CertificateChoices::Certificate(x509) => Some(x509),
        CertificateChoices::Other(_) => None,
    });
    Some(Certificate::new(x509.into_iter().find(is_wanted)?.clone()))
}

/// The error says why the signature does not hold.
fn check(data: &SignedData, content: &Any, by: Option<&Certificate>) -> Result<(), String> {
    let signers: Vec<_> = data.signer_infos.0.iter().collect();
    let [info] = signers[..] else {
        return Err(format!("it has {} signers, not 1", signers.len()));
    };
    let by = by.ok_or("the signer's certificate does not come along")?;
    let digest_name = info.digest_alg.oid;
    let algorithm = Algorithm::from_oid(digest_name)
        .ok_or_else(|| format!("its digest algorithm {digest_name} is unknown"))?;
    let attributes = info
        .signed_attrs
        .as_ref()
        .ok_or("it has no signed attributes")?;
    let value = |oid| {
        let attribute = attributes.iter().find(|attribute| attribute.oid == oid);
        attribute.and_then(|attribute| attribute.values.get(0))
    };
    let kind = value(oid::CONTENT_TYPE).and_then(|value| value.decode_as().ok());
    if kind != Some(data.encap_content_info.econtent_type) {
        return Err("the signed content type is another".to_owned());
    }
    let digest: Option<OctetString> =
        value(oid::MESSAGE_DIGEST).and_then(|value| value.decode_as().ok());
    if digest.is_none_or(|digest| digest.as_bytes() != algorithm.of(&[content.value()])) {
        return Err("the content was changed after it was signed".to_owned());
    }
    let signed = attributes.to_der().map_err(|error| error.to_string())?;
    by.check(
        &info.signature_algorithm,
        algorithm,
        &signed,
        info.signature.as_bytes(),
    )
}

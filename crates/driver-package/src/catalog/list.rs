//! The certificate trust list.

use der::asn1::{Null, ObjectIdentifier, OctetString, UtcTime};
use der::{Any, Encode, Sequence};
use x509_cert::ext::Extension;
use x509_cert::spki::AlgorithmIdentifierOwned;
use x509_cert::time::Time;

use super::member::{self, NameValue, TrustedSubject};
use super::{Catalog, PART};
use crate::error::{Error, Result, malformed};
use crate::oid;

#[derive(Sequence)]
struct TrustList {
    usage: Vec<ObjectIdentifier>,
    #[asn1(optional = "true")]
    identifier: Option<OctetString>,
    this_update: Time,
    subject_algorithm: AlgorithmIdentifierOwned,
    #[asn1(optional = "true")]
    subjects: Option<Vec<TrustedSubject>>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    extensions: Option<Vec<Extension>>,
}

/// The list as it is signed.
pub(super) fn encode(catalog: &Catalog) -> Result<Any> {
    let subjects = catalog
        .members
        .iter()
        .map(member::encode)
        .collect::<Result<_>>()?;
    let extension = |(name, value): &(String, String)| -> der::Result<Extension> {
        Ok(Extension {
            extn_id: oid::NAME_VALUE,
            critical: false,
            extn_value: OctetString::new(NameValue::new(name, value)?.to_der()?)?,
        })
    };
    let encode = || {
        let extensions = catalog
            .attributes
            .iter()
            .map(extension)
            .collect::<Result<_, _>>()?;
        let list = TrustList {
            usage: vec![oid::CATALOG_LIST],
            identifier: Some(OctetString::new(catalog.identifier.as_slice())?),
            this_update: Time::UtcTime(UtcTime::from_date_time(catalog.time)?),
            subject_algorithm: AlgorithmIdentifierOwned {
                oid: oid::MEMBER_SHA256,
                parameters: Some(Null.into()),
            },
            subjects: Some(subjects),
            extensions: Some(extensions),
        };
        Any::encode_from(&list)
    };
    encode().map_err(malformed::<der::Error>(PART))
}

/// The content of a list. Fails if it is one of another purpose.
pub(super) fn decode(content: &Any) -> Result<Catalog> {
    let list: TrustList = content.decode_as().map_err(malformed(PART))?;
    if list.usage != [oid::CATALOG_LIST] {
        return Err(Error::new(
            "no catalog: the certificate trust list is for another purpose",
        ));
    }
    if ![oid::MEMBER_SHA1, oid::MEMBER_SHA256].contains(&list.subject_algorithm.oid) {
        let kind = list.subject_algorithm.oid;
        return Err(Error::malformed(
            PART,
            format!("members of kind {kind} are unknown"),
        ));
    }
    let extensions = list.extensions.iter().flatten();
    let attributes = extensions.filter(|extension| extension.extn_id == oid::NAME_VALUE);
    let subjects = list.subjects.iter().flatten();
    Ok(Catalog {
        identifier: list
            .identifier
            .map_or_else(Vec::new, |id| id.as_bytes().to_vec()),
        time: list.this_update.to_date_time(),
        members: subjects.map(member::decode).collect::<Result<_>>()?,
        attributes: attributes
            .map(|attribute| NameValue::read(attribute.extn_value.as_bytes()))
            .collect::<Result<_>>()?,
    })
}

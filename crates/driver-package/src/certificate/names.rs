//! Names of owners and issuers, for people.

use der::asn1::{BmpString, ObjectIdentifier, PrintableStringRef, TeletexStringRef, Utf8StringRef};
use der::{Any, Tag, Tagged};
use x509_cert::name::Name;

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");

/// The common name if there is one, or else the whole name.
pub(crate) fn short(name: &Name) -> String {
    let common = name.iter().find(|entry| entry.oid == COMMON_NAME);
    common
        .and_then(|entry| text(&entry.value))
        .unwrap_or_else(|| name.to_string())
}

fn text(value: &Any) -> Option<String> {
    match value.tag() {
        Tag::Utf8String => Some(
            value
                .decode_as::<Utf8StringRef<'_>>()
                .ok()?
                .as_str()
                .to_owned(),
        ),
        Tag::PrintableString => Some(
            value
                .decode_as::<PrintableStringRef<'_>>()
                .ok()?
                .as_str()
                .to_owned(),
        ),
        Tag::TeletexString => Some(
            value
                .decode_as::<TeletexStringRef<'_>>()
                .ok()?
                .as_str()
                .to_owned(),
        ),
        Tag::BmpString => Some(value.decode_as::<BmpString>().ok()?.to_string()),
        _ => None,
    }
}

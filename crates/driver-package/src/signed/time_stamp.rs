//! Time stamps: the time at which a server has seen a signature.
//!
//! Only the time is read. Whether the server's own signature holds, and who trusts it, is not checked.

use cms::content_info::ContentInfo;
use cms::signed_data::{EncapsulatedContentInfo, SignerInfo};
use der::asn1::{GeneralizedTime, OctetString};
use der::{Any, DateTime, Decode, Reader, SliceReader};
use x509_cert::time::Time;

use crate::oid;

/// The time of the stamp that a signer's unsigned attributes have.
pub(super) fn read(info: &SignerInfo) -> Option<DateTime> {
    let attributes = info.unsigned_attrs.as_ref()?;
    let value = |oid| {
        let attribute = attributes.iter().find(|attribute| attribute.oid == oid)?;
        attribute.values.get(0)
    };
    let rfc3161 = value(oid::TIME_STAMP).and_then(token_time);
    rfc3161.or_else(|| value(oid::COUNTER_SIGNATURE).and_then(counter_time))
}

/// `genTime` of a token of RFC 3161: version, policy, imprint, serial number, time.
fn token_time(token: &Any) -> Option<DateTime> {
    let info: ContentInfo = token.decode_as().ok()?;
    // Certificates may be of kinds that `SignedData` of this library does not have: version and
    // algorithms are passed over, and they are left out.
    let mut data = SliceReader::new(info.content.value()).ok()?;
    for _version_algorithms in 0..2 {
        data.tlv_bytes().ok()?;
    }
    let content = EncapsulatedContentInfo::decode(&mut data).ok()?.econtent?;
    let content: OctetString = content.decode_as().ok()?;
    let token = Any::from_der(content.as_bytes()).ok()?;
    let mut reader = SliceReader::new(token.value()).ok()?;
    for _version_policy_imprint_serial in 0..4 {
        reader.tlv_bytes().ok()?;
    }
    // A time with fractions of a second is none of DER's type: the seconds are enough.
    let time = Any::decode(&mut reader).ok()?;
    let seconds = [time.value().get(..14)?, b"Z"].concat();
    let whole = Any::new(der::Tag::GeneralizedTime, seconds).ok()?;
    whole
        .decode_as::<GeneralizedTime>()
        .ok()
        .map(|time| time.to_date_time())
}

/// The signing time of a countersignature of PKCS #9.
fn counter_time(signer: &Any) -> Option<DateTime> {
    let info: SignerInfo = signer.decode_as().ok()?;
    let attributes = info.signed_attrs?;
    let attribute = attributes
        .iter()
        .find(|attribute| attribute.oid == oid::SIGNING_TIME)?;
    attribute
        .values
        .get(0)?
        .decode_as::<Time>()
        .ok()
        .map(|time| time.to_date_time())
}

//! Object identifiers of Authenticode and of catalogs, with the names of `wintrust.h` and `mscat.h`.

use der::asn1::ObjectIdentifier;

const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}

/// `szOID_CTL`: the content of a catalog.
pub(crate) const CTL: ObjectIdentifier = oid("1.3.6.1.4.1.311.10.1");
/// `szOID_CATALOG_LIST`: the usage of a list that is a catalog.
pub(crate) const CATALOG_LIST: ObjectIdentifier = oid("1.3.6.1.4.1.311.12.1.1");
/// `szOID_CATALOG_LIST_MEMBER`: members are found by SHA-1.
pub(crate) const MEMBER_SHA1: ObjectIdentifier = oid("1.3.6.1.4.1.311.12.1.2");
/// `szOID_CATALOG_LIST_MEMBER2`: members are found by SHA-1 or SHA-256.
pub(crate) const MEMBER_SHA256: ObjectIdentifier = oid("1.3.6.1.4.1.311.12.1.3");
/// `CAT_NAMEVALUE_OBJID`.
pub(crate) const NAME_VALUE: ObjectIdentifier = oid("1.3.6.1.4.1.311.12.2.1");
/// `CAT_MEMBERINFO2_OBJID`: the kind of a member, a PE image or any file.
pub(crate) const MEMBER_INFO: ObjectIdentifier = oid("1.3.6.1.4.1.311.12.2.3");
/// `SPC_INDIRECT_DATA_OBJID`.
pub(crate) const INDIRECT_DATA: ObjectIdentifier = oid("1.3.6.1.4.1.311.2.1.4");
/// `SPC_STATEMENT_TYPE_OBJID`.
pub(crate) const STATEMENT_TYPE: ObjectIdentifier = oid("1.3.6.1.4.1.311.2.1.11");
/// `SPC_SP_OPUS_INFO_OBJID`: name and address of the program, both optional.
pub(crate) const OPUS_INFO: ObjectIdentifier = oid("1.3.6.1.4.1.311.2.1.12");
/// `SPC_PE_IMAGE_DATA_OBJID`.
pub(crate) const PE_IMAGE: ObjectIdentifier = oid("1.3.6.1.4.1.311.2.1.15");
/// `SPC_INDIVIDUAL_SP_KEY_PURPOSE_OBJID`.
pub(crate) const INDIVIDUAL_SIGNING: ObjectIdentifier = oid("1.3.6.1.4.1.311.2.1.21");
/// `SPC_CAB_DATA_OBJID`, which catalogs use for every file that is not an image.
pub(crate) const ANY_FILE: ObjectIdentifier = oid("1.3.6.1.4.1.311.2.1.25");

/// PKCS #7 signed data.
pub(crate) const SIGNED_DATA: ObjectIdentifier = oid("1.2.840.113549.1.7.2");
/// PKCS #9 content type.
pub(crate) const CONTENT_TYPE: ObjectIdentifier = oid("1.2.840.113549.1.9.3");
/// PKCS #9 message digest.
pub(crate) const MESSAGE_DIGEST: ObjectIdentifier = oid("1.2.840.113549.1.9.4");
/// PKCS #1 RSA.
pub(crate) const RSA: ObjectIdentifier = oid("1.2.840.113549.1.1.1");
/// PKCS #1 RSA with SHA-256.
pub(crate) const RSA_SHA256: ObjectIdentifier = oid("1.2.840.113549.1.1.11");
/// PKCS #1 RSA with SHA-384.
pub(crate) const RSA_SHA384: ObjectIdentifier = oid("1.2.840.113549.1.1.12");
/// PKCS #1 RSA with SHA-512.
pub(crate) const RSA_SHA512: ObjectIdentifier = oid("1.2.840.113549.1.1.13");
/// PKCS #1 RSA with SHA-1.
pub(crate) const RSA_SHA1: ObjectIdentifier = oid("1.2.840.113549.1.1.5");
/// Extended key usage: code signing.
pub(crate) const CODE_SIGNING: ObjectIdentifier = oid("1.3.6.1.5.5.7.3.3");
/// `szOID_RFC3161_counterSign`.
pub(crate) const TIME_STAMP: ObjectIdentifier = oid("1.3.6.1.4.1.311.3.3.1");
/// PKCS #9 countersignature.
pub(crate) const COUNTER_SIGNATURE: ObjectIdentifier = oid("1.2.840.113549.1.9.6");
/// PKCS #9 signing time.
pub(crate) const SIGNING_TIME: ObjectIdentifier = oid("1.2.840.113549.1.9.5");

//! Certificates and keys: made for tests, or read from files.

mod identity;
mod names;

use std::time::Duration;

use der::{DateTime, Decode, DecodePem, Encode};
use rsa::PublicKey;
use rsa::pkcs8::DecodePublicKey;
use rsa::traits::PublicKeyParts;
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};
use x509_cert::Certificate as X509;
use x509_cert::ext::pkix::ExtendedKeyUsage;
use x509_cert::spki::AlgorithmIdentifierOwned;

pub use identity::Identity;

use crate::digest::Algorithm;
use crate::error::{Error, Result, malformed};
use crate::oid;

/// The largest file of certificates or of a key that is read, in bytes.
pub const MAX_SIZE: usize = 1 << 20;
/// The fewest bits of an RSA key that Windows accepts for drivers.
const LEAST_BITS: u32 = 2048;
const PART: &str = "the certificate";

/// An X.509 certificate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Certificate(X509);

impl Certificate {
    pub(crate) const fn new(x509: X509) -> Self {
        Self(x509)
    }

    /// Reads a certificate in DER, or the first one in PEM.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let first = Self::read_all(bytes)?.into_iter().next();
        first.ok_or_else(|| Error::malformed(PART, "the file has none"))
    }

    /// Reads a certificate in DER, or all that are there in PEM.
    pub fn read_all(bytes: &[u8]) -> Result<Vec<Self>> {
        if bytes.len() > MAX_SIZE {
            return Err(Error::malformed(PART, "it has more than 1 MiB"));
        }
        if !is_pem(bytes) {
            return Ok(vec![Self(X509::from_der(bytes).map_err(malformed(PART))?)]);
        }
        let all = X509::load_pem_chain(bytes).or_else(|_| {
            // Text in front of the certificate, which `openssl x509 -text` writes.
            X509::from_pem(bytes).map(|one| vec![one])
        });
        Ok(all
            .map_err(malformed(PART))?
            .into_iter()
            .map(Self)
            .collect())
    }

    pub(crate) const fn x509(&self) -> &X509 {
        &self.0
    }

    /// The certificate in DER.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        // It was read, or made, and so can be written.
        self.0.to_der().unwrap_or_default()
    }

    /// The name of its owner: the common name if there is one.
    #[must_use]
    pub fn subject(&self) -> String {
        names::short(self.0.tbs_certificate().subject())
    }

    /// The name of its issuer.
    #[must_use]
    pub fn issuer(&self) -> String {
        names::short(self.0.tbs_certificate().issuer())
    }

    /// Returns `true` if owner and issuer are the same.
    #[must_use]
    pub fn is_self_signed(&self) -> bool {
        self.0.tbs_certificate().subject() == self.0.tbs_certificate().issuer()
    }

    /// The SHA-1 digest of the certificate, which Windows shows as its thumbprint.
    #[must_use]
    pub fn thumbprint(&self) -> Vec<u8> {
        Algorithm::Sha1.of(&[&self.to_der()])
    }

    /// The first second of its validity.
    #[must_use]
    pub fn not_before(&self) -> DateTime {
        self.0
            .tbs_certificate()
            .validity()
            .not_before
            .to_date_time()
    }

    /// The last second of its validity.
    #[must_use]
    pub fn not_after(&self) -> DateTime {
        self.0.tbs_certificate().validity().not_after.to_date_time()
    }

    /// Why Windows would refuse a driver that this certificate signs at a time, one text for each
    /// reason.
    #[must_use]
    pub fn objections(&self, now: DateTime) -> Vec<String> {
        let tbs = self.0.tbs_certificate();
        let mut found = Vec::new();
        let (from, until) = (self.not_before(), self.not_after());
        if now < from {
            found.push(format!("it is not valid before {from}"));
        }
        if now > until {
            found.push(format!("it expired at {until}"));
        }
        match tbs.get_extension::<ExtendedKeyUsage>() {
            Ok(Some((_, usage))) if usage.0.contains(&oid::CODE_SIGNING) => {}
            Ok(Some(_)) => found.push("its extended key usage is not code signing".to_owned()),
            Ok(None) => found.push("it has no extended key usage for code signing".to_owned()),
            Err(_) => found.push("its extended key usage is malformed".to_owned()),
        }
        match self.key() {
            Ok(key) if key.n().bit_width() < LEAST_BITS => {
                let bits = key.n().bit_width();
                found.push(format!(
                    "its RSA key has {bits} bits, fewer than {LEAST_BITS}"
                ));
            }
            Ok(_) => {}
            Err(reason) => found.push(reason),
        }
        found
    }

    /// Checks that this certificate's key has signed another certificate, or itself.
    pub fn check_issued(&self, other: &Self) -> Result<(), String> {
        let signed = other
            .0
            .tbs_certificate()
            .to_der()
            .map_err(|error| error.to_string())?;
        let signature = other.0.signature().raw_bytes();
        let algorithm = other.0.signature_algorithm();
        let digest = match algorithm.oid {
            oid::RSA_SHA1 => Algorithm::Sha1,
            oid::RSA_SHA256 => Algorithm::Sha256,
            oid::RSA_SHA384 => Algorithm::Sha384,
            oid::RSA_SHA512 => Algorithm::Sha512,
            other => return Err(format!("its signature algorithm {other} is not RSA")),
        };
        self.check(algorithm, digest, &signed, signature)
    }

    /// Checks a signature by this certificate's key. The error is the reason why it does not hold.
    pub(crate) fn check(
        &self,
        algorithm: &AlgorithmIdentifierOwned,
        digest: Algorithm,
        signed: &[u8],
        signature: &[u8],
    ) -> Result<(), String> {
        let is_rsa = [
            oid::RSA,
            oid::RSA_SHA1,
            oid::RSA_SHA256,
            oid::RSA_SHA384,
            oid::RSA_SHA512,
        ];
        if !is_rsa.contains(&algorithm.oid) {
            return Err(format!(
                "its signature algorithm {} is not RSA",
                algorithm.oid
            ));
        }
        let key = self.key()?;
        let checked = match digest {
            Algorithm::Sha1 => key.pkcs1v15_verify::<Sha1>(signed, signature),
            Algorithm::Sha256 => key.pkcs1v15_verify::<Sha256>(signed, signature),
            Algorithm::Sha384 => key.pkcs1v15_verify::<Sha384>(signed, signature),
            Algorithm::Sha512 => key.pkcs1v15_verify::<Sha512>(signed, signature),
        };
        checked.map_err(|_| format!("the signature is not by the key of {}", self.subject()))
    }

    fn is_rsa(&self) -> bool {
        let spki = self.0.tbs_certificate().subject_public_key_info();
        spki.algorithm.oid == oid::RSA
    }

    fn key(&self) -> Result<PublicKey, String> {
        let spki = self.0.tbs_certificate().subject_public_key_info();
        if !self.is_rsa() {
            return Err(format!("its key is not RSA but {}", spki.algorithm.oid));
        }
        let key = spki
            .to_der()
            .ok()
            .and_then(|der| PublicKey::from_public_key_der(&der).ok());
        key.ok_or_else(|| "its RSA key is malformed".to_owned())
    }
}

/// A time that is so much later, or the latest time that there is.
pub(crate) fn later(time: DateTime, by: Duration) -> DateTime {
    DateTime::from_unix_duration(time.unix_duration().saturating_add(by)).unwrap_or(time)
}

/// Returns `true` if the bytes are text with a PEM block.
pub(crate) fn is_pem(bytes: &[u8]) -> bool {
    let begin = b"-----BEGIN ";
    bytes.windows(begin.len()).any(|window| window == begin)
}

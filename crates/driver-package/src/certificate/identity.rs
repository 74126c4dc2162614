//! A certificate with its private key.

use std::str::FromStr;
use std::time::Duration;

use der::DateTime;
use der::asn1::GeneralizedTime;
use der::zeroize::Zeroizing;
use getrandom::SysRng;
use rsa::PrivateKey;
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs1v15::{Signature, SigningKey};
use rsa::pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding};
use rsa::rand_core::TryCryptoRng;
use rsa::signature::Keypair;
use sha2::Sha256;
use x509_cert::builder::profile::BuilderProfile;
use x509_cert::builder::{Builder, CertificateBuilder};
use x509_cert::certificate::TbsCertificate;
use x509_cert::ext::pkix::{ExtendedKeyUsage, KeyUsage, KeyUsages};
use x509_cert::ext::{Extension, ToExtension};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{SubjectPublicKeyInfo, SubjectPublicKeyInfoRef};
use x509_cert::time::{Time, Validity};

use super::{Certificate, MAX_SIZE, is_pem, later};
use crate::error::{Error, Result, malformed};
use crate::oid;

const BITS: usize = 2048;
const DAY: Duration = Duration::from_hours(24);
/// How long a test certificate is valid, in days.
const DAYS: u32 = 3650;
const PART: &str = "the private key";

/// Who signs: a certificate, its private key, and the certificates above it.
pub struct Identity {
    /// The certificate that signs.
    pub certificate: Certificate,
    above: Vec<Certificate>,
    key: PrivateKey,
}

impl Identity {
    /// Reads a certificate, followed in PEM by those above it, and its RSA key, in PEM or DER,
    /// PKCS #8 or PKCS #1. Fails if the key is encrypted or belongs to another certificate.
    pub fn read(certificates: &[u8], key: &[u8]) -> Result<Self> {
        let mut all = Certificate::read_all(certificates)?.into_iter();
        let none = || Error::malformed("the certificate", "the file has none");
        let certificate = all.next().ok_or_else(none)?;
        if !certificate.is_rsa() {
            let owner = certificate.subject();
            return Err(Error::new(format!(
                "the key of {owner} is not RSA, and drivers are signed with RSA here"
            )));
        }
        let key = read_key(key)?;
        if certificate.key().ok() != Some(key.to_public_key()) {
            let owner = certificate.subject();
            return Err(Error::new(format!(
                "the private key does not belong to the certificate of {owner}"
            )));
        }
        Ok(Self {
            certificate,
            above: all.collect(),
            key,
        })
    }

    /// Makes a certificate for test signing: self-signed, RSA 2048, for code signing only, valid for
    /// ten years, and before `now` since 2020, so that it can sign for earlier times. Fails if the random numbers do.
    pub fn generate(owner: &str, now: DateTime) -> Result<Self> {
        Self::generate_from(owner, now, &mut SysRng)
    }

    /// The same from random numbers of one's own, which decide about key and serial number.
    pub fn generate_from(
        owner: &str,
        now: DateTime,
        random: &mut impl TryCryptoRng,
    ) -> Result<Self> {
        let key = PrivateKey::new(random, BITS).map_err(malformed(PART))?;
        let mut serial = [0; 16];
        random
            .try_fill_bytes(&mut serial)
            .map_err(malformed("the serial number"))?;
        // Positive, and of the same length every time.
        serial[0] = serial[0] & 0x7F | 0x40;
        let certificate = issue(owner, now, &key, &serial).map_err(malformed("the certificate"))?;
        Ok(Self {
            certificate,
            above: Vec::new(),
            key,
        })
    }

    /// The private key as PKCS #8 in PEM, without a password.
    pub fn key_pem(&self) -> Result<Zeroizing<String>> {
        self.key
            .to_pkcs8_pem(LineEnding::LF)
            .map_err(malformed(PART))
    }

    /// The certificate and those above it.
    pub(crate) fn chain(&self) -> impl Iterator<Item = &Certificate> {
        std::iter::once(&self.certificate).chain(&self.above)
    }

    /// RSA with PKCS #1 v1.5 and SHA-256; `None` if the key cannot.
    pub(crate) fn sign(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        self.key.pkcs1v15_sign::<Sha256>(bytes).ok()
    }
}

fn read_key(bytes: &[u8]) -> Result<PrivateKey> {
    if bytes.len() > MAX_SIZE {
        return Err(Error::malformed(PART, "it has more than 1 MiB"));
    }
    if !is_pem(bytes) {
        let key = PrivateKey::from_pkcs8_der(bytes);
        return key.or_else(|_| PrivateKey::from_pkcs1_der(bytes).map_err(malformed(PART)));
    }
    let text = std::str::from_utf8(bytes).map_err(malformed(PART))?;
    if text.contains("ENCRYPTED") {
        return Err(Error::new(
            "the private key is encrypted: decrypt it first, with `openssl pkey -in KEY -out PLAIN`",
        ));
    }
    if text.contains("BEGIN RSA PRIVATE KEY") {
        return PrivateKey::from_pkcs1_pem(text).map_err(malformed(PART));
    }
    PrivateKey::from_pkcs8_pem(text).map_err(malformed(PART))
}

/// The extensions of a test certificate. No basic constraints, as those that the WDK makes.
struct TestSigning(Name);

impl BuilderProfile for TestSigning {
    fn get_issuer(&self, subject: &Name) -> Name {
        subject.clone()
    }

    fn get_subject(&self) -> Name {
        self.0.clone()
    }

    fn build_extensions(
        &self,
        _: SubjectPublicKeyInfoRef<'_>,
        _: SubjectPublicKeyInfoRef<'_>,
        tbs: &TbsCertificate,
    ) -> x509_cert::builder::Result<Vec<Extension>> {
        let usage = KeyUsage(KeyUsages::DigitalSignature.into());
        let extended = ExtendedKeyUsage(vec![oid::CODE_SIGNING]);
        Ok(vec![
            usage.to_extension(tbs.subject(), &[])?,
            extended.to_extension(tbs.subject(), &[])?,
        ])
    }
}

fn issue(
    owner: &str,
    now: DateTime,
    key: &PrivateKey,
    serial: &[u8],
) -> x509_cert::builder::Result<Certificate> {
    let signer = SigningKey::<Sha256>::new(key.clone());
    let start = DateTime::new(2020, 1, 1, 0, 0, 0)?;
    let time = |time| Time::GeneralTime(GeneralizedTime::from_date_time(time));
    let end = later(now, DAY * DAYS);
    // The builder writes years before 2050 as UTCTime.
    let validity = Validity::new(time(start), time(end));
    let name = Name::from_str(&format!("CN={owner}"))?;
    let key = SubjectPublicKeyInfo::from_key(&signer.verifying_key())?;
    let serial = SerialNumber::new(serial)?;
    let builder = CertificateBuilder::new(TestSigning(name), serial, validity, key)?;
    Ok(Certificate::new(builder.build::<_, Signature>(&signer)?))
}

//! Catalogs (`.cat`): signed lists of the digests of a package's files.
//!
//! A catalog is PKCS #7 signed data whose content is a certificate trust list (MS-CAESO 2.2.1.4 and
//! `wincrypt.h`) with the member attributes of `mscat.h`. The layout was compared with catalogs that
//! Microsoft's tools made: the test of this module encodes the list of a public driver, byte for
//! byte.

mod list;
mod member;
#[cfg(test)]
mod tests;

use der::{DateTime, Encode};

pub use crate::indirect::Kind;
pub use member::Member;

use crate::certificate::{Certificate, Identity};
use crate::digest::sha256;
use crate::error::{Error, Result, malformed};
use crate::image::Arch;
use crate::oid;
use crate::signed::{self, Signed};

/// The largest catalog that is read, in bytes.
pub const MAX_SIZE: usize = 1 << 24;
const PART: &str = "the catalog";

/// The content of a catalog.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Catalog {
    /// The identifier of the list, 16 bytes.
    pub identifier: Vec<u8>,
    /// When the list was made.
    pub time: DateTime,
    /// The files.
    pub members: Vec<Member>,
    /// Attributes of the list, as `OS` and `HWID1`.
    pub attributes: Vec<(String, String)>,
}

/// A catalog as it was read, with its signature.
#[derive(Clone, Debug)]
pub struct SignedCatalog {
    /// The content.
    pub catalog: Catalog,
    /// The signer's certificate, `None` if it does not come along.
    pub signer: Option<Certificate>,
    /// The time of a time stamp. Its server is not checked.
    pub stamped: Option<DateTime>,
    /// Why the signature does not hold, `None` if it does.
    pub flaw: Option<String>,
}

impl Catalog {
    /// A catalog of members for Windows 10 and later on a processor, and for hardware ids. The
    /// identifier follows from the members and the time.
    #[must_use]
    pub fn new(arch: Arch, hardware_ids: &[String], members: Vec<Member>, time: DateTime) -> Self {
        let mut members = members;
        members.sort_by(|a, b| a.digest.cmp(&b.digest));
        let mut seed: Vec<u8> = members
            .iter()
            .flat_map(|member| member.digest.clone())
            .collect();
        seed.extend(time.unix_duration().as_secs().to_be_bytes());
        let name = arch.catalog_name();
        let mut attributes = vec![("OS".to_owned(), format!("_v100_{name},_v100_{name}_VB"))];
        let ids = hardware_ids.iter().enumerate();
        attributes.extend(ids.map(|(at, id)| (format!("HWID{}", at + 1), id.to_lowercase())));
        Self {
            identifier: sha256(&seed)[..16].to_vec(),
            time,
            members,
            attributes,
        }
    }

    /// The certificate trust list in DER.
    pub fn to_der(&self) -> Result<Vec<u8>> {
        let list = list::encode(self)?;
        list.to_der().map_err(malformed(PART))
    }

    /// The catalog with a signature: the bytes of the file. The same arguments give the same bytes.
    pub fn sign(&self, identity: &Identity) -> Result<Vec<u8>> {
        signed::sign(oid::CTL, &list::encode(self)?, identity)
    }

    /// The value of an attribute of the list.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let mut all = self.attributes.iter();
        all.find(|(own, _)| own == name)
            .map(|(_, value)| value.as_str())
    }
}

impl SignedCatalog {
    /// Reads a catalog and checks its signature. Fails if the bytes are no catalog.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        if bytes.len() > MAX_SIZE {
            return Err(Error::malformed(PART, "it has more than 16 MiB"));
        }
        let signed = Signed::read(PART, bytes)?;
        if signed.kind != oid::CTL {
            return Err(Error::new(format!(
                "no catalog: the signed content is {} and not a certificate trust list",
                signed.kind
            )));
        }
        Ok(Self {
            catalog: list::decode(&signed.content)?,
            signer: signed.signer,
            stamped: signed.stamped,
            flaw: signed.flaw,
        })
    }
}

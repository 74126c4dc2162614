//! Making a package: stamp the INF, sign the image, hash both into a catalog, sign the catalog.
//!
//! The order matters: a digest is over the bytes that ship, so nothing may change afterwards.

use der::DateTime;

use crate::catalog::{Catalog, Kind, Member};
use crate::certificate::Identity;
use crate::digest::Algorithm;
use crate::error::{Error, Result};
use crate::image::Image;
use crate::indirect;
use crate::inf::Inf;
use crate::inf::stamp::{Stamp, Version};
use crate::oid;
use crate::signed;

/// What a package is made of.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The name of the package: of its INF, catalog and certificate, without an ending.
    pub name: &'a str,
    /// The name of the image, as the INF has it.
    pub image_name: &'a str,
    /// The image, signed or not.
    pub image: &'a [u8],
    /// The INX or INF.
    pub inf: &'a [u8],
    /// The version of KMDF for `$KMDFVERSION$`.
    pub kmdf: &'a str,
    /// The version for `DriverVer`; without it the INX's own stays.
    pub version: Option<Version>,
    /// The time of the catalog, and the date of the driver.
    pub time: DateTime,
}

/// The files of a package.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Package {
    /// The names and the bytes: image, INF, catalog, certificate.
    pub files: [(String, Vec<u8>); 4],
}

impl Package {
    /// Makes a package. The same arguments give the same bytes.
    pub fn make(request: &Request<'_>, identity: &Identity) -> Result<Self> {
        let Request { name, time, .. } = *request;
        if !(1950..2050).contains(&time.year()) {
            return Err(Error::new("a catalog has a time between 1950 and 2049"));
        }
        let image = sign(request.image, identity)?;
        let signed = Image::read(&image)?;
        let inx = Inf::read(request.inf)?;
        let stamp = Stamp {
            arch: signed.arch,
            kmdf: request.kmdf.to_owned(),
            date: time,
            version: request.version,
            catalog: format!("{name}.cat"),
        };
        let inf = stamp.apply(&inx)?;
        let hardware_ids = Inf::read(&inf)?.hardware_ids();
        if hardware_ids.is_empty() {
            return Err(Error::new("the INX has no model with a hardware id"));
        }
        let inf_name = format!("{name}.inf");
        let member = |file: &str, kind, algorithm, digest| Member {
            file: Some(file.to_lowercase()),
            kind,
            algorithm,
            digest,
        };
        let algorithms = [Algorithm::Sha1, Algorithm::Sha256];
        let members = algorithms.into_iter().flat_map(|algorithm| {
            let image = signed.digest(algorithm);
            [
                member(&inf_name, Kind::File, algorithm, algorithm.of(&[&inf])),
                member(request.image_name, Kind::Image, algorithm, image),
            ]
        });
        let catalog = Catalog::new(signed.arch, &hardware_ids, members.collect(), time);
        let catalog = catalog.sign(identity)?;
        Ok(Self {
            files: [
                (request.image_name.to_owned(), image),
                (inf_name, inf),
                (format!("{name}.cat"), catalog),
                (format!("{name}.cer"), identity.certificate.to_der()),
            ],
        })
    }
}

/// Signs an image with Authenticode, in place of a signature that it may have.
pub fn sign(image: &[u8], identity: &Identity) -> Result<Vec<u8>> {
    let image = Image::read(image)?;
    let unsigned = image.unsigned();
    let digest = Image::read(&unsigned)?.digest(Algorithm::Sha256);
    let content = indirect::encode(Kind::Image, Algorithm::Sha256, &digest)?;
    let signature = signed::sign(oid::INDIRECT_DATA, &content, identity)?;
    Image::read(&unsigned)?.with_signature(&signature)
}

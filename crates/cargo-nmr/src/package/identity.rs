//! The signer: the user's certificate, or a test certificate that is made once.

use std::path::Path;

use driver_package::DateTime;
use driver_package::certificate::{Certificate, Identity, MAX_SIZE};

use super::options::PackageOptions;
use super::{about, files};

const OWNER: &str = "Driver package test certificate";

/// The certificate with its key, and where they come from.
pub(super) fn get(options: &PackageOptions, now: DateTime) -> Result<(Identity, String), String> {
    if let (Some(certificate), Some(key)) = (&options.cert, &options.key) {
        let origin = format!("from {}", certificate.display());
        return Ok((read(certificate, key)?, origin));
    }
    let folder = files::target().join("test-certificate");
    let (certificate, key) = (folder.join("test.cer"), folder.join("test.key"));
    let origin = |made| format!("{made} {}", folder.display());
    match (certificate.exists(), key.exists()) {
        (true, true) => {
            let identity = read(&certificate, &key)?;
            if let Some(objection) = identity.certificate.objections(now).first() {
                let folder = folder.display();
                return Err(format!(
                    "the test certificate in {folder}: {objection}; remove the folder, and another is made"
                ));
            }
            Ok((identity, origin("which is in")))
        }
        (false, false) => {
            let identity = make(&folder, &certificate, &key, now)?;
            Ok((identity, origin("which was made now and is in")))
        }
        _ => Err(format!(
            "{} has only one of test.cer and test.key: remove the folder, and both are made",
            folder.display()
        )),
    }
}

fn make(folder: &Path, certificate: &Path, key: &Path, now: DateTime) -> Result<Identity, String> {
    let complaint = |error: driver_package::Error| error.to_string();
    let identity = Identity::generate(OWNER, now).map_err(complaint)?;
    files::create_folder(folder)?;
    // Wherever the folder is, git leaves it alone.
    files::write(&folder.join(".gitignore"), b"*\n")?;
    files::write_secret(key, &identity.key_pem().map_err(complaint)?)?;
    files::write(certificate, &identity.certificate.to_der())?;
    Ok(identity)
}

fn read(certificate: &Path, key: &Path) -> Result<Identity, String> {
    let certificates = files::read(certificate, MAX_SIZE)?;
    let secret = files::read(key, MAX_SIZE)?;
    Certificate::read(&certificates).map_err(about(certificate))?;
    Identity::read(&certificates, &secret).map_err(about(key))
}

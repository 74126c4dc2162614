//! The subcommands that make a driver package and that verify one.

mod files;
mod identity;
mod options;
mod sources;
mod verify;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use driver_package::DateTime;
use driver_package::certificate::Identity;
use driver_package::folder::Folder;
use driver_package::image::{self, Image};
use driver_package::inf;
use driver_package::package::{Package, Request};
use driver_package::verify::Report;

pub(crate) use options::{PackageOptions, VerifyOptions};
pub(crate) use verify::verify;

use crate::output::Output;
use crate::package::sources::Sources;
use crate::stop::Stop;
use driver_host::printable;

/// Makes a package, and verifies it by reading it back.
pub(crate) fn package(options: &PackageOptions) -> Result<ExitCode, Stop> {
    let sources = Sources::find(options)?;
    Ok(make(options, &sources)?)
}

fn make(options: &PackageOptions, sources: &Sources) -> Result<ExitCode, String> {
    let now = options.time.map_or_else(now, Ok)?;
    let inf = files::read(&sources.inf, inf::MAX_SIZE)?;
    let image = files::read(&sources.image, image::MAX_SIZE)?;
    Image::read(&image).map_err(about(&sources.image))?;
    let name = stem(&sources.inf)?;
    let image_name = file_name(&sources.image)?;
    let companions = companions(options, &sources.image)?;
    let (identity, origin) = identity::get(options, now)?;
    let request = Request {
        name: &name,
        image_name: &image_name,
        image: &image,
        inf: &inf,
        kmdf: &options.kmdf,
        version: options.driver_version,
        time: now,
    };
    let package = Package::make(&request, &identity).map_err(about(&sources.inf))?;
    let out = options
        .out
        .clone()
        .unwrap_or_else(|| files::target().join("package").join(&name));
    write(&out, &package, &companions)?;
    let folder = Folder::read(&out).map_err(|error| printable(&error.to_string()))?;
    let report = driver_package::verify::verify(&folder, now);
    let report = report.map_err(about(&out))?;
    show(&out, &identity, &origin, &report)?;
    Ok(verify::end(&out, &report))
}

/// The present.
fn now() -> Result<DateTime, String> {
    DateTime::from_system_time(SystemTime::now())
        .map_err(|_| "the clock is wrong: set it, or give --time".to_owned())
}

/// An error about a file.
fn about(path: &Path) -> impl FnOnce(driver_package::Error) -> String {
    move |error| format!("{}: {}", path.display(), printable(&error.to_string()))
}

/// The name of a package, from the name of its INX or INF.
fn stem(path: &Path) -> Result<String, String> {
    let ending = path
        .extension()
        .and_then(|ending| ending.to_str())
        .unwrap_or_default();
    if !["inx", "inf"].contains(&ending.to_lowercase().as_str()) {
        return Err(format!(
            "{}: --inf takes an .inx or .inf file",
            path.display()
        ));
    }
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    stem.map(str::to_owned)
        .ok_or_else(|| format!("{}: the name is not UTF-8", path.display()))
}

fn file_name(path: &Path) -> Result<String, String> {
    let name = path.file_name().and_then(|name| name.to_str());
    name.map(str::to_owned)
        .ok_or_else(|| format!("{}: the name is not UTF-8", path.display()))
}

/// The files that come along, with their names in the package: symbols and scripts.
fn companions(options: &PackageOptions, image: &Path) -> Result<Vec<(PathBuf, PathBuf)>, String> {
    let mut found = Vec::new();
    let symbols = image.with_extension("pdb");
    if symbols.is_file() {
        let name = file_name(&symbols)?.into();
        found.push((symbols, name));
    }
    if let Some(scripts) = &options.scripts {
        for script in files::scripts(scripts)? {
            let name = Path::new("scripts").join(file_name(&script)?);
            found.push((script, name));
        }
    }
    Ok(found)
}

/// Writes the files of the package, and copies what comes along.
fn write(out: &Path, package: &Package, companions: &[(PathBuf, PathBuf)]) -> Result<(), String> {
    files::create_folder(out)?;
    for (name, bytes) in &package.files {
        files::write(&out.join(name), bytes)?;
    }
    for (from, name) in companions {
        let to = out.join(name);
        files::create_folder(to.parent().unwrap_or(out))?;
        files::copy(from, &to)?;
    }
    Ok(())
}

/// Says what was made, and what to type.
fn show(out: &Path, identity: &Identity, origin: &str, report: &Report) -> Result<(), String> {
    let owner = identity.certificate.subject();
    Output::Standard.write(true, |stream| {
        writeln!(stream, "{}: signed with the certificate of {}, {origin}\n", printable(&out.display().to_string()), printable(&owner))?;
        verify::write(report, stream)?;
        if let (true, Some((_, Some(certificate)))) = (report.is_ready(), &report.trust) {
            writeln!(stream, "\nOn a virtual machine with test signing, in the package's folder, as an administrator:\n")?;
            writeln!(stream, "  certutil -addstore Root {certificate}")?;
            writeln!(stream, "  certutil -addstore TrustedPublisher {certificate}")?;
            writeln!(stream, "  pnputil /add-driver {} /install", report.inf)?;
        }
        Ok(())
    })
}

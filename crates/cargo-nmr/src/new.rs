//! `cargo nmr new`: a driver's package with an interface of its own.

mod names;
mod options;
mod template;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub(crate) use options::NewOptions;

use driver_build::{command, files};
use names::Names;
use template::Template;

use crate::output::Output;
use crate::stop::Stop;

/// Makes a package, in a directory that is not there or is empty.
pub(crate) fn new(options: &NewOptions) -> Result<ExitCode, Stop> {
    let names = Names::choose(options)?;
    let source = options.source()?;
    let template = Template::new(&names, options.role, &source);
    // Nothing is written if a file cannot be made.
    let made = template.files()?;
    let root = &options.path;
    create(root)?;
    for (name, text) in &made {
        let path = root.join(name);
        files::write(&path, text.as_bytes()).map_err(|error| Stop::failed(&error))?;
    }
    format(root, &made);
    let shown = root.display();
    Output::Standard.write(false, |out| {
        writeln!(out, "{shown}: a driver with the interface {}\n", names.npi)?;
        for (name, _) in &made {
            writeln!(out, "  {}", name.display())?;
        }
        writeln!(out, "\nNext:\n\n  cd {shown}\n  cargo nmr test")
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Lets rustfmt lay out the sources, which depends on the names in them. Without it they are right all the same.
fn format(root: &Path, made: &[(PathBuf, String)]) {
    let names = made.iter().map(|(name, _)| name);
    let sources = names.filter(|name| name.extension().is_some_and(|end| end == "rs"));
    let mut rustfmt = command::clean(Path::new("rustfmt"));
    rustfmt.args(["--edition", "2024"]);
    rustfmt.args(sources.map(|name| root.join(name)));
    let _ = command::quiet(&mut rustfmt);
}

/// Makes the directory. Fails if it has anything in it.
fn create(root: &Path) -> Result<(), String> {
    let about = |error: io::Error| format!("{}: {error}", root.display());
    let entries = match fs::read_dir(root) {
        Ok(entries) => entries.count(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return fs::create_dir_all(root).map_err(about);
        }
        Err(error) => return Err(about(error)),
    };
    if entries > 0 {
        return Err(format!(
            "{} is not empty: name a directory that is not there yet",
            root.display()
        ));
    }
    Ok(())
}

/// Where the crates of this project come from.
#[derive(Clone, Debug)]
enum Source {
    /// A checkout.
    Path(PathBuf),
    /// A repository.
    Git(String),
}

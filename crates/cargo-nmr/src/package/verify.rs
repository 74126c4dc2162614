//! Verifying a package, or an INF.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use driver_host::printable;
use driver_package::folder::Folder;
use driver_package::inf::check::{Expected, Severity, check};
use driver_package::inf::{self, Inf};
use driver_package::verify::{Outcome, Report};

use super::options::VerifyOptions;
use super::{about, files, now};
use crate::format::paint::{self, paint};
use crate::output::Output;
use crate::stderr;

/// Verifies what there is: a folder or a file.
pub(crate) fn verify(options: &VerifyOptions) -> Result<ExitCode, String> {
    let path = &options.path;
    if !path.is_dir() {
        return verify_inf(path, options);
    }
    let now = options.time.map_or_else(now, Ok)?;
    let folder = Folder::read(path).map_err(|error| printable(&error.to_string()))?;
    let report = driver_package::verify::verify(&folder, now).map_err(about(path))?;
    Output::Standard.write(true, |out| {
        writeln!(
            out,
            "{}\n",
            paint(paint::heading(), printable(&path.display().to_string()))
        )?;
        write(&report, out)
    })?;
    Ok(end(path, &report))
}

/// Writes the checks, and how they end.
pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for line in &report.lines {
        let (style, word) = match line.outcome {
            Outcome::Good => (paint::good(), "good"),
            Outcome::Note => (paint::quiet(), "note"),
            Outcome::Warning => (paint::quiet(), "warning"),
            Outcome::Refused => (paint::bad(), "REFUSED"),
        };
        let word = paint(style, format!("{word:<8}"));
        writeln!(out, "  {word} {}", printable(&line.text))?;
    }
    let inf = printable(&report.inf);
    if !report.is_ready() {
        let count = report.refusals().count();
        let reasons = if count == 1 {
            "a reason".to_owned()
        } else {
            format!("{count} reasons")
        };
        let refused = format!("Windows has {reasons} to refuse this package.");
        return writeln!(out, "\n  {}", paint(paint::bad(), refused));
    }
    let ready = format!("ready for `pnputil /add-driver {inf} /install`");
    writeln!(out, "\n  {}", paint(paint::good(), ready))?;
    if let Some((certificate, file)) = &report.trust
        && certificate.is_self_signed()
    {
        let file = file.as_deref().unwrap_or("the certificate");
        let (file, owner) = (printable(file), printable(&certificate.subject()));
        writeln!(
            out,
            "  once the machine trusts {file} of {owner} in Root and TrustedPublisher"
        )?;
    }
    Ok(())
}

/// The exit code, with the first reason on standard error.
pub(super) fn end(path: &Path, report: &Report) -> ExitCode {
    let mut refusals = report.refusals();
    let Some(first) = refusals.next() else {
        return ExitCode::SUCCESS;
    };
    let more = match refusals.count() {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    let path = printable(&path.display().to_string());
    stderr::line(format_args!("{path}: {first}{more}"));
    ExitCode::FAILURE
}

/// Checks an INF or INX.
fn verify_inf(path: &Path, options: &VerifyOptions) -> Result<ExitCode, String> {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let ending = name
        .rsplit_once('.')
        .map_or("", |(_, ending)| ending)
        .to_lowercase();
    if path.exists() && ending != "inf" && ending != "inx" {
        return Err(format!(
            "{}: verify takes the folder of a package, or an .inf or .inx file",
            path.display()
        ));
    }
    let now = options.time.map_or_else(now, Ok)?;
    let bytes = files::read(path, inf::MAX_SIZE)?;
    let inf = Inf::read(&bytes).map_err(about(path))?;
    let expected = Expected {
        today: Some((now.year(), now.month(), now.day())),
        ..Expected::default()
    };
    let findings = check(&name, &inf, &expected);
    let count = |severity| {
        findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    };
    let shown = printable(&path.display().to_string());
    Output::Standard.write(true, |out| {
        for finding in &findings {
            let style = if finding.severity == Severity::Error {
                paint::bad()
            } else {
                paint::quiet()
            };
            let severity = paint(style, finding.severity);
            writeln!(out, "{shown}: {severity}: {}", printable(&finding.text()))?;
        }
        match (
            count(Severity::Error),
            count(Severity::Warning),
            count(Severity::Note),
        ) {
            (0, 0, 0) => writeln!(
                out,
                "{shown}: {}",
                paint(paint::good(), "no rule is broken")
            ),
            (errors, warnings, notes) => {
                writeln!(
                    out,
                    "{shown}: {}, {}, {}",
                    counted(errors, "error"),
                    counted(warnings, "warning"),
                    counted(notes, "note")
                )
            }
        }
    })?;
    let Some(first) = findings
        .iter()
        .find(|finding| finding.severity == Severity::Error)
    else {
        return Ok(ExitCode::SUCCESS);
    };
    stderr::line(format_args!("{shown}: {}", first.text()));
    Ok(ExitCode::FAILURE)
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

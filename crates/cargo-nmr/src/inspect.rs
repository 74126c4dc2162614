//! `cargo nmr inspect`: the contents of a driver image, and the points that Windows would object to.

mod findings;
mod flags;
mod text;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use driver_host::facts::Facts;

use crate::images::read;
use crate::inspect::findings::Findings;
use crate::options::{FactsFormat, InspectOptions};
use crate::output::Output;
use crate::stderr;

/// Shows what is in an image. The exit code is 1 if a point fails.
pub(crate) fn inspect(image: &Path, options: &InspectOptions) -> Result<ExitCode, String> {
    let bytes = read(image)?;
    let file = image.display().to_string();
    let facts = Facts::read(&bytes).map_err(|error| format!("{file}: {error}"))?;
    let findings = Findings::new(&file, &facts, &bytes);
    let styled = options.format == FactsFormat::Text;
    Output::Standard.write(styled, |out| match options.format {
        FactsFormat::Text => text::write(&findings, out),
        FactsFormat::Json => write_json(&findings, out),
    })?;
    if findings.passes {
        return Ok(ExitCode::SUCCESS);
    }
    let failed = findings.failed().join("; ");
    stderr::line(format_args!("{file}: {failed}"));
    Ok(ExitCode::FAILURE)
}

fn write_json(findings: &Findings, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, findings)?;
    writeln!(out)
}

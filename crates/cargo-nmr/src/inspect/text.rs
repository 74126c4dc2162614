//! Findings to read.

use std::io::{self, Write};

use super::findings::{Checked, Findings, Framework, Section};
use crate::format::paint::{self, paint};

/// Writes everything.
pub(super) fn write(findings: &Findings, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}\n", paint(paint::heading(), &findings.file))?;
    for (what, how) in headers(findings) {
        writeln!(out, "  {what:<20}{how}")?;
    }
    heading("Sections", out)?;
    for section in &findings.sections {
        writeln!(out, "  {}", section_words(section))?;
    }
    heading("Imports", out)?;
    write_imports(findings, out)?;
    if let Some(framework) = &findings.framework {
        heading("KMDF", out)?;
        write_framework(framework, out)?;
    }
    heading("What the loader lacks", out)?;
    write_names(&findings.lacking, out)?;
    heading("What Windows asks", out)?;
    for point in &findings.points {
        write_point(point, out)?;
    }
    write_end(findings, out)
}

fn heading(text: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n{}\n", paint(paint::heading(), text))
}

fn headers(findings: &Findings) -> Vec<(&'static str, String)> {
    let checksum = &findings.checksum;
    let signature = if findings.signed { "present" } else { "none" };
    vec![
        ("file", format!("{} bytes", findings.size)),
        ("machine", findings.machine.to_owned()),
        ("subsystem", findings.subsystem.clone()),
        ("image base", format!("{:#x}", findings.image_base)),
        ("image size", format!("{:#x}", findings.image_size)),
        (
            "section alignment",
            format!("{:#x}", findings.section_alignment),
        ),
        ("entry point", format!("{:#x}", findings.entry)),
        ("Characteristics", flags(&findings.characteristics)),
        ("DllCharacteristics", flags(&findings.dll_characteristics)),
        ("relocations", findings.relocations.to_string()),
        (
            "checksum",
            format!(
                "{:#010x} stored, {:#010x} computed",
                checksum.stored, checksum.computed
            ),
        ),
        ("signature", signature.to_owned()),
    ]
}

fn flags(names: &[String]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(" ")
    }
}

fn section_words(section: &Section) -> String {
    let Section {
        name,
        offset,
        size,
        access,
        ..
    } = section;
    let dropped = if section.discardable {
        ", dropped after DriverEntry"
    } else {
        ""
    };
    format!("{name:<10}at {offset:#08x}, {size:#08x} bytes: {access}{dropped}")
}

fn write_imports(findings: &Findings, out: &mut dyn Write) -> io::Result<()> {
    if findings.imports.is_empty() {
        return writeln!(out, "  none");
    }
    for (library, names) in &findings.imports {
        writeln!(out, "  {library}")?;
        for name in names {
            writeln!(out, "    {name}")?;
        }
    }
    Ok(())
}

fn write_framework(framework: &Framework, out: &mut dyn Write) -> io::Result<()> {
    let Framework {
        version,
        windows,
        count,
        called,
    } = framework;
    let windows = windows.unwrap_or("an unknown Windows");
    writeln!(
        out,
        "  version {version}, {count} functions: loads on {windows} and later"
    )?;
    match called {
        Some(names) => write_names(names, out),
        None => writeln!(out, "  the calls are not read: the code is not for x64"),
    }
}

fn write_names(names: &[String], out: &mut dyn Write) -> io::Result<()> {
    if names.is_empty() {
        return writeln!(out, "  nothing");
    }
    for name in names {
        writeln!(out, "    {name}")?;
    }
    Ok(())
}

fn write_point(point: &Checked, out: &mut dyn Write) -> io::Result<()> {
    let (style, word) = match point.outcome {
        "pass" => (paint::good(), "pass"),
        "fail" => (paint::bad(), "FAIL"),
        _ => (paint::quiet(), "later"),
    };
    let word = paint(style, format!("{word:<6}"));
    writeln!(out, "  {word}{}: {}", point.name, point.reason)
}

fn write_end(findings: &Findings, out: &mut dyn Write) -> io::Result<()> {
    let count = |outcome| {
        let points = findings.points.iter();
        points.filter(|point| point.outcome == outcome).count()
    };
    let (failed, unsigned) = (count("fail"), count("unsigned"));
    let end = match (failed, unsigned) {
        (0, 0) => paint(paint::good(), "Every point holds."),
        (0, _) => paint(
            paint::good(),
            "Every point holds that can hold before the image is signed.",
        ),
        (1, _) => paint(paint::bad(), "1 point fails."),
        (failed, _) => paint(paint::bad(), format!("{failed} points fail.")),
    };
    writeln!(out, "\n  {end}")
}

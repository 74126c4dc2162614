//! Rules about the file as a whole.

use crate::inf::check::Report;
use crate::inf::survey::Survey;
use crate::inf::text::Encoding;

pub(super) fn file_name(survey: &Survey<'_>, report: &mut Report<'_>) {
    let Some(package) = &survey.expected.package else {
        return;
    };
    let stem = survey
        .file
        .rsplit_once('.')
        .map_or(survey.file, |(stem, _)| stem);
    if !stem.eq_ignore_ascii_case(package) {
        report.error(
            0,
            format!("the file is {} and the package {package}", survey.file),
        );
    }
}

pub(super) fn encoding(survey: &Survey<'_>, report: &mut Report<'_>) {
    match survey.inf.encoding() {
        Encoding::Utf8 => report.error(1, "the file is UTF-8 with a mark"),
        Encoding::Utf16 => {}
        Encoding::Ansi => {
            let mut lines = survey.inf.text.as_str().lines();
            if let Some(at) = lines.position(|line| !line.is_ascii()) {
                let what = "what the line says depends on the code page of the machine";
                report.warning(at + 1, what);
            }
        }
    }
    if let Some(line) = survey.inf.outside.first() {
        report.note(*line, "the line is in front of the first section");
    }
}

/// Files whose lines all end with LF come from a version control that changes them back.
pub(super) fn line_ends(survey: &Survey<'_>, report: &mut Report<'_>) {
    let text = survey.inf.text.as_str();
    if !text.contains("\r\n") {
        return;
    }
    let mut lines = text.split_inclusive('\n');
    if let Some(at) = lines.position(|line| line.ends_with('\n') && !line.ends_with("\r\n")) {
        report.note(at + 1, "the line ends with LF and others with CRLF");
    }
}

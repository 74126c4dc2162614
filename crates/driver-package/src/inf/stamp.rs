//! Stamping: an INF from an INX, as Microsoft's `stampinf` makes it.

use std::fmt;
use std::str::FromStr;

use der::DateTime;

use super::Inf;
use super::line::{find_outside_quotes, without_comment};
use super::text::Text;
use crate::error::{Error, Result};
use crate::image::Arch;

/// The version of a driver, as in `DriverVer`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Version([u16; 4]);

/// What is filled in.
#[derive(Clone, Debug)]
pub struct Stamp {
    /// The processor, for `$ARCH$`.
    pub arch: Arch,
    /// The version of KMDF, as `1.31`, for `$KMDFVERSION$`.
    pub kmdf: String,
    /// The date for `DriverVer`.
    pub date: DateTime,
    /// The version for `DriverVer`; without it the file's own stays, or is 1.0.0.0.
    pub version: Option<Version>,
    /// The name of the catalog.
    pub catalog: String,
}

impl FromStr for Version {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parts: Vec<u16> = text
            .split('.')
            .map_while(|part| part.parse().ok())
            .collect();
        let count = text.split('.').count();
        match parts.try_into() {
            Ok(parts) if count == 4 => Ok(Self(parts)),
            _ => Err(Error::new(
                "a version is four numbers up to 65535, as in 1.0.0.0",
            )),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = self.0.map(|part| part.to_string());
        f.write_str(&parts.join("."))
    }
}

impl Stamp {
    /// The bytes of the INF: macros filled in, `DriverVer` and `CatalogFile` set in `[Version]`,
    /// lines ended with CRLF, the encoding kept. Fails if there is no `[Version]`, or a macro is left
    /// that this type cannot fill in.
    pub fn apply(&self, inx: &Inf) -> Result<Vec<u8>> {
        if !inx.has("Version") {
            return Err(Error::new(
                "the INX has no [Version], where DriverVer belongs",
            ));
        }
        refuse_macros(&self.filled(inx.text.as_str()))?;
        let entries = self.entries(inx);
        let mut lines: Vec<String> = Vec::new();
        let mut section = Place::Elsewhere;
        for line in inx.text.as_str().lines() {
            let content = without_comment(line).trim();
            if content.starts_with('[') {
                section = section.next(content);
            }
            let own = entries
                .iter()
                .find(|(key, _)| section.is_version() && is_key(content, key));
            lines.push(own.map_or_else(|| line.to_owned(), |(_, value)| replaced(line, value)));
            if section == Place::Heading {
                section = Place::Version;
                let missing = entries
                    .iter()
                    .filter(|(key, _)| inx.line("Version", key).is_none());
                lines.extend(missing.map(|(key, value)| format!("{key} = {value}")));
            }
        }
        let stamped: String = lines
            .iter()
            .map(|line| self.filled(line) + "\r\n")
            .collect();
        Ok(Text::encode(inx.encoding(), &stamped))
    }

    /// The entries of `[Version]` that are set.
    fn entries(&self, inx: &Inf) -> [(&'static str, String); 2] {
        let own = inx
            .line("Version", "DriverVer")
            .and_then(|line| line.value(1).parse().ok());
        let version = self.version.or(own).unwrap_or(Version([1, 0, 0, 0]));
        let (month, day, year) = (self.date.month(), self.date.day(), self.date.year());
        [
            (
                "DriverVer",
                format!("{month:02}/{day:02}/{year:04},{version}"),
            ),
            ("CatalogFile", self.catalog.clone()),
        ]
    }

    fn filled(&self, text: &str) -> String {
        text.replace("$ARCH$", self.arch.inf_name())
            .replace("$KMDFVERSION$", &self.kmdf)
    }
}

/// Where a line is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Not in `[Version]`.
    Elsewhere,
    /// The first line of the first `[Version]`.
    Heading,
    /// In a `[Version]`.
    Version,
    /// Between two of them.
    Between,
}

impl Place {
    fn next(self, heading: &str) -> Self {
        let name = heading
            .trim_start_matches('[')
            .split(']')
            .next()
            .unwrap_or_default();
        let is_version = name.trim().eq_ignore_ascii_case("Version");
        match (self, is_version) {
            (Self::Elsewhere, true) => Self::Heading,
            (Self::Elsewhere, false) => Self::Elsewhere,
            (_, true) => Self::Version,
            (_, false) => Self::Between,
        }
    }

    fn is_version(self) -> bool {
        self == Self::Version
    }
}

fn is_key(content: &str, key: &str) -> bool {
    let at = find_outside_quotes(content, '=');
    at.is_some_and(|at| content[..at].trim().eq_ignore_ascii_case(key))
}

/// A line with another value, and with its own key, spaces and comment.
fn replaced(line: &str, value: &str) -> String {
    let content = without_comment(line);
    let comment = &line[content.len()..];
    let start = content.find('=').map_or(content.len(), |at| at + 1);
    let spaces = content[start..].len() - content[start..].trim_start().len();
    let gap = if comment.is_empty() { "" } else { " " };
    format!("{}{value}{gap}{comment}", &content[..start + spaces])
}

/// Fails if a macro is left.
fn refuse_macros(text: &str) -> Result<()> {
    match macros(text).next() {
        None => Ok(()),
        Some((number, name)) => Err(Error::new(format!(
            "line {number} of the INX has ${name}$, and only $ARCH$ and $KMDFVERSION$ are filled in"
        ))),
    }
}

/// The names between dollar signs that look like macros of `stampinf`, with their lines. The values
/// of `Signature` are written in the same way.
pub(crate) fn macros(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_name = |name: &&str| {
        !name.is_empty() && name.chars().all(|character| character.is_ascii_uppercase())
    };
    text.lines().enumerate().flat_map(move |(at, line)| {
        let line = without_comment(line);
        let count = line.matches('$').count() / 2;
        let names = line.split('$').skip(1).step_by(2).take(count);
        names
            .filter(is_name)
            .filter(|name| *name != "CHICAGO")
            .map(move |name| (at + 1, name))
    })
}

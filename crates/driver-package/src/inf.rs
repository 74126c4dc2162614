//! INF files, and INX files, from which `stampinf` makes them: read, stamped, and checked against
//! the rules of Windows and of its tools.
//!
//! The syntax is that of "General syntax rules for INF files" in Microsoft's documentation.

pub mod check;
mod line;
mod rules;
pub mod stamp;
mod survey;
#[cfg(test)]
mod tests;
mod text;

use std::collections::{HashMap, HashSet};

pub use line::Line;
pub use text::Encoding;

use crate::error::{Error, Result};
use crate::image::Arch;
use check::Expected;
use survey::{Device, Survey};
use text::Text;

/// The largest file that is read, in bytes.
pub const MAX_SIZE: usize = 1 << 22;
/// The most lines that are no comments.
const MAX_LINES: usize = 200_000;
/// The most files, hardware ids and services that are looked at, so that no file makes it slow.
const MAX_NAMES: usize = 10_000;
/// The longest value that a token is replaced in, in bytes, so that no file makes expansion slow.
const MAX_EXPANDED: usize = 1 << 12;

/// An INF or INX file.
#[derive(Clone, Debug)]
pub struct Inf {
    text: Text,
    sections: Vec<Section>,
    /// Where the sections with a name are, in lower case: Windows reads those of the same name as one.
    index: HashMap<String, Vec<usize>>,
    /// Where the first line with a key is, in lower case, in the sections of the name that the first
    /// of them has: its section, and its line.
    keys: HashMap<(usize, String), (usize, usize)>,
    /// The lines in front of the first section that are not comments.
    outside: Vec<usize>,
    strings: HashMap<String, String>,
}

/// A section, as it is written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Section {
    /// The name between the brackets.
    pub name: String,
    /// The number of the line with the name, from 1.
    pub number: usize,
    /// The lines that are not comments.
    pub lines: Vec<Line>,
}

impl Inf {
    /// Reads a file. Fails if it is too large or is no text that Windows reads.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        if bytes.len() > MAX_SIZE {
            return Err(Error::malformed("the INF", "it has more than 4 MiB"));
        }
        let text = Text::decode(bytes)?;
        let mut inf = Self {
            sections: Vec::new(),
            index: HashMap::new(),
            keys: HashMap::new(),
            outside: Vec::new(),
            strings: HashMap::new(),
            text,
        };
        let lines = line::logical(inf.text.as_str());
        if lines.len() > MAX_LINES {
            return Err(Error::malformed(
                "the INF",
                "it has more than 200,000 lines",
            ));
        }
        for (number, line) in lines {
            inf.add(number, line.trim());
        }
        inf.index_sections();
        inf.index_strings();
        if inf.sections.is_empty() {
            return Err(Error::new("no INF: it has no [section]"));
        }
        Ok(inf)
    }

    fn add(&mut self, number: usize, line: &str) {
        if let Some(name) = line.strip_prefix('[') {
            let name = name.split(']').next().unwrap_or_default().trim().to_owned();
            let lines = Vec::new();
            self.sections.push(Section {
                name,
                number,
                lines,
            });
        } else if let Some(section) = self.sections.last_mut() {
            section.lines.push(Line::parse(number, line));
        } else {
            self.outside.push(number);
        }
    }

    fn index_sections(&mut self) {
        for (at, section) in self.sections.iter().enumerate() {
            let name = section.name.to_lowercase();
            let places = self.index.entry(name.clone()).or_default();
            places.push(at);
            let first = places[0];
            for (place, line) in section.lines.iter().enumerate() {
                let Some(key) = &line.key else { continue };
                let key = key.to_lowercase();
                self.keys.entry((first, key)).or_insert((at, place));
            }
        }
    }

    /// The strings of `[Strings]`, and those that only another language has, as `[Strings.0407]`.
    fn index_strings(&mut self) {
        let is_plain = |section: &&Section| section.name.eq_ignore_ascii_case("strings");
        let is_other = |section: &&Section| section.name.to_lowercase().starts_with("strings.");
        let others = self.sections.iter().filter(is_other);
        let sections = self.sections.iter().filter(is_plain).chain(others);
        for line in sections.flat_map(|section| &section.lines) {
            if let (Some(key), Some(value)) = (&line.key, line.values.first()) {
                self.strings
                    .entry(key.to_lowercase())
                    .or_insert_with(|| value.clone());
            }
        }
    }

    /// How the file is encoded.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        self.text.encoding
    }

    /// The sections, in their order.
    #[must_use]
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// Returns `true` if there is a section with this name, in any case.
    #[must_use]
    pub fn has(&self, section: &str) -> bool {
        self.index.contains_key(&section.to_lowercase())
    }

    /// The lines of all sections with this name.
    pub fn lines<'a>(&'a self, section: &str) -> impl Iterator<Item = &'a Line> + use<'a> {
        let places = self.index.get(&section.to_lowercase());
        places
            .into_iter()
            .flatten()
            .flat_map(|at| &self.sections[*at].lines)
    }

    /// The first line of a section with this key.
    #[must_use]
    pub fn line(&self, section: &str, key: &str) -> Option<&Line> {
        let first = *self.index.get(&section.to_lowercase())?.first()?;
        let place = self.keys.get(&(first, key.to_lowercase()))?;
        Some(&self.sections[place.0].lines[place.1])
    }

    /// The first value of the line with this key, with its tokens replaced.
    #[must_use]
    pub fn value(&self, section: &str, key: &str) -> Option<String> {
        let value = self.line(section, key)?.values.first()?;
        Some(self.expand(value))
    }

    /// A string of `[Strings]`.
    #[must_use]
    pub fn string(&self, name: &str) -> Option<&str> {
        self.strings.get(&name.to_lowercase()).map(String::as_str)
    }

    /// The names of the strings, in lower case.
    pub(crate) fn string_names(&self) -> impl Iterator<Item = &str> {
        self.strings.keys().map(String::as_str)
    }

    /// The number of the line with the name of a section, 0 if there is no such section.
    pub(crate) fn number(&self, section: &str) -> usize {
        let places = self.index.get(&section.to_lowercase());
        places.map_or(0, |places| self.sections[places[0]].number)
    }

    /// The hardware ids of all models, in their order, each once.
    #[must_use]
    pub fn hardware_ids(&self) -> Vec<String> {
        let expected = Expected::default();
        let survey = Survey::new("", self, &expected);
        let ids = survey.devices.iter().flat_map(Device::ids).take(MAX_NAMES);
        let mut seen = HashSet::new();
        let mut expanded: Vec<String> = ids.map(|id| self.expand(id)).collect();
        expanded.retain(|id| seen.insert(id.to_lowercase()));
        expanded
    }

    /// The files that the package has to bring for a processor: the keys of `[SourceDisksFiles]`, in
    /// lower case.
    #[must_use]
    pub fn source_files(&self, arch: Option<Arch>) -> Vec<String> {
        let own = arch.map(|arch| format!("sourcedisksfiles.{}", arch.inf_name()));
        let sections = self.sections.iter().filter(|section| {
            let name = section.name.to_lowercase();
            name == "sourcedisksfiles" || Some(name) == own
        });
        let lines = sections.flat_map(|section| &section.lines);
        let keys = lines.filter_map(|line| line.key.as_deref()).take(MAX_NAMES);
        keys.map(|key| self.expand(key).to_lowercase()).collect()
    }

    /// A value with its `%tokens%` replaced by the strings of those names.
    #[must_use]
    pub fn expand(&self, value: &str) -> String {
        let mut expanded = String::new();
        let mut parts = value.split('%');
        expanded.push_str(parts.next().unwrap_or_default());
        while let Some(name) = parts.next() {
            let Some(after) = parts.next() else {
                expanded.push('%');
                expanded.push_str(name);
                break;
            };
            match self.string(name) {
                Some(string) if expanded.len() < MAX_EXPANDED => expanded.push_str(string),
                _ if name.is_empty() => expanded.push('%'),
                _ => expanded.extend(["%", name, "%"]),
            }
            expanded.push_str(after);
        }
        expanded
    }
}

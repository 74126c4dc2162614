//! Reads an INF file: sections of lines, each a list of values, with or without a key.

use std::path::Path;

/// A file, as it is on the disk and as Windows reads it.
#[derive(Clone)]
pub(crate) struct Inx {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) sections: Vec<Section>,
}

#[derive(Clone, Debug)]
pub(crate) struct Section {
    pub(crate) name: String,
    pub(crate) lines: Vec<Line>,
}

/// `key = value,value`, or the values alone.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) key: Option<String>,
    pub(crate) values: Vec<String>,
}

impl Inx {
    /// Reads the file of the project.
    pub(crate) fn read(path: &Path) -> Self {
        let bytes =
            std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let name = path.file_name().unwrap().to_str().unwrap();
        Self::new(name, bytes)
    }

    pub(crate) fn new(name: &str, bytes: Vec<u8>) -> Self {
        let mut sections: Vec<Section> = Vec::new();
        let text = String::from_utf8_lossy(&bytes);
        for line in text.trim_start_matches('\u{feff}').lines() {
            let line = without_comment(line).trim();
            if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
                let (name, lines) = (name.to_owned(), Vec::new());
                sections.push(Section { name, lines });
            } else if !line.is_empty() {
                let section = sections
                    .last_mut()
                    .expect("a line before the first section");
                section.lines.push(Line::new(line));
            }
        }
        Self {
            name: name.to_owned(),
            bytes,
            sections,
        }
    }

    /// The text, for rules about what must not stand anywhere.
    pub(crate) fn text(&self) -> String {
        let lines = String::from_utf8_lossy(&self.bytes);
        let lines: Vec<_> = lines.lines().map(without_comment).collect();
        lines.join("\n")
    }

    /// The lines of a section, none if there is no such section. Names do not depend on case.
    pub(crate) fn lines(&self, section: &str) -> &[Line] {
        let found = |s: &&Section| s.name.eq_ignore_ascii_case(section);
        self.sections
            .iter()
            .find(found)
            .map_or(&[], |section| &section.lines)
    }

    pub(crate) fn has(&self, section: &str) -> bool {
        let mut names = self.sections.iter().map(|section| &section.name);
        names.any(|name| name.eq_ignore_ascii_case(section))
    }

    /// The values of the line with a key.
    pub(crate) fn values(&self, section: &str, key: &str) -> Option<&[String]> {
        let has_key = |line: &&Line| {
            let own = line.key.as_deref();
            own.is_some_and(|own| own.eq_ignore_ascii_case(key))
        };
        let line = self.lines(section).iter().find(has_key)?;
        Some(&line.values)
    }

    /// The only value of the line with a key.
    pub(crate) fn value(&self, section: &str, key: &str) -> Option<&str> {
        match self.values(section, key)? {
            [value] => Some(value),
            _ => None,
        }
    }

    /// A value with its `%tokens%` replaced by what `[Strings]` says.
    pub(crate) fn expand(&self, value: &str) -> String {
        let mut text = value.to_owned();
        for line in self.lines("Strings") {
            let (Some(key), [value]) = (&line.key, &line.values[..]) else {
                continue;
            };
            text = text.replace(&format!("%{key}%"), value);
        }
        text
    }
}

impl Line {
    fn new(line: &str) -> Self {
        let (key, values) = match &outside_quotes(line, '=')[..] {
            [key, rest @ ..] if !rest.is_empty() => {
                (Some(key.trim().to_owned()), line[key.len() + 1..].trim())
            }
            _ => (None, line),
        };
        let values = outside_quotes(values, ',').into_iter();
        let unquoted = |value: &str| value.trim().trim_matches('"').to_owned();
        Self {
            key,
            values: values.map(unquoted).collect(),
        }
    }
}

fn without_comment(line: &str) -> &str {
    outside_quotes(line, ';')[0]
}

/// The parts between the separators that are not inside quotes.
fn outside_quotes(line: &str, separator: char) -> Vec<&str> {
    let mut quoted = false;
    line.split(move |character| {
        quoted ^= character == '"';
        character == separator && !quoted
    })
    .collect()
}

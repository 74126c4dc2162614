//! Lines of an INF file: comments, continuations, keys, values and quotes.

/// `key = value,value`, or the values alone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// The number in the file, from 1; the first one's if it is continued.
    pub number: usize,
    /// What stands in front of the equals sign.
    pub key: Option<String>,
    /// What stands between the commas, without quotes.
    pub values: Vec<String>,
}

impl Line {
    pub(crate) fn parse(number: usize, line: &str) -> Self {
        let (key, values) = match find_outside_quotes(line, '=') {
            Some(at) => (Some(unquoted(&line[..at])), &line[at + 1..]),
            None => (None, line),
        };
        Self {
            number,
            key,
            values: split_outside_quotes(values, ',').map(unquoted).collect(),
        }
    }

    /// Returns `true` if the line has this key, in any case.
    #[must_use]
    pub fn has_key(&self, key: &str) -> bool {
        self.key
            .as_deref()
            .is_some_and(|own| own.eq_ignore_ascii_case(key))
    }

    /// A value, empty if there are fewer.
    #[must_use]
    pub fn value(&self, at: usize) -> &str {
        self.values.get(at).map_or("", String::as_str)
    }
}

/// The lines that are not comments, with their numbers. A line that ends with a backslash goes on
/// in the next one.
pub(crate) fn logical(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (at, line) in text.lines().enumerate() {
        let line = without_comment(line).trim();
        let (line, goes_on) = match line.strip_suffix('\\') {
            Some(line) if !line.starts_with('[') => (line, true),
            _ => (line, false),
        };
        match lines.last_mut() {
            Some((_, last)) if open => last.push_str(line),
            _ if line.is_empty() && !goes_on => {}
            _ => lines.push((at + 1, line.to_owned())),
        }
        open = goes_on;
    }
    lines
}

pub(crate) fn without_comment(line: &str) -> &str {
    find_outside_quotes(line, ';').map_or(line, |at| &line[..at])
}

/// The place of a character that is not inside quotes.
pub(crate) fn find_outside_quotes(line: &str, wanted: char) -> Option<usize> {
    let mut quoted = false;
    line.find(|character| {
        quoted ^= character == '"';
        character == wanted && !quoted
    })
}

fn split_outside_quotes(line: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    line.split(move |character| {
        quoted ^= character == '"';
        character == separator && !quoted
    })
}

/// A value without its quotes; two of them inside of quotes are one.
fn unquoted(value: &str) -> String {
    let mut text = String::new();
    let mut quoted = false;
    let mut characters = value.trim().chars().peekable();
    while let Some(character) = characters.next() {
        if character != '"' {
            text.push(character);
        } else if quoted && characters.next_if_eq(&'"').is_some() {
            text.push('"');
        } else {
            quoted = !quoted;
        }
    }
    text
}

//! Registry files: the values of a registry as text, in the form in which `reg export` writes them.

use std::fmt;

use super::objects::SERVICES;
use super::registry::RegistryValue;

/// `REG_BINARY`.
const BINARY: u32 = 3;

/// A value with its key and its name, which is empty for the default value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) value: RegistryValue,
}

/// A registry file that cannot be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadRegistryFile {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    what: String,
}

impl fmt::Display for BadRegistryFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl std::error::Error for BadRegistryFile {}

/// Reads the bytes of a file: UTF-16 with a byte order mark, as `reg export` writes it, or UTF-8.
pub(crate) fn decode(bytes: &[u8]) -> String {
    match bytes {
        [0xff, 0xfe, rest @ ..] => {
            let pairs = rest.chunks_exact(2);
            let units = pairs.map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
            String::from_utf16_lossy(&units.collect::<Vec<_>>())
        }
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        bytes => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// Reads the values of a file.
pub(crate) fn parse(text: &str) -> Result<Vec<Entry>, BadRegistryFile> {
    const HEADERS: [&str; 2] = ["Windows Registry Editor Version 5.00", "REGEDIT4"];
    let (mut entries, mut key) = (Vec::new(), None);
    let mut lines = text.lines().enumerate();
    while let Some((place, line)) = lines.next() {
        let bad = |what: &str| BadRegistryFile {
            line: place + 1,
            what: what.to_owned(),
        };
        let mut line = line.trim().to_owned();
        // A list of bytes goes on in the next line.
        while line.ends_with('\\')
            && let Some((_, next)) = lines.next()
        {
            line.pop();
            line.push_str(next.trim());
        }
        if line.is_empty() || line.starts_with(';') || HEADERS.contains(&line.as_str()) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[') {
            let name = name.strip_suffix(']').filter(|name| !name.starts_with('-'));
            key = Some(full(name.ok_or_else(|| bad("this is not [KEY]"))?));
            continue;
        }
        let Some(key) = &key else {
            return Err(bad("a value needs a line [KEY] above it"));
        };
        let (name, value) = entry(&line).ok_or_else(|| {
            bad("this is not \"NAME\"=VALUE, where VALUE is \"text\", dword:HEX, hex:BYTES or hex(TYPE):BYTES")
        })?;
        entries.push(Entry {
            key: key.clone(),
            name,
            value,
        });
    }
    Ok(entries)
}

/// The path of a key. One that does not begin with the name of a root is below the services.
fn full(name: &str) -> String {
    let upper = name.to_uppercase();
    for root in ["HKEY_LOCAL_MACHINE", "HKLM"] {
        if upper == root {
            return r"\Registry\Machine".to_owned();
        }
        if upper.starts_with(&format!("{root}\\")) {
            return format!(r"\Registry\Machine{}", &name[root.len()..]);
        }
    }
    if upper.starts_with(r"\REGISTRY\") {
        return name.to_owned();
    }
    format!(r"{SERVICES}\{name}")
}

/// The name and the value of a line.
fn entry(line: &str) -> Option<(String, RegistryValue)> {
    let (name, rest) = match line.strip_prefix('@') {
        Some(rest) => (String::new(), rest),
        None => quoted(line)?,
    };
    let value = rest.trim_start().strip_prefix('=')?.trim_start();
    if value.starts_with('"') {
        let (text, rest) = quoted(value)?;
        return rest
            .trim()
            .is_empty()
            .then(|| (name, RegistryValue::string(&text)));
    }
    let (kind, data) = value.split_once(':')?;
    let value = match kind {
        "dword" => RegistryValue::dword(u32::from_str_radix(data.trim(), 16).ok()?),
        "hex" => RegistryValue {
            kind: BINARY,
            data: bytes(data)?,
        },
        kind => {
            let kind = kind.strip_prefix("hex(")?.strip_suffix(')')?;
            RegistryValue {
                kind: u32::from_str_radix(kind, 16).ok()?,
                data: bytes(data)?,
            }
        }
    };
    Some((name, value))
}

/// The text between quotes, in which a backslash stands before a quote or a backslash, and what follows it.
fn quoted(line: &str) -> Option<(String, &str)> {
    let mut text = String::new();
    let mut characters = line.strip_prefix('"')?.char_indices();
    while let Some((place, character)) = characters.next() {
        match character {
            '"' => return Some((text, &line[place + 2..])),
            '\\' => text.push(characters.next()?.1),
            other => text.push(other),
        }
    }
    None
}

/// Bytes as two digits each, divided by commas.
fn bytes(list: &str) -> Option<Vec<u8>> {
    let list = list.trim();
    if list.is_empty() {
        return Some(Vec::new());
    }
    let byte = |digits: &str| u8::from_str_radix(digits.trim(), 16).ok();
    list.split(',').map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"Windows Registry Editor Version 5.00

; What the driver reads.
[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\a\Parameters]
"Limit"=dword:0000001f
"Path" = "c:\\x \"y\""
@="default"
[a\Parameters]
"Bytes"=hex:01,\
  0a
"Peers"=hex(7):61,00,00,00,00,00
"#;

    #[test]
    fn a_file_of_reg_export_is_read() {
        let values: Vec<_> = parse(TEXT).unwrap();
        let key = |entry: &Entry| entry.key.to_uppercase();
        let expected = format!(r"{SERVICES}\a\Parameters").to_uppercase();
        assert!(values.iter().all(|entry| key(entry) == expected));
        let values = values.into_iter().map(|entry| (entry.name, entry.value));
        let binary = RegistryValue {
            kind: BINARY,
            data: vec![1, 10],
        };
        let expected = [
            ("Limit", RegistryValue::dword(31)),
            ("Path", RegistryValue::string(r#"c:\x "y""#)),
            ("", RegistryValue::string("default")),
            ("Bytes", binary),
            ("Peers", RegistryValue::strings(&["a"])),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value));
        assert_eq!(values.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn utf_16_and_utf_8_are_the_same() {
        let utf_16 = TEXT.encode_utf16().flat_map(u16::to_le_bytes);
        let utf_16: Vec<u8> = [0xff, 0xfe].into_iter().chain(utf_16).collect();
        assert_eq!(decode(&utf_16), decode(TEXT.as_bytes()));
    }

    #[test]
    fn what_cannot_be_read_is_placed() {
        for (text, line) in [
            ("\"a\"=dword:1", 1),
            ("[a]\n\"a\"=dword:x", 2),
            ("[a]\n\n\"a\"=word:1", 3),
            ("[a]\n\"a=dword:1", 2),
            ("[a]\n\"a\"=\"b\" c", 2),
            ("[a]\n\"a\"=hex:1,,2", 2),
            ("[-a]", 1),
            ("[a", 1),
        ] {
            let error = parse(text).unwrap_err();
            assert_eq!(error.line, line, "{text}: {error}");
        }
    }
}

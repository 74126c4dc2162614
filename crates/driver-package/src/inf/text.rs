//! The encodings of INF files.

use crate::error::{Error, Result};

const UTF_16_LE: &[u8] = b"\xFF\xFE";
const UTF_16_BE: &[u8] = b"\xFE\xFF";
const UTF_8: &[u8] = b"\xEF\xBB\xBF";

/// How a file is encoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    /// One byte a character. Those above 127 depend on the code page of the machine that reads them.
    Ansi,
    /// UTF-16, little endian, with its mark.
    Utf16,
    /// UTF-8 with a mark, which Windows does not read.
    Utf8,
}

/// The text of a file.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    pub(crate) encoding: Encoding,
    text: String,
}

impl Text {
    /// Fails if the bytes are binary, or UTF-16 that is no text.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        let (encoding, text) = if let Some(units) = bytes.strip_prefix(UTF_16_LE) {
            (Encoding::Utf16, utf16(units)?)
        } else if bytes.starts_with(UTF_16_BE) {
            return Err(Error::new(
                "the INF is UTF-16 big endian, which Windows does not read",
            ));
        } else if let Some(text) = bytes.strip_prefix(UTF_8) {
            (Encoding::Utf8, String::from_utf8_lossy(text).into_owned())
        } else {
            // Each byte as the character of its number, so that it can be written again.
            (
                Encoding::Ansi,
                bytes.iter().map(|byte| char::from(*byte)).collect(),
            )
        };
        match text.find('\0') {
            Some(at) => {
                let line = text[..at].lines().count().max(1);
                Err(Error::new(format!(
                    "no INF: line {line} has a zero character; UTF-16 needs the mark FF FE in front"
                )))
            }
            None => Ok(Self { encoding, text }),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The text in the encoding of a file that Windows reads. UTF-8 becomes UTF-16 if it has to.
    pub(crate) fn encode(encoding: Encoding, text: &str) -> Vec<u8> {
        let bytes = || {
            text.chars()
                .map(|character| u8::try_from(u32::from(character)).ok())
        };
        let fits = match encoding {
            Encoding::Ansi => bytes().collect::<Option<Vec<u8>>>(),
            Encoding::Utf8 => text.is_ascii().then(|| text.as_bytes().to_vec()),
            Encoding::Utf16 => None,
        };
        fits.unwrap_or_else(|| {
            let units = text.encode_utf16().flat_map(u16::to_le_bytes);
            UTF_16_LE.iter().copied().chain(units).collect()
        })
    }
}

fn utf16(bytes: &[u8]) -> Result<String> {
    if !bytes.len().is_multiple_of(2) {
        return Err(Error::malformed(
            "the INF",
            "UTF-16 with an odd number of bytes",
        ));
    }
    let units = bytes
        .chunks_exact(2)
        .map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
    let text: Result<String, _> = char::decode_utf16(units).collect();
    text.map_err(|_| Error::malformed("the INF", "UTF-16 with half of a surrogate pair"))
}

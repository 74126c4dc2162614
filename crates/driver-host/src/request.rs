//! Device control requests as text.

use std::fmt;
use std::str::FromStr;

/// A device control request. As text, its code and then, after a colon, its input:
/// `0x222004:01000000`, the bytes two digits each.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// The control code.
    pub code: u32,
    /// The input.
    pub input: Vec<u8>,
}

/// A text that is no request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownRequest(String);

impl fmt::Display for UnknownRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(why) = self;
        write!(
            f,
            "{why}: a request is a control code and, after a colon, its input in hexadecimal digits, \
             as in 0x222004:01000000"
        )
    }
}

impl std::error::Error for UnknownRequest {}

impl FromStr for Request {
    type Err = UnknownRequest;

    fn from_str(text: &str) -> Result<Self, UnknownRequest> {
        let (code, input) = text.split_once(':').unwrap_or((text, ""));
        let number = match code.strip_prefix("0x") {
            Some(digits) => u32::from_str_radix(digits, 16),
            None => code.parse(),
        };
        let wrong = |what: &str| UnknownRequest(format!("`{text}` has no {what}"));
        Ok(Self {
            code: number.map_err(|_| wrong("control code of 32 bits"))?,
            input: bytes(input).ok_or_else(|| wrong("input of whole bytes"))?,
        })
    }
}

/// The bytes that digits stand for; spaces and underscores may divide them.
fn bytes(digits: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = digits
        .chars()
        .filter(|digit| !matches!(digit, ' ' | '_'))
        .map(|digit| u8::try_from(digit.to_digit(16)?).ok())
        .collect();
    let (pairs, rest) = digits.as_deref()?.as_chunks::<2>();
    rest.is_empty()
        .then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#010x}", self.code)?;
        if !self.input.is_empty() {
            f.write_str(":")?;
        }
        self.input
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_its_text() {
        let request: Request = "0x222004:0a_ff 00".parse().unwrap();
        assert_eq!(
            (request.code, &*request.input),
            (0x22_2004, &[10, 255, 0][..])
        );
        assert_eq!(request.to_string(), "0x00222004:0aff00");
        assert_eq!(request.to_string().parse(), Ok(request));
        let bare: Request = "2236420".parse().unwrap();
        assert_eq!(
            (bare.to_string().as_str(), bare.input.len()),
            ("0x00222004", 0)
        );
    }

    #[test]
    fn what_is_no_request_says_what_is_missing() {
        for (text, missing) in [
            ("", "`` has no control code of 32 bits: "),
            ("0x1_0000", "`0x1_0000` has no control code of 32 bits: "),
            (
                "0x100000000",
                "`0x100000000` has no control code of 32 bits: ",
            ),
            ("1:abc", "`1:abc` has no input of whole bytes: "),
            ("1:xy", "`1:xy` has no input of whole bytes: "),
        ] {
            let error = text.parse::<Request>().unwrap_err().to_string();
            assert!(error.starts_with(missing), "{error}");
        }
    }
}

//! The values of events, and their text form.

use std::fmt;

use nmr_sys::GUID;

/// A field of an event.
#[derive(Clone, PartialEq, Debug)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Value,
}

/// The value of a field.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// A string.
    Text(String),
    /// A number.
    Signed(i64),
    /// A number that is never negative.
    Unsigned(u64),
    /// A number that is shown with hexadecimal digits, and how many: a status, an address, flags.
    Hexadecimal(u64, usize),
    /// A number with a fraction.
    Float(f64),
    /// Yes or no.
    Bool(bool),
    /// An identifier.
    Guid(GUID),
    /// Bytes, or a value of a type without a form of its own here.
    Bytes(Vec<u8>),
    /// Several values of one type.
    List(Vec<Value>),
    /// Fields of its own.
    Struct(Vec<Field>),
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.value)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Signed(number) => write!(f, "{number}"),
            Self::Unsigned(number) => write!(f, "{number}"),
            Self::Hexadecimal(number, digits) => {
                write!(f, "{number:#0width$x}", width = digits + 2)
            }
            Self::Float(number) => write!(f, "{number}"),
            Self::Bool(truth) => write!(f, "{truth}"),
            Self::Guid(id) => write!(f, "{{{id}}}"),
            Self::Bytes(bytes) => bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
            Self::List(values) => listed(f, "[", values, "]"),
            Self::Struct(fields) => listed(f, "{", fields, "}"),
        }
    }
}

fn listed<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    open: &str,
    items: &[T],
    close: &str,
) -> fmt::Result {
    f.write_str(open)?;
    for (place, item) in items.iter().enumerate() {
        let comma = if place == 0 { "" } else { ", " };
        write!(f, "{comma}{item}")?;
    }
    f.write_str(close)
}

//! `TraceLogging`: events that bring the description of their fields along. The form of the
//! description is that of Microsoft's crate tracelogging, which is under the MIT license.

use nmr_sys::GUID;

use super::value::{Field, Value};

/// What is wrong with an event.
pub(crate) type Malformed = &'static str;

/// How deep structures may be nested.
const DEPTH: usize = 8;

/// Bytes that are read from the front.
#[derive(Clone, Copy, Debug)]
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, size: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(size).ok_or("it ends too early")?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self, size: usize) -> Result<u64, Malformed> {
        let bytes = self.take(size)?.iter().rev();
        Ok(bytes.fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }

    fn u8(&mut self) -> Result<u8, Malformed> {
        Ok(self.take(1)?[0])
    }

    fn u16(&mut self) -> Result<usize, Malformed> {
        Ok(self.number(2)? as usize)
    }

    /// Bytes up to a zero unit of some size, which is skipped.
    fn terminated(&mut self, unit: usize) -> Result<&'a [u8], Malformed> {
        let mut units = self.0.chunks_exact(unit);
        let end = units.position(|unit| unit.iter().all(|&byte| byte == 0));
        let text = self.take(end.ok_or("a string has no end")? * unit)?;
        self.take(unit)?;
        Ok(text)
    }

    fn name(&mut self) -> Result<String, Malformed> {
        Ok(String::from_utf8_lossy(self.terminated(1)?).into_owned())
    }

    /// Skips a tag: bytes of which each but the last has its top bit set.
    fn skip_tag(&mut self) -> Result<(), Malformed> {
        while self.u8()? & CHAIN != 0 {}
        Ok(())
    }

    /// Metadata, which begin with their size.
    fn metadata(mut self) -> Result<Self, Malformed> {
        let size = self.0.len();
        if self.u16()? == size {
            Ok(self)
        } else {
            Err("the size of the metadata is wrong")
        }
    }
}

/// More follows.
const CHAIN: u8 = 0x80;

/// The name in the metadata of a provider.
pub(crate) fn provider_name(metadata: &[u8]) -> Result<String, Malformed> {
    Reader(metadata).metadata()?.name()
}

/// How many values a field has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Count {
    One,
    Constant(usize),
    /// As many as the data say.
    Variable,
}

/// The description of a field.
#[derive(Clone, Debug)]
struct Description {
    name: String,
    kind: u8,
    /// How it is shown; of a structure, how many fields it has.
    form: u8,
    count: Count,
}

/// Decodes an event: its name and its fields.
pub(crate) fn event(metadata: &[u8], data: &[u8]) -> Result<(String, Vec<Field>), Malformed> {
    let mut reader = Reader(metadata).metadata()?;
    reader.skip_tag()?;
    let name = reader.name()?;
    let mut descriptions = Vec::new();
    while !reader.0.is_empty() {
        descriptions.push(description(&mut reader)?);
    }
    let mut decoder = Decoder {
        descriptions: &descriptions,
        next: 0,
        data: Reader(data),
    };
    let mut fields = Vec::new();
    while decoder.next < descriptions.len() {
        fields.push(decoder.field(0)?);
    }
    if decoder.data.0.is_empty() {
        Ok((name, fields))
    } else {
        Err("it has more data than its fields")
    }
}

const COUNT: u8 = 0x60;
const CONSTANT: u8 = 0x20;
const VARIABLE: u8 = 0x40;

fn description(reader: &mut Reader<'_>) -> Result<Description, Malformed> {
    let name = reader.name()?;
    let kind = reader.u8()?;
    let mut form = 0;
    if kind & CHAIN != 0 {
        form = reader.u8()?;
        if form & CHAIN != 0 {
            reader.skip_tag()?;
        }
    }
    let count = match kind & COUNT {
        0 => Count::One,
        CONSTANT => Count::Constant(reader.u16()?),
        VARIABLE => Count::Variable,
        _ => return Err("a field has a type of its own"),
    };
    Ok(Description {
        name,
        kind: kind & !(CHAIN | COUNT),
        form: form & !CHAIN,
        count,
    })
}

/// The types of fields that are not only numbers.
const STRING16: u8 = 1;
const STRING8: u8 = 2;
const FLOAT: u8 = 11;
const DOUBLE: u8 = 12;
const BOOL32: u8 = 13;
const BINARY: u8 = 14;
const GUID_TYPE: u8 = 15;
const POINTER: u8 = 16;
const SYSTEM_TIME: u8 = 18;
const SID: u8 = 19;
const HEX32: u8 = 20;
const HEX64: u8 = 21;
const COUNTED_STRING16: u8 = 22;
const COUNTED_STRING8: u8 = 23;
const STRUCT: u8 = 24;
const COUNTED_BINARY: u8 = 25;

/// The forms in which a value can be shown.
const AS_STRING: u8 = 2;
const AS_BOOL: u8 = 3;
const AS_HEX: u8 = 4;
const AS_STATUS: u8 = 14;
const AS_RESULT: u8 = 15;
const AS_ADDRESS: u8 = 37;

struct Decoder<'a> {
    descriptions: &'a [Description],
    /// The description of the next field.
    next: usize,
    data: Reader<'a>,
}

impl Decoder<'_> {
    fn field(&mut self, depth: usize) -> Result<Field, Malformed> {
        let own = self.next;
        let about = self
            .descriptions
            .get(own)
            .ok_or("a structure has no fields")?;
        let count = match about.count {
            Count::One => None,
            Count::Constant(count) => Some(count),
            Count::Variable => Some(self.data.u16()?),
        };
        let value = match count {
            None => self.value(own, depth)?,
            // The descriptions of its fields are to be skipped even then.
            Some(0) => {
                self.next = self.end(own, depth)?;
                Value::List(Vec::new())
            }
            Some(count) => {
                let values = (0..count).map(|_| self.value(own, depth));
                Value::List(values.collect::<Result<_, _>>()?)
            }
        };
        let name = about.name.clone();
        Ok(Field { name, value })
    }

    /// Where the descriptions of a field end.
    fn end(&self, own: usize, depth: usize) -> Result<usize, Malformed> {
        let about = self
            .descriptions
            .get(own)
            .ok_or("a structure has no fields")?;
        if about.kind != STRUCT {
            return Ok(own + 1);
        }
        if depth == DEPTH {
            return Err("its structures are nested too deeply");
        }
        (0..about.form).try_fold(own + 1, |next, _| self.end(next, depth + 1))
    }

    /// One value of the field that a description is for.
    fn value(&mut self, own: usize, depth: usize) -> Result<Value, Malformed> {
        self.next = own + 1;
        let (kind, form) = (self.descriptions[own].kind, self.descriptions[own].form);
        if kind != STRUCT {
            return scalar(&mut self.data, kind, form);
        }
        if depth == DEPTH {
            return Err("its structures are nested too deeply");
        }
        let fields = (0..form).map(|_| self.field(depth + 1));
        Ok(Value::Struct(fields.collect::<Result<_, _>>()?))
    }
}

fn scalar(data: &mut Reader<'_>, kind: u8, form: u8) -> Result<Value, Malformed> {
    Ok(match kind {
        STRING16 => text16(data.terminated(2)?),
        STRING8 => text8(data.terminated(1)?),
        COUNTED_STRING16 => {
            let size = data.u16()?;
            text16(data.take(size)?)
        }
        COUNTED_STRING8 => {
            let size = data.u16()?;
            text8(data.take(size)?)
        }
        // 8-bit, 16-bit, 32-bit, 64-bit: each signed and then unsigned.
        3..=10 => integer(data, 1 << ((kind - 3) / 2), kind % 2 == 1, form)?,
        FLOAT => Value::Float(f32::from_bits(data.number(4)? as u32).into()),
        DOUBLE => Value::Float(f64::from_bits(data.number(8)?)),
        BOOL32 => Value::Bool(data.number(4)? != 0),
        BINARY | COUNTED_BINARY => {
            let size = data.u16()?;
            Value::Bytes(data.take(size)?.to_vec())
        }
        GUID_TYPE => guid(data.take(16)?),
        POINTER | HEX64 => Value::Hexadecimal(data.number(8)?, 16),
        HEX32 => Value::Hexadecimal(data.number(4)?, 8),
        17 => Value::Unsigned(data.number(8)?),
        SYSTEM_TIME => Value::Bytes(data.take(16)?.to_vec()),
        SID => {
            let authorities = *data.0.get(1).ok_or("it ends too early")?;
            Value::Bytes(data.take(8 + 4 * usize::from(authorities))?.to_vec())
        }
        _ => return Err("a field has an unknown type"),
    })
}

fn text8(bytes: &[u8]) -> Value {
    Value::Text(String::from_utf8_lossy(bytes).into_owned())
}

fn text16(bytes: &[u8]) -> Value {
    let units = bytes.chunks_exact(2);
    let units: Vec<_> = units
        .map(|unit| u16::from_le_bytes([unit[0], unit[1]]))
        .collect();
    Value::Text(String::from_utf16_lossy(&units))
}

fn guid(bytes: &[u8]) -> Value {
    let mut reader = Reader(bytes);
    let mut number = |size| reader.number(size).unwrap_or_default();
    Value::Guid(GUID {
        Data1: number(4) as u32,
        Data2: number(2) as u16,
        Data3: number(2) as u16,
        Data4: number(8).to_le_bytes(),
    })
}

fn integer(data: &mut Reader<'_>, size: usize, signed: bool, form: u8) -> Result<Value, Malformed> {
    let number = data.number(size)?;
    Ok(match form {
        AS_HEX | AS_STATUS | AS_RESULT | AS_ADDRESS => Value::Hexadecimal(number, 2 * size),
        AS_BOOL => Value::Bool(number != 0),
        AS_STRING => {
            let character = char::from_u32(number as u32);
            Value::Text(character.unwrap_or(char::REPLACEMENT_CHARACTER).into())
        }
        _ if signed => {
            let unused = 64 - 8 * size;
            Value::Signed((number << unused).cast_signed() >> unused)
        }
        _ => Value::Unsigned(number),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Metadata with their size in front.
    fn metadata(content: &[u8]) -> Vec<u8> {
        let size = u16::try_from(content.len() + 2).unwrap();
        [&size.to_le_bytes(), content].concat()
    }

    fn shown(content: &[u8], data: &[u8]) -> Result<String, Malformed> {
        let (name, fields) = event(&metadata(content), data)?;
        let fields: Vec<_> = fields.iter().map(ToString::to_string).collect();
        Ok(format!("{name}: {}", fields.join(" ")))
    }

    #[test]
    fn a_provider_is_named() {
        assert_eq!(
            provider_name(&metadata(b"My.Provider\0")),
            Ok("My.Provider".to_owned())
        );
        assert_eq!(
            provider_name(&metadata(b"endless")),
            Err("a string has no end")
        );
        assert_eq!(
            provider_name(&[9, 0, 65, 0]),
            Err("the size of the metadata is wrong")
        );
        assert_eq!(provider_name(&[]), Err("it ends too early"));
    }

    #[test]
    fn fields_of_every_type_are_read() {
        let cases: [(&[u8], &[u8], &str); 20] = [
            (b"\x01", b"h\0i\0\0\0", "hi"),
            (b"\x02", b"hi\0", "hi"),
            (b"\x03", b"\xff", "-1"),
            (b"\x04", b"\xff", "255"),
            (b"\x84\x03", b"\x01", "true"),
            (b"\x84\x02", b"A", "A"),
            (b"\x05", b"\xfe\xff", "-2"),
            (b"\x06", b"\xfe\xff", "65534"),
            (b"\x07", b"\xfe\xff\xff\xff", "-2"),
            (b"\x87\x0e", b"\xbb\0\0\xc0", "0xc00000bb"),
            (b"\x88\x04", b"\x0a\0\0\0", "0x0000000a"),
            (b"\x09", b"\xfe\xff\xff\xff\xff\xff\xff\xff", "-2"),
            (b"\x0c", b"\0\0\0\0\0\0\xf8\x3f", "1.5"),
            (b"\x0d", b"\x01\0\0\0", "true"),
            (b"\x0e", b"\x02\0\xab\xcd", "abcd"),
            (
                b"\x0f",
                b"\x03\xe8\x27\x22\x8b\x8d\xd4\x11\xab\xad\x00\x90\x27\x71\x9e\x09",
                "{2227e803-8d8b-11d4-abad-009027719e09}",
            ),
            (b"\x15", b"\x01\0\0\0\0\0\0\0", "0x0000000000000001"),
            (b"\x16", b"\x02\0h\0", "h"),
            (b"\x97\x80\x85\x01", b"\x01\0h", "h"),
            (
                b"\x13",
                b"\x01\x01\0\0\0\0\0\x05\x12\0\0\0",
                "010100000000000512000000",
            ),
        ];
        for (description, data, expected) in cases {
            let content = [b"\0Name\0field\0", description].concat();
            assert_eq!(shown(&content, data), Ok(format!("Name: field={expected}")));
        }
    }

    #[test]
    fn lists_and_structures_are_read() {
        let content =
            b"\x80\x01Name\0many\0\x44two\0\x24\x02\0pair\0\x98\x02a\0\x04b\0\x04last\0\x04";
        let data = b"\x03\0\x01\x02\x03\x04\x05\x06\x07\x08";
        let expected = "Name: many=[1, 2, 3] two=[4, 5] pair={a=6, b=7} last=8";
        assert_eq!(shown(content, data), Ok(expected.to_owned()));
        let pairs = b"\0Name\0pairs\0\xd8\x02a\0\x04b\0\x04last\0\x04";
        let expected = "Name: pairs=[{a=1, b=2}, {a=3, b=4}] last=5";
        assert_eq!(
            shown(pairs, b"\x02\0\x01\x02\x03\x04\x05"),
            Ok(expected.to_owned())
        );
        assert_eq!(
            shown(pairs, b"\0\0\x05"),
            Ok("Name: pairs=[] last=5".to_owned())
        );
    }

    #[test]
    fn malformed_events_are_refused() {
        let early = Err("it ends too early");
        assert_eq!(shown(b"\0Name\0a\0\x0a", b"\0"), early);
        assert_eq!(shown(b"\0Name\0a\0", b""), early);
        assert_eq!(shown(b"\0Name\0a\0\x44", b"\xff\xff\0"), early);
        assert_eq!(
            shown(b"\0Name\0", b"\0"),
            Err("it has more data than its fields")
        );
        assert_eq!(
            shown(b"\0Name\0a\0\x1f", b""),
            Err("a field has an unknown type")
        );
        assert_eq!(
            shown(b"\0Name\0a\0\x60", b""),
            Err("a field has a type of its own")
        );
        assert_eq!(
            shown(b"\0Name\0a\0\x98\x01", b""),
            Err("a structure has no fields")
        );
        let nested = [b"\0Name\0".to_vec(), b"s\0\x98\x01".repeat(100)].concat();
        assert_eq!(
            shown(&nested, b""),
            Err("its structures are nested too deeply")
        );
    }

    #[test]
    fn random_events_are_read_or_refused() {
        let seed = 0x7ace;
        println!("seed {seed:#x}");
        let mut random = fastrand::Rng::with_seed(seed);
        for _ in 0..20_000 {
            let mut content = b"\0Name\0many\0\x44pairs\0\xd8\x02a\0\x04b\0\x01last\0\x16".to_vec();
            for _ in 0..random.usize(..4) {
                let place = random.usize(..content.len());
                content[place] = random.u8(..);
            }
            let data: Vec<u8> = (0..random.usize(..40)).map(|_| random.u8(..4)).collect();
            let _either = shown(&content, &data);
        }
    }
}

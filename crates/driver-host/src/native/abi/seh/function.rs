//! The tables of an image: its functions, and how their frames are undone. Nothing in them is trusted.

use crate::native::kernel::loaded::Loaded;
use crate::native::kernel::peek::peek;

/// `RUNTIME_FUNCTION`: offsets in the image.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Function {
    pub(super) begin: u32,
    pub(super) end: u32,
    unwind: u32,
    /// The address of the entry.
    pub(super) entry: usize,
}

const ENTRY: usize = 12;

/// Flags of [`Info`].
pub(super) const EXCEPTION_HANDLER: u8 = 1;
pub(super) const TERMINATION_HANDLER: u8 = 2;
const CHAINED: u8 = 4;

/// `UNWIND_INFO`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Info {
    pub(super) flags: u8,
    /// How long the prolog is, in bytes.
    pub(super) prolog: u8,
    pub(super) codes: Vec<u16>,
    /// The number of the frame register, or 0, and what it is above the frame, in bytes.
    pub(super) register: usize,
    pub(super) offset: usize,
    /// What the function continues.
    pub(super) chained: Option<Function>,
    /// The offset of the language handler, and the address of its data.
    pub(super) handler: u32,
    pub(super) data: usize,
}

fn number(address: usize) -> Option<u32> {
    peek(address).map(u32::from_le_bytes)
}

/// Finds the function that an offset is in. `None` for one that has no frame, or is not in the table.
pub(super) fn find(image: &Loaded, offset: u32) -> Option<Function> {
    let (table, size) = image.functions()?;
    let (mut low, mut high) = (0, size as usize / ENTRY);
    while low < high {
        let middle = low.midpoint(high);
        let function = read(image, image.address() + table as usize + ENTRY * middle)?;
        if offset < function.begin {
            high = middle;
        } else if offset >= function.end {
            low = middle + 1;
        } else {
            return Some(function);
        }
    }
    None
}

/// Reads an entry. Its last word leads to another one if it is odd.
fn read(image: &Loaded, entry: usize) -> Option<Function> {
    let word = |place: usize| number(entry + 4 * place);
    let function = Function {
        begin: word(0)?,
        end: word(1)?,
        unwind: word(2)?,
        entry,
    };
    if function.unwind & 1 == 0 {
        return Some(function);
    }
    let other = image.address() + (function.unwind & !1) as usize;
    let unwind = number(other + 8).filter(|unwind| unwind & 1 == 0)?;
    Some(Function { unwind, ..function })
}

impl Function {
    /// How its frame is undone.
    pub(super) fn info(&self, image: &Loaded) -> Option<Info> {
        let start = image.address() + self.unwind as usize;
        let [first, prolog, count, frame] = peek(start)?;
        let (version, flags) = (first & 7, first >> 3);
        if !(1..=2).contains(&version) {
            return None;
        }
        let codes = (0..usize::from(count))
            .map(|place| peek(start + 4 + 2 * place).map(u16::from_le_bytes))
            .collect::<Option<_>>()?;
        // There is an even number of places for codes.
        let behind = start + 4 + 2 * usize::from(count).next_multiple_of(2);
        let is_chained = flags & CHAINED != 0;
        let has_handler = !is_chained && flags & (EXCEPTION_HANDLER | TERMINATION_HANDLER) != 0;
        Some(Info {
            flags,
            prolog,
            codes,
            register: usize::from(frame & 15),
            offset: usize::from(frame >> 4) * 16,
            chained: if is_chained {
                Some(read(image, behind)?)
            } else {
                None
            },
            handler: if has_handler { number(behind)? } else { 0 },
            data: behind + 4,
        })
    }
}

//! Requirements of an image on KMDF, read without running it: the version that it binds to, and the functions of
//! the framework that its code calls.
#![forbid(unsafe_code)]

use std::collections::{BTreeSet, HashSet};

use iced_x86::{Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic, OpKind, Register};
use object::pe::IMAGE_FILE_MACHINE_AMD64;

use crate::kmdf::{COUNT, LAST_COPIED, NAMES, OLDER_COUNTS};
use crate::pe::{Access, Image};

/// What an image asks of KMDF.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FrameworkUse {
    /// The version that it binds to: major and minor.
    pub version: (u32, u32),
    /// How many functions it expects the framework to have.
    pub count: u32,
    /// The functions that its code calls, by their full names, in the order of the names. A call that
    /// chooses among several counts for the first. `None` if the code is not for x64.
    pub called: Option<Vec<String>>,
}

impl FrameworkUse {
    /// Looks for the structure that a driver's entry stub passes to `WdfVersionBind`. `None` if the image has
    /// none, or fills it in when it runs.
    #[must_use]
    pub fn find(image: &Image, bytes: &[u8]) -> Option<Self> {
        let reader = Reader { image, bytes };
        let bind = reader.bind_information()?;
        let x64 = image.machine == IMAGE_FILE_MACHINE_AMD64;
        Some(Self {
            version: bind.version,
            count: bind.count,
            called: x64.then(|| reader.called(&bind)),
        })
    }

    /// The first Windows on which a driver of this version loads, as far as it is published.
    #[must_use]
    pub fn windows(&self) -> Option<&'static str> {
        let (1, minor) = self.version else {
            return None;
        };
        let known = WINDOWS.iter().find(|(known, _)| *known == minor);
        known.map(|(_, windows)| *windows)
    }
}

/// The first Windows on which drivers of a minor version of KMDF 1 load.
const WINDOWS: &[(u32, &str)] = &[
    (9, "Windows XP"),
    (11, "Windows Vista"),
    (13, "Windows 8.1"),
    (15, "Windows 10, version 1507"),
    (17, "Windows 10, version 1511"),
    (19, "Windows 10, version 1607"),
    (21, "Windows 10, version 1703"),
    (23, "Windows 10, version 1709"),
    (25, "Windows 10, version 1803"),
    (27, "Windows 10, version 1809"),
    (29, "Windows 10, version 1903"),
    (31, "Windows 10, version 2004"),
    (33, "Windows 11, version 21H2"),
];

/// `WDF_BIND_INFO`, as far as it is read here.
#[derive(Clone, Copy, Debug)]
struct Bind {
    version: (u32, u32),
    count: u32,
    /// The address of the table, or of the pointer to it.
    table: u64,
}

impl Bind {
    /// Returns `true` if the image has the table itself, which the framework fills in.
    fn has_table(&self) -> bool {
        self.count as usize <= LAST_COPIED
    }
}

struct Reader<'a> {
    image: &'a Image,
    bytes: &'a [u8],
}

impl Reader<'_> {
    /// Bytes at an address of the image that are in the file.
    fn at<const N: usize>(&self, address: u64) -> Option<[u8; N]> {
        let offset = u32::try_from(address.checked_sub(self.image.base)?).ok()?;
        let section = self.image.section(offset, u32::try_from(N).ok()?)?;
        let inside = offset - section.offset;
        let start = section.file_offset as usize + inside as usize;
        let end = section.file_offset as usize + section.file_size as usize;
        let bytes = self.bytes.get(start..start + N)?;
        (start + N <= end).then(|| bytes.try_into().ok()).flatten()
    }

    fn u32(&self, address: u64) -> Option<u32> {
        self.at(address).map(u32::from_le_bytes)
    }

    fn u64(&self, address: u64) -> Option<u64> {
        self.at(address).map(u64::from_le_bytes)
    }

    fn is_component(&self, address: u64) -> bool {
        const COMPONENT: &str = "KmdfLibrary\0";
        let mut units = COMPONENT.encode_utf16().zip((address..).step_by(2));
        units.all(|(unit, place)| self.at(place) == Some(unit.to_le_bytes()))
    }

    fn bind_information(&self) -> Option<Bind> {
        let data = self.image.sections.iter();
        let data = data.filter(|section| section.access != Access::Execute);
        let places = data.flat_map(|section| {
            let start = self.image.base + u64::from(section.offset);
            (start..start + u64::from(section.file_size)).step_by(8)
        });
        places.into_iter().find_map(|place| self.bind_at(place))
    }

    fn bind_at(&self, place: u64) -> Option<Bind> {
        const SIZES: [u32; 2] = [0x30, 0x58];
        if !SIZES.contains(&self.u32(place)?) || !self.is_component(self.u64(place + 8)?) {
            return None;
        }
        let bind = Bind {
            version: (self.u32(place + 0x10)?, self.u32(place + 0x14)?),
            count: self.u32(place + 0x1c)?,
            table: self.u64(place + 0x20)?,
        };
        let count = bind.count as usize;
        (count == COUNT || OLDER_COUNTS.contains(&count)).then_some(bind)
    }

    /// The functions that code calls: reads every instruction, and follows the table through registers.
    fn called(&self, bind: &Bind) -> Vec<String> {
        let mut places = BTreeSet::new();
        for section in &self.image.sections {
            if ![Access::Execute, Access::WriteExecute].contains(&section.access) {
                continue;
            }
            let start = section.file_offset as usize;
            let code = self.bytes.get(start..start + section.file_size as usize);
            let address = self.image.base + u64::from(section.offset);
            let options = DecoderOptions::NONE;
            let decoder = Decoder::with_ip(64, code.unwrap_or_default(), address, options);
            let mut calls = Calls {
                bind,
                holders: HashSet::new(),
            };
            places.extend(decoder.into_iter().filter_map(|code| calls.follow(&code)));
        }
        let names = places.into_iter().filter_map(|place| NAMES.get(place));
        let mut names: Vec<_> = names.map(|name| format!("Wdf{name}")).collect();
        names.sort_unstable();
        names
    }
}

/// Follows the address of the table through the registers of a stretch of code.
struct Calls<'a> {
    bind: &'a Bind,
    /// The registers that hold the address of the table.
    holders: HashSet<Register>,
}

impl Calls<'_> {
    /// Goes past an instruction. Returns the place of the function that it reads from the table.
    fn follow(&mut self, code: &Instruction) -> Option<usize> {
        let found = self.place(code);
        let target = (code.op0_kind() == OpKind::Register).then(|| code.op0_register());
        let is_move = code.mnemonic() == Mnemonic::Mov;
        let loads = is_move && !self.bind.has_table() && reads(code) == Some(self.bind.table);
        let copies = is_move
            && code.op1_kind() == OpKind::Register
            && self.holders.contains(&code.op1_register());
        match target {
            Some(register) if loads || copies => {
                self.holders.insert(register);
            }
            Some(register) if !KEEPS.contains(&code.mnemonic()) => {
                self.holders.remove(&register.full_register());
            }
            _ => {}
        }
        match code.flow_control() {
            FlowControl::Call | FlowControl::IndirectCall | FlowControl::Return => {
                let kept = |register: &Register| KEPT.contains(register);
                self.holders.retain(kept);
            }
            FlowControl::Interrupt => self.holders.clear(),
            _ => {}
        }
        found
    }

    fn place(&self, code: &Instruction) -> Option<usize> {
        let reading = [Mnemonic::Mov, Mnemonic::Call, Mnemonic::Jmp].contains(&code.mnemonic());
        let memory = match code.mnemonic() {
            Mnemonic::Mov => code.op1_kind() == OpKind::Memory,
            _ => code.op0_kind() == OpKind::Memory,
        };
        if !reading || !memory {
            return None;
        }
        let offset = if self.bind.has_table() {
            reads(code)?.checked_sub(self.bind.table)?
        } else if self.holders.contains(&code.memory_base()) {
            // With an index it chooses among functions, of which this is the first.
            code.memory_displacement64()
        } else {
            return None;
        };
        let place = usize::try_from(offset / 8).ok()?;
        (offset % 8 == 0 && place < self.bind.count as usize).then_some(place)
    }
}

/// The fixed address that an instruction reads.
fn reads(code: &Instruction) -> Option<u64> {
    code.is_ip_rel_memory_operand()
        .then(|| code.ip_rel_memory_address())
}

/// What names a register first and does not give it a value of its own: comparisons, and the end of a function
/// in the middle of its code.
const KEEPS: [Mnemonic; 4] = [Mnemonic::Cmp, Mnemonic::Test, Mnemonic::Push, Mnemonic::Pop];

/// The registers that functions keep.
const KEPT: [Register; 8] = [
    Register::RBX,
    Register::RBP,
    Register::RSI,
    Register::RDI,
    Register::R12,
    Register::R13,
    Register::R14,
    Register::R15,
];

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: u64 = 0x3000;

    /// The functions that code at 0x1000 calls through a pointer at 0x3000, or through a table there.
    fn called(code: &[u8], count: u32) -> Vec<usize> {
        let bind = Bind {
            version: (1, 31),
            count,
            table: TABLE,
        };
        let mut calls = Calls {
            bind: &bind,
            holders: HashSet::new(),
        };
        let decoder = Decoder::with_ip(64, code, 0x1000, DecoderOptions::NONE);
        let places = decoder.into_iter().filter_map(|code| calls.follow(&code));
        places.collect()
    }

    /// `mov rax, [rip + …]` of the pointer, from an instruction at an offset.
    fn load(offset: u32) -> [u8; 7] {
        let distance = 0x2000 - offset - 7;
        let [a, b, c, d] = distance.to_le_bytes();
        [0x48, 0x8b, 0x05, a, b, c, d]
    }

    #[test]
    fn calls_through_the_pointer_are_followed_through_registers() {
        let mut code = load(0).to_vec();
        code.extend([0x48, 0x89, 0xc3]); // mov rbx, rax
        code.extend([0xff, 0x90, 0x58, 0x02, 0, 0]); // call [rax + 0x258]
        code.extend([0x48, 0x8b, 0x43, 0x08]); // mov rax, [rbx + 8]
        code.extend([0xff, 0xd0]); // call rax
        assert_eq!(called(&code, 458), [75, 1]);
    }

    #[test]
    fn a_register_that_is_overwritten_or_clobbered_holds_no_table() {
        let mut code = load(0).to_vec();
        code.extend([0x31, 0xc0]); // xor eax, eax
        code.extend([0xff, 0x50, 0x08]); // call [rax + 8]
        assert_eq!(called(&code, 458), [0; 0]);
        let mut code = load(0).to_vec();
        code.extend([0xff, 0x50, 0x10]); // call [rax + 0x10]
        code.extend([0xff, 0x50, 0x08]); // call [rax + 8]
        assert_eq!(called(&code, 458), [2]);
    }

    #[test]
    fn a_table_in_the_image_is_called_directly() {
        let distance = 0x2000 + 3 * 8 - 6_u32;
        let [a, b, c, d] = distance.to_le_bytes();
        assert_eq!(called(&[0xff, 0x15, a, b, c, d], 396), [3]);
        assert_eq!(called(&[0xff, 0x15, a, b, c, d], 458), [0; 0]);
    }
}

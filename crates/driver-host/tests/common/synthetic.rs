//! Images made by hand, so that the loader can be tested where no compiler for Windows is.
#![allow(clippy::cast_possible_truncation, reason = "the images are small")]

/// Where the sections are.
pub const TEXT: u32 = 0x1000;
pub const RDATA: u32 = 0x2000;
pub const DATA: u32 = 0x3000;
pub const RELOC: u32 = 0x4000;
/// Where one more section can be.
pub const NEXT: u32 = 0x5000;
/// Where the import address table is.
pub const SLOTS: u32 = RDATA;
/// Where constants go.
pub const CONSTANTS: u32 = RDATA + 0x400;
/// Where the load configuration is.
pub const LOAD_CONFIG: u32 = RDATA + 0x600;

/// Where an image with `/guard:cf` has the addresses of the functions that check.
pub const GUARD_CHECK: u32 = DATA + 0x10;
pub const GUARD_DISPATCH: u32 = DATA + 0x18;

const BASE: u64 = 0x1_4000_0000;
const HEADER: usize = 0x80;
const OPTIONAL: usize = HEADER + 24;
const SECTIONS: usize = OPTIONAL + 240;

/// An image in the making: one library, one section of code, one of constants, one of data.
#[derive(Clone)]
pub struct Synthetic {
    code: Vec<u8>,
    library: &'static str,
    imports: Vec<&'static str>,
    constants: Vec<u8>,
    data: Vec<u8>,
    relocations: Vec<u16>,
    cookie: bool,
    /// What `/guard:cf` may call, if the image has it.
    targets: Option<Vec<u32>>,
}

impl Default for Synthetic {
    fn default() -> Self {
        Self {
            code: Vec::new(),
            library: "ntoskrnl.exe",
            imports: Vec::new(),
            constants: Vec::new(),
            data: vec![0; 16],
            relocations: Vec::new(),
            cookie: false,
            targets: None,
        }
    }
}

impl Synthetic {
    /// Adds instructions.
    pub fn code(mut self, bytes: &[u8]) -> Self {
        self.code.extend_from_slice(bytes);
        self
    }

    /// Imports from another library than the kernel.
    pub fn library(mut self, name: &'static str) -> Self {
        self.library = name;
        self
    }

    /// Puts bytes into the data, at an offset.
    pub fn data(mut self, offset: usize, bytes: &[u8]) -> Self {
        let end = offset + bytes.len();
        self.data.resize(self.data.len().max(end), 0);
        self.data[offset..end].copy_from_slice(bytes);
        self
    }

    /// Adds an instruction that ends with the distance to an address.
    pub fn relative(self, opcode: &[u8], target: u32) -> Self {
        let next = TEXT + self.code.len() as u32 + opcode.len() as u32 + 4;
        let distance = target.wrapping_sub(next);
        self.code(opcode).code(&distance.to_le_bytes())
    }

    /// `sub rsp, 40`, as every function that calls others begins.
    pub fn enter(self) -> Self {
        self.code(&[0x48, 0x83, 0xec, 0x28])
    }

    /// Returns a status from a function that began with [`enter`](Self::enter).
    pub fn leave(self, status: u32) -> Self {
        self.code(&[0xb8])
            .code(&status.to_le_bytes())
            .code(&[0x48, 0x83, 0xc4, 0x28, 0xc3])
    }

    /// Imports a function, whose slot is the next one.
    pub fn import(mut self, name: &'static str) -> Self {
        self.imports.push(name);
        self
    }

    /// Calls an import.
    pub fn call(mut self, name: &'static str) -> Self {
        let known = self.imports.iter().position(|own| *own == name);
        let place = known.unwrap_or(self.imports.len());
        if known.is_none() {
            self = self.import(name);
        }
        self.relative(&[0xff, 0x15], SLOTS + 8 * place as u32)
    }

    /// Adds a string to the constants.
    pub fn constant(mut self, text: &str) -> Self {
        self.constants.extend_from_slice(text.as_bytes());
        self.constants.push(0);
        self
    }

    /// Loads the address of a string into `rcx`, the first argument.
    pub fn argument(self, text: &str) -> Self {
        let place = CONSTANTS + self.constants.len() as u32;
        self.constant(text).relative(&[0x48, 0x8d, 0x0d], place)
    }

    /// Makes an unload routine that only returns, and puts it into the driver object in `rcx`.
    pub fn unloadable(self) -> Self {
        self.code(&[0xeb, 0x01, 0xc3])
            .relative(&[0x48, 0x8d, 0x05], TEXT + 2)
            .code(&[0x48, 0x89, 0x41, 0x68])
    }

    /// Puts the address of a constant into the data, at an offset, to be moved with the image.
    pub fn pointer(mut self, offset: u16, target: u32) -> Self {
        let place = usize::from(offset);
        self.data.resize(self.data.len().max(place + 8), 0);
        self.data[place..place + 8].copy_from_slice(&(BASE + u64::from(target)).to_le_bytes());
        self.relocations.push(offset);
        self
    }

    /// Adds a load configuration with a security cookie at the start of the data.
    pub fn cookie(mut self) -> Self {
        self.data[..8].copy_from_slice(&0x2b99_2ddf_a232_u64.to_le_bytes());
        self.cookie = true;
        self
    }

    /// Adds a load configuration for `/guard:cf`, with the functions that may be called by their addresses.
    pub fn guard(self, targets: &[u32]) -> Self {
        let mut guarded = self.data(GUARD_DISPATCH as usize - DATA as usize, &[0; 8]);
        guarded.targets = Some(targets.to_vec());
        guarded
    }

    /// The file.
    pub fn build(&self) -> Vec<u8> {
        let mut file = vec![0; 0x400];
        let rdata = self.rdata();
        let reloc = self.reloc();
        let sections = [
            (".text", TEXT, self.code.clone(), 0x6000_0020),
            (".rdata", RDATA, rdata, 0x4000_0040),
            (".data", DATA, self.data.clone(), 0xc000_0040),
            (".reloc", RELOC, reloc, 0x4200_0040),
        ];
        for (index, (name, address, bytes, flags)) in sections.into_iter().enumerate() {
            let header = SECTIONS + 40 * index;
            let raw = bytes.len().next_multiple_of(0x200);
            file[header..header + name.len()].copy_from_slice(name.as_bytes());
            put(&mut file, header + 8, bytes.len() as u32);
            put(&mut file, header + 12, address);
            put(&mut file, header + 16, raw as u32);
            let start = file.len();
            put(&mut file, header + 20, start as u32);
            put(&mut file, header + 36, flags);
            file.extend_from_slice(&bytes);
            file.resize(start + raw, 0);
        }
        self.write_headers(&mut file);
        let checksum = checksum(&file);
        put(&mut file, OPTIONAL + 64, checksum);
        file
    }

    fn write_headers(&self, file: &mut [u8]) {
        file[..2].copy_from_slice(b"MZ");
        put(file, 0x3c, HEADER as u32);
        file[HEADER..HEADER + 4].copy_from_slice(b"PE\0\0");
        put(file, HEADER + 4, 0x0004_8664);
        put(file, HEADER + 20, 0x2022_00f0);
        put(file, OPTIONAL, 0x020b);
        put(file, OPTIONAL + 16, TEXT);
        file[OPTIONAL + 24..OPTIONAL + 32].copy_from_slice(&BASE.to_le_bytes());
        put(file, OPTIONAL + 32, 0x1000);
        put(file, OPTIONAL + 36, 0x200);
        put(file, OPTIONAL + 56, 0x5000);
        put(file, OPTIONAL + 60, 0x400);
        put(file, OPTIONAL + 68, 0x01e0_0001);
        put(file, OPTIONAL + 108, 16);
        let mut directory = |index: usize, address: u32, size: u32| {
            put(file, OPTIONAL + 112 + 8 * index, address);
            put(file, OPTIONAL + 116 + 8 * index, size);
        };
        if !self.imports.is_empty() {
            directory(1, RDATA + 0x200, 40);
            directory(12, SLOTS, 8 * self.imports.len() as u32 + 8);
        }
        if !self.relocations.is_empty() {
            directory(5, RELOC, self.reloc().len() as u32);
        }
        if self.cookie || self.targets.is_some() {
            directory(10, LOAD_CONFIG, 148);
        }
    }

    /// Slots, the import directory at 0x200, constants at 0x400, the load configuration at 0x600.
    fn rdata(&self) -> Vec<u8> {
        let mut bytes = vec![0; 0x800];
        put(&mut bytes, 0x200, RDATA + 0x100);
        put(&mut bytes, 0x20c, RDATA + 0x240);
        put(&mut bytes, 0x210, SLOTS);
        bytes[0x240..0x240 + self.library.len()].copy_from_slice(self.library.as_bytes());
        let mut name_at = 0x260;
        for (index, name) in self.imports.iter().enumerate() {
            for table in [0, 0x100] {
                put(&mut bytes, table + 8 * index, RDATA + name_at as u32);
            }
            bytes[name_at + 2..name_at + 2 + name.len()].copy_from_slice(name.as_bytes());
            name_at += (name.len() + 3).next_multiple_of(2);
        }
        bytes[0x400..0x400 + self.constants.len()].copy_from_slice(&self.constants);
        let mut address = |at: usize, target: u32| {
            bytes[at..at + 8].copy_from_slice(&(BASE + u64::from(target)).to_le_bytes());
        };
        if self.cookie {
            address(0x658, DATA);
        }
        if let Some(targets) = &self.targets {
            /// The code checks its calls; there is a table, with a byte behind each entry.
            const FLAGS: u32 = 0x1000_0500;
            address(0x670, GUARD_CHECK);
            address(0x678, GUARD_DISPATCH);
            address(0x680, RDATA + 0x700);
            put(&mut bytes, 0x688, targets.len() as u32);
            put(&mut bytes, 0x690, FLAGS);
            for (place, &target) in targets.iter().enumerate() {
                put(&mut bytes, 0x700 + 5 * place, target);
            }
        }
        if self.cookie || self.targets.is_some() {
            put(&mut bytes, 0x600, 148);
        }
        bytes
    }

    fn reloc(&self) -> Vec<u8> {
        let mut bytes = DATA.to_le_bytes().to_vec();
        let entries = self.relocations.len().next_multiple_of(2);
        bytes.extend_from_slice(&(8 + 2 * entries as u32).to_le_bytes());
        for offset in &self.relocations {
            bytes.extend_from_slice(&(0xa000 | offset).to_le_bytes());
        }
        bytes.resize(8 + 2 * entries, 0);
        bytes
    }
}

/// An image with one section more, which is an import table.
pub fn with_imports(table: &[u8]) -> Vec<u8> {
    let mut file = Synthetic::default().enter().leave(0).build();
    let (header, start, size) = (SECTIONS + 40 * 4, file.len() as u32, table.len() as u32);
    file.extend_from_slice(table);
    file.resize(file.len().next_multiple_of(0x200), 0);
    put(&mut file, HEADER + 4, 0x0005_8664);
    put(
        &mut file,
        OPTIONAL + 56,
        NEXT + size.next_multiple_of(0x1000),
    );
    put(&mut file, OPTIONAL + 112 + 8, NEXT);
    put(&mut file, OPTIONAL + 112 + 12, size);
    file[header..header + 6].copy_from_slice(b".idata");
    let fields = [
        (8, size),
        (12, NEXT),
        (16, size),
        (20, start),
        (36, 0xc000_0040),
    ];
    for (field, value) in fields {
        put(&mut file, header + field, value);
    }
    file
}

/// Writes a field.
pub fn put(bytes: &mut [u8], offset: usize, value: u32) {
    bytes[offset..offset + 4].copy_from_slice(&value.to_le_bytes());
}

/// The checksum by its definition, slowly: not the code under test.
fn checksum(file: &[u8]) -> u32 {
    let words = file
        .chunks(2)
        .map(|pair| u64::from(pair[0]) | u64::from(pair[1]) << 8);
    let mut sum: u64 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u32 + file.len() as u32
}

/// A driver that prints, is moved, has a cookie, and can be unloaded.
pub fn ordinary() -> Synthetic {
    Synthetic::default()
        .constant("moved\n")
        .cookie()
        .unloadable()
        .enter()
        .pointer(8, CONSTANTS)
        .relative(&[0x48, 0x8b, 0x0d], DATA + 8)
        .call("DbgPrint")
        .argument("second\n")
        .call("DbgPrint")
        .leave(0)
}

/// Changes a few bytes, most of them in the headers and tables, with values that are often at fault.
pub fn mutate(bytes: &mut Vec<u8>, random: &mut fastrand::Rng) {
    for _ in 0..random.usize(1..6) {
        let limit = if random.bool() { 0x400 } else { bytes.len() };
        let offset = random.usize(..limit.min(bytes.len()).max(1));
        let odd = [
            0,
            1,
            7,
            0xff,
            0x1000,
            0x7fff_ffff,
            0x8000_0000,
            u32::MAX,
            random.u32(..),
        ];
        let value = random.choice(odd).unwrap_or_default().to_le_bytes();
        let size = random.choice([1, 2, 4]).unwrap_or(1);
        for (byte, new) in bytes.iter_mut().skip(offset).zip(&value[..size]) {
            *byte = *new;
        }
    }
    if random.u8(..) < 16 {
        bytes.truncate(random.usize(..=bytes.len()));
    }
}

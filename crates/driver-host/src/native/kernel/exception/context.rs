//! `CONTEXT`: the registers of a thread, as Windows lays them out on x64.

use std::mem::offset_of;

/// `CONTEXT`. The integer registers are in the order of their numbers in instructions.
#[repr(C, align(16))]
#[derive(Clone, Debug)]
pub(crate) struct Context {
    home: [u64; 6],
    flags: u32,
    control: u32,
    segments: [u16; 6],
    pub(crate) processor_flags: u32,
    debug: [u64; 6],
    pub(crate) integers: [u64; 16],
    pub(crate) instruction: u64,
    floating_point: [u64; 20],
    pub(crate) vectors: [[u64; 2]; 16],
    rest: [u64; 70],
}

const _: () = assert!(size_of::<Context>() == 0x4d0);
const _: () = assert!(offset_of!(Context, processor_flags) == 0x44);
const _: () = assert!(offset_of!(Context, integers) == 0x78);
const _: () = assert!(offset_of!(Context, instruction) == 0xf8);
const _: () = assert!(offset_of!(Context, vectors) == 0x1a0);

/// The numbers of registers.
pub(crate) const RAX: usize = 0;
pub(crate) const RSP: usize = 4;
pub(crate) const RSI: usize = 6;
pub(crate) const RDI: usize = 7;

impl Context {
    /// Registers that are all zero. The flags say that control, integer and floating-point registers are there.
    pub(crate) const fn new() -> Self {
        /// `CONTEXT_CONTROL | CONTEXT_INTEGER | CONTEXT_FLOATING_POINT` for x64.
        const FULL: u32 = 0x0010_000b;
        /// What `mxcsr` is when all exceptions are masked.
        const MASKED: u32 = 0x1f80;
        Self {
            home: [0; 6],
            flags: FULL,
            control: MASKED,
            segments: [0; 6],
            processor_flags: 0x202,
            debug: [0; 6],
            integers: [0; 16],
            instruction: 0,
            floating_point: [0; 20],
            vectors: [[0; 2]; 16],
            rest: [0; 70],
        }
    }

    pub(crate) fn stack_pointer(&self) -> usize {
        self.integers[RSP] as usize
    }
}

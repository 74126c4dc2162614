//! Thunks: one small piece of code for each function that an image can call, which says who is
//! called by whom and goes on to the [gate](crate::native::abi::gate).

use std::io;

use super::map::Memory;
use crate::native::abi::gate::{self, Slot};
use crate::pe::Access;

/// The thunks of one image.
#[derive(Debug)]
pub(crate) struct Thunks {
    code: Memory,
    /// What the code points to.
    _slots: Box<[Slot]>,
}

/// How far apart thunks are.
const STRIDE: usize = 32;

impl Thunks {
    /// Makes one thunk for each slot.
    pub(crate) fn new(slots: Vec<Slot>) -> io::Result<Self> {
        let slots = slots.into_boxed_slice();
        let mut code = Memory::new((slots.len() * STRIDE).max(1))?;
        let size = code.size();
        for (slot, bytes) in slots.iter().zip(code.bytes().chunks_exact_mut(STRIDE)) {
            bytes.copy_from_slice(&thunk(slot));
        }
        code.protect(0, size, Access::Execute)?;
        Ok(Self {
            code,
            _slots: slots,
        })
    }

    /// The address of a thunk.
    pub(crate) fn address(&self, index: usize) -> usize {
        self.code.address() + index * STRIDE
    }
}

/// `mov r11, slot; mov rax, gate; jmp rax`, and breakpoints.
fn thunk(slot: &Slot) -> [u8; STRIDE] {
    let mut code = [0xcc; STRIDE];
    let (slot, gate) = ((&raw const *slot).expose_provenance(), gate::address());
    code[..2].copy_from_slice(&[0x49, 0xbb]);
    code[2..10].copy_from_slice(&slot.to_le_bytes());
    code[10..12].copy_from_slice(&[0x48, 0xb8]);
    code[12..20].copy_from_slice(&gate.to_le_bytes());
    code[20..22].copy_from_slice(&[0xff, 0xe0]);
    code
}

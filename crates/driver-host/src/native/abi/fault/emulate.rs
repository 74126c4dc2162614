//! Instructions of images that a process may not execute, carried out for them: the IRQL in `cr8`, which
//! headers read and write inline, reads of the kernel's shared data, and the current thread in the processor's block
//! behind `gs`.

use iced_x86::{Code, Decoder, DecoderOptions, Instruction, Mnemonic, OpKind, Register};
use nmr_host::irql::{self, Irql};

use crate::native::kernel::irql as levels;
use crate::native::kernel::loaded::Loaded;
use crate::native::kernel::peek::peek;
use crate::native::kernel::report::Fault;
use crate::native::kernel::{shared_data, thread};

/// Makes the tables of the decoder, which allocates. The handler of faults may not.
pub(super) fn prepare() {
    const NOP: u8 = 0x90;
    let _nop = Decoder::new(64, &[NOP], DecoderOptions::NONE).decode();
}

/// The registers of a thread, in the order of the system.
type Registers = [i64];

/// The instruction at an address.
pub(super) fn decode(address: usize) -> Option<Instruction> {
    const LONGEST: usize = 15;
    let bytes: [u8; LONGEST] = peek(address).or_else(|| {
        // The next page may be closed.
        let mut bytes = [0; LONGEST];
        let near = LONGEST.min(0x1000 - address % 0x1000);
        for (place, byte) in bytes.iter_mut().enumerate().take(near) {
            [*byte] = peek(address + place)?;
        }
        Some(bytes)
    })?;
    let mut decoder = Decoder::with_ip(64, &bytes, address as u64, DecoderOptions::NONE);
    let code = decoder.decode();
    (!code.is_invalid()).then_some(code)
}

/// Carries out an instruction of an image, if it is one of these. Returns its length.
pub(super) fn carry_out(
    image: &Loaded,
    address: usize,
    registers: &mut Registers,
) -> Option<usize> {
    let code = decode(address)?;
    match code.code() {
        Code::Mov_r64_cr if code.op1_register() == Register::CR8 => {
            set(registers, code.op0_register(), irql::current().0.into())?;
        }
        Code::Mov_cr_r64 if code.op0_register() == Register::CR8 => {
            let level = Irql(get(registers, code.op1_register())? as u8);
            if let Err(text) = levels::set(level) {
                let function = "cr8".to_owned();
                image.report(Fault::Misuse { function, text });
            }
        }
        Code::Mov_r64_rm64 if is_current_thread(&code) => {
            set(registers, code.op0_register(), thread::current() as u64)?;
        }
        _ => read_shared_data(&code, registers)?,
    }
    Some(code.len())
}

/// Returns `true` for a read of `Prcb.CurrentThread` in the `KPCR`: what `KeGetCurrentThread` is inline.
fn is_current_thread(code: &Instruction) -> bool {
    const CURRENT_THREAD: u64 = 0x188;
    is_of_processor(code)
        && code.memory_base() == Register::None
        && code.memory_index() == Register::None
        && code.memory_displacement64() == CURRENT_THREAD
}

/// Returns `true` if an instruction uses the block of the processor.
fn is_of_processor(code: &Instruction) -> bool {
    code.segment_prefix() == Register::GS
}

/// Returns `true` if the instruction at an address uses the block of the processor, of which nothing else is here.
pub(super) fn needs_processor(address: usize) -> bool {
    decode(address).is_some_and(|code| is_of_processor(&code))
}

fn read_shared_data(code: &Instruction, registers: &mut Registers) -> Option<()> {
    let reads = [Mnemonic::Mov, Mnemonic::Movzx].contains(&code.mnemonic());
    let places = [OpKind::Register, OpKind::Memory];
    if !reads || [code.op0_kind(), code.op1_kind()] != places {
        return None;
    }
    let address = code.virtual_address(1, 0, |register, _, _| match register {
        Register::None | Register::DS | Register::ES | Register::SS | Register::CS => Some(0),
        register => get(registers, register),
    })?;
    let offset = usize::try_from(address.checked_sub(shared_data::ADDRESS)?).ok()?;
    let page = shared_data::content();
    let bytes = page.get(offset..offset + code.memory_size().size())?;
    let mut value = [0; 8];
    value.get_mut(..bytes.len())?.copy_from_slice(bytes);
    set(registers, code.op0_register(), u64::from_le_bytes(value))
}

/// The place of a register of 64 bits among those of a thread.
fn place(register: Register) -> Option<usize> {
    const ORDER: [Register; 16] = [
        Register::R8,
        Register::R9,
        Register::R10,
        Register::R11,
        Register::R12,
        Register::R13,
        Register::R14,
        Register::R15,
        Register::RDI,
        Register::RSI,
        Register::RBP,
        Register::RBX,
        Register::RDX,
        Register::RAX,
        Register::RCX,
        Register::RSP,
    ];
    ORDER.iter().position(|&own| own == register)
}

fn get(registers: &Registers, register: Register) -> Option<u64> {
    let value = registers[place(register.full_register())?].cast_unsigned();
    (register.size() == 8).then_some(value)
}

/// Sets a register as a move does: one of 32 bits clears the rest, smaller ones keep it.
fn set(registers: &mut Registers, register: Register, value: u64) -> Option<()> {
    let whole = &mut registers[place(register.full_register())?];
    let before = whole.cast_unsigned();
    let high = [Register::AH, Register::BH, Register::CH, Register::DH];
    let value = match register.size() {
        _ if high.contains(&register) => return None,
        1 => before & !0xff | value & 0xff,
        2 => before & !0xffff | value & 0xffff,
        4 => value & 0xffff_ffff,
        _ => value,
    };
    *whole = value.cast_signed();
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_registers_are_set_as_a_move_does() {
        let mut registers = [-1_i64; 23];
        for (register, expected) in [
            (Register::AL, -1 << 8 | 5),
            (Register::AX, -1 << 16 | 5),
            (Register::EAX, 5),
        ] {
            registers[13] = -1;
            set(&mut registers, register, 5).unwrap();
            assert_eq!(registers[13], expected);
        }
        assert_eq!(set(&mut registers, Register::AH, 5), None);
        assert_eq!(get(&registers, Register::RAX), Some(5));
    }
}

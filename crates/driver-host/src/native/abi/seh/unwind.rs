//! Undoes frames: from the registers in a function to those in its caller.
//!
//! A thread in the middle of an epilog is taken for one in the body of its function: nothing there raises exceptions that a
//! driver could handle.

use std::sync::Arc;

use super::function::{self, Info};
use crate::native::exports::memory;
use crate::native::kernel::exception::Context;
use crate::native::kernel::exception::context::RSP;
use crate::native::kernel::loaded::Loaded;
use crate::native::kernel::peek::peek;
use crate::native::kernel::ranges::{self, Found};

/// A frame that was undone.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) image: Arc<Loaded>,
    /// The address of the entry of its function; 0 if it has none.
    pub(super) function: usize,
    pub(super) instruction: usize,
    /// What identifies the frame to the functions of its compiler.
    pub(super) establisher: usize,
    /// The language handler: its kinds, its offset, and the address of its data.
    pub(super) handler: Option<(u8, u32, usize)>,
}

/// How many parts a function may be in.
const MOST_CHAINED: usize = 32;

fn word(address: usize) -> Option<u64> {
    peek(address).map(u64::from_le_bytes)
}

/// Takes a word from the stack.
fn pop(context: &mut Context) -> Option<u64> {
    let word = word(context.stack_pointer())?;
    context.integers[RSP] = context.integers[RSP].wrapping_add(8);
    Some(word)
}

/// The registers in the image: those of its own instruction, or of the one that has called a function for memory of this
/// crate, in which the thread is.
pub(super) fn in_image(context: &Context) -> Context {
    let mut context = context.clone();
    let Some(pushed) = memory::pushed(context.instruction as usize) else {
        return context;
    };
    for &register in pushed {
        context.integers[register] = pop(&mut context).unwrap_or(0);
    }
    context.instruction = pop(&mut context).unwrap_or(0);
    context
}

/// Changes the registers to those in the caller. `None` if the instruction is in no image, or its tables or the stack
/// cannot be read.
pub(super) fn step(context: &mut Context) -> Option<Frame> {
    let instruction = context.instruction as usize;
    let Some(Found::Loaded(image, offset)) = ranges::find(instruction) else {
        return None;
    };
    let mut frame = Frame {
        image,
        function: 0,
        instruction,
        establisher: context.stack_pointer(),
        handler: None,
    };
    if let Some(function) = function::find(&frame.image, u32::try_from(offset).ok()?) {
        frame.function = function.entry;
        let mut info = function.info(&frame.image)?;
        let mut reached = offset as usize - function.begin as usize;
        frame.establisher = base(context, &info, reached);
        let in_prolog = reached < usize::from(info.prolog);
        for _ in 0..MOST_CHAINED {
            undo(context, &info, reached)?;
            let Some(chained) = info.chained else { break };
            info = chained.info(&frame.image)?;
            reached = usize::MAX;
        }
        if info.chained.is_some() {
            return None;
        }
        if info.handler != 0 && !in_prolog {
            frame.handler = Some((info.flags, info.handler, info.data));
        }
    }
    context.instruction = pop(context)?;
    Some(frame)
}

/// What the saved registers of a function are counted from.
fn base(context: &Context, info: &Info, reached: usize) -> usize {
    if info.register == 0 || reached < usize::from(info.prolog) && !has_frame(info, reached) {
        return context.stack_pointer();
    }
    (context.integers[info.register] as usize).wrapping_sub(info.offset)
}

/// Returns `true` if the prolog has set the frame register already.
fn has_frame(info: &Info, reached: usize) -> bool {
    codes(info).any(|(place, operation, _, _)| operation == SET_FRAME && place <= reached)
}

const PUSH: u8 = 0;
const ALLOCATE: u8 = 1;
const ALLOCATE_SMALL: u8 = 2;
const SET_FRAME: u8 = 3;
const SAVE: u8 = 4;
const SAVE_FAR: u8 = 5;
const EPILOG: u8 = 6;
const SAVE_VECTOR: u8 = 8;
const SAVE_VECTOR_FAR: u8 = 9;

/// The codes: the end of the instruction in the prolog, the operation, its information, and its operand.
fn codes(info: &Info) -> impl Iterator<Item = (usize, u8, usize, usize)> {
    let mut rest = &info.codes[..];
    std::iter::from_fn(move || {
        let (&code, operands) = rest.split_first()?;
        let [place, operation] = code.to_le_bytes();
        let (operation, about) = (operation & 15, usize::from(operation >> 4));
        let slots = match operation {
            PUSH | ALLOCATE_SMALL | SET_FRAME => 0,
            ALLOCATE if about == 0 => 1,
            ALLOCATE | SAVE_FAR | SAVE_VECTOR_FAR => 2,
            SAVE | SAVE_VECTOR | EPILOG => 1,
            // Frames of interrupts, which drivers do not have.
            _ => return None,
        };
        let operand = match operands.get(..slots)? {
            [] => 0,
            [small] => usize::from(*small),
            [low, high, ..] => usize::from(*low) | usize::from(*high) << 16,
        };
        rest = &operands[slots..];
        Some((usize::from(place), operation, about, operand))
    })
}

/// Undoes what the prolog has done, as far as it has run.
fn undo(context: &mut Context, info: &Info, reached: usize) -> Option<()> {
    let base = base(context, info, reached);
    let mut seen = 0;
    for (place, operation, about, operand) in codes(info) {
        seen += 1;
        if place > reached && operation != EPILOG {
            continue;
        }
        let far = matches!(operation, SAVE_FAR | SAVE_VECTOR_FAR);
        match operation {
            PUSH => {
                context.integers[about] = pop(context)?;
            }
            ALLOCATE => {
                let size = if about == 0 { 8 * operand } else { operand };
                context.integers[RSP] = context.integers[RSP].wrapping_add(size as u64);
            }
            ALLOCATE_SMALL => {
                let size = 8 * about + 8;
                context.integers[RSP] = context.integers[RSP].wrapping_add(size as u64);
            }
            SET_FRAME => context.integers[RSP] = base as u64,
            SAVE | SAVE_FAR => {
                let offset = if far { operand } else { 8 * operand };
                context.integers[about] = word(base.wrapping_add(offset))?;
            }
            SAVE_VECTOR | SAVE_VECTOR_FAR => {
                let offset = if far { operand } else { 16 * operand };
                let address = base.wrapping_add(offset);
                context.vectors[about] = [word(address)?, word(address.wrapping_add(8))?];
            }
            _ => {}
        }
    }
    // An operation that is not known ends the codes early.
    (seen > 0 || info.codes.is_empty()).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(codes: &[u16]) -> Info {
        Info {
            flags: 0,
            prolog: 16,
            codes: codes.to_vec(),
            register: 0,
            offset: 0,
            chained: None,
            handler: 0,
            data: 0,
        }
    }

    /// A code: where its instruction ends, the operation, and its information.
    const fn code(place: u16, operation: u8, about: u16) -> u16 {
        place | (operation as u16) << 8 | about << 12
    }

    #[test]
    fn a_prolog_is_undone_as_far_as_it_has_run() {
        // push rbx; push rsi; sub rsp, 16
        let info = info(&[
            code(6, ALLOCATE_SMALL, 1),
            code(2, PUSH, 6),
            code(1, PUSH, 3),
        ]);
        let stack = [0_u64, 0, 66, 33, 99];
        let end = (&raw const stack).expose_provenance() as u64 + 8 * 4;
        for (reached, below, expected) in [
            (0, 0, [0, 0]),
            (1, 8, [33, 0]),
            (2, 16, [33, 66]),
            (6, 32, [33, 66]),
        ] {
            let mut context = Context::new();
            context.integers[RSP] = end - below;
            undo(&mut context, &info, reached).unwrap();
            assert_eq!(context.integers[RSP], end, "{reached}");
            assert_eq!(
                [context.integers[3], context.integers[6]],
                expected,
                "{reached}"
            );
        }
    }

    #[test]
    fn codes_of_damaged_tables_end() {
        let seed = fastrand::u64(..);
        println!("seed {seed}");
        let mut random = fastrand::Rng::with_seed(seed);
        for _ in 0..20_000 {
            let codes: Vec<u16> = (0..random.usize(0..40)).map(|_| random.u16(..)).collect();
            let mut info = info(&codes);
            (info.register, info.offset) = (random.usize(0..16), random.usize(0..16) * 16);
            assert!(super::codes(&info).count() <= codes.len());
            let mut context = Context::new();
            context.integers = std::array::from_fn(|_| random.u64(..));
            let _ = undo(&mut context, &info, random.usize(0..300));
        }
    }
}

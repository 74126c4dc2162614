//! Finds the handler of an exception, and unwinds to it.
// UNSAFETY: calls language handlers of images.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::ptr;

use super::function::{EXCEPTION_HANDLER, TERMINATION_HANDLER};
use super::unwind::{self, Frame};
use crate::native::crossing;
use crate::native::kernel::exception::context::RAX;
use crate::native::kernel::exception::record::{
    CONTINUE_EXECUTION, CONTINUE_SEARCH, NON_CONTINUABLE, TARGET_UNWIND, UNWINDING,
};
use crate::native::kernel::exception::{self, Context, Dispatcher, Exception, Record, Target};
use crate::native::kernel::report::Fault;

/// The direction flag, which a function of this crate may have set.
const DIRECTION: u32 = 0x400;

/// How many frames are looked at.
const MOST: usize = 1024;

/// What became of an exception.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    /// The thread goes on with the registers that are in the context now.
    Handled,
    /// No handler of the driver takes it.
    Unhandled,
}

/// Runs the handlers of an exception that has happened with these registers.
pub(super) fn dispatch(context: &mut Context, exception: &Exception, continuable: bool) -> Outcome {
    exception::take_target();
    let flags = if continuable { 0 } else { NON_CONTINUABLE };
    let mut record = Record::new(exception, context.instruction as usize, flags);
    let mut shown = context.clone();
    let mut above = unwind::in_image(context);
    for _ in 0..MOST {
        let Some(frame) = unwind::step(&mut above) else {
            return Outcome::Unhandled;
        };
        let Some(answer) = ask(&frame, EXCEPTION_HANDLER, &mut record, &mut shown, 0) else {
            continue;
        };
        if let Some(target) = exception::take_target() {
            return unwind_to(context, &mut record, target);
        }
        match answer {
            CONTINUE_SEARCH => {}
            CONTINUE_EXECUTION if continuable => {
                *context = shown;
                return Outcome::Handled;
            }
            CONTINUE_EXECUTION => stop(&frame, "continues an exception that cannot be continued"),
            _ => stop(
                &frame,
                &format!("gave the disposition {answer}, which does not exist here"),
            ),
        }
    }
    Outcome::Unhandled
}

/// Undoes the frames up to a target, whose termination handlers run, and goes on there.
fn unwind_to(context: &mut Context, record: &mut Record, target: Target) -> Outcome {
    record.flags |= UNWINDING;
    let mut above = unwind::in_image(context);
    for _ in 0..MOST {
        let mut before = above.clone();
        let Some(frame) = unwind::step(&mut above) else {
            return Outcome::Unhandled;
        };
        let last = frame.establisher == target.frame;
        if last {
            record.flags |= TARGET_UNWIND;
        }
        ask(
            &frame,
            TERMINATION_HANDLER,
            record,
            &mut before,
            target.address,
        );
        if last {
            *context = before;
            context.instruction = target.address as u64;
            context.processor_flags &= !DIRECTION;
            context.integers[RAX] = record.code.into();
            return Outcome::Handled;
        }
    }
    Outcome::Unhandled
}

/// Calls the language handler of a frame, if it has one of a kind.
fn ask(
    frame: &Frame,
    kind: u8,
    record: &mut Record,
    context: &mut Context,
    target: usize,
) -> Option<i32> {
    let (kinds, handler, data) = frame.handler?;
    if kinds & kind == 0 {
        return None;
    }
    let image = &frame.image;
    let mut dispatcher = Dispatcher {
        instruction: frame.instruction,
        image: image.address(),
        function: frame.function,
        frame: frame.establisher,
        target,
        context,
        handler: image.address() + handler as usize,
        data,
        history: ptr::null_mut::<c_void>(),
        scope: 0,
        fill: 0,
    };
    let arguments = [
        ptr::from_mut(record).expose_provenance(),
        frame.establisher,
        ptr::from_mut(context).expose_provenance(),
        ptr::from_mut(&mut dispatcher).expose_provenance(),
    ];
    let address = dispatcher.handler;
    // SAFETY: the tables of the image say that its compiler's language handler is there, which gets these
    // arguments, and the program that loads an image trusts that they are a compiler's.
    let answer = unsafe { crossing::call(image, "a language handler", address, arguments) };
    Some(answer as i32)
}

fn stop(frame: &Frame, text: &str) -> ! {
    let offset = frame.instruction - frame.image.address();
    frame.image.stop(Fault::Exception {
        what: format!("a language handler {text}"),
        offset: Some(offset as u64),
        address: None,
    })
}

//! Exceptions that drivers raise, and the language handler of C: the functions behind `__try`, `__except` and `__finally`.
// UNSAFETY: structures on the stack of the driver, and its filters and handlers.
#![expect(unsafe_code)]

use std::ptr;
use std::sync::Arc;

use crate::native::crossing;
use crate::native::kernel::call::{self, caller};
use crate::native::kernel::exception::record::{
    CONTINUE_EXECUTION, CONTINUE_SEARCH, TARGET_UNWIND, UNWINDING,
};
use crate::native::kernel::exception::{
    self, Context, Dispatcher, Exception, Pointers, Record, Target,
};
use crate::native::kernel::loaded::Loaded;
use crate::native::kernel::peek::peek;

/// Highest level: `APC_LEVEL`. Does not return to its caller: a handler of the driver takes the exception, or the host stops.
pub(crate) extern "win64" fn raise_status(status: u32) {
    call::raise(&format!("{status:#010x}"), Exception::new(status), None);
}

/// As [`raise_status`], with `STATUS_ACCESS_VIOLATION`.
pub(crate) extern "win64" fn raise_access_violation() {
    let exception = Exception::new(Exception::ACCESS_VIOLATION);
    call::raise("STATUS_ACCESS_VIOLATION", exception, None);
}

/// As [`raise_status`], with `STATUS_DATATYPE_MISALIGNMENT`.
pub(crate) extern "win64" fn raise_datatype_misalignment() {
    let exception = Exception::new(Exception::DATATYPE_MISALIGNMENT);
    call::raise("STATUS_DATATYPE_MISALIGNMENT", exception, None);
}

/// In place of a filter: the handler takes every exception.
const ALWAYS: u32 = 1;

/// A `__try`: offsets in the image.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Scope {
    begin: u32,
    end: u32,
    /// The filter of an `__except`, or the function of a `__finally`.
    handler: u32,
    /// The block of an `__except`; 0 for a `__finally`.
    jump: u32,
}

impl Scope {
    fn contains(&self, offset: u32) -> bool {
        (self.begin..self.end).contains(&offset)
    }
}

/// Reads the scopes of a function, the innermost first, as far as they are there.
fn scopes(data: usize) -> Vec<Scope> {
    let number = |place: usize| peek(data + 4 * place).map(u32::from_le_bytes);
    let scope = |place: usize| {
        Some(Scope {
            begin: number(1 + 4 * place)?,
            end: number(2 + 4 * place)?,
            handler: number(3 + 4 * place)?,
            jump: number(4 + 4 * place)?,
        })
    };
    (0..number(0).unwrap_or(0) as usize)
        .map_while(scope)
        .collect()
}

/// `__C_specific_handler`: the language handler of functions with a `__try`. It is called by the dispatch of an exception, or by
/// a handler of the image for which it is a part.
pub(crate) unsafe extern "win64" fn c_specific_handler(
    record: *mut Record,
    frame: usize,
    context: *mut Context,
    dispatcher: *mut Dispatcher,
) -> i32 {
    let image = caller().image;
    // SAFETY: the dispatch passes a record that lives until its handlers have returned.
    let flags = unsafe { (*record).flags };
    // SAFETY: as above.
    let about = unsafe { dispatcher.read() };
    let scopes = scopes(about.data);
    let offset = (about.instruction - about.image) as u32;
    if flags & UNWINDING == 0 {
        let pointers = Pointers { record, context };
        return search(&image, &scopes, offset, frame, pointers);
    }
    let target = (about.target.wrapping_sub(about.image)) as u32;
    let target = (flags & TARGET_UNWIND != 0).then_some(target);
    terminate(&image, &scopes, offset, frame, target);
    CONTINUE_SEARCH
}

/// Asks the filters around an instruction.
fn search(
    image: &Arc<Loaded>,
    scopes: &[Scope],
    offset: u32,
    frame: usize,
    pointers: Pointers,
) -> i32 {
    let around = scopes
        .iter()
        .filter(|scope| scope.contains(offset) && scope.jump != 0);
    for scope in around {
        let answer = if scope.handler == ALWAYS {
            1
        } else {
            let pointers = ptr::from_ref(&pointers).expose_provenance();
            run(
                image,
                "an exception filter",
                scope.handler,
                [pointers, frame],
            )
        };
        if answer < 0 {
            return CONTINUE_EXECUTION;
        }
        if answer > 0 {
            let address = image.address() + scope.jump as usize;
            exception::set_target(Target { frame, address });
            break;
        }
    }
    CONTINUE_SEARCH
}

/// Runs the `__finally` functions around an instruction, up to the scope that has the target if it is in this function.
fn terminate(
    image: &Arc<Loaded>,
    scopes: &[Scope],
    offset: u32,
    frame: usize,
    target: Option<u32>,
) {
    for scope in scopes.iter().filter(|scope| scope.contains(offset)) {
        let same = |other: &&Scope| other.jump == scope.jump && other.handler == scope.handler;
        let stays = |target| {
            scopes
                .iter()
                .filter(same)
                .any(|other| other.contains(target))
        };
        if target.is_some_and(|target| stays(target) || scope.jump != 0 && scope.jump == target) {
            return;
        }
        if scope.jump == 0 {
            const ABNORMAL: usize = 1;
            run(
                image,
                "a termination handler",
                scope.handler,
                [ABNORMAL, frame],
            );
        }
    }
}

/// Calls a function that the compiler has made of a part of another, with the frame of that.
fn run(image: &Arc<Loaded>, what: &str, offset: u32, arguments: [usize; 2]) -> i32 {
    let address = image.address() + offset as usize;
    // SAFETY: the scopes of the image say that there is such a function, and the program that loads an image trusts
    // that its tables are a compiler's.
    (unsafe { crossing::call(image, what, address, arguments) }) as i32
}

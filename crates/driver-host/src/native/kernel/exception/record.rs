//! The structures that a language handler gets beside the registers.

use std::ffi::c_void;
use std::mem::offset_of;

use super::Context;

/// What was raised: its code, and up to two parameters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exception {
    pub(crate) code: u32,
    pub(crate) parameters: [usize; 2],
    /// How many of them it has.
    pub(crate) count: u32,
}

impl Exception {
    pub(crate) const ACCESS_VIOLATION: u32 = 0xc000_0005;
    pub(crate) const DATATYPE_MISALIGNMENT: u32 = 0x8000_0002;
    pub(crate) const INSUFFICIENT_RESOURCES: u32 = 0xc000_009a;
    pub(crate) const INTEGER_DIVIDE_BY_ZERO: u32 = 0xc000_0094;

    /// One without parameters.
    pub(crate) const fn new(code: u32) -> Self {
        Self {
            code,
            parameters: [0; 2],
            count: 0,
        }
    }

    /// A read or a write of an address where nothing is.
    pub(crate) fn access(writes: bool, address: usize) -> Self {
        Self {
            code: Self::ACCESS_VIOLATION,
            parameters: [writes.into(), address],
            count: 2,
        }
    }
}

/// Answers of a language handler.
pub(crate) const CONTINUE_EXECUTION: i32 = 0;
pub(crate) const CONTINUE_SEARCH: i32 = 1;

/// In [`Record::flags`]: the exception cannot be continued; frames are being unwound; this is the last of them.
pub(crate) const NON_CONTINUABLE: u32 = 1;
pub(crate) const UNWINDING: u32 = 2;
pub(crate) const TARGET_UNWIND: u32 = 0x20;

/// `EXCEPTION_RECORD`.
#[repr(C)]
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) code: u32,
    pub(crate) flags: u32,
    next: usize,
    address: usize,
    count: u32,
    information: [usize; 15],
}

const _: () = assert!(size_of::<Record>() == 0x98);

impl Record {
    pub(crate) fn new(exception: &Exception, address: usize, flags: u32) -> Self {
        let mut information = [0; 15];
        information[..2].copy_from_slice(&exception.parameters);
        Self {
            code: exception.code,
            flags,
            next: 0,
            address,
            count: exception.count,
            information,
        }
    }
}

/// `EXCEPTION_POINTERS`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pointers {
    pub(crate) record: *mut Record,
    pub(crate) context: *mut Context,
}

/// `DISPATCHER_CONTEXT`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dispatcher {
    /// The instruction at which the frame is.
    pub(crate) instruction: usize,
    pub(crate) image: usize,
    pub(crate) function: usize,
    pub(crate) frame: usize,
    /// Where the thread goes on, while frames are unwound.
    pub(crate) target: usize,
    pub(crate) context: *mut Context,
    pub(crate) handler: usize,
    /// The data of the handler, which its compiler has put behind its address.
    pub(crate) data: usize,
    pub(crate) history: *mut c_void,
    pub(crate) scope: u32,
    pub(crate) fill: u32,
}

const _: () = assert!(size_of::<Dispatcher>() == 0x50);
const _: () = assert!(offset_of!(Dispatcher, data) == 0x38);

//! Routines of modules that the kernel calls, in the convention that the header says they have.
// UNSAFETY: foreign functions, whose types differ by convention only.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::mem;

/// A routine and how it takes its arguments.
#[derive(Clone, Copy)]
pub(super) struct Routine {
    code: *const (),
    /// `NMR_HOST_CALLBACKS`: 0 for Windows' convention, 1 for the system's.
    native: bool,
}

// SAFETY: code does not change, and may be called from any thread.
unsafe impl Send for Routine {}

type Windows = unsafe extern "efiapi" fn(*mut c_void, *mut c_void, *mut c_void);
type Native = unsafe extern "C" fn(*mut c_void, *mut c_void, *mut c_void);

impl Routine {
    pub(super) fn new(code: *const (), convention: i32) -> Self {
        Self {
            code,
            native: convention != 0,
        }
    }

    /// Calls it with at most three pointers. One that takes fewer does not see the rest.
    ///
    /// # Safety
    ///
    /// * The code is a function of this convention that takes as many of these arguments as it reads.
    pub(super) unsafe fn call(self, arguments: [*mut c_void; 3]) {
        let [first, second, third] = arguments;
        if self.native {
            // SAFETY: the code is such a function, as this function requires.
            let routine = unsafe { mem::transmute::<*const (), Native>(self.code) };
            // SAFETY: the arguments are the routine's, as this function requires.
            unsafe { routine(first, second, third) };
        } else {
            // SAFETY: as above.
            let routine = unsafe { mem::transmute::<*const (), Windows>(self.code) };
            // SAFETY: as above.
            unsafe { routine(first, second, third) };
        }
    }
}

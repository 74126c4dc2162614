//! The panic handler of a driver.

use core::panic::PanicInfo;

use crate::bug_check::bug_check;

/// The code with which wdk-panic stops the system, too.
const RUST_PANIC: u32 = u32::from_be_bytes(*b"RPNC");

/// Stops the system with the place of the panic: address and length of the file's name, line, column.
pub fn panic(info: &PanicInfo<'_>) -> ! {
    #[cfg(debug_assertions)]
    wdk::dbg_break();
    let place = info.location().map_or([0; 4], |place| {
        let file = place.file();
        [
            file.as_ptr().addr(),
            file.len(),
            place.line() as usize,
            place.column() as usize,
        ]
    });
    bug_check(RUST_PANIC, place)
}

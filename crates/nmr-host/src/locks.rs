//! Locks of modules, as far as they are reported to the registrar: those of images by the loader, those of
//! programs by themselves. A lock is known by its address.
//!
//! Say [`acquiring`] before a thread may block for a lock, [`acquired`] when it has it, and
//! [`released`] when it gives it back. Then the registrar sees that an attach callback takes a lock
//! which its own thread holds (V-15), that a callback returns with another set of locks (V-27), and
//! that a wait holds a lock which its end needs (V-81).

use nmr_machine::Rule;

use crate::held;
use crate::instances;

/// This thread is about to take a lock, and may block.
pub fn acquiring(lock: usize) {
    if let Some(callback) = held::attach_that_holds(lock) {
        instances::current().report_callback(Rule::V15, &callback);
    }
    held::want(lock);
}

/// This thread has a lock now.
pub fn acquired(lock: usize) {
    held::stop_wanting(lock);
    held::add(lock);
}

/// This thread has waited for a lock in vain.
pub fn abandoned(lock: usize) {
    held::stop_wanting(lock);
}

/// This thread gives a lock back.
pub fn released(lock: usize) {
    held::remove(lock);
}

//! Structured exceptions: runs the handlers of a driver, frame by frame, as the tables of its image say.
//!
//! An exception is a fault of the image in memory of a program, a division by zero, or what a function of the kernel has
//! raised. It is dispatched on the stack of the driver, below the frame that it is in. It does not leave the
//! function that this crate has called: what no handler there takes stops the host.

mod dispatch;
pub(super) mod entry;
mod function;
mod unwind;

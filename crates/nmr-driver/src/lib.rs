//! The glue between Windows and a driver with network modules.
#![no_std]

extern crate alloc;

mod bug_check;
mod device;
mod driver;
mod event;
#[cfg(all(windows, feature = "kmdf"))]
#[doc(hidden)]
pub mod kmdf;
mod macros;
mod registrations;
mod request;
mod spin_lock;

pub use device::Device;
pub use driver::Driver;
pub use event::KernelEvent;
pub use registrations::{identify_threads, require_no_registrations};
pub use request::{Request, device_io_control};
pub use spin_lock::KernelSpinLock;

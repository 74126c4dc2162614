//! What a network module of a driver needs of the kernel: [`KernelEvent`], with which threads wait for its provider,
//! and [`KernelSpinLock`], behind which are data of several IRQLs.
//!
//! ```no_run
//! # use nmr::{Awaited, Dispatch, Wait};
//! use core::time::Duration;
//! use nmr_kevent::KernelEvent;
//!
//! # fn f<D: Dispatch>() -> nmr::Result {
//! // In the module, as `nmr::Awaited` describes.
//! let provider = Awaited::<D, KernelEvent>::new()?;
//! let call = provider.capture(Wait::AtMost(Duration::from_secs(5)))?;
//! # Ok(())
//! # }
//! ```
//!
//! A driver links ntoskrnl.lib, which it does anyway. Programs have no kernel: they take
//! `nmr_host::NotificationEvent`.
#![no_std]

mod event;
mod spin_lock;
mod unload;

pub use event::KernelEvent;
pub use spin_lock::KernelSpinLock;
pub use unload::{identify_threads, require_no_registrations};

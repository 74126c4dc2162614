//! [`KernelEvent`]: what a network module of a driver waits for its provider with.
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

pub use event::KernelEvent;

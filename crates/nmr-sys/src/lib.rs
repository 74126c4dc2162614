//! Raw bindings to the Network Module Registrar of Windows: what `netioddk.h` and the module
//! identifiers of `netiodef.h` declare, with Windows' own names; and [`Event`], for what waits for it.
//!
//! Driver authors use the crate `nmr`, not this one. What the functions do, and when the callbacks come,
//! is in `docs/guide/01-ten-minutes.md` of the project.
//!
//! # Calling convention
//!
//! Every function and callback is `extern "efiapi"`: the Microsoft convention on x86-64 and the C
//! convention on AArch64, on every host. On Windows that is exactly what the header's `NTAPI`
//! means on those two architectures. On Linux it keeps the Microsoft convention where `"system"`
//! would silently mean the System V one, so that one table type serves modules compiled for the
//! host and driver images that were compiled for Windows. The price: a pointer declared
//! `extern "C"`, as in wdk-sys, has to be converted at the edge.
//!
//! # Linking
//!
//! The nine functions are declared here and linked by the final program. A driver
//! links `netio.lib` from its build script; a program that runs on the embedded registrar links
//! the crate `nmr-host`, on Windows too. So this crate has no `#[link]` attribute and no feature.
//!
//! # Layout
//!
//! Offsets and sizes are asserted at compile time for 64-bit targets, where x86-64 and AArch64
//! agree. 32-bit Windows has no supported kernel any more and is not covered.
#![no_std]
#![allow(
    non_camel_case_types,
    non_snake_case,
    reason = "names are those of netioddk.h"
)]

mod callbacks;
mod event;
mod functions;
mod handles;
mod layout;
mod opaque;
mod spin_lock;
mod status;
mod types;

pub use callbacks::*;
pub use event::Event;
pub use functions::*;
pub use handles::*;
pub use opaque::Opaque;
pub use spin_lock::SpinLock;
pub use status::*;
pub use types::*;

/// The README, whose examples are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

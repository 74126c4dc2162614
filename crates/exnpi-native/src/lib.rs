//! The client and the provider of the sample driver, and what it does with them on request, from the
//! very same files, as a library for programs: what the tests and `cargo-nmr` run on the embedded registrar. They know it by the
//! driver's name.
//!
//! The driver itself cannot be that library. It has a panic handler, an allocator and an entry
//! point of its own, which no program can have next to those of `std`; and a package that is built
//! as a library too is not optimized as one piece, so that texts of panics would stay in the image.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "client")]
#[path = "../../../src/client.rs"]
pub mod client;
#[path = "../../../src/control.rs"]
pub mod control;
#[cfg(feature = "provider")]
#[path = "../../../src/provider.rs"]
pub mod provider;
#[path = "../../../src/tally.rs"]
pub mod tally;
#[path = "../../../src/trace.rs"]
mod trace;
#[path = "../../../src/watched.rs"]
pub mod watched;

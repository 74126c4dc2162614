//! A sample driver for the Network Module Registrar: a client and a provider of the interface
//! EXNPI, in one image.
//!
//! The two modules are ordinary Rust without `unsafe`. They depend on the crates `nmr` and `exnpi`
//! alone, so the tests in `tests/` run the same files natively, on the embedded registrar.
#![no_std]

pub mod client;
pub mod provider;

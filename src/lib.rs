//! A sample driver for the Network Module Registrar: a client and a provider of the interface
//! EXNPI, in one image.
//!
//! All of it is ordinary, safe Rust; `nmr_driver` has what Windows calls. Programs and tests run the same
//! files natively, on the embedded registrar: they are compiled once more in `crates/exnpi-native`.
//!
//! This package is the image and nothing else. It is empty on other systems than Windows, so that a
//! build of the whole workspace works everywhere, and under `cfg(test)`, where `std` brings the
//! panic handler.
#![cfg(all(windows, not(test)))]
#![no_std]

#[cfg(not(any(feature = "client", feature = "provider")))]
compile_error!("a driver without a module: enable the feature `client`, `provider`, or both");

#[cfg(feature = "client")]
pub mod client;
pub mod control;
#[cfg(feature = "provider")]
pub mod provider;
pub mod tally;
mod trace;
pub mod watched;

nmr_driver::driver!(control::Control: Device);

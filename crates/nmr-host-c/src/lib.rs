//! The registrar of `nmr-host` as a C library, shared and static: `libnmr_host`. Its headers are in
//! `crates/nmr-host/include`.
//!
//! It is a package of its own because Cargo gives the files of a shared library no hash in their
//! names: a program and its tests, which are built for two ways of panicking, would overwrite each
//! other's registrar if that were the same package.

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod bytes;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod kernel;

pub use registrar::*;

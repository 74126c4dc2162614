//! The EXNPI pair in C, `c/client.c` and `c/provider.c`, as a Rust program starts and stops it. It
//! shows what a C team writes against `netioddk.h`, and that modules of both languages attach to
//! each other.
//!
//! The C code calls the functions of the NMR; the program that uses it links them, from `nmr-host`.

mod client;
mod listener;
pub mod memory;
mod provider;

pub use client::Client;
pub use provider::Provider;

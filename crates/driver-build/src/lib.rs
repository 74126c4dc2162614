//! Builds a driver's package for Windows on a Linux machine: the same package that `cargo build`, `cargo make`
//! and `cargo wdk` build on Windows, with the crates of windows-drivers-rs.
//!
//! [`setup`] finds or installs a compiler, LLVM's tools and mingw-w64's headers, and lays out a directory that
//! the wdk crates take for the WDK. [`build`] compiles a package with it. The package's own manifest and lock
//! file stay as they are: what Linux needs is said in a [`shadow`] of them, below the target directory.
#![warn(clippy::print_stderr, clippy::print_stdout)]

pub mod build;
mod build_script;
pub mod command;
mod cross;
mod debian;
mod embedded;
pub mod files;
mod lock;
mod manifest;
mod mingw;
mod missing;
pub mod output;
pub mod package;
pub mod setup;
pub mod shadow;
mod target;
mod toolchain;
pub mod tools;
mod tree;
pub mod wdk;
mod wdk_build;

pub use cross::{Cross, Wishes};
pub use target::{Arch, profile_name};
pub use toolchain::{Rust, Toolchain};

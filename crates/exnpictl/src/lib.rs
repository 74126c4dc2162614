//! The core of `exnpictl`, which speaks with the sample driver: its command line, its requests, and
//! what it prints. The driver is behind [`Device`]: on Windows the one that is installed, on Linux
//! an image that the program loads.
//!
//! The program loads images with driver-host directly, and not through cargo-nmr: that is a program
//! too, whose subject is the story of a run, and would have to learn every request.

mod options;
mod request;
mod run;
mod show;

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub mod image;
#[cfg(windows)]
pub mod windows;

pub use options::{Command, Options, RoleName, message};
pub use request::{Device, Failure, explain_error};
pub use run::run;

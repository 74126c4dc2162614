//! Loads a Windows driver image into a Linux process and runs it: the bytes that ship, in
//! `cargo test`.
//!
//! [`Host`] is a machine of its own: a pool, a registrar, a list of what was printed and of what
//! went wrong. [`Host::load`] maps an image, gives it what it imports, and runs its entry point;
//! [`Image::add_device`] and [`Image::unload`] do what Plug and Play would do. The image's
//! `NETIO.SYS` is the registrar of the crate `nmr-host`, so its rules, its record and its policies
//! hold for a `.sys` file as they do for native modules, and the two can attach to each other.
//!
//! # Trust
//!
//! An image runs as a part of the process, with all its rights. Malformed images are refused, but
//! nothing confines a well-formed one: **load only drivers that you trust**.
//!
//! # Where to read on
//!
//! * `docs/guide/13-testing-the-image.md`: a test of an image, step by step.
//! * `docs/loader.md`: what an image finds here, what is checked when it is unloaded, how a bug check
//!   ends, and what is not seen.
//! * [`Scenario`]: whatever an image asks for, refused once.
//!
//! A registrar whose policy is to panic when a rule is broken ends the process if it is in a call
//! from an image, because a panic cannot pass through one. Look at the reports instead.
//!
//! The modules [`pe`], [`facts`], [`hygiene`] and [`file`](mod@file) are available everywhere. The rest needs
//! Linux on x86-64; elsewhere [`SUPPORTED`] is false and `Host` does not exist.

#![warn(clippy::print_stderr, clippy::print_stdout)]

pub mod facts;
pub mod file;
pub mod framework;
pub mod functions;
pub mod hygiene;
pub mod kmdf;
pub mod pe;
mod printable;
mod request;

pub use file::{IMAGE_VARIABLE, built_image};
pub use printable::printable;
pub use request::{Request, UnknownRequest};

/// Whether this machine can load images.
pub const SUPPORTED: bool = cfg!(all(target_os = "linux", target_arch = "x86_64"));
/// The message for a user where it cannot.
pub const UNSUPPORTED: &str = "driver images can be loaded on x86-64 Linux only";

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod native;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub use native::{
    BadRegistryFile, Child, Descriptor, DeviceError, Event, Exercise, Exercised, Fate, Fault,
    Field, Handle, Host, Image, Interface, LoadError, LoadOptions, Outcome, Peer, PeerComes, Plan,
    Point, Print, Refusal, RegistryValue, Report, RequestError, Scenario, Site, Source, StartPeer,
    Step, Stopped, Trial, Unloaded, Value, Visit,
};

/// The README, whose examples are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

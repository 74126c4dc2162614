//! Driver packages, made and verified anywhere: an INX stamped to an INF, a signed image, a catalog
//! over both, and the rules that Windows and its tools have for INF files.
//!
//! A package is a folder with `NAME.sys`, `NAME.inf`, `NAME.cat` and, for test signing, `NAME.cer`.
#![forbid(unsafe_code)]

pub mod catalog;
pub mod certificate;
pub mod digest;
pub mod error;
pub mod folder;
pub mod image;
mod indirect;
pub mod inf;
mod oid;
pub mod package;
mod signed;
pub mod verify;

pub use der::DateTime;
pub use error::{Error, Result};

/// The README, whose examples are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

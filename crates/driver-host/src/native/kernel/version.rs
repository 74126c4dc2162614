//! The Windows that this kernel stands for: the first with its version of KMDF.

/// Windows 10 and 11 are the version 10.0.
pub(crate) const MAJOR: u32 = 10;
pub(crate) const MINOR: u32 = 0;
/// Windows 11, version 21H2.
pub(crate) const BUILD: u32 = 22_000;

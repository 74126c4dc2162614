//! The I/O manager of drivers that take IRPs: it opens their devices for programs, sends them requests, cancels
//! and completes these, and closes what a program leaves open.

mod cancel;
mod complete;
mod file;
mod send;

pub(crate) use complete::complete;
pub(crate) use file::{cancel, close, close_all, control, open, open_requests, read, write};

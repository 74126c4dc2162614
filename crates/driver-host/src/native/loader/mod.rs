//! The loader: maps an image, gives it what it imports, and takes it out of memory.

pub(crate) mod link;
pub(crate) mod map;
pub(crate) mod tables;
mod thunk;

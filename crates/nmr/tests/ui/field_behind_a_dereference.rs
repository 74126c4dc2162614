//! A name that is reached through `Deref` is no field of the structure.

use std::ops::Deref;

use nmr::{Versioned, View, field};

#[repr(C)]
struct Header {
    size: u32,
}

struct Extension {
    burst: u64,
}

#[repr(C)]
struct Limits {
    header: Header,
    extension: &'static Extension,
}

impl Deref for Limits {
    type Target = Extension;

    fn deref(&self) -> &Extension {
        self.extension
    }
}

unsafe impl Versioned for Limits {
    type Base = Header;

    fn size(base: &Header) -> usize {
        base.size as usize
    }
}

fn burst(view: View<'_, Limits>) -> Option<u64> {
    field!(view, Limits, burst)
}

fn main() {}

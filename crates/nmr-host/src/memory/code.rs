//! The address ranges of code: in the native modules of the process, as the dynamic linker knows them, and in
//! images that another loader loads.

use std::any::Any;
use std::sync::{PoisonError, RwLock};

use super::system::is_native;

/// Whether code is always in memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Residence {
    /// It is.
    Resident,
    /// It can be paged out, so that it must not run at `DISPATCH_LEVEL`.
    Pageable,
    /// It is there only until the driver has been initialized.
    Discardable,
}

/// Code of a loaded image.
#[derive(Clone, Copy, Debug)]
struct Range {
    start: usize,
    size: usize,
    residence: Residence,
}

static IMAGES: RwLock<Vec<Range>> = RwLock::new(Vec::new());

/// Says that executable code of a loaded image is in a range of addresses. A loader of images calls
/// it, so that the registrar takes callbacks there for code.
pub fn add(start: usize, size: usize, residence: Residence) {
    let mut images = IMAGES.write().unwrap_or_else(PoisonError::into_inner);
    images.push(Range {
        start,
        size,
        residence,
    });
}

/// Takes back what was said about ranges that begin in this one.
pub fn remove(start: usize, size: usize) {
    let mut images = IMAGES.write().unwrap_or_else(PoisonError::into_inner);
    images.retain(|range| !(start..start + size).contains(&range.start));
}

/// Holds the lock of the images.
pub(super) fn lock() -> impl Any {
    IMAGES.write().unwrap_or_else(PoisonError::into_inner)
}

/// What kind of code is at an address. `None` if there is none.
pub(crate) fn at(address: usize) -> Option<Residence> {
    let images = IMAGES.read().unwrap_or_else(PoisonError::into_inner);
    let inside = |range: &&Range| (range.start..range.start + range.size).contains(&address);
    if let Some(range) = images.iter().find(inside) {
        return Some(range.residence);
    }
    drop(images);
    is_native(address).then_some(Residence::Resident)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_code_until_it_is_taken_back() {
        add(0x1000, 0x100, Residence::Pageable);
        add(0x1100, 0x100, Residence::Resident);
        assert_eq!(
            [at(0x10ff), at(0x1100)],
            [Some(Residence::Pageable), Some(Residence::Resident)]
        );
        remove(0x1000, 0x1000);
        assert_ne!(at(0x10ff), Some(Residence::Pageable));
    }
}

//! Dispatch tables of interfaces that this crate knows nothing about: where their functions are.

use nmr_host::{Extent, TableLayout};

use crate::native::kernel::peek::peek;
use crate::native::kernel::ranges::{self, Found};
use crate::native::kernel::system::System;
use crate::pe::Access;

/// The most bytes of a table that are looked at.
const MOST: usize = 4096;
const WORD: usize = size_of::<usize>();

/// Finds the functions of a table: the words, to the end of the section or of the block of pool where
/// it lies, that are addresses of code in images. What lies behind the table is copied as well, and
/// not used. `None` if it lies elsewhere, or has no function.
pub(crate) fn layout(system: &System, table: usize) -> Option<TableLayout> {
    if !table.is_multiple_of(WORD) {
        return None;
    }
    let words = bytes_behind(system, table)?.min(MOST) / WORD;
    let is_function = |place: &usize| {
        let word = peek::<WORD>(table + place * WORD).map(usize::from_ne_bytes);
        word.is_some_and(is_code)
    };
    let places = (0..words).filter(is_function);
    let functions: Vec<_> = places.map(|place| place * WORD).collect();
    (!functions.is_empty()).then(|| TableLayout::new(Extent::Bytes(words * WORD), functions))
}

/// How much there is from an address on.
fn bytes_behind(system: &System, address: usize) -> Option<usize> {
    match ranges::find(address) {
        Some(Found::Loaded(image, offset)) => {
            let section = image.section(offset)?;
            let end = u64::from(section.offset) + u64::from(section.size);
            usize::try_from(end - offset).ok()
        }
        Some(Found::Gone(..)) => None,
        None => system.pool.behind(address),
    }
}

fn is_code(address: usize) -> bool {
    match ranges::find(address) {
        Some(Found::Loaded(image, offset)) => image
            .section(offset)
            .is_some_and(|section| section.access == Access::Execute),
        Some(Found::Gone(..)) | None => false,
    }
}

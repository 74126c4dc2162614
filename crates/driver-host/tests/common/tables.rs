//! Images with import tables of odd shapes: descriptors that share their thunks, thunks that share
//! their names, names that overlap or are long.
#![allow(clippy::cast_possible_truncation, reason = "the images are small")]

use super::synthetic::{self, put};

/// The shape of an import table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// How many descriptors there are. All have the same thunks.
    pub(crate) descriptors: u32,
    /// How many thunks there are.
    pub(crate) thunks: u32,
    /// How many bytes the name of the library has.
    pub(crate) library: u32,
    /// How many bytes the name of the first function has.
    pub(crate) name: u32,
    /// How far behind the name of a thunk the name of the next one begins: 0 if all are one.
    pub(crate) step: u32,
}

impl Shape {
    /// A shape that multiplies: few parts, or parts that are shared.
    pub(crate) fn random(random: &mut fastrand::Rng) -> Self {
        let mut size = || {
            random
                .choice([1, 2, 9, 100, 1_000, 4_000, 20_000])
                .unwrap_or(1)
        };
        Self {
            descriptors: size().min(4_000),
            thunks: size(),
            library: size(),
            name: size(),
            step: u32::from(size() < 50),
        }
    }

    /// An image that can be loaded, as far as its headers tell, with such a table.
    pub(crate) fn build(self) -> Vec<u8> {
        let base = synthetic::NEXT;
        let thunks = (20 * (self.descriptors + 1)).next_multiple_of(8);
        let name = thunks + 8 * (self.thunks + 1);
        let library = name + 2 + self.name + 1;
        let mut table = vec![0; (library + self.library + 1) as usize];
        for index in 0..self.descriptors as usize {
            for (field, part) in [(0, thunks), (12, library), (16, thunks)] {
                put(&mut table, 20 * index + field, base + part);
            }
        }
        for index in 0..self.thunks {
            let place = name + (self.step * index) % self.name;
            put(&mut table, (thunks + 8 * index) as usize, base + place);
        }
        let mut text = |start: u32, length: u32| {
            table[start as usize..(start + length) as usize].fill(b'n');
        };
        text(name + 2, self.name);
        text(library, self.library);
        synthetic::with_imports(&table)
    }
}

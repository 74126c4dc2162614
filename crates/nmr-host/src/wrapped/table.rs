//! Copies of dispatch tables, each for one binding and one direction of its calls.
// UNSAFETY: reads the modules' tables.
#![expect(unsafe_code)]

use std::mem::MaybeUninit;
use std::ptr;

use nmr_machine::Role;
use nmr_sys::Opaque;

use super::TableLayout;
use super::stubs::Stubs;
use super::watch::Watch;
use crate::sync::Arc;

/// A function of a table that was handed out, as its stub knows it.
#[derive(Debug)]
pub(crate) struct Slot {
    /// The binding.
    pub(crate) watch: Arc<Watch>,
    /// The module that calls.
    pub(crate) caller: Role,
    /// The place of the function among those of its table, from 0.
    pub(crate) function: usize,
    /// The address of the function.
    pub(crate) target: usize,
}

/// The tables that a registrar has handed out.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    stubs: Stubs,
    copies: Vec<Copy>,
}

/// A table, and what its stubs point to.
#[derive(Debug)]
struct Copy {
    words: Box<[Word]>,
    _slots: Box<[Slot]>,
}

/// A pointer's worth of a table, padding included.
type Word = MaybeUninit<*mut ()>;

// SAFETY: the words are a module's, as in `Opaque`: they are handed on, and nobody looks at them.
unsafe impl Send for Copy {}

impl Tables {
    /// Whether tables can be copied here.
    pub(crate) const WORK: bool = true;

    /// Copies a table. Each of its functions that is not null leads through a stub, or directly if
    /// there is no memory for one.
    pub(crate) fn copy(
        &mut self,
        table: &TableLayout,
        given: Opaque,
        watch: &Arc<Watch>,
        caller: Role,
    ) -> Opaque {
        let mut words = read(table, given);
        let functions = table.functions.iter().enumerate();
        let slots: Box<[Slot]> = functions
            .filter_map(|(function, &place)| {
                let word = words.get(place)?;
                // SAFETY: the word must be initialized: it is a function of the table, or null.
                let target = unsafe { word.assume_init() };
                (!target.is_null()).then(|| Slot {
                    watch: Arc::clone(watch),
                    caller,
                    function,
                    target: target.expose_provenance(),
                })
            })
            .collect();
        for slot in &slots {
            let place = table.functions.get(slot.function);
            let word = place.and_then(|&place| words.get_mut(place));
            if let Some((word, stub)) = word.zip(self.stubs.add(slot)) {
                word.write(ptr::with_exposed_provenance_mut(stub));
            }
        }
        self.copies.push(Copy {
            words,
            _slots: slots,
        });
        let copy = self.copies.last();
        copy.map_or(given, |copy| Opaque(copy.words.as_ptr().cast_mut().cast()))
    }
}

fn read(table: &TableLayout, given: Opaque) -> Box<[Word]> {
    let mut words = Box::new_uninit_slice(table.size / size_of::<Word>());
    let source: *const u8 = given.0.cast_const().cast();
    // SAFETY: both ranges must be valid: the module vouches for a table of its interface, whose
    // size the program has declared or found, and the copy has as many bytes.
    unsafe { ptr::copy_nonoverlapping(source, words.as_mut_ptr().cast(), table.size) };
    // SAFETY: a word may be uninitialized, as the type says.
    unsafe { std::mem::transmute::<Box<[MaybeUninit<Word>]>, Box<[Word]>>(words) }
}

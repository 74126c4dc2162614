//! Copies of dispatch tables, each for one binding and one direction of its calls.
// UNSAFETY: reads the modules' tables.
#![expect(unsafe_code)]

use std::collections::HashMap;
use std::mem::MaybeUninit;
use std::ptr;

use nmr_machine::Role;
use nmr_sys::Opaque;

use super::stubs::Stubs;
use super::watch::Watch;
use crate::layout::{Convention, TableLayout};
use crate::sync::Arc;

/// A function that was handed out, as its stub knows it.
#[derive(Debug)]
pub(crate) struct Slot {
    /// The binding.
    pub(crate) watch: Arc<Watch>,
    /// The module that calls.
    pub(crate) caller: Role,
    /// The place of the function among those of its table, from 0. The functions of tables behind it and
    /// then its callbacks count on.
    pub(crate) function: usize,
    /// The address of the function.
    pub(crate) target: usize,
    /// How it gets its arguments.
    pub(crate) convention: Convention,
    /// Which of its arguments are functions of the caller, and their places.
    pub(crate) callbacks: Box<[(usize, usize)]>,
}

/// The tables that a registrar has handed out.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    stubs: Stubs,
    copies: Vec<Copy>,
    /// The stubs of callbacks, by the binding's watch, the place, and the function.
    callbacks: HashMap<(usize, usize, usize), Callback>,
}

/// A table, and what its stubs point to.
#[derive(Debug)]
struct Copy {
    words: Box<[Word]>,
    _slots: Box<[Slot]>,
}

/// A callback that was handed out.
#[derive(Debug)]
struct Callback {
    stub: usize,
    _slot: Box<Slot>,
}

/// A pointer's worth of a table, padding included.
type Word = MaybeUninit<*mut ()>;

/// The size of a [`Word`].
const WORD: usize = size_of::<Word>();

// SAFETY: the words are a module's, as in `Opaque`: they are handed on and not read.
unsafe impl Send for Copy {}

/// To whom a table is handed out.
#[derive(Clone, Copy)]
struct Recipient<'a> {
    watch: &'a Arc<Watch>,
    caller: Role,
    convention: Convention,
}

impl Tables {
    /// Whether tables can be copied here.
    pub(crate) const WORK: bool = true;

    /// Copies a table. Each of its functions that is not null leads through a stub, or directly if
    /// there is no memory for one. `None` if the table does not say how long it is, or is too short.
    pub(crate) fn copy(
        &mut self,
        table: &TableLayout,
        convention: Convention,
        given: Opaque,
        watch: &Arc<Watch>,
        caller: Role,
    ) -> Option<Opaque> {
        let recipient = Recipient {
            watch,
            caller,
            convention,
        };
        self.copy_for(recipient, table, given, 0)
    }

    /// The same for a table whose first function has this place.
    fn copy_for(
        &mut self,
        recipient: Recipient<'_>,
        table: &TableLayout,
        given: Opaque,
        first: usize,
    ) -> Option<Opaque> {
        let size = table.size.at(given.0.addr())?;
        let mut words = read(size, given);
        self.copy_inner(recipient, table, &mut words, first);
        let slots = slots(recipient, table, &words, first);
        for slot in &slots {
            let offset = table.functions.get(slot.function - first);
            let word = offset.and_then(|&offset| words.get_mut(offset / WORD));
            if let Some((word, stub)) = word.zip(self.stubs.add(slot)) {
                word.write(ptr::with_exposed_provenance_mut(stub));
            }
        }
        self.copies.push(Copy {
            words,
            _slots: slots,
        });
        let copy = self.copies.last()?;
        Some(Opaque(copy.words.as_ptr().cast_mut().cast()))
    }

    /// Copies the tables that a table points to, and lets its copy point to the copies.
    fn copy_inner(
        &mut self,
        recipient: Recipient<'_>,
        table: &TableLayout,
        words: &mut [Word],
        first: usize,
    ) {
        let mut place = first + table.functions.len();
        for (offset, inner) in &table.tables {
            if let Some(word) = words.get_mut(offset / WORD) {
                // SAFETY: the word is initialized: the program has described a pointer there.
                let pointer = unsafe { word.assume_init() };
                let copy = (!pointer.is_null())
                    .then(|| self.copy_for(recipient, inner, Opaque(pointer.cast()), place));
                if let Some(copy) = copy.flatten() {
                    word.write(copy.0.cast());
                }
            }
            place += inner.count();
        }
    }

    /// The stub of a callback that the caller of a slot's function passes. Without memory the callback
    /// itself.
    pub(crate) fn callback(&mut self, slot: &Slot, function: usize, target: usize) -> usize {
        let key = (Arc::as_ptr(&slot.watch).addr(), function, target);
        if let Some(known) = self.callbacks.get(&key) {
            return known.stub;
        }
        let callback = Box::new(Slot {
            watch: Arc::clone(&slot.watch),
            caller: slot.caller.other(),
            function,
            target,
            convention: slot.convention,
            callbacks: Box::default(),
        });
        let room = self.callbacks.try_reserve(1).is_ok();
        let Some(stub) = self.stubs.add(&callback).filter(|_| room) else {
            return target;
        };
        let callback = Callback {
            stub,
            _slot: callback,
        };
        self.callbacks.insert(key, callback);
        stub
    }
}

/// The slots of those functions of a table that are not null.
fn slots(
    recipient: Recipient<'_>,
    table: &TableLayout,
    words: &[Word],
    first: usize,
) -> Box<[Slot]> {
    let before_callbacks = first + table.count() - table.callbacks.len();
    let functions = table.functions.iter().enumerate();
    let slot = |(place, &offset): (usize, &usize)| {
        let word = words.get(offset / WORD)?;
        // SAFETY: the word is initialized: the program has described a function there, or null.
        let target = unsafe { word.assume_init() };
        let callbacks = table.callbacks_of(offset);
        (!target.is_null()).then(|| Slot {
            watch: Arc::clone(recipient.watch),
            caller: recipient.caller,
            function: first + place,
            target: target.expose_provenance(),
            convention: recipient.convention,
            callbacks: callbacks
                .map(|(place, callback)| (callback.argument, before_callbacks + place))
                .collect(),
        })
    };
    functions.filter_map(slot).collect()
}

fn read(size: usize, given: Opaque) -> Box<[Word]> {
    let mut words = Box::new_uninit_slice(size.div_ceil(WORD));
    let source: *const u8 = given.0.cast_const().cast();
    // SAFETY: both ranges must be valid: the module passes a table of its interface, whose size the
    // program has described or found, and the copy has at least as many bytes.
    unsafe { ptr::copy_nonoverlapping(source, words.as_mut_ptr().cast(), size) };
    // SAFETY: a word may be uninitialized, as the type says.
    unsafe { std::mem::transmute::<Box<[MaybeUninit<Word>]>, Box<[Word]>>(words) }
}

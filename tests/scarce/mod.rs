//! An allocator that refuses what the safe layer asks for, on demand. What the registrar and the test
//! allocate is not touched: they could not go on without it.
// UNSAFETY: an allocator.
#![expect(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::ffi::c_void;
use std::ptr;

/// Passes on what it does not refuse.
pub(crate) struct Scarce;

#[derive(Default)]
struct State {
    watching: bool,
    refuse: Refuse,
    /// How many blocks the safe layer asked for since [`watch`].
    asked: u64,
    refused: u64,
    /// The blocks that the safe layer has.
    live: HashSet<usize>,
    /// Whether code at an address belongs to the safe layer's allocation.
    known: HashMap<*mut c_void, bool>,
}

/// Which blocks the safe layer does not get.
#[derive(Clone, Copy, Default)]
pub(crate) enum Refuse {
    #[default]
    Nothing,
    /// The one with this number, from 1.
    Ordinal(u64),
    Everything,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

/// Watches the allocations of this thread from now on, and refuses some.
pub(crate) fn watch(refuse: Refuse) {
    STATE.with_borrow_mut(|state| {
        state.watching = true;
        state.refuse = refuse;
        (state.asked, state.refused) = (0, 0);
    });
}

/// What was asked for since the last [`watch`], how much of that was refused, and how many blocks
/// the safe layer has now.
pub(crate) struct Seen {
    pub(crate) asked: u64,
    pub(crate) refused: u64,
    pub(crate) live: usize,
}

/// Stops watching, and refuses nothing any more.
pub(crate) fn seen() -> Seen {
    STATE.with_borrow_mut(|state| {
        state.watching = false;
        Seen {
            asked: state.asked,
            refused: state.refused,
            live: state.live.len(),
        }
    })
}

// SAFETY: an allocator gives out memory of the layout that it was asked for, or null, and does not
// unwind. Every block is the system's; what this type does besides is about its own state, which is
// only touched if no other code on the thread is touching it.
unsafe impl GlobalAlloc for Scarce {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let ours = with_state(State::asks).unwrap_or(false);
        if ours && with_state(State::refuses).unwrap_or(false) {
            return ptr::null_mut();
        }
        // SAFETY: the size must not be zero, as the caller promises.
        let block = unsafe { System.alloc(layout) };
        if ours {
            with_state(|state| state.live.insert(block.addr()));
        }
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        with_state(|state| !state.live.is_empty() && state.live.remove(&block.addr()));
        // SAFETY: the block must be the system's, with this layout: every block is, and the caller
        // promises the rest.
        unsafe { System.dealloc(block, layout) };
    }
}

/// Does something with the state of this thread, unless that is already being done: what the state
/// itself allocates is not looked at.
fn with_state<T>(act: impl FnOnce(&mut State) -> T) -> Option<T> {
    let with =
        |state: &RefCell<State>| state.try_borrow_mut().ok().map(|mut state| act(&mut state));
    STATE.try_with(with).ok().flatten()
}

impl State {
    /// Returns `true` if the block that is asked for is for the safe layer.
    fn asks(&mut self) -> bool {
        if !self.watching || std::thread::panicking() {
            return false;
        }
        let mut ours = false;
        let mut depth = 0;
        backtrace::trace(|frame| {
            depth += 1;
            ours = *self
                .known
                .entry(frame.ip())
                .or_insert_with(|| is_safe_layer(frame));
            // The function that asks is a few frames up.
            !ours && depth < 32
        });
        ours
    }

    fn refuses(&mut self) -> bool {
        self.asked += 1;
        let refuse = match self.refuse {
            Refuse::Nothing => false,
            Refuse::Ordinal(number) => number == self.asked,
            Refuse::Everything => true,
        };
        self.refused += u64::from(refuse);
        refuse
    }
}

/// Returns `true` if a frame is in the one function of the crate `nmr` that allocates.
fn is_safe_layer(frame: &backtrace::Frame) -> bool {
    let mut found = false;
    backtrace::resolve_frame(frame, |symbol| {
        // Without the hash of the crate, which some compilers put into the middle.
        let name = symbol.name().map(|name| format!("{name:#}"));
        found |= name.is_some_and(|name| name.starts_with("nmr::boxed::allocate"));
    });
    found
}

//! The quarantine: an allocator for tests. Every block has pages of its own, with a closed page
//! behind them; a freed block is closed and its addresses are not used again for a long time. So a
//! touch of a freed block, or behind a block, faults; and each block knows who allocated it and who
//! freed it.
//!
//! A registrar whose policy says `memory=checked` is asked about every block that is freed or
//! touched, and reports the rule that this breaks: V-12, V-34, V-39, V-51, V-80, V-85 or V-86 when a block
//! is freed, V-56 or V-61 when it is touched afterwards. After such a report the block is opened,
//! filled with `0xdd`, and the module goes on. A touch that no rule is about ends the process, after
//! a line on standard error that says which block it was. So does a report here if the policy says
//! `report=panic`, because a panic could not be caught.
//!
//! # How to use it
//!
//! * In Rust: `#[global_allocator] static ALLOCATOR: Quarantine = Quarantine;` and
//!   [`Quarantine::start`], or [`allocate`] and [`free`].
//! * In C: `nmr_host_allocate` and `nmr_host_free` of `nmr_host.h`.
//! * For driver images: the special pool of the crate `driver-host`.
//!
//! # What it costs
//!
//! Two pages of addresses and one of memory for each small block, and two or three calls of the
//! system for each allocation. There can be about 30,000 live blocks; beyond that, and outside of
//! Linux, memory comes from the ordinary allocator. Freed blocks are remembered until 4 GiB of
//! addresses have been gone through.
// UNSAFETY: it is an allocator.
#![expect(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::any::Any;
use std::cell::Cell;
use std::ffi::c_void;
use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::process;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use super::arena::{Arena, Freed};
use super::{current_watcher, fault, system, watchers};
use crate::stderr;
use crate::thread::{self, ThreadNumber};

/// A block of the quarantine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Block {
    /// Its address.
    pub start: usize,
    /// Its size in bytes.
    pub size: usize,
    /// Its number among all blocks.
    pub number: u64,
    /// Whether it was allocated as memory that can be paged out.
    pub pageable: bool,
    /// Who allocated it.
    pub allocated: Place,
    /// Who freed it, if it was freed.
    pub freed: Option<Place>,
    /// Whether a registrar knows an address in it.
    pub(super) claimed: bool,
}

/// Where a thread was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// The thread.
    pub thread: ThreadNumber,
    /// The innermost callback of the NMR that it was inside, and the number of the binding.
    pub callback: Option<(&'static str, u64)>,
}

impl Block {
    /// Returns `true` if an address is in it. A block without bytes holds its own address.
    #[must_use]
    pub fn holds(&self, address: usize) -> bool {
        (self.start..self.start + self.size.max(1)).contains(&address)
    }
}

impl Place {
    pub(super) fn here() -> Self {
        Self {
            thread: thread::current(),
            callback: thread::callback().map(|callback| (callback.function(), callback.binding)),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "by {}", self.thread)?;
        self.callback.map_or(Ok(()), |(function, binding)| {
            write!(f, " inside {function} of binding {binding}")
        })
    }
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { start, size, .. } = self;
        write!(f, "the block of {size} bytes at {start:#x}")?;
        write!(f, ", allocated {}", self.allocated)?;
        self.freed
            .map_or(Ok(()), |freed| write!(f, ", freed {freed}"))
    }
}

/// What a block that was asked for is to be like.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// Its size in bytes.
    pub size: usize,
    /// What its address is a multiple of. It is always one of 16.
    pub alignment: usize,
    /// What its bytes hold.
    pub fill: u8,
    /// Whether it stands for memory that can be paged out.
    pub pageable: bool,
}

/// Whether this system has a quarantine, and lets the registrar look at memory: Linux.
pub const SUPPORTED: bool = cfg!(all(target_os = "linux", not(any(miri, shuttle))));

static ARENA: OnceLock<Option<Mutex<Arena>>> = OnceLock::new();
/// The addresses of the arena, once it exists.
static START: AtomicUsize = AtomicUsize::new(0);
static END: AtomicUsize = AtomicUsize::new(0);
/// Whether the thread that answers faults is to be started again.
static LOST: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// Whether this thread is inside the quarantine, whose own memory is ordinary.
    static BUSY: Cell<bool> = const { Cell::new(false) };
}

/// Runs something with the arena. `None` if there is none, or if this thread is in it already.
fn with<T>(run: impl FnOnce(&mut Arena) -> T) -> Option<T> {
    if BUSY.replace(true) {
        return None;
    }
    let arena = ARENA.get_or_init(|| {
        let arena = Arena::new()?;
        let addresses = arena.addresses();
        START.store(addresses.start, Ordering::Relaxed);
        END.store(addresses.end, Ordering::Release);
        system::start();
        Some(Mutex::new(arena))
    });
    if LOST.swap(false, Ordering::Relaxed) {
        system::start();
    }
    let lock = |arena: &'static Mutex<Arena>| -> MutexGuard<'static, Arena> {
        arena.lock().unwrap_or_else(PoisonError::into_inner)
    };
    let result = arena.as_ref().map(|arena| run(&mut lock(arena)));
    BUSY.set(false);
    result
}

/// Holds the lock of the arena, if there is one.
pub(crate) fn lock() -> impl Any {
    let arena = ARENA.get().and_then(Option::as_ref);
    arena.map(|arena| arena.lock().unwrap_or_else(PoisonError::into_inner))
}

/// This process is the child of a fork: it has the arena, and not the thread that answers faults.
pub(crate) fn lose_thread() {
    if system::stop() {
        LOST.store(true, Ordering::Relaxed);
    }
}

/// Returns `true` if an address belongs to the quarantine.
#[must_use]
pub fn contains(address: usize) -> bool {
    let end = END.load(Ordering::Acquire);
    (START.load(Ordering::Relaxed)..end).contains(&address)
}

/// Takes a block from the quarantine. Null if it has none.
#[must_use]
pub fn allocate(request: Request) -> *mut c_void {
    let Request {
        size,
        alignment,
        fill,
        pageable,
    } = request;
    let place = Place::here();
    let start = with(|arena| {
        let start = arena.allocate(size, alignment, fill, place)?;
        if let Some(block) = arena.block(start) {
            block.pageable = pageable;
        }
        Some(start)
    });
    start
        .flatten()
        .map_or(ptr::null_mut(), ptr::with_exposed_provenance_mut)
}

/// Frees a block of the quarantine: closes it, and notifies the registrars that know of it. Freeing
/// what is no live block of the quarantine changes nothing: a second free is reported (V-86), and for
/// anything else a line is printed. Returns whether it was
/// one, and its end was not overwritten.
pub fn free(block: *mut c_void) -> bool {
    let place = Place::here();
    let freed = with(|arena| arena.free(block.addr(), place)).unwrap_or(Freed::Never);
    match freed {
        Freed::Once(block) => {
            tell(&block);
            true
        }
        Freed::Overrun(block) => {
            stderr::line(format_args!("a write behind {block}"));
            tell(&block);
            false
        }
        Freed::Twice(block) => {
            report_second_free(&block, place);
            false
        }
        Freed::Never => {
            let address = block.addr();
            stderr::line(format_args!(
                "freed {place}, but no block begins there: {address:#x}"
            ));
            false
        }
    }
}

/// Reports that a freed block was freed again (V-86), or prints that if the registrar of this thread
/// does not look at memory.
fn report_second_free(block: &Block, place: Place) {
    match current_watcher() {
        Some(registrar) => registrar.freed_again(block),
        None => stderr::line(format_args!("freed again {place}: {block}")),
    }
}

/// Frees a block on behalf of no module: no rule is about it. Returns whether it was a live block of the
/// quarantine, and its end was not overwritten.
pub fn discard(block: *mut c_void) -> bool {
    let place = Place::here();
    let freed = with(|arena| arena.free(block.addr(), place));
    matches!(freed, Some(Freed::Once(_)))
}

/// Tells the registrars that a block was freed.
fn tell(block: &Block) {
    if block.claimed {
        for shell in watchers() {
            shell.freed(block);
        }
    }
}

/// The block that an address is in, freed or not.
#[must_use]
pub fn find(address: usize) -> Option<Block> {
    if !contains(address) {
        return None;
    }
    let block = with(|arena| arena.block(address).cloned()).flatten();
    block.filter(|block| block.holds(address))
}

/// A registrar knows an address from now on, and subscribes to the free of its block.
pub(super) fn claim(address: usize) {
    if contains(address) {
        with(|arena| {
            if let Some(block) = arena.block(address) {
                block.claimed = true;
            }
        });
    }
}

/// What a touch of a closed page of the quarantine was.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Touched {
    /// The block is freed.
    Freed(Block),
    /// It is behind the end of a block.
    Behind(Block),
    /// There was no block.
    Nothing,
}

impl fmt::Display for Touched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Freed(block) => write!(f, "a touch of freed memory: {block}"),
            Self::Behind(block) => write!(f, "a touch behind {block}"),
            Self::Nothing => f.write_str("a touch of the quarantine where no block is"),
        }
    }
}

/// Says what was touched at an address of the quarantine that faulted, and lets the registrars
/// report it on behalf of this thread. For handlers of faults, after they have left the signal.
#[must_use]
pub fn touched(address: usize) -> Touched {
    judge(address, &fault::Toucher::here()).0
}

/// The same on behalf of any thread, and says whether a rule explains it.
pub(super) fn judge(address: usize, toucher: &fault::Toucher) -> (Touched, bool) {
    let found = with(|arena| arena.block(address).cloned()).flatten();
    match found {
        Some(block) if block.freed.is_some() => {
            let known = watchers()
                .iter()
                .filter(|shell| shell.touched(&block, toucher))
                .count();
            (Touched::Freed(block), known > 0)
        }
        Some(block) => (Touched::Behind(block), false),
        None => (Touched::Nothing, false),
    }
}

/// Installs the quarantine's handler of faults, once. The quarantine does that by itself; a program that has
/// a handler that is to be asked first calls this before installing it.
pub fn install_handler() {
    system::install();
}

/// Opens a freed block, so that the thread that has touched it can go on.
pub(super) fn open(address: usize) -> bool {
    with(|arena| arena.open(address)).unwrap_or(false)
}

/// Runs something that may panic where that cannot be caught: `report=panic` ends the process there.
pub(super) fn or_abort<T>(run: impl FnOnce() -> T) -> T {
    panic::catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| process::abort())
}

static STARTED: AtomicBool = AtomicBool::new(false);
/// Larger blocks are left to the ordinary allocator.
const LARGEST: usize = 1 << 16;
/// What a fresh block holds.
pub(crate) const FRESH_BYTE: u8 = 0xcd;

/// The quarantine as the allocator of a Rust program. It is the ordinary allocator until it is
/// started.
///
/// ```
/// use nmr_host::quarantine::Quarantine;
///
/// #[global_allocator]
/// static ALLOCATOR: Quarantine = Quarantine;
///
/// Quarantine::start();
/// ```
#[derive(Debug)]
pub struct Quarantine;

impl Quarantine {
    /// From now on, blocks of up to 64 KiB come from the quarantine, on every thread.
    pub fn start() {
        STARTED.store(true, Ordering::Relaxed);
    }

    /// From now on they come from the ordinary allocator again. Blocks of the quarantine stay there.
    pub fn stop() {
        STARTED.store(false, Ordering::Relaxed);
    }

    fn take(layout: Layout, fill: u8) -> *mut u8 {
        if !STARTED.load(Ordering::Relaxed) || layout.size() > LARGEST || BUSY.get() {
            return ptr::null_mut();
        }
        let request = Request {
            size: layout.size(),
            alignment: layout.align(),
            fill,
            pageable: false,
        };
        allocate(request).cast()
    }
}

// SAFETY: blocks are as large and as aligned as was asked, each has one owner, and each goes back
// to where it is from.
unsafe impl GlobalAlloc for Quarantine {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let block = Self::take(layout, FRESH_BYTE);
        if block.is_null() {
            // SAFETY: as of this function.
            unsafe { System.alloc(layout) }
        } else {
            block
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let block = Self::take(layout, 0);
        if block.is_null() {
            // SAFETY: as of this function.
            unsafe { System.alloc_zeroed(layout) }
        } else {
            block
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if contains(block.addr()) {
            or_abort(|| free(block.cast()));
        } else {
            // SAFETY: it is not of the quarantine, so it is of the ordinary allocator.
            unsafe { System.dealloc(block, layout) };
        }
    }
}

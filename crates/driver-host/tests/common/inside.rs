//! A driver whose entry point runs a function of the test, which calls what the image imports: through the table
//! of names, the thunk and the gate, as compiled drivers do.
// UNSAFETY: the image calls the test by its address, and the test calls the thunks by theirs.
#![expect(unsafe_code)]
#![allow(
    clippy::cast_possible_truncation,
    reason = "results are the low bits of words"
)]

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::ptr;
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

use driver_host::{Host, Image, LoadError};

use super::synthetic::{SLOTS, Synthetic};
use super::{lines, named};

/// The most arguments that a function gets here.
const MOST: usize = 8;

/// What the driver calls.
pub struct Imports<'a> {
    names: &'a [&'static str],
    slots: *const usize,
    /// Its driver object, and the path of its registry key.
    pub driver: usize,
    pub path: usize,
}

impl Imports<'_> {
    /// The address of a function.
    pub fn function(&self, name: &str) -> usize {
        let place = self.names.iter().position(|own| *own == name);
        let place = place.unwrap_or_else(|| panic!("{name} is not imported"));
        // SAFETY: the image has a slot for each import.
        unsafe { self.slots.wrapping_add(place).read() }
    }

    /// Calls a function. Only the low bits of the result count, if it is smaller than a word.
    pub fn call(&self, name: &str, arguments: &[usize]) -> usize {
        call(self.function(name), arguments)
    }

    /// Calls a function that returns a status or another 32-bit number.
    pub fn number(&self, name: &str, arguments: &[usize]) -> u32 {
        self.call(name, arguments) as u32
    }

    /// Calls a function that returns a byte.
    pub fn byte(&self, name: &str, arguments: &[usize]) -> u8 {
        self.call(name, arguments) as u8
    }
}

/// A word at an address that the kernel has given.
pub fn word_at(address: usize) -> usize {
    number_at(address)
}

/// A number of any size at an address that the kernel has given.
pub fn number_at<N: Copy>(address: usize) -> N {
    // SAFETY: the tests ask for numbers in tables and blocks that are there, which are integers.
    unsafe { ptr::with_exposed_provenance::<N>(address).read() }
}

/// Writes a word to memory of a driver, at an address.
pub fn store_word(address: usize, word: usize) {
    // SAFETY: the tests pass addresses in a `Memory`, which other threads do not use.
    unsafe { ptr::with_exposed_provenance_mut::<usize>(address).write(word) };
}

/// Writes a byte to a buffer that the kernel has given.
pub fn store_byte(address: usize, byte: u8) {
    // SAFETY: the tests pass addresses in buffers of requests that they have, which other threads do not use.
    unsafe { ptr::with_exposed_provenance_mut::<u8>(address).write(byte) };
}

/// Calls a function at an address, which ignores the arguments that it does not have.
pub fn call(address: usize, arguments: &[usize]) -> usize {
    type Function =
        unsafe extern "win64" fn(usize, usize, usize, usize, usize, usize, usize, usize) -> usize;
    let mut all = [0; MOST];
    all[..arguments.len()].copy_from_slice(arguments);
    let [a0, a1, a2, a3, a4, a5, a6, a7] = all;
    let address = ptr::with_exposed_provenance::<()>(address);
    // SAFETY: every function here has the convention of images, and words for its arguments.
    let function = unsafe { std::mem::transmute::<*const (), Function>(address) };
    // SAFETY: the tests pass what the function requires.
    unsafe { function(a0, a1, a2, a3, a4, a5, a6, a7) }
}

/// What the entry point runs, and what became of it.
struct Job<'a> {
    names: &'a [&'static str],
    body: &'a mut dyn FnMut(&Imports<'_>),
    panic: Option<String>,
}

thread_local! {
    /// The panic of a function that a driver runs on this thread; empty until there is one.
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// A driver's stack has no room for what prints a panic: it is kept, for `run`.
fn keep_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let inside = PANIC.with_borrow_mut(|panic| {
                panic
                    .as_mut()
                    .map(|text| *text = info.to_string())
                    .is_some()
            });
            if !inside {
                print(info);
            }
        }));
    });
}

extern "win64" fn entered(slots: *const usize, job: *mut Job<'_>, driver: usize, path: usize) {
    // SAFETY: `run` keeps the job, and uses it again when the entry point has returned.
    let job = unsafe { &mut *job };
    let imports = Imports {
        names: job.names,
        slots,
        driver,
        path,
    };
    PANIC.set(Some(String::new()));
    // A panic cannot pass through the image.
    let failed = panic::catch_unwind(AssertUnwindSafe(|| (job.body)(&imports))).is_err();
    job.panic = PANIC.take().filter(|_| failed);
}

/// Loads a driver that imports functions of a library and runs a function of the test, and unloads it. Returns
/// the reports.
pub fn run(
    host: &Host,
    library: &'static str,
    names: &[&'static str],
    body: &mut (dyn FnMut(&Imports<'_>) + Send),
) -> Vec<String> {
    let unloaded = load(host, library, names, body).unload();
    assert!(unloaded.unmapped);
    lines(&host.take_reports())
}

/// Loads a driver that imports functions of a library and runs a function of the test.
pub fn load(
    host: &Host,
    library: &'static str,
    names: &[&'static str],
    body: &mut (dyn FnMut(&Imports<'_>) + Send),
) -> Image {
    let loaded = try_load(host, library, names, body);
    loaded.unwrap_or_else(|error| panic!("{error}"))
}

/// The same for a driver that may stop the host.
pub fn try_load(
    host: &Host,
    library: &'static str,
    names: &[&'static str],
    body: &mut (dyn FnMut(&Imports<'_>) + Send),
) -> Result<Image, LoadError> {
    keep_panics();
    let mut job = Job {
        names,
        body,
        panic: None,
    };
    let function = (entered as *const ()).expose_provenance();
    let argument = (&raw mut job).expose_provenance();
    let mut image = Synthetic::default().library(library).unloadable().enter();
    for name in names {
        image = image.import(name);
    }
    let image = image
        // mov r8, rcx; mov r9, rdx; lea rcx, [slots]; mov rdx, argument; mov rax, function; call rax
        .code(&[0x49, 0x89, 0xc8, 0x49, 0x89, 0xd1])
        .relative(&[0x48, 0x8d, 0x0d], SLOTS)
        .code(&[0x48, 0xba])
        .code(&argument.to_le_bytes())
        .code(&[0x48, 0xb8])
        .code(&function.to_le_bytes())
        .code(&[0xff, 0xd0])
        .leave(0);
    let loaded = host.load(image.build(), named("test.sys"));
    if let Some(panic) = job.panic.take() {
        panic!("{panic}");
    }
    loaded
}

/// Memory that a driver has and the kernel writes to.
pub struct Memory(Vec<AtomicU64>);

impl Memory {
    pub fn new(words: &[u64]) -> Self {
        Self(words.iter().copied().map(AtomicU64::new).collect())
    }

    /// Memory that nothing has written to.
    pub fn fresh(words: usize) -> Self {
        Self::new(&vec![u64::MAX; words])
    }

    /// Characters, with a zero behind them.
    pub fn wide(text: &str) -> Self {
        let units: Vec<u16> = text.encode_utf16().chain([0; 4]).collect();
        let word = |units: &[u16]| {
            let bytes: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
            u64::from_le_bytes(bytes.try_into().unwrap())
        };
        Self::new(&units.chunks_exact(4).map(word).collect::<Vec<_>>())
    }

    pub fn address(&self) -> usize {
        self.0.as_ptr().expose_provenance()
    }

    pub fn word(&self, place: usize) -> u64 {
        self.0[place].load(Ordering::Relaxed)
    }

    pub fn set(&self, place: usize, word: u64) {
        self.0[place].store(word, Ordering::Relaxed);
    }

    /// The address or the handle that a word holds.
    pub fn pointer(&self, place: usize) -> usize {
        self.word(place) as usize
    }

    pub fn bytes(&self) -> Vec<u8> {
        let words = self.0.iter().map(|word| word.load(Ordering::Relaxed));
        words.flat_map(u64::to_le_bytes).collect()
    }

    /// The 32-bit number at an offset.
    pub fn number(&self, offset: usize) -> u32 {
        u32::from_le_bytes(self.bytes()[offset..offset + 4].try_into().unwrap())
    }
}

/// A `UNICODE_STRING` with its characters.
pub struct Unicode {
    string: Memory,
    units: Memory,
}

impl Unicode {
    /// A string with room for as many characters more.
    pub fn with_room(text: &str, room: usize) -> Self {
        let (length, room) = (2 * text.len() as u64, 2 * (text.len() + room) as u64);
        let units = Memory::wide(&format!("{text}{}", "?".repeat(room as usize / 2)));
        let string = Memory::new(&[length | room << 16, units.address() as u64]);
        Self { string, units }
    }

    pub fn new(text: &str) -> Self {
        Self::with_room(text, 0)
    }

    pub fn address(&self) -> usize {
        self.string.address()
    }

    pub fn text(&self) -> String {
        let bytes = self.units.bytes();
        let length = self.string.word(0) as usize & 0xffff;
        let units = bytes[..length].chunks_exact(2);
        let units = units.map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
        String::from_utf16(&units.collect::<Vec<_>>()).unwrap()
    }
}

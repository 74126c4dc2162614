//! The common part of the gates' models: a connection, and the NMR around it.
// UNSAFETY: the gates are freed while pointers to them exist, as in a driver.
#![expect(unsafe_code)]

use core::cell;
use core::ptr::NonNull;
use std::println;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::vec::Vec;

use loom::cell::UnsafeCell;
use loom::thread::{self, JoinHandle};

use crate::gate::{Gate, Released};
use crate::gates::Gates;

/// A connection, and the NMR that frees its binding when the detach is complete.
pub(crate) struct Connection {
    memory: Arc<Memory>,
    threads: cell::RefCell<Vec<JoinHandle<()>>>,
}

/// What the threads share.
pub(crate) struct Memory {
    /// Freed as far as loom is concerned, and for good when the model has ended. So an access that comes
    /// too late is a failure of the model rather than of the process.
    gates: cell::UnsafeCell<Gates>,
    /// Whether the binding is the only owner of the gates, and frees them.
    is_abandoned: AtomicBool,
    /// Stands for the memory of the binding: loom fails the model if a write overlaps another
    /// access.
    binding: UnsafeCell<()>,
    /// Whether that memory holds a binding.
    attached: AtomicBool,
    attaches: AtomicUsize,
    completions: AtomicUsize,
}

// SAFETY: the gates are changed through shared references only, but for `free`, which loom checks.
unsafe impl Send for Memory {}
// SAFETY: as for `Send`.
unsafe impl Sync for Memory {}

/// One that the gates count.
#[derive(Clone, Copy)]
pub(crate) enum Hold {
    Main,
    Shard(usize),
}

impl Connection {
    pub(crate) fn vacant(gates: Gates) -> Self {
        Self {
            memory: Arc::new(Memory {
                gates: cell::UnsafeCell::new(gates),
                is_abandoned: AtomicBool::new(false),
                binding: UnsafeCell::new(()),
                attached: AtomicBool::new(false),
                attaches: AtomicUsize::new(0),
                completions: AtomicUsize::new(0),
            }),
            threads: cell::RefCell::default(),
        }
    }

    /// A connection whose attach is in progress.
    pub(crate) fn attaching(gates: Gates) -> Self {
        let connection = Self::vacant(gates);
        assert!(connection.claim());
        connection
    }

    pub(crate) fn attached(gates: Gates) -> Self {
        let connection = Self::attaching(gates);
        connection.attach();
        connection
    }

    /// From here on the binding alone owns the gates: they are freed when the detach is complete, and the
    /// threads own nothing.
    pub(crate) fn abandon(&self) {
        self.is_abandoned.store(true, SeqCst);
    }

    pub(crate) fn spawn(&self, run: impl FnOnce(&Memory) + 'static) {
        let memory = Arc::clone(&self.memory);
        let thread = thread::spawn(move || run(&memory));
        self.threads.borrow_mut().push(thread);
    }

    /// How often a detach was completed, when all threads have ended.
    pub(crate) fn completions(&self) -> usize {
        for thread in self.threads.take() {
            thread.join().unwrap();
        }
        self.completions.load(SeqCst)
    }

    /// How many attaches succeeded, when all threads have ended.
    pub(crate) fn attaches(&self) -> usize {
        self.completions();
        self.attaches.load(SeqCst)
    }
}

impl core::ops::Deref for Connection {
    type Target = Memory;

    fn deref(&self) -> &Memory {
        &self.memory
    }
}

impl Memory {
    pub(crate) fn gates(&self) -> &Gates {
        // SAFETY: the memory lives as long as the model, and `free` fails the model if this is used later.
        unsafe { &*self.gates.get() }
    }

    pub(crate) fn claim(&self) -> bool {
        self.gates().claim()
    }

    /// The rest of an attach that has claimed the gates.
    pub(crate) fn attach(&self) {
        self.attaches.fetch_add(1, SeqCst);
        self.write(true);
        self.gates().open();
        self.end(Hold::Main);
    }

    /// The rest of an attach that has claimed the gates, when the peer declines.
    pub(crate) fn fail_to_attach(&self) {
        assert_eq!(self.gates().main.leave(), Released::Pending);
        self.gates().release();
    }

    /// Attaches and detaches, unless another binding has the gates.
    pub(crate) fn attach_and_detach(&self) {
        if self.claim() {
            self.attach();
            self.detach();
        }
    }

    /// Attaches, unless another binding has the gates.
    pub(crate) fn attach_and_keep(&self) {
        if self.claim() {
            self.attach();
        }
    }

    pub(crate) fn detach(&self) {
        self.gates().close();
        self.end(Hold::Main);
    }

    pub(crate) fn call(&self) {
        match self.gates().main.enter() {
            Ok(()) => self.rest_of_call(Hold::Main),
            Err(left) => self.complete_if(left),
        }
    }

    pub(crate) fn call_on(&self, processor: usize) {
        match self.gates().enter_shard(processor) {
            Ok(_) => self.rest_of_call(Hold::Shard(processor)),
            Err(left) => self.complete_if(left),
        }
    }

    /// A call that has begun in the shard of a processor.
    pub(crate) fn hold_on(&self, processor: usize) -> Hold {
        assert!(self.gates().enter_shard(processor).is_ok());
        Hold::Shard(processor)
    }

    pub(crate) fn hold(&self) -> Hold {
        assert!(self.gates().main.enter().is_ok());
        Hold::Main
    }

    pub(crate) fn rest_of_call(&self, hold: Hold) {
        self.read();
        self.end(hold);
    }

    /// Leaves, as a thread that owns nothing does.
    pub(crate) fn end(&self, hold: Hold) {
        let left = match hold {
            Hold::Main => self.gates().main.leave(),
            Hold::Shard(processor) => self.leave_shard(self.gates().shard(processor)),
        };
        self.complete_if(left);
    }

    fn leave_shard(&self, shard: &Gate) -> Released {
        // SAFETY: the shard is one of these gates, and counts the hold.
        unsafe { Gates::leave_shard(NonNull::from(self.gates()), NonNull::from(shard)) }
    }

    fn complete_if(&self, left: Released) {
        if left == Released::Drained {
            self.completions.fetch_add(1, SeqCst);
            self.write(false);
            self.gates().release();
            if self.is_abandoned.load(SeqCst) {
                self.free();
            }
        }
    }

    fn free(&self) {
        // SAFETY: the binding was the only owner, and is gone: loom checks that nothing else uses them.
        unsafe { &mut *self.gates.get() }.free();
    }

    fn read(&self) {
        self.binding.with(|_| assert!(self.attached.load(SeqCst)));
    }

    fn write(&self, attached: bool) {
        self.binding
            .with_mut(|_| self.attached.store(attached, SeqCst));
    }
}

std::thread_local! {
    /// How often a thread of this execution has spun: loom runs all of its threads on one of the system.
    static SPINS: cell::Cell<usize> = const { cell::Cell::new(0) };
    /// How often a thread of this execution has added to a gate that was not open.
    static REFUSALS: cell::Cell<usize> = const { cell::Cell::new(0) };
}

pub(crate) fn count_refusal() {
    REFUSALS.set(REFUSALS.get() + 1);
}

/// How often a thread has added to a gate that was not open.
pub(crate) fn refusals() -> usize {
    REFUSALS.get()
}

/// Counts, and lets the other threads run.
pub(crate) fn spin_loop() {
    SPINS.set(SPINS.get() + 1);
    loom::hint::spin_loop();
}

/// How often a thread has spun so far.
pub(crate) fn spins() -> usize {
    SPINS.get()
}

/// Tries every interleaving of a model, and prints how many there were.
pub(crate) fn explore(name: &str, model: fn()) {
    explore_with(name, None, model);
}

/// The same for interleavings with at most so many switches away from a thread that could go on.
pub(crate) fn explore_with(name: &str, preemptions: Option<usize>, model: fn()) {
    let executions = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&executions);
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = preemptions;
    builder.check(move || {
        counter.fetch_add(1, SeqCst);
        SPINS.set(0);
        REFUSALS.set(0);
        model();
    });
    println!("{name}: {} executions", executions.load(SeqCst));
}

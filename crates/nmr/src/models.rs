//! What the models of the gates have in common: a connection, and the NMR around it.

use std::println;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use loom::cell::UnsafeCell;
use loom::thread::{self, JoinHandle};

use crate::counting::Admit;
use crate::gate::Left;

/// A connection, and the NMR that frees its binding when the detach is complete.
pub(crate) struct Connection<G> {
    pub(crate) gate: G,
    /// Stands for the memory of the binding: loom fails the model if a write overlaps another
    /// access.
    binding: UnsafeCell<()>,
    /// Whether that memory holds a binding.
    attached: AtomicBool,
    completions: AtomicUsize,
}

impl<G: Admit> Connection<G> {
    pub(crate) fn vacant() -> Arc<Self> {
        Arc::new(Self {
            gate: G::vacant().unwrap(),
            binding: UnsafeCell::new(()),
            attached: AtomicBool::new(false),
            completions: AtomicUsize::new(0),
        })
    }

    /// A connection whose attach is in progress.
    pub(crate) fn attaching() -> Arc<Self> {
        let connection = Self::vacant();
        assert!(connection.gate.claim().is_some());
        connection
    }

    pub(crate) fn attached() -> Arc<Self> {
        let connection = Self::vacant();
        connection.attach(connection.gate.claim().unwrap());
        connection
    }

    /// The rest of an attach that has claimed the gate.
    pub(crate) fn attach(&self, pass: G::Pass) {
        self.write(true);
        self.gate.open();
        self.end(pass);
    }

    /// The rest of an attach that has claimed the gate, when the peer declines.
    pub(crate) fn fail_to_attach(&self, pass: G::Pass) {
        assert_eq!(self.gate.leave(pass), Left::Done);
        self.gate.release();
    }

    /// Attaches and detaches, unless another has the gate. How often that was.
    pub(crate) fn attach_and_detach(&self) -> usize {
        let Some(pass) = self.gate.claim() else {
            return 0;
        };
        self.attach(pass);
        self.detach();
        1
    }

    pub(crate) fn call(&self) {
        match self.gate.enter() {
            Ok(pass) => self.rest_of_call(pass),
            Err(left) => self.complete_if(left),
        }
    }

    pub(crate) fn rest_of_call(&self, pass: G::Pass) {
        self.read();
        self.end(pass);
    }

    pub(crate) fn detach(&self) {
        self.end(self.gate.close());
    }

    fn end(&self, pass: G::Pass) {
        self.complete_if(self.gate.leave(pass));
    }

    fn complete_if(&self, left: Left) {
        if left == Left::Last {
            self.completions.fetch_add(1, SeqCst);
            self.write(false);
            self.gate.release();
        }
    }

    fn read(&self) {
        self.binding.with(|_| assert!(self.attached.load(SeqCst)));
    }

    fn write(&self, attached: bool) {
        self.binding
            .with_mut(|_| self.attached.store(attached, SeqCst));
    }

    pub(crate) fn spawn<T: 'static>(
        self: &Arc<Self>,
        run: impl FnOnce(&Self) -> T + 'static,
    ) -> JoinHandle<T> {
        let connection = Arc::clone(self);
        thread::spawn(move || run(&connection))
    }

    pub(crate) fn completions(&self) -> usize {
        self.completions.load(SeqCst)
    }
}

/// Tries every interleaving of a model, and prints how many there were.
pub(crate) fn explore(name: &str, model: fn()) {
    let executions = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&executions);
    loom::model(move || {
        counter.fetch_add(1, SeqCst);
        model();
    });
    println!("{name}: {} executions", executions.load(SeqCst));
}

pub(crate) fn join<const N: usize>(threads: [JoinHandle<()>; N]) {
    for thread in threads {
        thread.join().unwrap();
    }
}

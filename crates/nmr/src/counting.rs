//! [`Counting`]: how the calls into one peer are counted.

use crate::error::Result;
use crate::gate::{Gate, Left};

/// How the calls into one peer are counted: with a [`Gate`] in one word, or with a
/// [`Spread`](crate::Spread) in one for each processor. No other type can do it.
///
/// A module says so in its role: `Client<N>` is `Client<N, Gate>`, and `Client<N, Spread<P>>` is the
/// other. Its [`Peer`](crate::Peer) or [`Slot`](crate::Slot) then has the same type behind its own.
pub trait Counting: Admit {}

impl<G: Admit> Counting for G {}

/// What a link asks of its gate. `gate.rs` says what each function does, and to whom.
pub trait Admit: Send + Sync + Sized + 'static {
    /// What one who was counted keeps until it leaves.
    type Pass: Copy + Send + Sync;

    /// A gate that no binding uses.
    fn vacant() -> Result<Self>;
    /// Takes a vacant gate for a binding and counts its attach. `None` if a binding has it already.
    fn claim(&self) -> Option<Self::Pass>;
    /// Lets calls begin. The caller is the attach, which is counted.
    fn open(&self);
    /// Begins a call, or says what the caller has to do when the gate is not open.
    fn enter(&self) -> Result<Self::Pass, Left>;
    /// Counts one more call. The caller is counted already, with this pass.
    fn enter_again(&self, pass: Self::Pass);
    /// Ends a call, or the attach, or the detach callback.
    fn leave(&self, pass: Self::Pass) -> Left;
    /// Lets no more calls begin, and counts the detach callback.
    fn close(&self) -> Self::Pass;
    /// Makes the gate vacant, after the detach is complete or the attach has failed and left.
    fn release(&self);
    /// Whether a call could have begun a moment ago.
    fn is_open(&self) -> bool;
}

impl Admit for Gate {
    type Pass = ();

    fn vacant() -> Result<Self> {
        Ok(Self::vacant())
    }

    fn claim(&self) -> Option<()> {
        self.claim().then_some(())
    }

    fn open(&self) {
        self.open();
    }

    fn enter(&self) -> Result<(), Left> {
        self.enter()
    }

    fn enter_again(&self, (): ()) {
        self.enter_again();
    }

    fn leave(&self, (): ()) -> Left {
        self.leave()
    }

    fn close(&self) {
        self.close();
    }

    fn release(&self) {
        self.release();
    }

    fn is_open(&self) -> bool {
        self.is_open()
    }
}

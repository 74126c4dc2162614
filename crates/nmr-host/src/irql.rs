//! Interrupt request levels, simulated: a number that each thread has, and that the registrar
//! raises around callbacks where its policy says so.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

use crate::sync::thread_local;

/// An interrupt request level.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Irql(pub u8);

/// The level of ordinary threads.
pub const PASSIVE_LEVEL: Irql = Irql(0);
/// The level at which asynchronous procedure calls are held off.
pub const APC_LEVEL: Irql = Irql(1);
/// The level of deferred procedure calls and of spin locks: nothing may block.
pub const DISPATCH_LEVEL: Irql = Irql(2);

impl fmt::Display for Irql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            PASSIVE_LEVEL => f.write_str("PASSIVE_LEVEL"),
            APC_LEVEL => f.write_str("APC_LEVEL"),
            DISPATCH_LEVEL => f.write_str("DISPATCH_LEVEL"),
            Self(level) => write!(f, "IRQL {level}"),
        }
    }
}

thread_local! {
    static LEVEL: Cell<Irql> = const { Cell::new(PASSIVE_LEVEL) };
}

/// The level of this thread.
#[must_use]
pub fn current() -> Irql {
    LEVEL.with(Cell::get)
}

/// Sets the level of this thread, up or down: what a C program does.
pub(crate) fn set(level: Irql) {
    LEVEL.with(|own| own.set(level));
}

/// Raises this thread to a level, or keeps it where it is if that is higher. Dropping the result
/// restores the old level.
pub fn raise(level: Irql) -> Raised {
    Raised {
        before: LEVEL.with(|own| own.replace(level.max(own.get()))),
        thread: PhantomData,
    }
}

/// A raised level. It belongs to the thread that raised it.
#[must_use = "dropping this lowers the level again"]
#[derive(Debug)]
pub struct Raised {
    before: Irql,
    thread: PhantomData<*const ()>,
}

impl Drop for Raised {
    fn drop(&mut self) {
        set(self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raising_nests_and_never_lowers() {
        assert_eq!(current(), PASSIVE_LEVEL);
        let outer = raise(DISPATCH_LEVEL);
        let inner = raise(APC_LEVEL);
        assert_eq!(current(), DISPATCH_LEVEL);
        drop(inner);
        assert_eq!(current(), DISPATCH_LEVEL);
        drop(outer);
        assert_eq!(current(), PASSIVE_LEVEL);
    }
}

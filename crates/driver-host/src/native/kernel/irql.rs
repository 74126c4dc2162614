//! The IRQL that drivers raise and lower, on the registrar's simulated levels.

use std::cell::RefCell;

use nmr_host::irql::{self, Irql, Raised};

use super::call::misuse;

thread_local! {
    /// What drivers have raised on this thread and not lowered, the innermost last.
    static RAISED: RefCell<Vec<Raised>> = const { RefCell::new(Vec::new()) };
}

/// Reports that the function that the driver is in is called above the highest level that it may be called at.
pub(crate) fn check_level(highest: Irql) {
    let level = irql::current();
    if level > highest {
        misuse(format!("called at {level}"));
    }
}

/// Raises the level of this thread. Returns the level before.
pub(crate) fn raise(level: Irql) -> Irql {
    let before = irql::current();
    if level < before {
        misuse(format!("raised from {before} to {level}, which is lower"));
    }
    // What is no higher is not to be lowered either.
    if level > before {
        RAISED.with_borrow_mut(|raised| raised.push(irql::raise(level)));
    }
    before
}

/// Lowers the level of this thread to one that it was raised from.
pub(crate) fn lower(level: Irql) {
    lower_raised(level);
    let now = irql::current();
    if now != level {
        misuse(format!(
            "lowered to {level}, which it did not raise from: this is {now}"
        ));
    }
}

/// Sets the level of this thread, as a write of `cr8` does. Fails if the driver has not raised it from there.
pub(crate) fn set(level: Irql) -> Result<(), String> {
    let before = irql::current();
    if level > before {
        RAISED.with_borrow_mut(|raised| raised.push(irql::raise(level)));
        return Ok(());
    }
    lower_raised(level);
    if irql::current() == level {
        Ok(())
    } else {
        Err(format!(
            "set to {level}, which the driver did not raise from: this is {}",
            irql::current()
        ))
    }
}

fn lower_raised(level: Irql) {
    RAISED.with_borrow_mut(
        |raised| {
            while irql::current() > level && raised.pop().is_some() {}
        },
    );
}

/// Undoes what a driver left raised. Returns the level that it left.
pub(crate) fn restore() -> Option<Irql> {
    let left = irql::current();
    RAISED.with_borrow_mut(|raised| {
        let any = !raised.is_empty();
        while raised.pop().is_some() {}
        any.then_some(left)
    })
}

#[cfg(test)]
mod tests {
    use nmr_host::irql::{DISPATCH_LEVEL, PASSIVE_LEVEL};

    use super::*;

    /// As a spin lock does in a detach callback that came at that level.
    #[test]
    fn a_level_that_was_there_already_stays_and_has_no_owner() {
        let callback = irql::raise(DISPATCH_LEVEL);
        let before = raise(DISPATCH_LEVEL);
        lower(before);
        assert_eq!(irql::current(), DISPATCH_LEVEL);
        drop(callback);
        assert_eq!(restore(), None);
        assert_eq!(irql::current(), PASSIVE_LEVEL);
    }

    #[test]
    fn nested_levels_are_lowered_one_by_one() {
        let outer = raise(DISPATCH_LEVEL);
        let inner = raise(DISPATCH_LEVEL);
        lower(inner);
        assert_eq!(irql::current(), DISPATCH_LEVEL);
        lower(outer);
        assert_eq!(irql::current(), PASSIVE_LEVEL);
        assert_eq!(restore(), None);
    }
}

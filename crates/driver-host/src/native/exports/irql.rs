//! IRQL: `KeGetCurrentIrql`, `KfRaiseIrql`, `KeRaiseIrql`, `KeLowerIrql`, on the registrar's
//! simulated levels.
// UNSAFETY: `KeRaiseIrql` has an output.
#![expect(unsafe_code)]

use std::cell::RefCell;

use nmr_host::irql::{self, Irql, Raised};

use super::super::imports::Target;
use super::misuse;

pub(crate) fn find(name: &str) -> Option<Target> {
    Some(Target::gated(match name {
        "KeGetCurrentIrql" => current as *const (),
        "KfRaiseIrql" => raise as *const (),
        "KeRaiseIrql" => raise_into as *const (),
        "KeRaiseIrqlToDpcLevel" => raise_to_dispatch as *const (),
        "KeLowerIrql" | "KfLowerIrql" => lower as *const (),
        _ => return None,
    }))
}

thread_local! {
    /// What images have raised on this thread and not lowered, the innermost last.
    static RAISED: RefCell<Vec<Raised>> = const { RefCell::new(Vec::new()) };
}

pub(crate) extern "win64" fn current() -> u8 {
    irql::current().0
}

pub(crate) extern "win64" fn raise(level: u8) -> u8 {
    let before = irql::current();
    if Irql(level) < before {
        misuse(format!(
            "raised from {before} to {}, which is lower",
            Irql(level)
        ));
    }
    // What is no higher is not to be lowered either.
    if Irql(level) > before {
        RAISED.with_borrow_mut(|raised| raised.push(irql::raise(Irql(level))));
    }
    before.0
}

unsafe extern "win64" fn raise_into(level: u8, before: *mut u8) {
    // SAFETY: the caller vouches for the output.
    unsafe { before.write(raise(level)) };
}

extern "win64" fn raise_to_dispatch() -> u8 {
    raise(irql::DISPATCH_LEVEL.0)
}

pub(crate) extern "win64" fn lower(level: u8) {
    let level = Irql(level);
    RAISED.with_borrow_mut(
        |raised| {
            while irql::current() > level && raised.pop().is_some() {}
        },
    );
    let now = irql::current();
    if now != level {
        misuse(format!(
            "lowered to {level}, which it did not raise from: this is {now}"
        ));
    }
}

/// Undoes what an image left raised. Returns the level that it left.
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
    fn a_level_that_was_there_already_stays_and_is_nobodys() {
        let callback = irql::raise(DISPATCH_LEVEL);
        let before = raise(DISPATCH_LEVEL.0);
        lower(before);
        assert_eq!(irql::current(), DISPATCH_LEVEL);
        drop(callback);
        assert_eq!(restore(), None);
        assert_eq!(irql::current(), PASSIVE_LEVEL);
    }

    #[test]
    fn nested_levels_are_lowered_one_by_one() {
        let outer = raise(DISPATCH_LEVEL.0);
        let inner = raise(DISPATCH_LEVEL.0);
        lower(inner);
        assert_eq!(irql::current(), DISPATCH_LEVEL);
        lower(outer);
        assert_eq!(irql::current(), PASSIVE_LEVEL);
        assert_eq!(restore(), None);
    }
}

//! The situations that an exploration has to come across: if one is missing, it has become blind.

use core::fmt;

macro_rules! sights {
    ($($(#[$doc:meta])* $sight:ident,)+) => {
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub(super) enum Sight {
            $($(#[$doc])* $sight,)+
        }

        impl Sight {
            pub(super) const ALL: &'static [Self] = &[$(Self::$sight,)+];
        }
    };
}

sights! {
    /// A client asked again in one offer.
    Retry,
    /// A binding attached after one of its modules had deregistered.
    LateComer,
    /// A module deregistered while it was being registered.
    DeregisterDuringRegister,
    /// A module deregistered while its peer's deregistration detached their binding.
    BothDeregister,
    /// Both ends answered `STATUS_PENDING` and had not completed.
    BothPend,
    EarlyCompletion,
    InsideCompletion,
    LateCompletion,
    WorkerCleanup,
    /// A thread blocked in a wait.
    Blocked,
    /// A module registered again.
    SecondRegistration,
    /// A detach callback ran on the thread that attached.
    DetachInRegister,
    /// A cleanup callback ran in the call that completed.
    CleanupInComplete,
}

/// A set of situations.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Sights(u16);

impl Sights {
    pub(super) fn add(&mut self, sight: Sight) {
        self.0 |= 1 << sight as u16;
    }

    pub(super) fn join(&mut self, others: Self) {
        self.0 |= others.0;
    }

    pub(super) fn has(self, sight: Sight) -> bool {
        self.0 & 1 << sight as u16 != 0
    }
}

impl fmt::Debug for Sights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seen = Sight::ALL.iter().filter(|&&sight| self.has(sight));
        f.debug_set().entries(seen).finish()
    }
}

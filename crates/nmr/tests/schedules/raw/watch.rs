//! What the NMR may do with a binding, checked where it does it (contract section 4).

use std::sync::Mutex;

use nmr_host::Role;

/// Both ends of one binding. The lock is std's: checks are no steps of the schedule.
#[derive(Default)]
pub(crate) struct Watch(Mutex<Ends>);

#[derive(Default)]
struct Ends {
    client: End,
    provider: End,
}

#[derive(Default)]
struct End {
    phase: Phase,
    /// It has completed, or is about to say that it has nothing to complete.
    done: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Phase {
    #[default]
    Offered,
    Attaching,
    Attached,
    /// In its detach callback.
    Detaching,
    /// After it.
    Detached,
    CleanedUp,
}

impl Ends {
    fn end(&mut self, role: Role) -> &mut End {
        match role {
            Role::Client => &mut self.client,
            Role::Provider => &mut self.provider,
        }
    }

    fn any(&self, phase: Phase) -> bool {
        [self.client.phase, self.provider.phase].contains(&phase)
    }
}

impl Watch {
    fn with(&self, check: impl FnOnce(&mut Ends)) {
        check(&mut self.0.lock().unwrap());
    }

    /// An attach callback begins.
    pub(crate) fn attaches(&self, role: Role) {
        self.with(|ends| {
            let phase = &mut ends.end(role).phase;
            assert_eq!(*phase, Phase::Offered, "{role}: a second attach");
            *phase = Phase::Attaching;
        });
    }

    /// An attach callback is about to return.
    pub(crate) fn attach_ends(&self, role: Role, attached: bool) {
        self.with(|ends| {
            ends.end(role).phase = if attached {
                Phase::Attached
            } else {
                Phase::Offered
            };
        });
    }

    /// A detach callback begins.
    pub(crate) fn detaches(&self, role: Role) {
        self.with(|ends| {
            assert!(
                !ends.any(Phase::Attaching),
                "{role}: I-4, a detach during an attach"
            );
            let phase = &mut ends.end(role).phase;
            assert_eq!(*phase, Phase::Attached, "{role}: I-2, a detach too many");
            *phase = Phase::Detaching;
        });
    }

    /// The end is about to be done: by a completion, or by the answer of its detach callback.
    pub(crate) fn done(&self, role: Role) {
        self.with(|ends| ends.end(role).done = true);
    }

    /// A detach callback is about to return.
    pub(crate) fn detach_ends(&self, role: Role) {
        self.with(|ends| ends.end(role).phase = Phase::Detached);
    }

    /// A cleanup callback begins.
    pub(crate) fn cleans_up(&self, role: Role) {
        self.with(|ends| {
            assert!(
                !ends.any(Phase::Detaching),
                "{role}: I-5, a cleanup during a detach"
            );
            assert!(
                ends.client.done && ends.provider.done,
                "{role}: a cleanup too early"
            );
            let phase = &mut ends.end(role).phase;
            assert_eq!(*phase, Phase::Detached, "{role}: I-3, a cleanup too many");
            *phase = Phase::CleanedUp;
        });
    }

    /// A function of this end is called by its peer.
    pub(crate) fn is_called(&self, role: Role) {
        self.with(|ends| {
            let phase = ends.end(role).phase;
            assert_ne!(phase, Phase::CleanedUp, "{role}: called after the cleanup");
            assert!(
                !ends.end(role.other()).done,
                "{role}: called by a peer that was done"
            );
        });
    }
}

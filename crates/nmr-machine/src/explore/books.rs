//! The modules' own view of their registrations and bindings: kept from the calls and
//! callbacks alone, and compared with what the machine wants next.

use super::setup::{Id, MOST, Pair, ROLES, Setup};
use crate::module::Role;
use crate::{Handle, Key};

/// A broken invariant, in words.
pub(super) type Violation = String;

/// Fails with a violation unless a condition holds.
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err(format!($($message)+));
        }
    };
}
pub(super) use ensure;

/// Where a module stands with its registration.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Stage {
    #[default]
    Absent,
    Live,
    /// Its call of Deregister is in progress.
    Stopping,
    /// Deregister has returned.
    Stopped,
    Waiting,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Member {
    pub(super) stage: Stage,
    /// How many registrations it may still make.
    pub(super) left: u8,
    /// Its registration, or its last one.
    pub(super) handle: Option<Handle>,
}

/// How far an offer in progress has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Offer {
    Deciding,
    Asking,
    Accepted,
}

/// What is owed to an end that attached, once both have detached.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Cleanup {
    #[default]
    None,
    Due,
    Running,
    Over,
}

#[derive(Clone, Copy, Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each notes one event that happened or did not"
)]
pub(super) struct End {
    /// The detach callback was called.
    pub(super) called: bool,
    /// It is running.
    pub(super) inside: bool,
    /// It answered `STATUS_PENDING`.
    pub(super) pended: bool,
    /// The module has completed.
    pub(super) completed: bool,
    pub(super) cleanup: Cleanup,
    /// The handle of its binding, or its last one.
    pub(super) handle: Option<Handle>,
}

/// A client, a provider and what is between them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Book {
    /// The end whose registration has still to make the offer.
    pub(super) due: Option<Role>,
    pub(super) offer: Option<Offer>,
    /// How often the client asked in this offer.
    pub(super) tries: u8,
    /// The client's attach callback has returned, and there is a binding.
    pub(super) attached: bool,
    /// The client failed after it had attached.
    pub(super) abandoned: bool,
    /// The end whose deregistration found the binding attached.
    pub(super) detacher: Option<Role>,
    /// Which binding the machine says it is.
    pub(super) binding: Option<Key>,
    ends: [End; 2],
}

impl Book {
    pub(super) fn end(&self, role: Role) -> &End {
        &self.ends[role as usize]
    }

    pub(super) fn end_mut(&mut self, role: Role) -> &mut End {
        &mut self.ends[role as usize]
    }

    pub(super) fn exists(&self) -> bool {
        self.offer.is_some() || self.attached
    }

    /// Returns `true` if the provider has accepted and both may use their binding.
    pub(super) fn is_accepted(&self) -> bool {
        self.offer == Some(Offer::Accepted) || self.attached
    }

    /// Returns `true` if one end has detached.
    pub(super) fn is_done(&self, role: Role) -> bool {
        let end = self.end(role);
        let answered = end.called && !end.inside && (!end.pended || end.completed);
        answered || self.abandoned && role == Role::Client
    }

    pub(super) fn is_detached(&self) -> bool {
        self.attached && ROLES.into_iter().all(|role| self.is_done(role))
    }

    /// Returns `true` if nothing is owed to the two ends any more.
    pub(super) fn is_over(&self) -> bool {
        let settled = |end: &End| matches!(end.cleanup, Cleanup::None | Cleanup::Over);
        self.is_detached() && self.ends.iter().all(settled)
    }

    /// The modules forget the binding, except for their handles.
    pub(super) fn clear(&mut self) {
        let handles = self.ends.map(|end| end.handle);
        *self = Self::default();
        for (end, handle) in self.ends.iter_mut().zip(handles) {
            end.handle = handle;
        }
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Books {
    members: [[Member; MOST]; 2],
    pairs: [Book; MOST * MOST],
}

impl Books {
    pub(super) fn new(setup: &Setup) -> Self {
        let mut books = Self::default();
        for id in setup.ids() {
            books.member_mut(id).left = setup.registrations;
        }
        books
    }

    pub(super) fn member(&self, id: Id) -> &Member {
        &self.members[id.role as usize][id.number]
    }

    pub(super) fn member_mut(&mut self, id: Id) -> &mut Member {
        &mut self.members[id.role as usize][id.number]
    }

    pub(super) fn pair(&self, pair: Pair) -> &Book {
        &self.pairs[pair.index()]
    }

    pub(super) fn pair_mut(&mut self, pair: Pair) -> &mut Book {
        &mut self.pairs[pair.index()]
    }

    pub(super) fn pairs_mut(&mut self) -> impl Iterator<Item = &mut Book> {
        self.pairs.iter_mut()
    }

    /// Returns `true` if both modules of a pair are registered and have not deregistered.
    pub(super) fn are_live(&self, pair: Pair) -> bool {
        ROLES
            .into_iter()
            .all(|role| self.member(pair.end(role)).stage == Stage::Live)
    }

    /// A registration succeeded: every live peer is due to be offered.
    pub(super) fn register(&mut self, id: Id, handle: Handle) {
        let member = self.member_mut(id);
        (member.stage, member.handle) = (Stage::Live, Some(handle));
        for number in 0..MOST {
            let pair = Pair::with(id, number);
            if self.are_live(pair) {
                self.pair_mut(pair).due = Some(id.role);
            }
        }
    }

    /// A deregistration began: it forgets what is not offered yet, and owes a detach to what is
    /// attached.
    pub(super) fn deregister(&mut self, id: Id) {
        for number in 0..MOST {
            let pair = Pair::with(id, number);
            let live = self.are_live(pair);
            let book = self.pair_mut(pair);
            book.due = None;
            if book.attached && !book.abandoned && live {
                book.detacher = Some(id.role);
            }
        }
        self.member_mut(id).stage = Stage::Stopping;
    }

    /// Returns `true` if every module of the pair is registered, so that callbacks may run (I-7, I-9).
    pub(super) fn check_registered(&self, pair: Pair, what: &str) -> Result<(), Violation> {
        for role in ROLES {
            let id = pair.end(role);
            let gone = self.member(id).stage == Stage::Absent;
            ensure!(!gone, "I-7: {what} of {pair:?}, though {id:?} is not there");
        }
        Ok(())
    }
}

//! [`Tally`]: what the driver counts about one of its modules.

use core::sync::atomic::Ordering::Relaxed;
use core::sync::atomic::{AtomicI32, AtomicU32, AtomicU64};

use exnpi::Exnpi;
use exnpi_control::{ModuleState, status};
use nmr::{Client, Error, Identity, ModuleId, NtStatus, Provider, Result, Role};

use crate::trace;

/// What happened to one module. A number is changed with one operation that orders nothing.
pub struct Tally {
    /// What the module is called in events.
    pub role: &'static str,
    pub(crate) registered: AtomicU32,
    pub(crate) last_status: AtomicI32,
    pub(crate) registrations: AtomicU64,
    pub(crate) attached: AtomicU64,
    pub(crate) declined: AtomicU64,
    pub(crate) detached: AtomicU64,
    pub(crate) pended: AtomicU64,
    pub(crate) completed: AtomicU64,
    pub(crate) cleaned_up: AtomicU64,
    pub(crate) calls_received: AtomicU64,
    pub(crate) calls_made: AtomicU64,
    /// The identity of the module: a GUID, or 0.
    identity: [AtomicU64; 2],
}

/// The role of a module of this driver. It has one in each at most, so what is known about a module
/// has a static place; the end of a pending detach could not use another, because the module may be
/// gone.
pub trait Side: Role {
    /// What is counted about the module.
    fn tally() -> &'static Tally;
}

impl Side for Client<Exnpi> {
    fn tally() -> &'static Tally {
        static TALLY: Tally = Tally::new("client");
        &TALLY
    }
}

impl Side for Provider<Exnpi> {
    fn tally() -> &'static Tally {
        static TALLY: Tally = Tally::new("provider");
        &TALLY
    }
}

impl Tally {
    const fn new(role: &'static str) -> Self {
        Self {
            role,
            registered: AtomicU32::new(0),
            last_status: AtomicI32::new(0),
            registrations: AtomicU64::new(0),
            attached: AtomicU64::new(0),
            declined: AtomicU64::new(0),
            detached: AtomicU64::new(0),
            pended: AtomicU64::new(0),
            completed: AtomicU64::new(0),
            cleaned_up: AtomicU64::new(0),
            calls_received: AtomicU64::new(0),
            calls_made: AtomicU64::new(0),
            identity: [const { AtomicU64::new(0) }; 2],
        }
    }

    /// Notes who the module is, before it is registered.
    pub(crate) fn set_identity(&self, identity: u128) {
        for (half, shift) in self.identity.iter().zip([0, 64]) {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the halves are what is wanted"
            )]
            half.store((identity >> shift) as u64, Relaxed);
        }
    }

    /// Who the module is.
    #[must_use]
    pub fn identity(&self) -> u128 {
        let [low, high] = &self.identity;
        u128::from(high.load(Relaxed)) << 64 | u128::from(low.load(Relaxed))
    }

    /// Counts one, and notes the status that goes with it.
    pub(crate) fn count(&self, what: &AtomicU64, status: NtStatus) {
        what.fetch_add(1, Relaxed);
        self.last_status.store(status, Relaxed);
    }

    /// The module is registered, or was refused.
    // The roles have the rest of their code twice.
    #[inline(never)]
    pub(crate) fn registration(&self, result: Result) {
        let status = result.err().map_or(status::SUCCESS, Error::status);
        self.last_status.store(status, Relaxed);
        trace::register(self, 0, status);
        if result.is_ok() {
            self.registrations.fetch_add(1, Relaxed);
            self.registered.store(1, Relaxed);
        }
    }

    /// The module is deregistered and has no binding.
    pub(crate) fn end(&self) {
        self.registered.store(0, Relaxed);
        trace::unregister(self, 0, status::SUCCESS);
    }

    /// The numbers as a program gets them.
    pub(crate) fn state(&self) -> ModuleState {
        // First, so that a binding that ends meanwhile is not taken away twice.
        let cleaned_up = self.cleaned_up.load(Relaxed);
        let attached = self.attached.load(Relaxed);
        ModuleState {
            registered: self.registered.load(Relaxed),
            last_status: self.last_status.load(Relaxed),
            registrations: self.registrations.load(Relaxed),
            bindings: attached.saturating_sub(cleaned_up),
            attached,
            declined: self.declined.load(Relaxed),
            detached: self.detached.load(Relaxed),
            pended: self.pended.load(Relaxed),
            completed: self.completed.load(Relaxed),
            cleaned_up,
            calls_received: self.calls_received.load(Relaxed),
            calls_made: self.calls_made.load(Relaxed),
        }
    }
}

/// An identity as one number, as it is in events: 0 if there is none, or it is no GUID.
pub(crate) fn number(identity: Option<Identity>) -> u128 {
    match identity.map(|identity| identity.module) {
        Some(ModuleId::Guid(guid)) => {
            u128::from(guid.Data1) << 96
                | u128::from(guid.Data2) << 80
                | u128::from(guid.Data3) << 64
                | u128::from(u64::from_be_bytes(guid.Data4))
        }
        _ => 0,
    }
}

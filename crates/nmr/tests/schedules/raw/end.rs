//! A module's end of a binding: it counts its calls, and completes the detach with the last one.

use std::sync::Arc;

use nmr_host::Role;
use nmr_sys::{NTSTATUS, STATUS_PENDING, STATUS_SUCCESS};
use shuttle::sync::Mutex;

use super::callbacks::{self, Peer};
use super::module::{Detach, Module};
use super::watch::Watch;
use crate::memory::Alive;
use crate::world::one_of;

/// The binding context.
pub(crate) struct End {
    pub(super) module: Arc<Module>,
    pub(super) handle: usize,
    pub(super) watch: Arc<Watch>,
    flow: Mutex<Flow>,
    alive: Alive,
}

/// Who is inside, and whether a completion is due.
#[derive(Default)]
struct Flow {
    peer: Option<Arc<Peer>>,
    calls: u32,
    detaching: bool,
    completes_late: bool,
    /// It completed before it was asked to detach.
    completed_early: bool,
}

impl End {
    pub(super) fn new(module: Arc<Module>, handle: usize, watch: Arc<Watch>) -> Arc<Self> {
        Arc::new(Self {
            module,
            handle,
            watch,
            flow: Mutex::default(),
            alive: Alive::new(),
        })
    }

    fn role(&self) -> Role {
        self.module.role
    }

    /// Lets calls begin.
    pub(super) fn open(&self, peer: Peer) {
        self.flow.lock().unwrap().peer = Some(Arc::new(peer));
    }

    /// Calls the peer, unless it is not there or the detach has begun.
    pub(crate) fn call(&self) -> bool {
        let peer = {
            let mut flow = self.flow.lock().unwrap();
            let Some(peer) = flow.peer.clone().filter(|_| !flow.detaching) else {
                return false;
            };
            flow.calls += 1;
            peer
        };
        callbacks::call(&peer);
        let last = {
            let mut flow = self.flow.lock().unwrap();
            flow.calls -= 1;
            flow.calls == 0 && flow.completes_late
        };
        if last {
            self.complete();
        }
        true
    }

    /// The peer calls.
    pub(super) fn called(&self) {
        self.alive.check();
        self.watch.is_called(self.role());
        self.module.run(&self.module.conduct.on_called);
        self.watch.is_called(self.role());
        self.alive.check();
    }

    /// The detach callback.
    pub(super) fn detach(self: &Arc<Self>) -> NTSTATUS {
        self.alive.check();
        let _inside = self.module.enter();
        self.watch.detaches(self.role());
        let pends = {
            let mut flow = self.flow.lock().unwrap();
            flow.detaching = true;
            flow.completes_late = flow.calls > 0;
            flow.completes_late || flow.completed_early
        };
        self.module.run(&self.module.conduct.on_detach);
        let status = if pends { STATUS_PENDING } else { self.answer() };
        self.watch.detach_ends(self.role());
        status
    }

    /// Ends a detach that waits for no call, in one of the ways that the module has.
    fn answer(self: &Arc<Self>) -> NTSTATUS {
        match one_of(&self.module.conduct.detach) {
            Detach::AtOnce => {
                self.watch.done(self.role());
                STATUS_SUCCESS
            }
            Detach::Inside => {
                self.complete();
                STATUS_PENDING
            }
            Detach::Elsewhere => {
                let end = Arc::clone(self);
                self.module.world().thread(move || end.complete());
                STATUS_PENDING
            }
        }
    }

    /// Completes before the NMR asks for it, as XDP does, if it has not asked yet.
    pub(crate) fn complete_early(&self) {
        let early = {
            let mut flow = self.flow.lock().unwrap();
            flow.completed_early = !flow.detaching;
            flow.completed_early
        };
        if early {
            self.complete();
        }
    }

    /// Completes the detach.
    pub(crate) fn complete(&self) {
        self.watch.done(self.role());
        callbacks::complete(self.role(), self.handle);
    }

    /// The cleanup callback.
    pub(super) fn clean_up(&self) {
        self.alive.check();
        let _inside = self.module.enter();
        self.watch.cleans_up(self.role());
        self.module.run(&self.module.conduct.on_cleanup);
        self.module.forget(self);
    }
}

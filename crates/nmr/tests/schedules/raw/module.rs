//! A careful module on the raw functions.

use std::collections::HashSet;
use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex, Weak};

use nmr_host::Role;
use nmr_sys::{
    NTSTATUS, STATUS_DEVICE_NOT_READY, STATUS_NOINTERFACE, STATUS_PENDING, STATUS_SUCCESS,
};
use shuttle::thread;

use super::callbacks::{self, Characteristics, Peer};
use super::end::End;
use super::watch::Watch;
use crate::world::{World, maybe};

/// How a module ends a detach when none of its calls is in progress.
#[derive(Clone, Copy)]
pub(crate) enum Detach {
    /// The callback returns `STATUS_SUCCESS`.
    AtOnce,
    /// It completes, and returns `STATUS_PENDING`.
    Inside,
    /// It returns `STATUS_PENDING`, and another thread completes, before or after that.
    Elsewhere,
}

/// Something that a module does inside a callback.
pub(crate) type Hook = Box<dyn Fn(&Arc<Module>) + Send + Sync>;

/// What a module does.
pub(crate) struct Conduct {
    /// Whether it declines some offers.
    pub(crate) picky: bool,
    /// Whether it fails an attach that has succeeded. A client must not (V-22).
    pub(crate) fails_late: bool,
    /// One of these, each time.
    pub(crate) detach: Vec<Detach>,
    pub(crate) on_attach: Hook,
    pub(crate) on_detach: Hook,
    pub(crate) on_cleanup: Hook,
    pub(crate) on_called: Hook,
}

impl Default for Conduct {
    fn default() -> Self {
        Self {
            picky: false,
            fails_late: false,
            detach: vec![Detach::AtOnce, Detach::Inside, Detach::Elsewhere],
            on_attach: Box::new(|_| ()),
            on_detach: Box::new(|_| ()),
            on_cleanup: Box::new(|_| ()),
            on_called: Box::new(|_| ()),
        }
    }
}

/// The modules of an execution. The locks are std's: what they guard is for checks only.
pub(crate) struct Cast {
    world: World,
    /// How often each module has registered, by its number.
    registrations: Mutex<Vec<u32>>,
    /// The registrations that were offered to each other: a client's, a provider's.
    offers: Mutex<HashSet<[(u32, u32); 2]>>,
}

impl Cast {
    pub(crate) fn new(world: &World) -> Arc<Self> {
        Arc::new(Self {
            world: world.clone(),
            registrations: Mutex::default(),
            offers: Mutex::default(),
        })
    }

    pub(crate) fn module(self: &Arc<Self>, role: Role, conduct: Conduct) -> Arc<Module> {
        let mut registrations = self.registrations.lock().unwrap();
        let number = u32::try_from(registrations.len()).expect("a few modules");
        registrations.push(0);
        Arc::new_cyclic(|me| Module {
            me: me.clone(),
            cast: Arc::clone(self),
            role,
            number,
            conduct,
            characteristics: Characteristics::new(role, number),
            handle: AtomicPtr::default(),
            inside: AtomicU32::new(0),
            closed: AtomicBool::new(true),
            ends: Mutex::default(),
            failed: Mutex::default(),
        })
    }

    pub(crate) fn pair(self: &Arc<Self>) -> (Arc<Module>, Arc<Module>) {
        let module = |role| self.module(role, Conduct::default());
        (module(Role::Client), module(Role::Provider))
    }

    fn registration(&self, number: u32) -> (u32, u32) {
        (number, self.registrations.lock().unwrap()[number as usize])
    }
}

/// A module, which may register many times.
pub(crate) struct Module {
    me: Weak<Self>,
    cast: Arc<Cast>,
    pub(super) role: Role,
    number: u32,
    pub(super) conduct: Conduct,
    characteristics: Characteristics,
    handle: AtomicPtr<c_void>,
    /// How many threads are inside its callbacks.
    inside: AtomicU32,
    /// Whether its last wait has returned.
    closed: AtomicBool,
    ends: Mutex<Vec<Arc<End>>>,
    /// Those whose attach it failed: no cleanup callback comes for them.
    failed: Mutex<Vec<Arc<End>>>,
}

impl Module {
    pub(crate) fn world(&self) -> &World {
        &self.cast.world
    }

    pub(crate) fn register(&self) {
        assert_eq!(self.try_register(), STATUS_SUCCESS, "register");
    }

    pub(crate) fn try_register(&self) -> NTSTATUS {
        self.cast.registrations.lock().unwrap()[self.number as usize] += 1;
        self.closed.store(false, SeqCst);
        let status = callbacks::register(self, &self.characteristics, &self.handle);
        let issued = !self.handle.load(SeqCst).is_null();
        assert_eq!(
            issued,
            status == STATUS_SUCCESS,
            "a handle for success only"
        );
        status
    }

    /// Begins the end of the registration.
    pub(crate) fn deregister(&self) {
        assert_eq!(self.try_deregister(), STATUS_PENDING, "deregister");
    }

    pub(crate) fn try_deregister(&self) -> NTSTATUS {
        callbacks::deregister(self.role, self.handle())
    }

    /// Waits for the end, after which nothing of the registration may run or be left (I-7).
    pub(crate) fn wait(&self) {
        assert_eq!(self.try_wait(), STATUS_SUCCESS, "wait");
        self.is_over();
    }

    pub(crate) fn try_wait(&self) -> NTSTATUS {
        callbacks::wait(self.role, self.handle())
    }

    pub(crate) fn is_over(&self) {
        self.closed.store(true, SeqCst);
        assert_eq!(
            self.inside.load(SeqCst),
            0,
            "I-7: a callback runs after the wait"
        );
        assert!(self.ends().is_empty(), "a binding outlives the wait");
        self.failed
            .lock()
            .unwrap()
            .drain(..)
            .for_each(|end| callbacks::reclaim(&end));
    }

    pub(crate) fn close(&self) {
        self.deregister();
        self.wait();
    }

    pub(crate) fn come_and_go(&self) {
        self.register();
        self.close();
    }

    /// Its bindings.
    pub(crate) fn ends(&self) -> Vec<Arc<End>> {
        self.ends.lock().unwrap().clone()
    }

    /// The NMR calls back.
    pub(super) fn enter(&self) -> Inside<'_> {
        assert!(!self.closed.load(SeqCst), "I-7: a callback after the wait");
        self.inside.fetch_add(1, SeqCst);
        Inside(self)
    }

    pub(super) fn run(&self, hook: &Hook) {
        hook(&self.me());
        thread::yield_now();
    }

    /// `ClientAttachProvider`.
    pub(super) fn offered(&self, handle: usize, provider: u32) -> NTSTATUS {
        let _inside = self.enter();
        assert!(!self.handle().is_null(), "U-13: an offer before the handle");
        let pair = [self.number, provider].map(|number| self.cast.registration(number));
        let first = self.cast.offers.lock().unwrap().insert(pair);
        assert!(first, "I-1: one pair is offered twice");
        if self.declines() {
            return STATUS_NOINTERFACE;
        }
        let watch = Arc::new(Watch::default());
        watch.attaches(Role::Client);
        let end = End::new(self.me(), handle, watch);
        let result = callbacks::attach(&end);
        if result.is_ok() {
            self.ends.lock().unwrap().push(Arc::clone(&end));
        }
        let status = match result {
            Err(status) => status,
            Ok(peer) => {
                end.open(peer);
                self.run(&self.conduct.on_attach);
                if self.conduct.fails_late {
                    self.forget(&end);
                    end.watch.done(Role::Client);
                    self.failed.lock().unwrap().push(Arc::clone(&end));
                    STATUS_DEVICE_NOT_READY
                } else {
                    STATUS_SUCCESS
                }
            }
        };
        end.watch
            .attach_ends(Role::Client, status == STATUS_SUCCESS);
        status
    }

    /// `ProviderAttachClient`.
    pub(super) fn asked(&self, handle: usize, client: &End, peer: Peer) -> Option<Arc<End>> {
        let _inside = self.enter();
        if self.declines() {
            return None;
        }
        let watch = Arc::clone(&client.watch);
        watch.attaches(Role::Provider);
        let end = End::new(self.me(), handle, watch);
        self.ends.lock().unwrap().push(Arc::clone(&end));
        end.open(peer);
        self.run(&self.conduct.on_attach);
        end.watch.attach_ends(Role::Provider, true);
        Some(end)
    }

    /// A binding was cleaned up.
    pub(super) fn forget(&self, end: &End) {
        let mut ends = self.ends.lock().unwrap();
        ends.retain(|other| !ptr::eq(&raw const **other, end));
    }

    fn declines(&self) -> bool {
        thread::yield_now();
        self.conduct.picky && maybe()
    }

    fn me(&self) -> Arc<Self> {
        self.me.upgrade().expect("the execution keeps its modules")
    }

    fn handle(&self) -> *mut c_void {
        self.handle.load(SeqCst)
    }
}

/// A thread inside a callback.
pub(super) struct Inside<'a>(&'a Module);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.inside.fetch_sub(1, SeqCst);
    }
}

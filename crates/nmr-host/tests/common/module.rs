//! Scripted modules.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};

use nmr_host::{Blocker, Cleanup, Missing, ModuleId, Registrar, Role};
use nmr_sys::{
    NMR_CLIENT_HANDLE, NMR_PROVIDER_HANDLE, NTSTATUS, STATUS_NOINTERFACE, STATUS_PENDING,
    STATUS_SUCCESS,
};

use super::log::Log;
use super::offer::{Binding, Offer, Offered};
use super::raw::{self, Memory, Place};
use super::shape::{Part, Shape};

type AttachScript = Arc<dyn Fn(&Offer) -> NTSTATUS + Send + Sync>;
type DetachScript = Arc<dyn Fn(Binding) -> NTSTATUS + Send + Sync>;
type CleanupScript = Arc<dyn Fn(Binding) + Send + Sync>;

/// A registration of a module, with its callbacks.
#[derive(Clone, Copy)]
pub(crate) struct Module(&'static Data);

struct Data {
    name: String,
    role: Role,
    shape: Shape,
    log: &'static Log,
    registrar: Weak<Registrar>,
    memory: Memory,
    context: usize,
    handle: Place,
    scripts: Mutex<Scripts>,
    counts: [AtomicUsize; 3],
    /// The handles of its offers.
    offers: Mutex<Vec<usize>>,
    /// The contexts of its bindings.
    bindings: Mutex<Vec<usize>>,
}

#[derive(Default)]
struct Scripts {
    attach: Option<AttachScript>,
    detach: Option<DetachScript>,
    cleanup: Option<CleanupScript>,
}

/// Who a context belongs to. The NMR does not look behind a context, so it need not be an address.
static MODULES: LazyLock<Mutex<HashMap<usize, Module>>> = LazyLock::new(Mutex::default);
static BINDINGS: LazyLock<Mutex<HashMap<usize, Binding>>> = LazyLock::new(Mutex::default);

thread_local! {
    /// Who a null context belongs to, on a test's own thread.
    static NULL_MODULES: RefCell<HashMap<Role, Module>> = RefCell::default();
    static NULL_BINDINGS: RefCell<HashMap<Role, Binding>> = RefCell::default();
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn fresh_context() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed) << 4
}

fn module_of(role: Role, context: usize) -> Module {
    if context == 0 {
        return NULL_MODULES.with_borrow(|modules| modules[&role]);
    }
    let module = lock(&MODULES).get(&context).copied();
    let module = module.expect("the NMR passes a registration context that a module gave");
    assert_eq!(module.0.role, role, "the NMR calls the module of this role");
    module
}

fn binding_of(role: Role, context: usize) -> Binding {
    if context == 0 {
        return NULL_BINDINGS.with_borrow(|bindings| bindings[&role]);
    }
    let binding = lock(&BINDINGS).get(&context).copied();
    let binding = binding.expect("the NMR passes a binding context that a module gave");
    assert_eq!(
        binding.module.0.role, role,
        "the NMR calls the module of this role"
    );
    binding
}

/// `ClientAttachProvider`, `ProviderAttachClient`.
pub(super) fn attach(role: Role, context: usize, offered: Offered) -> NTSTATUS {
    let module = module_of(role, context);
    lock(&module.0.offers).push(offered.handle);
    let offer = Offer {
        module,
        context,
        offered,
    };
    let script = lock(&module.0.scripts).attach.clone();
    module.run("attach", 0, context, || match script {
        Some(script) => script(&offer),
        None => offer.accept(),
    })
}

/// `ClientDetachProvider`, `ProviderDetachClient`.
pub(super) fn detach(role: Role, context: usize) -> NTSTATUS {
    let binding = binding_of(role, context);
    let module = binding.module;
    let script = lock(&module.0.scripts).detach.clone();
    module.run("detach", 1, context, || match script {
        Some(script) => script(binding),
        None => STATUS_SUCCESS,
    })
}

/// `ClientCleanupBindingContext`, `ProviderCleanupBindingContext`.
pub(super) fn clean_up(role: Role, context: usize) {
    let binding = binding_of(role, context);
    let module = binding.module;
    let script = lock(&module.0.scripts).cleanup.clone();
    module.run("cleanup", 2, context, || {
        if let Some(script) = script {
            script(binding);
        }
        STATUS_SUCCESS
    });
}

impl Module {
    pub(super) fn new(
        registrar: &Arc<Registrar>,
        log: &'static Log,
        role: Role,
        name: &str,
        shape: Shape,
    ) -> Self {
        let data = Data {
            name: name.to_owned(),
            role,
            log,
            registrar: Arc::downgrade(registrar),
            memory: Memory::new(role, &shape),
            context: match shape.has(Part::Context) {
                true if shape.quarantined => super::block(16),
                true => fresh_context(),
                false => 0,
            },
            shape,
            handle: Place::new(std::ptr::without_provenance_mut(raw::UNTOUCHED)),
            scripts: Mutex::default(),
            counts: Default::default(),
            offers: Mutex::default(),
            bindings: Mutex::default(),
        };
        let module = Self(Box::leak(Box::new(data)));
        registrar.name(module.id(), name);
        if module.0.context == 0 {
            NULL_MODULES.with_borrow_mut(|modules| modules.insert(role, module));
        } else {
            lock(&MODULES).insert(module.0.context, module);
        }
        module
    }

    // Scripts.

    /// Answers offers with a script.
    pub(crate) fn on_attach(
        self,
        script: impl Fn(&Offer) -> NTSTATUS + Send + Sync + 'static,
    ) -> Self {
        lock(&self.0.scripts).attach = Some(Arc::new(script));
        self
    }

    /// Answers the detach callback with a script.
    pub(crate) fn on_detach(
        self,
        script: impl Fn(Binding) -> NTSTATUS + Send + Sync + 'static,
    ) -> Self {
        lock(&self.0.scripts).detach = Some(Arc::new(script));
        self
    }

    /// Runs a script inside the cleanup callback.
    pub(crate) fn on_cleanup(self, script: impl Fn(Binding) + Send + Sync + 'static) -> Self {
        lock(&self.0.scripts).cleanup = Some(Arc::new(script));
        self
    }

    /// Declines every offer.
    pub(crate) fn declines(self) -> Self {
        self.on_attach(|_| STATUS_NOINTERFACE)
    }

    /// Leaves every detach pending.
    pub(crate) fn pends(self) -> Self {
        self.on_detach(|_| STATUS_PENDING)
    }

    /// Detaches at once, as a module without a script does.
    pub(crate) fn detaches(self) -> Self {
        self.on_detach(|_| STATUS_SUCCESS)
    }

    /// Completes inside every detach callback.
    pub(crate) fn completes_inside(self) -> Self {
        self.on_detach(|binding| {
            binding.complete();
            STATUS_PENDING
        })
    }

    // Calls into the NMR.

    /// Calls the register function of its role.
    pub(crate) fn register(self) -> NTSTATUS {
        let place = self.0.shape.has(Part::Output).then_some(&self.0.handle);
        raw::register(self.0.role, &self.0.memory, self.0.context, place)
    }

    /// Registers with characteristics on the stack, and closes the registration while they are there.
    pub(crate) fn come_and_go_on_the_stack(self) {
        let Data {
            role,
            memory,
            context,
            handle,
            ..
        } = self.0;
        raw::register_on_the_stack(*role, memory, *context, handle, |status| {
            assert_eq!(status, STATUS_SUCCESS);
            self.close();
        });
    }

    /// Registers, which must succeed.
    pub(crate) fn registered(self) -> Self {
        assert_eq!(self.register(), STATUS_SUCCESS, "{self:?} registers");
        self
    }

    pub(crate) fn deregister(self) -> NTSTATUS {
        raw::deregister(self.0.role, self.handle())
    }

    /// Waits, where nothing is left to wait for: otherwise the test fails instead of hanging.
    pub(crate) fn wait(self) -> NTSTATUS {
        let worker = self.registrar().policy().cleanup == Cleanup::Worker;
        let of_worker = |blocker: &Blocker| worker && blocker.missing == Missing::Cleanup;
        for blocker in self.blockers() {
            assert!(of_worker(&blocker), "{self:?} would wait: {blocker}");
        }
        self.wait_for_others()
    }

    /// Waits, however long it takes.
    pub(crate) fn wait_for_others(self) -> NTSTATUS {
        raw::wait(self.0.role, self.handle())
    }

    /// Deregisters and waits, both of which must go well and at once.
    pub(crate) fn close(self) {
        assert_eq!(self.deregister(), STATUS_PENDING, "{self:?} deregisters");
        assert_eq!(self.wait(), STATUS_SUCCESS, "{self:?} waits");
    }

    // What is known about it.

    pub(crate) fn role(self) -> Role {
        self.0.role
    }

    pub(crate) fn id(self) -> ModuleId {
        ModuleId::Guid(self.0.shape.id)
    }

    /// The interface.
    pub(crate) fn npi(self) -> nmr_sys::NPIID {
        self.0.shape.npi
    }

    /// What the NMR stored at the address for the handle.
    pub(crate) fn handle(self) -> usize {
        self.0.handle.load(Ordering::Relaxed).addr()
    }

    /// Its registration context.
    pub(crate) fn context(self) -> usize {
        self.0.context
    }

    /// Where a part of what it lends is.
    pub(crate) fn part(self, part: Part) -> usize {
        self.0.memory.part(part)
    }

    /// The address of its registration instance.
    pub(crate) fn instance(self) -> usize {
        self.0.memory.instance()
    }

    /// How often its attach, detach and cleanup callbacks were called.
    pub(crate) fn counts(self) -> [usize; 3] {
        self.0
            .counts
            .each_ref()
            .map(|count| count.load(Ordering::Relaxed))
    }

    /// The handle of its offer number `index`.
    pub(crate) fn offer(self, index: usize) -> usize {
        lock(&self.0.offers)[index]
    }

    /// Its end of its binding number `index`.
    pub(crate) fn binding(self, index: usize) -> Binding {
        let context = lock(&self.0.bindings)[index];
        binding_of(self.0.role, context)
    }

    /// Why its registration is not finished.
    pub(crate) fn blockers(self) -> Vec<Blocker> {
        let handle = std::ptr::without_provenance_mut(self.handle());
        match self.0.role {
            Role::Client => self.registrar().client_blockers(NMR_CLIENT_HANDLE(handle)),
            Role::Provider => self
                .registrar()
                .provider_blockers(NMR_PROVIDER_HANDLE(handle)),
        }
    }

    fn registrar(self) -> Arc<Registrar> {
        self.0.registrar.upgrade().expect("the rig is there")
    }

    /// Runs a script as a callback: counted, logged, and without letting a panic into the NMR.
    fn run(
        self,
        callback: &str,
        count: usize,
        context: usize,
        script: impl FnOnce() -> NTSTATUS,
    ) -> NTSTATUS {
        let Data { name, log, .. } = self.0;
        self.0.counts[count].fetch_add(1, Ordering::Relaxed);
        if log.is_silent() {
            return script();
        }
        log.add(format!("{name} {callback}"), context, false);
        let status = catch_unwind(AssertUnwindSafe(script)).unwrap_or_else(|_| {
            log.fail();
            STATUS_NOINTERFACE
        });
        log.add(format!("{name} {callback} returned"), context, true);
        status
    }

    pub(super) fn remember(self, binding: Binding) {
        if self.0.log.is_silent() {
            let mut bindings = lock(&self.0.bindings);
            for context in bindings.drain(..) {
                lock(&BINDINGS).remove(&context);
            }
        }
        self.update(binding);
        lock(&self.0.bindings).push(binding.context);
    }

    pub(super) fn update(self, binding: Binding) {
        if binding.context == 0 {
            NULL_BINDINGS.with_borrow_mut(|bindings| bindings.insert(self.0.role, binding));
        } else {
            lock(&BINDINGS).insert(binding.context, binding);
        }
    }

    pub(super) fn forget(self, binding: Binding) {
        lock(&self.0.bindings).retain(|&context| context != binding.context);
    }
}

impl PartialEq for Module {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl fmt::Debug for Module {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.name)
    }
}

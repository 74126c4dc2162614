//! The bounds of one exploration, and its modules as the machine sees them.

use core::ffi::c_void;
use std::{fmt, ptr};

use nmr_sys::{
    GUID, NMR_CLIENT_BINDING_HANDLE, NMR_PROVIDER_BINDING_HANDLE, NPI_REGISTRATION_INSTANCE,
    NTSTATUS, Opaque,
};

use crate::module::{Callbacks, Callee, Convention, Module, ModuleLabel, Role};
use crate::policy::Policy;

pub(super) const ROLES: [Role; 2] = [Role::Client, Role::Provider];

/// The most modules of one role.
pub(super) const MOST: usize = 3;

/// No limit.
pub(super) const ANY: u8 = u8::MAX;

/// What an exploration covers.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    /// How many clients and providers there are.
    pub(super) modules: [usize; 2],
    /// How often each may register.
    pub(super) registrations: u8,
    pub(super) policy: Policy,
    /// Which roles have a cleanup callback.
    pub(super) cleanup: [bool; 2],
    /// How often a client may ask in one offer.
    pub(super) tries: u8,
    /// Whether a module may complete an attached binding before it is asked to detach (V-42).
    pub(super) early: bool,
    /// How many unusual answers there may be: declines, second tries, `STATUS_PENDING`, and
    /// completions before the detach.
    pub(super) twists: u8,
    /// How many other rules may be broken.
    pub(super) mistakes: u8,
    /// How many threads there are, apart from those that are blocked in a wait.
    pub(super) threads: usize,
    /// Whether moves go first that commute with every other, and waits that can be made.
    pub(super) reduced: bool,
    /// Whether registrations fail for want of memory, at each reservation in turn.
    pub(super) no_memory: bool,
}

impl Setup {
    /// Every honest answer.
    pub(super) fn honest(clients: usize, providers: usize) -> Self {
        Self {
            modules: [clients, providers],
            registrations: 1,
            policy: Policy::default(),
            cleanup: [true; 2],
            tries: 2,
            early: false,
            twists: ANY,
            mistakes: 0,
            threads: usize::MAX,
            reduced: false,
            no_memory: false,
        }
    }

    /// Every module, clients first.
    pub(super) fn ids(&self) -> impl Iterator<Item = Id> + use<> {
        let modules = self.modules;
        ROLES.into_iter().flat_map(move |role| {
            (0..modules[role as usize]).map(move |number| Id { role, number })
        })
    }

    /// Every pair of a client and a provider.
    pub(super) fn pairs(&self) -> impl Iterator<Item = Pair> + use<> {
        let [clients, providers] = self.modules;
        (0..clients)
            .flat_map(move |client| (0..providers).map(move |provider| Pair { client, provider }))
    }
}

/// A module of the model.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id {
    pub(super) role: Role,
    pub(super) number: usize,
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", letter(self.role), self.number)
    }
}

/// A client and a provider.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pair {
    pub(super) client: usize,
    pub(super) provider: usize,
}

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "C{}-P{}", self.client, self.provider)
    }
}

fn letter(role: Role) -> char {
    if role == Role::Client { 'C' } else { 'P' }
}

impl Pair {
    pub(super) fn of(client: Id, provider: Id) -> Self {
        Self {
            client: client.number,
            provider: provider.number,
        }
    }

    /// The pair of a module with the peer that has this registration instance.
    pub(super) fn of_modules(id: Id, instance: Opaque) -> Option<Self> {
        let peer = Id::of_instance(instance).filter(|peer| peer.role == id.role.other())?;
        Some(Self::with(id, peer.number))
    }

    pub(super) fn end(self, role: Role) -> Id {
        let number = match role {
            Role::Client => self.client,
            Role::Provider => self.provider,
        };
        Id { role, number }
    }

    /// The pair of a module with the `number`th of its peers.
    pub(super) fn with(id: Id, number: usize) -> Self {
        let peer = Id {
            role: id.role.other(),
            number,
        };
        match id.role {
            Role::Client => Self::of(id, peer),
            Role::Provider => Self::of(peer, id),
        }
    }

    pub(super) fn index(self) -> usize {
        self.client * MOST + self.provider
    }

    /// The binding context of one end, made in the `tries`th try.
    pub(super) fn context(self, role: Role, tries: u8) -> Opaque {
        opaque(0x100 + self.index() * 0x10 + usize::from(tries) * 2 + role as usize)
    }

    /// The pair and the end whose context this is, whatever the try.
    pub(super) fn of_context(context: Opaque) -> Option<(Self, Role)> {
        let bits = context.0.addr().checked_sub(0x100)?;
        let (index, role) = (bits / 0x10, ROLES[bits % 2]);
        (index < MOST * MOST).then_some((
            Self {
                client: index / MOST,
                provider: index % MOST,
            },
            role,
        ))
    }
}

impl Id {
    /// What the machine knows of the module.
    pub(super) fn module(self, setup: &Setup) -> Module {
        let cleanup = setup.cleanup[self.role as usize];
        let callbacks = match self.role {
            Role::Client => Callbacks::Client {
                attach: client_attach,
                detach,
                cleanup: cleanup.then_some(clean_up),
            },
            Role::Provider => Callbacks::Provider {
                attach: provider_attach,
                detach,
                cleanup: cleanup.then_some(clean_up),
            },
        };
        Module {
            label: ModuleLabel {
                role: self.role,
                id: None,
                number: u32::try_from(self.number).expect("a small number"),
            },
            npi: GUID::from_u128(1),
            callee: Callee {
                callbacks,
                convention: Convention::Windows,
                context: self.instance(),
            },
            instance: self.instance(),
        }
    }

    /// The module's registration instance, as its peers see it.
    pub(super) fn instance(self) -> Opaque {
        opaque(0x10 + self.number * 2 + self.role as usize)
    }

    pub(super) fn of_module(module: &Module) -> Self {
        Self {
            role: module.role(),
            number: module.label.number as usize,
        }
    }

    /// The module that this calls: its registration context is its instance.
    pub(super) fn of_callee(callee: Callee) -> Self {
        let id = Self::of_instance(callee.context);
        id.filter(|id| id.role == callee.role())
            .expect("a module of the model")
    }

    pub(super) fn of_instance(instance: Opaque) -> Option<Self> {
        let bits = instance.0.addr().checked_sub(0x10)?;
        (bits < 2 * MOST).then_some(Self {
            role: ROLES[bits % 2],
            number: bits / 2,
        })
    }
}

fn opaque(value: usize) -> Opaque {
    Opaque(ptr::without_provenance_mut(value))
}

extern "efiapi" fn client_attach(
    _: NMR_CLIENT_BINDING_HANDLE,
    _: *mut c_void,
    _: *const NPI_REGISTRATION_INSTANCE,
) -> NTSTATUS {
    unreachable!("the exploration plays the modules")
}

extern "efiapi" fn provider_attach(
    _: NMR_PROVIDER_BINDING_HANDLE,
    _: *mut c_void,
    _: *const NPI_REGISTRATION_INSTANCE,
    _: *mut c_void,
    _: *const c_void,
    _: *mut *mut c_void,
    _: *mut *const c_void,
) -> NTSTATUS {
    unreachable!("the exploration plays the modules")
}

extern "efiapi" fn detach(_: *mut c_void) -> NTSTATUS {
    unreachable!("the exploration plays the modules")
}

extern "efiapi" fn clean_up(_: *mut c_void) {
    unreachable!("the exploration plays the modules")
}

//! A module as the registrar knows it: its role, its interface, its callbacks, and how to name it.

use core::fmt;

use nmr_sys::{
    GUID, NPI_CLIENT_ATTACH_PROVIDER_FN, NPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN,
    NPI_CLIENT_DETACH_PROVIDER_FN, NPI_PROVIDER_ATTACH_CLIENT_FN,
    NPI_PROVIDER_CLEANUP_BINDING_CONTEXT_FN, NPI_PROVIDER_DETACH_CLIENT_FN, Opaque,
};

/// Which side of an interface a module is on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Role {
    /// It registered with `NmrRegisterClient`.
    Client,
    /// It registered with `NmrRegisterProvider`.
    Provider,
}

impl Role {
    /// The role of its peers.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Client => Self::Provider,
            Self::Provider => Self::Client,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "client",
            Self::Provider => "provider",
        })
    }
}

/// The identity in a module's `NPI_MODULEID`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ModuleId {
    /// `MIT_GUID`.
    Guid(GUID),
    /// `MIT_IF_LUID`, as one number.
    IfLuid(u64),
}

impl fmt::Display for ModuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Guid(guid) => write!(f, "{{{guid}}}"),
            Self::IfLuid(luid) => write!(f, "interface {luid:#x}"),
        }
    }
}

/// One registration of a module, as records and reports name it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ModuleLabel {
    /// The side it registered on.
    pub role: Role,
    /// Its identity, unless it registered without one.
    pub id: Option<ModuleId>,
    /// The `Number` of its registration instance.
    pub number: u32,
}

impl fmt::Display for ModuleLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.id {
            Some(id) => write!(f, "{} {id}", self.role)?,
            None => write!(f, "{} without an identity", self.role)?,
        }
        if self.number != 0 {
            write!(f, " number {}", self.number)
        } else {
            Ok(())
        }
    }
}

/// A module's callbacks, as they were when it registered.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the fields are what their names say")]
pub enum Callbacks {
    Client {
        attach: NPI_CLIENT_ATTACH_PROVIDER_FN,
        detach: NPI_CLIENT_DETACH_PROVIDER_FN,
        cleanup: Option<NPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN>,
    },
    Provider {
        attach: NPI_PROVIDER_ATTACH_CLIENT_FN,
        detach: NPI_PROVIDER_DETACH_CLIENT_FN,
        cleanup: Option<NPI_PROVIDER_CLEANUP_BINDING_CONTEXT_FN>,
    },
}

impl Callbacks {
    /// Where they are.
    pub fn addresses(&self) -> impl Iterator<Item = usize> + use<> {
        let addresses = match *self {
            Self::Client {
                attach,
                detach,
                cleanup,
            } => [
                Some((attach as *const ()).addr()),
                Some((detach as *const ()).addr()),
                cleanup.map(|cleanup| (cleanup as *const ()).addr()),
            ],
            Self::Provider {
                attach,
                detach,
                cleanup,
            } => [
                Some((attach as *const ()).addr()),
                Some((detach as *const ()).addr()),
                cleanup.map(|cleanup| (cleanup as *const ()).addr()),
            ],
        };
        addresses.into_iter().flatten()
    }
}

/// One of the three callbacks of a module.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "the values are what their names say")]
pub enum Callback {
    Attach,
    Detach,
    Cleanup,
}

impl Callback {
    /// Its name in the NMR's manual.
    #[must_use]
    pub fn name(self, role: Role) -> &'static str {
        match (role, self) {
            (Role::Client, Self::Attach) => "ClientAttachProvider",
            (Role::Client, Self::Detach) => "ClientDetachProvider",
            (Role::Client, Self::Cleanup) => "ClientCleanupBindingContext",
            (Role::Provider, Self::Attach) => "ProviderAttachClient",
            (Role::Provider, Self::Detach) => "ProviderDetachClient",
            (Role::Provider, Self::Cleanup) => "ProviderCleanupBindingContext",
        }
    }
}

/// What it takes to call a module back.
#[derive(Clone, Copy, Debug)]
pub struct Callee {
    /// Its callbacks.
    pub callbacks: Callbacks,
    /// How they take their arguments.
    pub convention: Convention,
    /// The registration context.
    pub context: Opaque,
}

/// The calling convention of a module's callbacks, whose types say `efiapi` in either case.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Convention {
    /// `efiapi`, which is Windows'.
    #[default]
    Windows,
    /// The system's own.
    Native,
}

impl Callee {
    /// Its role.
    #[must_use]
    pub fn role(&self) -> Role {
        match self.callbacks {
            Callbacks::Client { .. } => Role::Client,
            Callbacks::Provider { .. } => Role::Provider,
        }
    }

    /// Returns `true` if it has a cleanup callback.
    #[must_use]
    pub fn has_cleanup(&self) -> bool {
        matches!(
            self.callbacks,
            Callbacks::Client {
                cleanup: Some(_),
                ..
            } | Callbacks::Provider {
                cleanup: Some(_),
                ..
            }
        )
    }
}

/// Where the registration instance is in the characteristics of both roles.
const INSTANCE: usize = core::mem::offset_of!(
    nmr_sys::NPI_CLIENT_CHARACTERISTICS,
    ClientRegistrationInstance
);

/// A module that registers.
#[derive(Clone, Copy, Debug)]
pub struct Module {
    /// How records and reports name it.
    pub label: ModuleLabel,
    /// Its interface.
    pub npi: GUID,
    /// What it takes to call it back.
    pub callee: Callee,
    /// The module's own registration instance, which its peers get to see.
    pub instance: Opaque,
}

impl Module {
    /// The address of its characteristics.
    #[must_use]
    pub fn characteristics(&self) -> usize {
        self.instance.0.addr() - INSTANCE
    }

    /// Its role.
    #[must_use]
    pub fn role(&self) -> Role {
        self.label.role
    }

    /// Returns `true` if it has a cleanup callback.
    #[must_use]
    pub fn has_cleanup(&self) -> bool {
        self.callee.has_cleanup()
    }
}

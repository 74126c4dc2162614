//! [`Client`] and [`Provider`]: the two sides of an interface, and what the NMR has for each.

use core::ffi::c_void;
use core::marker::PhantomData;

use nmr_sys::{
    NMR_CLIENT_HANDLE, NMR_PROVIDER_HANDLE, NPI_CLIENT_CHARACTERISTICS,
    NPI_PROVIDER_CHARACTERISTICS, NPI_REGISTRATION_INSTANCE, NTSTATUS, NmrDeregisterClient,
    NmrDeregisterProvider, NmrRegisterClient, NmrRegisterProvider,
    NmrWaitForClientDeregisterComplete, NmrWaitForProviderDeregisterComplete,
};

use crate::attach::{attach_client, attach_provider};
use crate::binding::{cleanup, detach};
use crate::dispatch::Dispatch;
use crate::module::Module;
use crate::npi::Npi;

/// The role of a client of the interface `N`: the NMR offers it providers.
pub struct Client<N>(PhantomData<fn() -> N>);

/// The role of a provider of the interface `N`: the NMR asks it to attach to clients.
pub struct Provider<N>(PhantomData<fn() -> N>);

/// What a module is in an interface: [`Client`] or [`Provider`]. No other type can be one.
pub trait Role: Functions {
    /// The interface.
    type Npi: Npi;
    /// The functions that a module in this role has.
    type Local: Dispatch;
    /// The functions that its peer has.
    type Remote: Dispatch;
    /// What a module in this role says about itself.
    type Characteristics: Sync + 'static;
    /// What its peer says about itself.
    type RemoteCharacteristics: Sync + 'static;
}

impl<N: Npi> Role for Client<N> {
    type Npi = N;
    type Local = N::ClientDispatch;
    type Remote = N::ProviderDispatch;
    type Characteristics = N::ClientCharacteristics;
    type RemoteCharacteristics = N::ProviderCharacteristics;
}

impl<N: Npi> Role for Provider<N> {
    type Npi = N;
    type Local = N::ProviderDispatch;
    type Remote = N::ClientDispatch;
    type Characteristics = N::ProviderCharacteristics;
    type RemoteCharacteristics = N::ClientCharacteristics;
}

/// The functions and structures of the NMR for one role.
pub trait Functions: Sized + 'static {
    /// What is registered: `NPI_CLIENT_CHARACTERISTICS` or `NPI_PROVIDER_CHARACTERISTICS`.
    type Descriptor;
    /// The handle of a registration.
    type Handle: Copy + Send + Sync;

    /// The handle that the NMR never issues.
    const NULL: Self::Handle;
    /// `NmrRegisterClient` or `NmrRegisterProvider`.
    const REGISTER: unsafe extern "efiapi" fn(
        *const Self::Descriptor,
        *mut c_void,
        *mut Self::Handle,
    ) -> NTSTATUS;
    /// `NmrDeregisterClient` or `NmrDeregisterProvider`.
    const DEREGISTER: unsafe extern "efiapi" fn(Self::Handle) -> NTSTATUS;
    /// `NmrWaitForClientDeregisterComplete` or `NmrWaitForProviderDeregisterComplete`.
    const WAIT: unsafe extern "efiapi" fn(Self::Handle) -> NTSTATUS;

    /// The descriptor of a module, with its callbacks.
    fn descriptor<M: Module<Self>>(instance: NPI_REGISTRATION_INSTANCE) -> Self::Descriptor
    where
        Self: Role;
}

impl<N: Npi> Functions for Client<N> {
    type Descriptor = NPI_CLIENT_CHARACTERISTICS;
    type Handle = NMR_CLIENT_HANDLE;

    const NULL: Self::Handle = NMR_CLIENT_HANDLE::NULL;
    const REGISTER: unsafe extern "efiapi" fn(
        *const Self::Descriptor,
        *mut c_void,
        *mut Self::Handle,
    ) -> NTSTATUS = NmrRegisterClient;
    const DEREGISTER: unsafe extern "efiapi" fn(Self::Handle) -> NTSTATUS = NmrDeregisterClient;
    const WAIT: unsafe extern "efiapi" fn(Self::Handle) -> NTSTATUS =
        NmrWaitForClientDeregisterComplete;

    fn descriptor<M: Module<Self>>(instance: NPI_REGISTRATION_INSTANCE) -> Self::Descriptor {
        NPI_CLIENT_CHARACTERISTICS {
            Version: 0,
            Length: length::<Self::Descriptor>(),
            ClientAttachProvider: Some(attach_provider::<N, M>),
            ClientDetachProvider: Some(detach::<Self, M>),
            ClientCleanupBindingContext: Some(cleanup::<Self, M>),
            ClientRegistrationInstance: instance,
        }
    }
}

impl<N: Npi> Functions for Provider<N> {
    type Descriptor = NPI_PROVIDER_CHARACTERISTICS;
    type Handle = NMR_PROVIDER_HANDLE;

    const NULL: Self::Handle = NMR_PROVIDER_HANDLE::NULL;
    const REGISTER: unsafe extern "efiapi" fn(
        *const Self::Descriptor,
        *mut c_void,
        *mut Self::Handle,
    ) -> NTSTATUS = NmrRegisterProvider;
    const DEREGISTER: unsafe extern "efiapi" fn(Self::Handle) -> NTSTATUS = NmrDeregisterProvider;
    const WAIT: unsafe extern "efiapi" fn(Self::Handle) -> NTSTATUS =
        NmrWaitForProviderDeregisterComplete;

    fn descriptor<M: Module<Self>>(instance: NPI_REGISTRATION_INSTANCE) -> Self::Descriptor {
        NPI_PROVIDER_CHARACTERISTICS {
            Version: 0,
            Length: length::<Self::Descriptor>(),
            ProviderAttachClient: Some(attach_client::<N, M>),
            ProviderDetachClient: Some(detach::<Self, M>),
            ProviderCleanupBindingContext: Some(cleanup::<Self, M>),
            ProviderRegistrationInstance: instance,
        }
    }
}

/// The size of a structure of the header, as its length field has it.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the structures have 24 to 72 bytes"
)]
pub(crate) const fn length<T>() -> u16 {
    size_of::<T>() as u16
}

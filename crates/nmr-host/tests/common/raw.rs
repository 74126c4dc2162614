//! The nine functions, the six callbacks and the structures as the NMR sees them.
// UNSAFETY: foreign functions, and outputs behind pointers.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::ptr::{null, null_mut, without_provenance, without_provenance_mut};
use std::sync::atomic::AtomicPtr;

use nmr_host::Role;
use nmr_sys::{
    NMR_CLIENT_BINDING_HANDLE, NMR_CLIENT_HANDLE, NMR_PROVIDER_BINDING_HANDLE, NMR_PROVIDER_HANDLE,
    NPI_CLIENT_CHARACTERISTICS, NPI_MODULEID, NPI_MODULEID_VALUE, NPI_PROVIDER_CHARACTERISTICS,
    NPI_REGISTRATION_INSTANCE, NTSTATUS, NmrClientAttachProvider, NmrClientDetachProviderComplete,
    NmrDeregisterClient, NmrDeregisterProvider, NmrProviderDetachClientComplete, NmrRegisterClient,
    NmrRegisterProvider, NmrWaitForClientDeregisterComplete, NmrWaitForProviderDeregisterComplete,
};

use super::blocks;
use super::module;
use super::offer::Offered;
use super::shape::{Part, Shape};

/// A registration handle's place, where the NMR stores it.
pub(crate) type Place = AtomicPtr<c_void>;

/// What `NmrClientAttachProvider` gave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Answer {
    pub(crate) status: NTSTATUS,
    /// The provider's context, or whatever the output held.
    pub(crate) context: usize,
    /// The provider's table, or whatever the output held.
    pub(crate) dispatch: usize,
}

/// The functions that take a handle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Function {
    Deregister(Role),
    Wait(Role),
    Complete(Role),
    Attach,
}

impl Function {
    pub(crate) const ALL: [Self; 7] = [
        Self::Deregister(Role::Client),
        Self::Deregister(Role::Provider),
        Self::Wait(Role::Client),
        Self::Wait(Role::Provider),
        Self::Complete(Role::Client),
        Self::Complete(Role::Provider),
        Self::Attach,
    ];

    /// Calls the function. `None` if it returns nothing.
    pub(crate) fn call(self, handle: usize) -> Option<NTSTATUS> {
        match self {
            Self::Deregister(role) => Some(deregister(role, handle)),
            Self::Wait(role) => Some(wait(role, handle)),
            Self::Attach => Some(attach(handle, 1, 0).status),
            Self::Complete(role) => {
                complete(role, handle);
                None
            }
        }
    }
}

/// Calls `NmrRegisterClient` or `NmrRegisterProvider`.
pub(crate) fn register(
    role: Role,
    characteristics: &Memory,
    context: usize,
    place: Option<&'static Place>,
) -> NTSTATUS {
    let characteristics = characteristics.address();
    let context = without_provenance_mut(context);
    let place = place.map_or(null_mut(), AtomicPtr::as_ptr);
    match role {
        // SAFETY: the structures and the place are null or live until the process ends, and the
        // callbacks look their contexts up.
        Role::Client => unsafe { NmrRegisterClient(characteristics.cast(), context, place.cast()) },
        Role::Provider => {
            let characteristics = characteristics.cast();
            // SAFETY: as above.
            unsafe { NmrRegisterProvider(characteristics, context, place.cast()) }
        }
    }
}

/// Registers with a copy of the characteristics on this stack. `close` gets the status, and has to
/// close the registration.
pub(crate) fn register_on_the_stack(
    role: Role,
    characteristics: &Memory,
    context: usize,
    place: &'static Place,
    close: impl FnOnce(NTSTATUS),
) {
    let original = characteristics.address();
    let (context, place) = (without_provenance_mut(context), place.as_ptr());
    match role {
        Role::Client => {
            // SAFETY: a `Memory` has the characteristics of its role.
            let copy = unsafe { original.cast::<NPI_CLIENT_CHARACTERISTICS>().read() };
            // SAFETY: the copy lives until `close` has closed the registration; as in `register`
            // otherwise.
            close(unsafe { NmrRegisterClient(&raw const copy, context, place.cast()) });
        }
        Role::Provider => {
            // SAFETY: as above.
            let copy = unsafe { original.cast::<NPI_PROVIDER_CHARACTERISTICS>().read() };
            // SAFETY: as above.
            close(unsafe { NmrRegisterProvider(&raw const copy, context, place.cast()) });
        }
    }
}

/// Where the detach callback of every module of a role is.
pub(crate) fn detach_callback(role: Role) -> usize {
    match role {
        Role::Client => (client_detach as *const ()).addr(),
        Role::Provider => (provider_detach as *const ()).addr(),
    }
}

/// Calls `NmrDeregisterClient` or `NmrDeregisterProvider`.
pub(crate) fn deregister(role: Role, handle: usize) -> NTSTATUS {
    let handle = without_provenance_mut(handle);
    match role {
        // SAFETY: the registrar under test takes any value for a handle; what it does with a wrong
        // one is what tests look at.
        Role::Client => unsafe { NmrDeregisterClient(NMR_CLIENT_HANDLE(handle)) },
        // SAFETY: as above.
        Role::Provider => unsafe { NmrDeregisterProvider(NMR_PROVIDER_HANDLE(handle)) },
    }
}

/// Calls the wait function of a role.
pub(crate) fn wait(role: Role, handle: usize) -> NTSTATUS {
    let handle = without_provenance_mut(handle);
    match role {
        // SAFETY: as in `deregister`.
        Role::Client => unsafe { NmrWaitForClientDeregisterComplete(NMR_CLIENT_HANDLE(handle)) },
        Role::Provider => {
            // SAFETY: as above.
            unsafe { NmrWaitForProviderDeregisterComplete(NMR_PROVIDER_HANDLE(handle)) }
        }
    }
}

/// Calls the completion function of a role.
pub(crate) fn complete(role: Role, handle: usize) {
    let handle = without_provenance_mut(handle);
    match role {
        // SAFETY: as in `deregister`.
        Role::Client => unsafe {
            NmrClientDetachProviderComplete(NMR_CLIENT_BINDING_HANDLE(handle));
        },
        // SAFETY: as above.
        Role::Provider => unsafe {
            NmrProviderDetachClientComplete(NMR_PROVIDER_BINDING_HANDLE(handle));
        },
    }
}

/// What an output holds before a call.
pub(crate) const UNTOUCHED: usize = 0x5555;

/// Calls `NmrClientAttachProvider`.
pub(crate) fn attach(handle: usize, context: usize, dispatch: usize) -> Answer {
    let handle = NMR_CLIENT_BINDING_HANDLE(without_provenance_mut(handle));
    let (context, dispatch) = (
        without_provenance_mut(context),
        without_provenance(dispatch),
    );
    let mut peer_context = without_provenance_mut(UNTOUCHED);
    let mut peer_dispatch = without_provenance(UNTOUCHED);
    let outputs = (&raw mut peer_context, &raw mut peer_dispatch);
    // SAFETY: as in `deregister`, and the outputs are locals.
    let status =
        unsafe { NmrClientAttachProvider(handle, context, dispatch, outputs.0, outputs.1) };
    Answer {
        status,
        context: peer_context.addr(),
        dispatch: peer_dispatch.addr(),
    }
}

/// The same with null outputs.
pub(crate) fn attach_without_outputs(handle: usize, context: usize) -> NTSTATUS {
    let handle = NMR_CLIENT_BINDING_HANDLE(without_provenance_mut(handle));
    let context = without_provenance_mut(context);
    // SAFETY: as in `deregister`; the registrar under test takes null outputs too.
    unsafe { NmrClientAttachProvider(handle, context, null(), null_mut(), null_mut()) }
}

/// Where `ProviderAttachClient` stores its answer.
#[derive(Clone, Copy)]
pub(crate) struct Outputs {
    context: *mut *mut c_void,
    dispatch: *mut *const c_void,
}

impl Outputs {
    /// Must be called inside the callback that got the outputs.
    pub(crate) fn write_context(self, context: usize) {
        let context = without_provenance_mut(context);
        // SAFETY: the outputs live as long as the callback.
        unsafe { self.context.write(context) };
    }

    /// As [`write_context`](Self::write_context).
    pub(crate) fn write_dispatch(self, dispatch: usize) {
        let dispatch = without_provenance(dispatch);
        // SAFETY: as above.
        unsafe { self.dispatch.write(dispatch) };
    }
}

/// A module's characteristics and what they point to. Never freed.
pub(crate) struct Memory {
    characteristics: AtomicPtr<c_void>,
    instance: usize,
    npi_id: usize,
    module_id: usize,
    specific: usize,
}

impl Memory {
    pub(crate) fn new(role: Role, shape: &Shape) -> Self {
        let instance = instance(shape);
        let (characteristics, offset): (*mut c_void, usize) = match role {
            Role::Client => (keep(shape, client(shape, instance)).cast(), CLIENT_INSTANCE),
            Role::Provider => {
                let whole = provider(shape, instance);
                (keep(shape, whole).cast(), PROVIDER_INSTANCE)
            }
        };
        let given = shape.has(Part::Characteristics);
        Self {
            instance: characteristics.addr() + offset,
            characteristics: AtomicPtr::new(if given { characteristics } else { null_mut() }),
            npi_id: instance.NpiId.addr(),
            module_id: instance.ModuleId.addr(),
            specific: instance.NpiSpecificCharacteristics.addr(),
        }
    }

    fn address(&self) -> *mut c_void {
        self.characteristics
            .load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Where a part is.
    pub(crate) fn part(&self, part: Part) -> usize {
        match part {
            Part::Characteristics => self.address().addr(),
            Part::NpiId => self.npi_id,
            Part::ModuleId => self.module_id,
            Part::Specific => self.specific,
            _ => unreachable!("{part:?} is nothing that is lent"),
        }
    }

    /// The address of the registration instance inside the characteristics.
    pub(crate) fn instance(&self) -> usize {
        self.instance
    }
}

const CLIENT_INSTANCE: usize =
    std::mem::offset_of!(NPI_CLIENT_CHARACTERISTICS, ClientRegistrationInstance);
const PROVIDER_INSTANCE: usize =
    std::mem::offset_of!(NPI_PROVIDER_CHARACTERISTICS, ProviderRegistrationInstance);

/// Moves a value to memory that stays until a test takes it away.
fn keep<T>(shape: &Shape, value: T) -> *mut T {
    if shape.quarantined {
        let place = blocks::pointer(blocks::block(size_of::<T>())).cast::<T>();
        // SAFETY: the block is new, as large as a `T`, and aligned to 16 bytes.
        unsafe { place.write(value) };
        return place;
    }
    Box::into_raw(Box::new(value))
}

fn instance(shape: &Shape) -> NPI_REGISTRATION_INSTANCE {
    let id = NPI_MODULEID {
        Length: shape.id_length,
        Type: shape.id_type,
        Value: NPI_MODULEID_VALUE { Guid: shape.id },
    };
    let or_null = |part, address: *mut c_void| if shape.has(part) { address } else { null_mut() };
    NPI_REGISTRATION_INSTANCE {
        Version: shape.instance_version,
        Size: shape.size,
        NpiId: or_null(Part::NpiId, keep(shape, shape.npi).cast()).cast(),
        ModuleId: or_null(Part::ModuleId, keep(shape, id).cast()).cast(),
        Number: shape.number,
        NpiSpecificCharacteristics: or_null(Part::Specific, keep(shape, 0_u64).cast()),
    }
}

fn client(shape: &Shape, instance: NPI_REGISTRATION_INSTANCE) -> NPI_CLIENT_CHARACTERISTICS {
    NPI_CLIENT_CHARACTERISTICS {
        Version: shape.version,
        Length: shape.length,
        ClientAttachProvider: shape.has(Part::Attach).then_some(client_attach),
        ClientDetachProvider: shape.has(Part::Detach).then_some(client_detach),
        ClientCleanupBindingContext: shape.has(Part::Cleanup).then_some(client_cleanup),
        ClientRegistrationInstance: instance,
    }
}

fn provider(shape: &Shape, instance: NPI_REGISTRATION_INSTANCE) -> NPI_PROVIDER_CHARACTERISTICS {
    NPI_PROVIDER_CHARACTERISTICS {
        Version: shape.version,
        Length: shape.length,
        ProviderAttachClient: shape.has(Part::Attach).then_some(provider_attach),
        ProviderDetachClient: shape.has(Part::Detach).then_some(provider_detach),
        ProviderCleanupBindingContext: shape.has(Part::Cleanup).then_some(provider_cleanup),
        ProviderRegistrationInstance: instance,
    }
}

unsafe extern "efiapi" fn client_attach(
    handle: NMR_CLIENT_BINDING_HANDLE,
    context: *mut c_void,
    provider: *const NPI_REGISTRATION_INSTANCE,
) -> NTSTATUS {
    module::attach(
        Role::Client,
        context.addr(),
        Offered {
            handle: handle.0.addr(),
            peer_instance: provider.addr(),
            peer_context: 0,
            peer_dispatch: 0,
            outputs: None,
        },
    )
}

unsafe extern "efiapi" fn provider_attach(
    handle: NMR_PROVIDER_BINDING_HANDLE,
    context: *mut c_void,
    client: *const NPI_REGISTRATION_INSTANCE,
    client_context: *mut c_void,
    client_dispatch: *const c_void,
    context_output: *mut *mut c_void,
    dispatch_output: *mut *const c_void,
) -> NTSTATUS {
    module::attach(
        Role::Provider,
        context.addr(),
        Offered {
            handle: handle.0.addr(),
            peer_instance: client.addr(),
            peer_context: client_context.addr(),
            peer_dispatch: client_dispatch.addr(),
            outputs: Some(Outputs {
                context: context_output,
                dispatch: dispatch_output,
            }),
        },
    )
}

unsafe extern "efiapi" fn client_detach(context: *mut c_void) -> NTSTATUS {
    module::detach(Role::Client, context.addr())
}

unsafe extern "efiapi" fn provider_detach(context: *mut c_void) -> NTSTATUS {
    module::detach(Role::Provider, context.addr())
}

unsafe extern "efiapi" fn client_cleanup(context: *mut c_void) {
    module::clean_up(Role::Client, context.addr());
}

unsafe extern "efiapi" fn provider_cleanup(context: *mut c_void) {
    module::clean_up(Role::Provider, context.addr());
}

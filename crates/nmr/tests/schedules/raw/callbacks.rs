//! The C side of the modules: callbacks, characteristics and tables, and the calls of the NMR.
// UNSAFETY: callbacks get pointers, and the nine functions are foreign.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::AtomicPtr;

use nmr_host::Role;
use nmr_sys::*;

use super::end::End;
use super::module::Module;

/// The interface of all raw modules.
static INTERFACE: GUID = GUID::from_u128(0x3f0e1d0c_53a1_4c4e_9b1c_0d8f5a6b7c21);
static MODULE: NPI_MODULEID = NPI_MODULEID {
    Length: 24,
    Type: MIT_GUID,
    Value: NPI_MODULEID_VALUE { Guid: INTERFACE },
};

/// The table of both roles.
#[repr(C)]
pub(super) struct Table {
    call: unsafe extern "efiapi" fn(*mut c_void),
}

static TABLE: Table = Table { call: called };

/// What a module registers, at an address that stays.
pub(super) enum Characteristics {
    Client(Box<NPI_CLIENT_CHARACTERISTICS>),
    Provider(Box<NPI_PROVIDER_CHARACTERISTICS>),
}

// SAFETY: the pointers in it are to statics.
unsafe impl Send for Characteristics {}
// SAFETY: as above.
unsafe impl Sync for Characteristics {}

impl Characteristics {
    pub(super) fn new(role: Role, number: u32) -> Self {
        let instance = NPI_REGISTRATION_INSTANCE {
            Version: 0,
            Size: 40,
            NpiId: &raw const INTERFACE,
            ModuleId: &raw const MODULE,
            Number: number,
            NpiSpecificCharacteristics: ptr::null(),
        };
        match role {
            Role::Client => Self::Client(Box::new(NPI_CLIENT_CHARACTERISTICS {
                Version: 0,
                Length: 72,
                ClientAttachProvider: Some(attach_provider),
                ClientDetachProvider: Some(detach),
                ClientCleanupBindingContext: Some(clean_up),
                ClientRegistrationInstance: instance,
            })),
            Role::Provider => Self::Provider(Box::new(NPI_PROVIDER_CHARACTERISTICS {
                Version: 0,
                Length: 72,
                ProviderAttachClient: Some(attach_client),
                ProviderDetachClient: Some(detach),
                ProviderCleanupBindingContext: Some(clean_up),
                ProviderRegistrationInstance: instance,
            })),
        }
    }
}

/// Calls the register function of the module's role.
pub(super) fn register(
    module: &Module,
    characteristics: &Characteristics,
    handle: &AtomicPtr<c_void>,
) -> NTSTATUS {
    let context = ptr::from_ref(module).cast_mut().cast();
    let handle = handle.as_ptr();
    match characteristics {
        Characteristics::Client(client) => {
            // SAFETY: the structure, its callbacks and the context must stay until the end of the
            // registration: the execution keeps its modules.
            unsafe { NmrRegisterClient(&raw const **client, context, handle.cast()) }
        }
        Characteristics::Provider(provider) => {
            // SAFETY: as above.
            unsafe { NmrRegisterProvider(&raw const **provider, context, handle.cast()) }
        }
    }
}

/// Calls the deregister function of a role.
pub(super) fn deregister(role: Role, handle: *mut c_void) -> NTSTATUS {
    match role {
        // SAFETY: this registrar takes any value for a handle, and looks it up.
        Role::Client => unsafe { NmrDeregisterClient(NMR_CLIENT_HANDLE(handle)) },
        // SAFETY: as above.
        Role::Provider => unsafe { NmrDeregisterProvider(NMR_PROVIDER_HANDLE(handle)) },
    }
}

/// Calls the wait function of a role.
pub(super) fn wait(role: Role, handle: *mut c_void) -> NTSTATUS {
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
pub(super) fn complete(role: Role, handle: usize) {
    let handle = ptr::without_provenance_mut(handle);
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

/// Calls `NmrClientAttachProvider`, which owns the end until its cleanup if it succeeds.
pub(super) fn attach(end: &Arc<End>) -> Result<Peer, NTSTATUS> {
    let handle = NMR_CLIENT_BINDING_HANDLE(ptr::without_provenance_mut(end.handle));
    let own = Arc::into_raw(Arc::clone(end));
    let mut context = ptr::null_mut();
    let mut table = ptr::null();
    // SAFETY: the context must live until its cleanup callback, which frees it; the table is static
    // and the outputs are locals.
    let status = unsafe {
        NmrClientAttachProvider(
            handle,
            own.cast_mut().cast(),
            (&raw const TABLE).cast(),
            &raw mut context,
            &raw mut table,
        )
    };
    if status == STATUS_SUCCESS {
        Ok(Peer { context, table })
    } else {
        // SAFETY: it must come from `into_raw`: the NMR forgets the context after a failure.
        drop(unsafe { Arc::from_raw(own) });
        Err(status)
    }
}

/// Takes back what `attach` gave away, of a binding that is not cleaned up.
pub(super) fn reclaim(end: &Arc<End>) {
    // SAFETY: the NMR's owner is still counted, and is its last user: the registration is over.
    unsafe { Arc::decrement_strong_count(Arc::as_ptr(end)) };
}

/// What a peer gave.
pub(super) struct Peer {
    context: *mut c_void,
    table: *const c_void,
}

// SAFETY: a peer may be called from any thread.
unsafe impl Send for Peer {}
// SAFETY: as above.
unsafe impl Sync for Peer {}

/// Calls a peer.
pub(super) fn call(peer: &Peer) {
    let table = peer.table.cast::<Table>();
    // SAFETY: every module of the interface gives this table, which is a static.
    let call = unsafe { (*table).call };
    // SAFETY: the function takes the peer's context, which lives as long as this call counts.
    unsafe { call(peer.context) };
}

unsafe extern "efiapi" fn called(context: *mut c_void) {
    // SAFETY: the peer passes the context that it got, of a binding that is not cleaned up.
    let end = unsafe { &*context.cast::<End>() };
    end.called();
}

unsafe extern "efiapi" fn attach_provider(
    handle: NMR_CLIENT_BINDING_HANDLE,
    context: *mut c_void,
    provider: *const NPI_REGISTRATION_INSTANCE,
) -> NTSTATUS {
    // SAFETY: the context of the registration, which the execution keeps.
    let module = unsafe { &*context.cast::<Module>() };
    // SAFETY: the instance of a registered module.
    let provider = unsafe { (*provider).Number };
    module.offered(handle.0.addr(), provider)
}

unsafe extern "efiapi" fn attach_client(
    handle: NMR_PROVIDER_BINDING_HANDLE,
    context: *mut c_void,
    _client: *const NPI_REGISTRATION_INSTANCE,
    client_context: *mut c_void,
    client_table: *const c_void,
    own_context: *mut *mut c_void,
    own_table: *mut *const c_void,
) -> NTSTATUS {
    // SAFETY: the context of the registration, which the execution keeps.
    let module = unsafe { &*context.cast::<Module>() };
    // SAFETY: every client of the interface gives such a context, which lives during the attach.
    let client = unsafe { &*client_context.cast::<End>() };
    let peer = Peer {
        context: client_context,
        table: client_table,
    };
    let Some(end) = module.asked(handle.0.addr(), client, peer) else {
        return STATUS_NOINTERFACE;
    };
    // SAFETY: the outputs live as long as the callback.
    unsafe { own_context.write(Arc::into_raw(end).cast_mut().cast()) };
    // SAFETY: as above.
    unsafe { own_table.write((&raw const TABLE).cast()) };
    STATUS_SUCCESS
}

unsafe extern "efiapi" fn detach(context: *mut c_void) -> NTSTATUS {
    // SAFETY: the context of a binding that is not cleaned up. Another thread may complete and
    // clean up as soon as the answer is known, so the callback has an owner of its own.
    unsafe { Arc::increment_strong_count(context.cast::<End>()) };
    // SAFETY: that owner.
    let end = unsafe { Arc::from_raw(context.cast::<End>()) };
    end.detach()
}

unsafe extern "efiapi" fn clean_up(context: *mut c_void) {
    // SAFETY: the NMR's owner, which it gives back.
    let end = unsafe { Arc::from_raw(context.cast::<End>()) };
    end.clean_up();
}

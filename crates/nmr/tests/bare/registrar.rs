//! A registrar in which nothing happens by itself: it answers what a test tells it to, and calls back
//! when a test says so. It has one client, and its binding.
// UNSAFETY: plays the part of the NMR.
#![expect(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::ptr;
use std::sync::Mutex;

use exnpi::{ProviderCalls, ProviderDispatch};
use nmr::DispatchFor;
use nmr_sys::{
    NMR_CLIENT_BINDING_HANDLE, NMR_CLIENT_HANDLE, NMR_PROVIDER_BINDING_HANDLE,
    NPI_CLIENT_CHARACTERISTICS, NPI_REGISTRATION_INSTANCE, NTSTATUS,
};

/// What the registrar answers and does next on this thread, and what it saw.
#[derive(Default)]
pub(crate) struct Nmr {
    pub(crate) register: Cell<NTSTATUS>,
    pub(crate) deregister: Cell<NTSTATUS>,
    pub(crate) wait: Cell<NTSTATUS>,
    pub(crate) attach: Cell<NTSTATUS>,
    /// Whether it calls the detach callback inside the attach.
    pub(crate) is_early: Cell<bool>,
    /// Whether the provider gives no table.
    pub(crate) has_no_table: Cell<bool>,
    pub(crate) waits: Cell<u32>,
    pub(crate) completions: Cell<u32>,
    pub(crate) detach_status: Cell<NTSTATUS>,
    client: RefCell<Option<(NPI_CLIENT_CHARACTERISTICS, *mut c_void)>>,
    pub(crate) binding: Cell<*mut c_void>,
}

/// Every registrar, so that a leak checker can reach what a test leaks on purpose.
static ALL: Mutex<Vec<usize>> = Mutex::new(Vec::new());

thread_local! {
    static NMR: &'static Nmr = {
        let nmr: &Nmr = Box::leak(Box::default());
        ALL.lock().unwrap().push(ptr::from_ref(nmr).addr());
        nmr
    };
}

pub(crate) fn nmr() -> &'static Nmr {
    NMR.with(|nmr| *nmr)
}

const CLIENT: NMR_CLIENT_HANDLE = NMR_CLIENT_HANDLE(ptr::dangling_mut());
const BINDING: NMR_CLIENT_BINDING_HANDLE = NMR_CLIENT_BINDING_HANDLE(ptr::dangling_mut());

#[unsafe(no_mangle)]
extern "efiapi" fn NmrRegisterClient(
    characteristics: &NPI_CLIENT_CHARACTERISTICS,
    context: *mut c_void,
    handle: &mut NMR_CLIENT_HANDLE,
) -> NTSTATUS {
    *nmr().client.borrow_mut() = Some((*characteristics, context));
    *handle = CLIENT;
    nmr().register.get()
}

#[unsafe(no_mangle)]
extern "efiapi" fn NmrDeregisterClient(handle: NMR_CLIENT_HANDLE) -> NTSTATUS {
    assert_eq!(handle, CLIENT);
    nmr().deregister.get()
}

#[unsafe(no_mangle)]
extern "efiapi" fn NmrWaitForClientDeregisterComplete(handle: NMR_CLIENT_HANDLE) -> NTSTATUS {
    assert_eq!(handle, CLIENT);
    nmr().waits.update(|waits| waits + 1);
    nmr().wait.get()
}

#[unsafe(no_mangle)]
extern "efiapi" fn NmrClientAttachProvider(
    handle: NMR_CLIENT_BINDING_HANDLE,
    context: *mut c_void,
    _table: *const c_void,
    provider_context: &mut *mut c_void,
    provider_table: &mut *const c_void,
) -> NTSTATUS {
    assert_eq!(handle, BINDING);
    *provider_context = ptr::from_ref(&Five).cast_mut().cast();
    if !nmr().has_no_table.get() {
        *provider_table = ptr::from_ref(<ProviderDispatch as DispatchFor<Five>>::TABLE).cast();
    }
    nmr().binding.set(context);
    if nmr().is_early.get() {
        detach();
    }
    nmr().attach.get()
}

#[unsafe(no_mangle)]
extern "efiapi" fn NmrClientDetachProviderComplete(handle: NMR_CLIENT_BINDING_HANDLE) {
    assert_eq!(handle, BINDING);
    nmr().completions.update(|completions| completions + 1);
}

#[unsafe(no_mangle)]
extern "efiapi" fn NmrProviderDetachClientComplete(_handle: NMR_PROVIDER_BINDING_HANDLE) {
    unreachable!("there is no provider");
}

/// The provider.
struct Five;

impl ProviderCalls for Five {
    fn add(&self, _value: u32) -> u32 {
        5
    }
}

/// Offers the provider to the client.
pub(crate) fn offer() -> NTSTATUS {
    let (client, context) = nmr().client.borrow().unwrap();
    let instance = NPI_REGISTRATION_INSTANCE {
        ModuleId: ptr::null(),
        ..client.ClientRegistrationInstance
    };
    let attach = client.ClientAttachProvider.unwrap();
    // SAFETY: the client is registered, and this is an offer.
    unsafe { attach(BINDING, context, &raw const instance) }
}

pub(crate) fn detach() {
    let (client, _) = nmr().client.borrow().unwrap();
    let detach = client.ClientDetachProvider.unwrap();
    // SAFETY: the client has given this context for its binding, which detaches once.
    let status = unsafe { detach(nmr().binding.get()) };
    nmr().detach_status.set(status);
}

pub(crate) fn clean_up() {
    let (client, _) = nmr().client.borrow().unwrap();
    let clean_up = client.ClientCleanupBindingContext.unwrap();
    // SAFETY: the binding has detached.
    unsafe { clean_up(nmr().binding.get()) };
}

//! Modules that are made of nothing but callbacks, in Rust: what `c/modules.c` is in C.
// UNSAFETY: the callbacks are called with the pointers of C.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::ptr;

use nmr_sys::{
    NMR_CLIENT_BINDING_HANDLE, NMR_PROVIDER_BINDING_HANDLE, NPI_REGISTRATION_INSTANCE, NTSTATUS,
    STATUS_SUCCESS,
};

use crate::c::Callbacks;
use crate::raw::Client;

/// What a module keeps for each binding.
pub trait Keeps {
    /// Makes it, in the attach of a module with this registration context.
    fn make(module: *mut c_void) -> *mut c_void;

    /// Ends it, in the cleanup.
    ///
    /// # Safety
    ///
    /// * The context comes from `make`, and is not used afterwards.
    unsafe fn end(context: *mut c_void);
}

/// The least that a module can do: its registration is all that it knows of a binding.
#[derive(Debug)]
pub struct Nothing;

/// 64 bytes on the heap, as real modules do.
#[derive(Debug)]
pub struct Memory;

static TABLE: u32 = 1;

impl Keeps for Nothing {
    fn make(module: *mut c_void) -> *mut c_void {
        module
    }

    unsafe fn end(_: *mut c_void) {}
}

impl Keeps for Memory {
    fn make(_: *mut c_void) -> *mut c_void {
        Box::into_raw(Box::new([0_u64; 8])).cast()
    }

    unsafe fn end(context: *mut c_void) {
        // SAFETY: the pointer must be of a box without another user: the caller guarantees it.
        drop(unsafe { Box::from_raw(context.cast::<[u64; 8]>()) });
    }
}

/// The callbacks of modules that keep a `K` for each binding.
#[must_use]
pub const fn callbacks<K: Keeps>() -> Callbacks {
    Callbacks {
        attach_provider: attach_provider::<K>,
        detach_provider: detach,
        clean_up_client: clean_up::<K>,
        attach_client: attach_client::<K>,
        detach_client: detach,
        clean_up_provider: clean_up::<K>,
    }
}

unsafe extern "efiapi" fn attach_provider<K: Keeps>(
    handle: NMR_CLIENT_BINDING_HANDLE,
    client: *mut c_void,
    _: *const NPI_REGISTRATION_INSTANCE,
) -> NTSTATUS {
    let own = K::make(client);
    // SAFETY: the pointer must be to a live `Client`: everyone registers with itself.
    let client = unsafe { &*client.cast::<Client>() };
    let (mut context, mut table) = (ptr::null_mut(), ptr::null());
    // SAFETY: the call must be in the offer of the handle, which it is.
    let status = unsafe {
        (client.attach)(
            handle,
            own,
            (&raw const TABLE).cast(),
            &raw mut context,
            &raw mut table,
        )
    };
    if status != STATUS_SUCCESS {
        // SAFETY: the context must be unused: there is no binding.
        unsafe { K::end(own) };
    }
    status
}

unsafe extern "efiapi" fn attach_client<K: Keeps>(
    _: NMR_PROVIDER_BINDING_HANDLE,
    provider: *mut c_void,
    _: *const NPI_REGISTRATION_INSTANCE,
    _: *mut c_void,
    _: *const c_void,
    context: *mut *mut c_void,
    table: *mut *const c_void,
) -> NTSTATUS {
    // SAFETY: the output must be valid for a write, which the registrar promises.
    unsafe { context.write(K::make(provider)) };
    // SAFETY: as above.
    unsafe { table.write((&raw const TABLE).cast()) };
    STATUS_SUCCESS
}

unsafe extern "efiapi" fn detach(_: *mut c_void) -> NTSTATUS {
    STATUS_SUCCESS
}

unsafe extern "efiapi" fn clean_up<K: Keeps>(context: *mut c_void) {
    // SAFETY: the context must be one of `make` without another user: this is its last use.
    unsafe { K::end(context) };
}

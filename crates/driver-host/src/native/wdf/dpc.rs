//! DPC objects.
// UNSAFETY: functions that images call, and structures of the driver.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use nmr_host::irql::{DISPATCH_LEVEL, PASSIVE_LEVEL};

use super::checks::{self, Parent, check_size};
use super::layout::{Callback, WDF_DPC_CONFIG, WDF_OBJECT_ATTRIBUTES};
use super::object::{self, Kind};
use super::serial::{self, CallbackLock};
use super::{Handle, call, check_irql, image, refuse, violation};
use crate::native::kernel::dpc::{self, Kdpc};
use crate::native::kernel::loaded::Loaded;
use crate::native::kernel::nt::{NtStatus, STATUS_INVALID_PARAMETER, STATUS_SUCCESS};

/// A `WDFDPC`.
#[derive(Debug)]
pub(crate) struct Dpc {
    callback: Callback,
    lock: Option<Arc<CallbackLock>>,
    kernel: Box<Kdpc>,
}

impl Dpc {
    /// Takes it out of the queue and waits for its callback.
    pub(super) fn finish(&self, image: &Loaded) {
        self.kernel.remove(image);
        dpc::flush(image);
    }
}

const FUNCTION: &str = "WdfDpcCreate";

/// `WdfDpcCreate`.
pub(crate) unsafe extern "win64" fn create(
    _globals: *const c_void,
    config: *const WDF_DPC_CONFIG,
    attributes: *const WDF_OBJECT_ATTRIBUTES,
    output: *mut Handle,
) -> NtStatus {
    check_irql(DISPATCH_LEVEL);
    if config.is_null() || output.is_null() {
        violation("an argument is null");
    }
    // SAFETY: the driver passes a configuration.
    let config = unsafe { config.read() };
    let size = size_of::<WDF_DPC_CONFIG>();
    if let Err(status) = check_size(FUNCTION, config.Size, size, "configuration") {
        return status;
    }
    if config.EvtDpcFunc == 0 {
        return refuse(FUNCTION, STATUS_INVALID_PARAMETER, "there is no callback");
    }
    // SAFETY: the driver passes attributes or null.
    let checked = unsafe { checks::attributes(FUNCTION, attributes, Parent::Required, false) };
    let made = checked.and_then(|attributes| {
        let parent = checks::device_above(FUNCTION, attributes)?;
        let asked = config.AutomaticSerialization;
        let lock = serial::automatic(FUNCTION, asked, parent, false)?;
        let dpc = Dpc {
            callback: config.EvtDpcFunc,
            lock,
            kernel: Box::default(),
        };
        dpc.kernel.initialize(config.EvtDpcFunc, 0);
        object::make(&image(), Kind::Dpc(Arc::new(dpc)), None, attributes)
    });
    match made {
        Ok(handle) => {
            // SAFETY: the driver passes an output.
            unsafe { output.write(handle) };
            STATUS_SUCCESS
        }
        Err(status) => status,
    }
}

fn find(dpc: Handle) -> Arc<Dpc> {
    match object::kind(dpc) {
        Some(Kind::Dpc(dpc)) => dpc,
        _ => violation(format_args!("{dpc:p} is not a DPC object")),
    }
}

/// `WdfDpcEnqueue`. Returns whether it was not queued yet.
pub(crate) extern "win64" fn enqueue(_globals: *const c_void, handle: Handle) -> u8 {
    let (image, dpc, address) = (image(), find(handle), handle.addr());
    let kernel = &raw const *dpc.kernel;
    let run = move |image: &Arc<Loaded>| {
        let handle = ptr::without_provenance_mut(address);
        serial::call(dpc.lock.as_deref(), || {
            call::object(image, "EvtDpcFunc", dpc.callback, handle);
        });
    };
    // SAFETY: the closure has the DPC, and is dropped after its turn.
    unsafe { dpc::queue(&image, kernel, run) }.into()
}

/// `WdfDpcCancel`. Returns whether it was queued.
pub(crate) extern "win64" fn cancel(_globals: *const c_void, handle: Handle, wait: u8) -> u8 {
    if wait != 0 {
        check_irql(PASSIVE_LEVEL);
    }
    let dpc = find(handle);
    let before = dpc.kernel.remove(&image());
    if wait != 0 {
        dpc::flush(&image());
    }
    before.into()
}

/// `WdfDpcGetParentObject`.
pub(crate) extern "win64" fn parent(_globals: *const c_void, handle: Handle) -> Handle {
    find(handle);
    object::parent(handle)
}

/// `WdfDpcWdmGetDpc`.
pub(crate) extern "win64" fn wdm(_globals: *const c_void, handle: Handle) -> *const Kdpc {
    &raw const *find(handle).kernel
}

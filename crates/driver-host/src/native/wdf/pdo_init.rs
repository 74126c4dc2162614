//! What a bus driver says of a child before its device exists.
// UNSAFETY: strings of the driver.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::ptr;

use nmr_host::irql::PASSIVE_LEVEL;

use super::device::{self, Init};
use super::init;
use super::object::{self, Kind};
use super::{Handle, check_irql, image, misuse, refuse, string, violation};
use crate::native::kernel::loaded::Loaded;
use crate::native::kernel::nt::{
    NtStatus, STATUS_INVALID_DEVICE_REQUEST, STATUS_SUCCESS, UNICODE_STRING,
};
use crate::native::kernel::{points, text};

/// What identifies a child.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pdo {
    /// The number of its bus device.
    pub(super) parent: usize,
    /// The number of its entry among the children of the bus; 0 for a static child.
    pub(super) child: u64,
    pub(crate) device_id: String,
    pub(crate) instance_id: String,
    pub(crate) hardware_ids: Vec<String>,
    pub(crate) compatible_ids: Vec<String>,
}

/// `WdfPdoInitAllocate`: for a static child.
pub(crate) extern "win64" fn allocate(_globals: *const c_void, parent: Handle) -> Handle {
    check_irql(PASSIVE_LEVEL);
    let about = device::find(parent);
    if about.init.control || about.init.pdo.is_some() {
        misuse("the parent is no functional device");
        return ptr::null_mut();
    }
    if points::may_be_null() {
        return ptr::null_mut();
    }
    let parent = object::id(parent).unwrap_or_default();
    let pdo = Pdo {
        parent,
        ..Pdo::default()
    };
    make(&image(), pdo)
}

/// Makes a `WDFDEVICE_INIT` for a child.
pub(super) fn make(image: &Loaded, pdo: Pdo) -> Handle {
    let init = Init {
        pdo: Some(pdo),
        ..Init::default()
    };
    let mut state = image.framework().lock();
    state.objects.insert(Kind::DeviceInit(Box::new(init)), None)
}

/// Sets a string of a child.
///
/// # Safety
///
/// `given` is null or a string that can be read.
unsafe fn set(
    function: &'static str,
    init: Handle,
    given: *const UNICODE_STRING,
    change: impl FnOnce(&mut Pdo, String),
) -> NtStatus {
    check_irql(PASSIVE_LEVEL);
    if given.is_null() {
        violation("the string is null");
    }
    // SAFETY: it is a string, by this contract.
    if let Err(status) = unsafe { string::check(function, given) } {
        return status;
    }
    // SAFETY: as above.
    let given = unsafe { text::unicode(given) }.unwrap_or_default();
    if !init::with(init, |about| about.pdo.is_some()) {
        let text = "the WDFDEVICE_INIT is not one of a child";
        return refuse(function, STATUS_INVALID_DEVICE_REQUEST, text);
    }
    if let Err(status) = points::may_fail() {
        return status;
    }
    init::with(init, |about| {
        if let Some(pdo) = &mut about.pdo {
            change(pdo, given);
        }
    });
    STATUS_SUCCESS
}

/// `WdfPdoInitAssignDeviceID`.
pub(crate) unsafe extern "win64" fn assign_device_id(
    _globals: *const c_void,
    init: Handle,
    id: *const UNICODE_STRING,
) -> NtStatus {
    // SAFETY: the driver passes a string.
    unsafe {
        set("WdfPdoInitAssignDeviceID", init, id, |pdo, id| {
            pdo.device_id = id;
        })
    }
}

/// `WdfPdoInitAssignInstanceID`.
pub(crate) unsafe extern "win64" fn assign_instance_id(
    _globals: *const c_void,
    init: Handle,
    id: *const UNICODE_STRING,
) -> NtStatus {
    // SAFETY: the driver passes a string.
    unsafe {
        set("WdfPdoInitAssignInstanceID", init, id, |pdo, id| {
            pdo.instance_id = id;
        })
    }
}

/// `WdfPdoInitAddHardwareID`.
pub(crate) unsafe extern "win64" fn add_hardware_id(
    _globals: *const c_void,
    init: Handle,
    id: *const UNICODE_STRING,
) -> NtStatus {
    // SAFETY: the driver passes a string.
    unsafe {
        set("WdfPdoInitAddHardwareID", init, id, |pdo, id| {
            pdo.hardware_ids.push(id);
        })
    }
}

/// `WdfPdoInitAddCompatibleID`.
pub(crate) unsafe extern "win64" fn add_compatible_id(
    _globals: *const c_void,
    init: Handle,
    id: *const UNICODE_STRING,
) -> NtStatus {
    // SAFETY: the driver passes a string.
    unsafe {
        set("WdfPdoInitAddCompatibleID", init, id, |pdo, id| {
            pdo.compatible_ids.push(id);
        })
    }
}

/// `WdfPdoInitAddDeviceText`. There is no user who would read it.
pub(crate) unsafe extern "win64" fn add_text(
    _globals: *const c_void,
    init: Handle,
    description: *const UNICODE_STRING,
    location: *const UNICODE_STRING,
    _locale: u32,
) -> NtStatus {
    const FUNCTION: &str = "WdfPdoInitAddDeviceText";
    for given in [description, location] {
        // SAFETY: the driver passes strings.
        let status = unsafe { set(FUNCTION, init, given, |_, _| ()) };
        if status != STATUS_SUCCESS {
            return status;
        }
    }
    STATUS_SUCCESS
}

/// `WdfPdoInitAllowForwardingRequestToParent`. `WdfRequestForwardToParentDeviceIoQueue` does not exist here.
pub(crate) extern "win64" fn allow_forwarding(_globals: *const c_void, init: Handle) {
    check_init(init);
}

/// `WdfPdoInitSetDefaultLocale`, for the texts.
pub(crate) extern "win64" fn set_locale(_globals: *const c_void, init: Handle, _locale: u32) {
    check_init(init);
}

/// Reports a `WDFDEVICE_INIT` of another device than one of a child.
fn check_init(init: Handle) {
    check_irql(PASSIVE_LEVEL);
    if !init::with(init, |about| about.pdo.is_some()) {
        misuse("the WDFDEVICE_INIT is not one of a child");
    }
}

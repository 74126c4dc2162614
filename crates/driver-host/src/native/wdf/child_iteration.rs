//! How a bus driver looks through its children.
// UNSAFETY: structures of the driver.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::ptr;

use nmr_host::irql::DISPATCH_LEVEL;

use super::child_list::{self, ChildList};
use super::children::{self, Child, Presence};
use super::device;
use super::layout::Callback;
use super::object;
use super::{Handle, check_irql, image, misuse, refuse, violation};
use crate::native::kernel::nt::{
    NtStatus, STATUS_INFO_LENGTH_MISMATCH, STATUS_INVALID_PARAMETER, STATUS_NO_MORE_ENTRIES,
    STATUS_SUCCESS,
};

/// `WDF_CHILD_LIST_ITERATOR`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Iterator {
    size: u32,
    flags: u32,
    /// The number of the last child.
    last: u64,
    _reserved: [u64; 3],
}

/// `WDF_CHILD_RETRIEVE_INFO`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Info {
    size: u32,
    identification: *mut u32,
    address: *mut u32,
    status: u32,
    compare: Callback,
}

const _: () = assert!(size_of::<Iterator>() == 0x28);
const _: () = assert!(size_of::<Info>() == 0x28);

/// `WdfRetrieveAllChildren`.
const ALL: u32 = 7;
/// Values of [`Info::status`].
const SUCCESS: u32 = 1;
const NOT_YET_CREATED: u32 = 2;
const NO_SUCH_DEVICE: u32 = 3;

fn is_wanted(child: &Child, flags: u32) -> bool {
    let bit = match child.presence {
        Presence::Present => 1,
        Presence::Missing => 2,
        Presence::Pending => 4,
    };
    flags & bit != 0
}

/// The children of a bus device after one, of those that are wanted.
fn after(bus: usize, last: u64, flags: u32, is_static: bool) -> Vec<Child> {
    let about = device::find(object::handle(bus));
    let state = about.children.lock();
    let wanted = |child: &&Child| {
        child.number > last && is_wanted(child, flags) && child.description.is_none() == is_static
    };
    state.all.iter().filter(wanted).cloned().collect()
}

/// `WdfChildListBeginIteration`.
pub(crate) unsafe extern "win64" fn begin(
    _globals: *const c_void,
    list: Handle,
    iterator: *mut Iterator,
) {
    check_irql(DISPATCH_LEVEL);
    let list = child_list::find(list);
    if iterator.is_null() {
        violation("the iterator is null");
    }
    // SAFETY: the driver passes an iterator.
    let mut own = unsafe { iterator.read() };
    if let Err((_, text)) = check(&own) {
        misuse(text);
        return;
    }
    own.last = 0;
    // SAFETY: as above.
    unsafe { iterator.write(own) };
    list.device().children.hold();
}

/// `WdfChildListEndIteration`.
pub(crate) extern "win64" fn end(
    _globals: *const c_void,
    list: Handle,
    _iterator: *const Iterator,
) {
    check_irql(DISPATCH_LEVEL);
    let list = child_list::find(list);
    release(list.bus);
}

fn release(bus: usize) {
    let about = device::find(object::handle(bus));
    if about.children.let_go() {
        children::schedule(&image(), bus);
    } else {
        misuse("no iteration goes on");
    }
}

fn check(iterator: &Iterator) -> Result<(), (NtStatus, &'static str)> {
    if iterator.size as usize != size_of::<Iterator>() {
        return Err((
            STATUS_INFO_LENGTH_MISMATCH,
            "the Size of its iterator is not 0x28",
        ));
    }
    if iterator.flags & !ALL != 0 {
        return Err((
            STATUS_INVALID_PARAMETER,
            "the Flags of its iterator are not of WDF_RETRIEVE_CHILD_FLAGS",
        ));
    }
    Ok(())
}

/// `WdfChildListRetrieveNextDevice`.
pub(crate) unsafe extern "win64" fn retrieve_next(
    _globals: *const c_void,
    list: Handle,
    iterator: *mut Iterator,
    output: *mut Handle,
    info: *mut Info,
) -> NtStatus {
    const FUNCTION: &str = "WdfChildListRetrieveNextDevice";
    check_irql(DISPATCH_LEVEL);
    let list = child_list::find(list);
    if iterator.is_null() || output.is_null() {
        violation("an argument is null");
    }
    // SAFETY: the driver passes an iterator.
    let mut own = unsafe { iterator.read() };
    if let Err((status, text)) = check(&own) {
        return refuse(FUNCTION, status, text);
    }
    // SAFETY: the driver passes information or null.
    let wanted = (!info.is_null()).then(|| unsafe { info.read() });
    if wanted.is_some_and(|wanted| wanted.size as usize != size_of::<Info>()) {
        let text = "the Size of its information is not 0x28";
        return refuse(FUNCTION, STATUS_INFO_LENGTH_MISMATCH, text);
    }
    let mut next = after(list.bus, own.last, own.flags, false).into_iter();
    let found = next.find(|child| wanted.is_none_or(|wanted| is_like(child, &wanted, &list)));
    let (device, status) = match &found {
        Some(child) => {
            own.last = child.number;
            (
                child.device.map_or(ptr::null_mut(), object::handle),
                STATUS_SUCCESS,
            )
        }
        None => (ptr::null_mut(), STATUS_NO_MORE_ENTRIES),
    };
    // SAFETY: as above.
    unsafe { iterator.write(own) };
    // SAFETY: the driver passes an output.
    unsafe { output.write(device) };
    if let Some(wanted) = wanted {
        let told = tell(&wanted, found.as_ref());
        // SAFETY: as above.
        unsafe { info.write(told) };
    }
    status
}

/// Returns `true` if a child is one that the driver looks for.
fn is_like(child: &Child, wanted: &Info, list: &ChildList) -> bool {
    let Some(description) = &child.description else {
        return false;
    };
    if wanted.compare == 0 || wanted.identification.is_null() {
        return true;
    }
    let mut copy = vec![0_u128; (list.identification_size() as usize).div_ceil(16)];
    let address = copy.as_mut_ptr().expose_provenance();
    description.copy_to(&image(), address);
    let pair = [wanted.identification.expose_provenance(), address];
    child_list::compare(&image(), wanted.compare, list.handle(), pair)
}

/// What the driver learns of a child.
fn tell(wanted: &Info, child: Option<&Child>) -> Info {
    let mut told = *wanted;
    let description = child.and_then(|child| child.description.as_ref());
    told.status = match child {
        None => NO_SUCH_DEVICE,
        Some(child) if child.device.is_none() => NOT_YET_CREATED,
        Some(_) => SUCCESS,
    };
    if let Some(description) = description {
        if !wanted.identification.is_null() {
            description.copy_to(&image(), wanted.identification.expose_provenance());
        }
        if !wanted.address.is_null() {
            description.copy_address_to(wanted.address.expose_provenance());
        }
    }
    told
}

/// `WdfChildListRetrievePdo`: the device of a child with an identification.
pub(crate) unsafe extern "win64" fn retrieve_pdo(
    _globals: *const c_void,
    list: Handle,
    info: *mut Info,
) -> Handle {
    check_irql(DISPATCH_LEVEL);
    let list = child_list::find(list);
    if info.is_null() {
        violation("the information is null");
    }
    // SAFETY: the driver passes information.
    let wanted = unsafe { info.read() };
    if wanted.size as usize != size_of::<Info>() || wanted.identification.is_null() {
        misuse("its information has another Size than 0x28, or no identification");
        return ptr::null_mut();
    }
    let identification = wanted.identification.expose_provenance();
    let image = image();
    let all = after(list.bus, 0, ALL, false);
    let found = all.into_iter().find(|child| {
        let own = child.description.as_ref();
        own.is_some_and(|own| own.is(&image, identification))
    });
    let told = Info {
        identification: ptr::null_mut(),
        ..wanted
    };
    let told = Info {
        identification: wanted.identification,
        ..tell(&told, found.as_ref())
    };
    // SAFETY: as above.
    unsafe { info.write(told) };
    let device = found.and_then(|child| child.device);
    device.map_or(ptr::null_mut(), object::handle)
}

/// `WdfFdoLockStaticChildListForIteration`.
pub(crate) extern "win64" fn lock_static(_globals: *const c_void, device: Handle) {
    check_irql(DISPATCH_LEVEL);
    device::find(device).children.hold();
}

/// `WdfFdoUnlockStaticChildListFromIteration`.
pub(crate) extern "win64" fn unlock_static(_globals: *const c_void, device: Handle) {
    check_irql(DISPATCH_LEVEL);
    device::find(device);
    release(object::id(device).unwrap_or_default());
}

/// `WdfFdoRetrieveNextStaticChild`.
pub(crate) extern "win64" fn next_static(
    _globals: *const c_void,
    device: Handle,
    previous: Handle,
    flags: u32,
) -> Handle {
    check_irql(DISPATCH_LEVEL);
    device::find(device);
    let bus = object::id(device).unwrap_or_default();
    let all = after(bus, 0, ALL, true);
    let last = all
        .iter()
        .find(|child| child.device == object::id(previous));
    let last = last.map_or(0, |child| child.number);
    let mut next = all
        .iter()
        .filter(|child| child.number > last && is_wanted(child, flags));
    let device = next.next().and_then(|child| child.device);
    device.map_or(ptr::null_mut(), object::handle)
}

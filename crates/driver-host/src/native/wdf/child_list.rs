//! Child lists: how the driver of a bus reports children that come and go.
// UNSAFETY: structures of the driver, whose sizes it has said.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::ptr;
use std::sync::{Arc, OnceLock};

use nmr_host::irql::{DISPATCH_LEVEL, PASSIVE_LEVEL};

use super::checks::{self, Parent};
use super::children::{self, Child, Presence};
use super::device::{self, Device};
use super::layout::{Callback, WDF_OBJECT_ATTRIBUTES};
use super::object::{self, Kind};
use super::pdo_init::{self, Pdo};
use super::{Handle, call, check_irql, image, init, misuse, refuse, violation};
use crate::native::crossing;
use crate::native::kernel::loaded::Loaded;
use crate::native::kernel::nt::{
    NtStatus, STATUS_INVALID_DEVICE_REQUEST, STATUS_NO_SUCH_DEVICE, STATUS_OBJECT_NAME_EXISTS,
    STATUS_SUCCESS, failed,
};

/// `WDF_CHILD_LIST_CONFIG`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Config {
    size: u32,
    identification: u32,
    address: u32,
    create: Callback,
    scan: Callback,
    copy: Callback,
    duplicate: Callback,
    cleanup: Callback,
    compare: Callback,
    address_copy: Callback,
    address_duplicate: Callback,
    address_cleanup: Callback,
    reenumerated: Callback,
}

const _: () = assert!(size_of::<Config>() == 0x60);

/// A `WDFCHILDLIST`: the list of a device.
#[derive(Debug)]
pub(super) struct ChildList {
    /// The number of its device.
    pub(super) bus: usize,
    config: Config,
    /// The number of its object.
    number: OnceLock<usize>,
}

impl ChildList {
    pub(super) fn handle(&self) -> Handle {
        object::handle(self.number.get().copied().unwrap_or_default())
    }

    pub(super) fn identification_size(&self) -> u32 {
        self.config.identification
    }

    pub(super) fn device(&self) -> Arc<Device> {
        device::find(object::handle(self.bus))
    }
}

/// What identifies a child, in memory that stays where it is, and its address.
#[derive(Debug)]
pub(super) struct Description {
    list: Arc<ChildList>,
    /// As long as the driver has said; aligned like pool.
    identification: Box<[u128]>,
    address: Box<[u128]>,
}

impl Description {
    fn pointer(&self) -> usize {
        self.identification.as_ptr().expose_provenance()
    }

    /// Returns `true` if it is that of a child, by the driver's function if it has given one.
    pub(super) fn is(&self, image: &Loaded, other: usize) -> bool {
        let (own, config) = (self.pointer(), &self.list.config);
        if config.compare == 0 {
            let size = config.identification as usize;
            return bytes(own, size) == bytes(other, size);
        }
        compare(image, config.compare, self.list.handle(), [own, other])
    }

    pub(super) fn list(&self) -> &Arc<ChildList> {
        &self.list
    }

    /// Copies the identification into a structure of the driver, by the driver's function if it has given one.
    pub(super) fn copy_to(&self, image: &Loaded, output: usize) {
        let config = &self.list.config;
        if config.copy == 0 {
            copy(self.pointer(), output, config.identification);
            return;
        }
        let name = "EvtChildListIdentificationDescriptionCopy";
        let pair = [self.pointer(), output].map(ptr::with_exposed_provenance_mut);
        let arguments = [self.list.handle(), pair[0], pair[1]];
        call::request(image, name, config.copy, arguments);
    }

    /// Copies the address.
    pub(super) fn copy_address_to(&self, output: usize) {
        let address = self.address.as_ptr().expose_provenance();
        copy(address, output, self.list.config.address);
    }

    /// The driver frees what belongs to it.
    pub(super) fn clean_up(&self, image: &Loaded) {
        let config = &self.list.config;
        if config.cleanup != 0 {
            let name = "EvtChildListIdentificationDescriptionCleanup";
            let description = ptr::with_exposed_provenance_mut(self.pointer());
            let arguments = [self.list.handle(), description, ptr::null_mut()];
            call::request(image, name, config.cleanup, arguments);
        }
    }
}

/// Calls a function that compares two descriptions.
pub(super) fn compare(image: &Loaded, callback: Callback, list: Handle, pair: [usize; 2]) -> bool {
    let name = "EvtChildListIdentificationDescriptionCompare";
    let arguments = [list.addr(), pair[0], pair[1]];
    // SAFETY: the driver has given the address as a function of this type. Both descriptions are of its list.
    let equal = unsafe { crossing::call(image, name, callback, arguments) };
    equal as u8 != 0
}

/// The bytes of a structure of the driver.
fn bytes(address: usize, size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    let from = ptr::with_exposed_provenance::<u8>(address);
    // SAFETY: the driver passes structures of the size that it has said for its list; those of the host are as long.
    unsafe { ptr::copy_nonoverlapping(from, bytes.as_mut_ptr(), size) };
    bytes
}

/// Memory for a structure, with its bytes.
fn memory(bytes: &[u8]) -> Box<[u128]> {
    let word = |chunk: &[u8]| {
        let mut word = [0; 16];
        word[..chunk.len()].copy_from_slice(chunk);
        u128::from_ne_bytes(word)
    };
    bytes.chunks(16).map(word).collect()
}

/// `WdfFdoInitSetDefaultChildListConfig`.
pub(crate) unsafe extern "win64" fn set_default_config(
    _globals: *const c_void,
    handle: Handle,
    config: *const Config,
    attributes: *const WDF_OBJECT_ATTRIBUTES,
) {
    const FUNCTION: &str = "WdfFdoInitSetDefaultChildListConfig";
    check_irql(PASSIVE_LEVEL);
    if config.is_null() {
        violation("the configuration is null");
    }
    // SAFETY: the driver passes a configuration.
    let own = unsafe { config.read() };
    let expected = size_of::<Config>();
    let addresses = [own.address_copy, own.address_duplicate, own.address_cleanup];
    if init::with(handle, |about| about.control || about.pdo.is_some()) {
        misuse("the WDFDEVICE_INIT is not one of a functional device");
    } else if own.size as usize != expected {
        misuse(format_args!(
            "its Size is {:#x}, not {expected:#x}",
            own.size
        ));
    } else if own.identification == 0 || own.create == 0 {
        misuse("the list has no identification, or no EvtChildListCreateDevice");
    } else if addresses.iter().any(|&callback| callback != 0) {
        misuse("this host copies addresses itself: callbacks for them do not exist here");
    } else {
        // SAFETY: the driver passes attributes or null.
        let checked = unsafe { checks::attributes(FUNCTION, attributes, Parent::Forbidden, false) };
        if let Ok(attributes) = checked {
            init::with(handle, |about| about.child_list = Some((own, attributes)));
        }
    }
}

/// Makes the default list of a device that has one.
pub(super) fn make(image: &Loaded, handle: Handle, about: &Device) -> Result<(), NtStatus> {
    let (Some((config, attributes)), Some(bus)) = (about.init.child_list, object::id(handle))
    else {
        return Ok(());
    };
    let list = Arc::new(ChildList {
        bus,
        config,
        number: OnceLock::new(),
    });
    let kind = Kind::ChildList(Arc::clone(&list));
    let made = object::make(image, kind, Some(handle), attributes)?;
    list.number
        .get_or_init(|| object::id(made).unwrap_or_default());
    about.list.get_or_init(|| list);
    Ok(())
}

/// Calls `EvtChildListCreateDevice` for a child.
pub(super) fn create_device(
    image: &Arc<Loaded>,
    bus: usize,
    child: u64,
    description: &Description,
) -> NtStatus {
    let pdo = Pdo {
        parent: bus,
        child,
        ..Pdo::default()
    };
    let init = pdo_init::make(image, pdo);
    let arguments = [
        ptr::with_exposed_provenance_mut(description.pointer()),
        init,
    ];
    let (name, list) = ("EvtChildListCreateDevice", &description.list);
    let status = call::status(image, name, list.config.create, list.handle(), arguments);
    device::discard_init(image, init);
    status
}

pub(super) fn find(list: Handle) -> Arc<ChildList> {
    match object::kind(list) {
        Some(Kind::ChildList(list)) => list,
        _ => violation(format_args!("{list:p} is not a child list")),
    }
}

/// `WdfFdoGetDefaultChildList`. Null if the device has none.
pub(crate) extern "win64" fn get_default(_globals: *const c_void, device: Handle) -> Handle {
    let about = device::find(device);
    about
        .list
        .get()
        .map_or(ptr::null_mut(), |list| list.handle())
}

/// `WdfChildListGetDevice`.
pub(crate) extern "win64" fn get_device(_globals: *const c_void, list: Handle) -> Handle {
    object::handle(find(list).bus)
}

/// Checks the size that a structure of the driver begins with.
///
/// # Safety
///
/// The structure can be read.
unsafe fn check(
    function: &'static str,
    given: *const u32,
    expected: u32,
) -> Result<usize, NtStatus> {
    check_irql(DISPATCH_LEVEL);
    if given.is_null() {
        violation("the description is null");
    }
    // SAFETY: it can be read, by this contract.
    let size = unsafe { given.read() };
    if size == expected {
        return Ok(given.expose_provenance());
    }
    let text = format!("the size of the description is {size}, not {expected}");
    Err(refuse(function, STATUS_INVALID_DEVICE_REQUEST, text))
}

/// The child with a description, unless it is missing.
fn child_of(image: &Loaded, list: &ChildList, description: usize) -> Option<Child> {
    // The driver's function is called without the lock.
    let all = list.device().children.lock().all.clone();
    let mut known = all
        .into_iter()
        .filter(|child| child.presence != Presence::Missing);
    known.find(|child| {
        let own = child.description.as_ref();
        own.is_some_and(|own| own.is(image, description))
    })
}

/// `WdfChildListAddOrUpdateChildDescriptionAsPresent`.
pub(crate) unsafe extern "win64" fn add_or_update(
    _globals: *const c_void,
    handle: Handle,
    identification: *const u32,
    address: *const u32,
) -> NtStatus {
    const FUNCTION: &str = "WdfChildListAddOrUpdateChildDescriptionAsPresent";
    let (image, list) = (image(), find(handle));
    // SAFETY: the driver passes a description.
    let given = match unsafe { check(FUNCTION, identification, list.config.identification) } {
        Ok(given) => given,
        Err(status) => return status,
    };
    let address = if list.config.address == 0 {
        Vec::new()
    } else {
        // SAFETY: the driver passes an address.
        match unsafe { check(FUNCTION, address, list.config.address) } {
            Ok(address) => bytes(address, list.config.address as usize),
            Err(status) => return status,
        }
    };
    let about = list.device();
    if let Some(known) = child_of(&image, &list, given) {
        let mut state = about.children.lock();
        let mut children = state.all.iter_mut();
        if let Some(own) = children.find(|own| own.number == known.number) {
            own.seen = true;
        }
        return STATUS_OBJECT_NAME_EXISTS;
    }
    let config = &list.config;
    let mut own = bytes(given, config.identification as usize);
    if config.duplicate != 0 {
        own[4..].fill(0);
    }
    let description = Description {
        list: Arc::clone(&list),
        identification: memory(&own),
        address: memory(&address),
    };
    if config.duplicate != 0 {
        let name = "EvtChildListIdentificationDescriptionDuplicate";
        let pair = [given, description.pointer()].map(ptr::with_exposed_provenance_mut);
        let status = call::status(&image, name, config.duplicate, handle, pair);
        if failed(status) {
            return status;
        }
    }
    about.children.lock().add(Some(Arc::new(description)), None);
    children::schedule(&image, list.bus);
    STATUS_SUCCESS
}

/// `WdfChildListUpdateChildDescriptionAsMissing`.
pub(crate) unsafe extern "win64" fn update_as_missing(
    _globals: *const c_void,
    handle: Handle,
    identification: *const u32,
) -> NtStatus {
    const FUNCTION: &str = "WdfChildListUpdateChildDescriptionAsMissing";
    let (image, list) = (image(), find(handle));
    // SAFETY: the driver passes a description.
    let given = match unsafe { check(FUNCTION, identification, list.config.identification) } {
        Ok(given) => given,
        Err(status) => return status,
    };
    let Some(child) = child_of(&image, &list, given) else {
        return STATUS_NO_SUCH_DEVICE;
    };
    set_missing(&image, list.bus, |own| own.number == child.number);
    STATUS_SUCCESS
}

/// `WdfChildListRequestChildEject`. Returns whether the child has a device; then it is ejected: it is missing from then on.
pub(crate) unsafe extern "win64" fn request_eject(
    _globals: *const c_void,
    handle: Handle,
    identification: *const u32,
) -> u8 {
    const FUNCTION: &str = "WdfChildListRequestChildEject";
    let (image, list) = (image(), find(handle));
    // SAFETY: the driver passes a description.
    let given = unsafe { check(FUNCTION, identification, list.config.identification) };
    let child = given.ok().and_then(|given| child_of(&image, &list, given));
    let Some(child) = child.filter(|child| child.device.is_some()) else {
        return 0;
    };
    set_missing(&image, list.bus, |own| own.number == child.number).into()
}

/// Marks children as missing. Returns `false` if there is none.
pub(super) fn set_missing(image: &Arc<Loaded>, bus: usize, which: impl Fn(&Child) -> bool) -> bool {
    let about = device::find(object::handle(bus));
    let mut state = about.children.lock();
    let mut any = false;
    for child in state.all.iter_mut().filter(|child| which(child)) {
        child.presence = Presence::Missing;
        any = true;
    }
    drop(state);
    children::schedule(image, bus);
    any
}

/// `WdfChildListBeginScan`: what is not reported before its end is missing.
pub(crate) extern "win64" fn begin_scan(_globals: *const c_void, list: Handle) {
    check_irql(DISPATCH_LEVEL);
    let about = find(list).device();
    about.children.hold();
    for child in &mut about.children.lock().all {
        child.seen = child.description.is_none();
    }
}

/// `WdfChildListEndScan`.
pub(crate) extern "win64" fn end_scan(_globals: *const c_void, list: Handle) {
    check_irql(DISPATCH_LEVEL);
    let list = find(list);
    if list.device().children.let_go() {
        set_missing(&image(), list.bus, |child| !child.seen);
    } else {
        misuse("no scan of the list goes on");
    }
}

fn copy(from: usize, to: usize, size: u32) {
    let bytes = bytes(from, size as usize);
    let to = ptr::with_exposed_provenance_mut::<u8>(to);
    // SAFETY: the driver passes an output of the size that it has said for its list.
    unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) };
}

//! Event tracing: `EtwRegister`, `EtwWrite` and their family. Every provider is enabled, for every
//! level and keyword, from its registration on.
// UNSAFETY: identifiers, descriptors and data are behind pointers of the image.
#![expect(unsafe_code)]

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;
use std::slice;
use std::sync::Arc;

use nmr_host::irql::{self, PASSIVE_LEVEL};
use nmr_sys::GUID;

use crate::native::crossing;
use crate::native::kernel::call;
use crate::native::kernel::call::misuse;
use crate::native::kernel::loaded::Loaded;
use crate::native::kernel::nt::{
    NtStatus, STATUS_INTEGER_OVERFLOW, STATUS_INVALID_HANDLE, STATUS_INVALID_PARAMETER,
    STATUS_SUCCESS,
};
use crate::native::kernel::points;
use crate::native::kernel::providers::Provider;
use crate::native::kernel::trace::{self, Descriptor, Field, Value};

fn check_passive() {
    let level = irql::current();
    if level != PASSIVE_LEVEL {
        misuse(format!("called at {level}"));
    }
}

pub(crate) unsafe extern "win64" fn register(
    id: *const GUID,
    enable: usize,
    context: *mut c_void,
    output: *mut u64,
) -> NtStatus {
    const ENABLE: usize = 1;
    static SOURCE: GUID = GUID::from_u128(0);
    check_passive();
    if id.is_null() || output.is_null() {
        misuse("an argument is null");
        return STATUS_INVALID_PARAMETER;
    }
    if let Err(status) = points::may_fail() {
        return status;
    }
    // SAFETY: the identifier is valid; the driver guarantees it.
    let id = unsafe { id.read() };
    let image = call::caller().image;
    let handle = image.system.next_handle();
    image.providers.lock().push(Provider {
        handle,
        id,
        name: None,
    });
    // SAFETY: the output is valid; the driver guarantees it.
    unsafe { output.write(handle) };
    if enable != 0 {
        let source = (&raw const SOURCE).expose_provenance();
        let (level, any, filter) = (u8::MAX.into(), usize::MAX, 0);
        let context = context.expose_provenance();
        let arguments = [source, ENABLE, level, any, 0, filter, context];
        // SAFETY: the image has given the callback, which gets its own context.
        unsafe { crossing::call(&image, "the enable callback", enable, arguments) };
    }
    STATUS_SUCCESS
}

pub(crate) extern "win64" fn unregister(handle: u64) -> NtStatus {
    check_passive();
    let Some((image, _)) = provider(handle) else {
        return STATUS_INVALID_HANDLE;
    };
    image.providers.lock().retain(|own| own.handle != handle);
    STATUS_SUCCESS
}

/// A provider of the calling image, or a report.
fn provider(handle: u64) -> Option<(Arc<Loaded>, Provider)> {
    let image = call::caller().image;
    let provider = image.providers.find(handle);
    if provider.is_none() {
        misuse(format!("{handle:#x} is not registered"));
    }
    Some((image, provider?))
}

pub(crate) unsafe extern "win64" fn set_information(
    handle: u64,
    class: u32,
    information: *const u8,
    length: u32,
) -> NtStatus {
    const TRAITS: u32 = 2;
    check_passive();
    let Some((image, _)) = provider(handle) else {
        return STATUS_INVALID_HANDLE;
    };
    if class != TRAITS {
        return STATUS_SUCCESS;
    }
    // SAFETY: the information is valid; the driver guarantees it.
    let traits = unsafe { bytes(information, length) };
    match trace::provider_name(&traits) {
        Ok(name) => {
            image.providers.name(handle, name);
            STATUS_SUCCESS
        }
        Err(why) => {
            misuse(format!("the provider's traits are malformed: {why}"));
            STATUS_INVALID_PARAMETER
        }
    }
}

pub(crate) extern "win64" fn event_enabled(handle: u64, _descriptor: *const Descriptor) -> u8 {
    provider(handle).is_some().into()
}

pub(crate) extern "win64" fn provider_enabled(handle: u64, _level: u8, _keyword: u64) -> u8 {
    provider(handle).is_some().into()
}

/// `EVENT_DATA_DESCRIPTOR`: a block of data.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    start: u64,
    size: u32,
    kind: u8,
    reserved: [u8; 3],
}

const _: () = assert!(size_of::<Block>() == 0x10);

/// The kinds of block that describe an event.
const EVENT_METADATA: u8 = 1;
const PROVIDER_METADATA: u8 = 2;

/// How many blocks an event may have.
const BLOCKS: u32 = 128;
/// How large its data may be: 64 KiB, less the header of an event.
const SIZE: usize = 0x1_0000 - 0x50;

/// # Safety
///
/// `start` is valid for reads of `size` bytes.
unsafe fn bytes(start: *const u8, size: u32) -> Vec<u8> {
    if start.is_null() || size == 0 {
        return Vec::new();
    }
    // SAFETY: the range is valid; the driver guarantees it.
    unsafe { slice::from_raw_parts(start, size as usize) }.to_vec()
}

pub(crate) unsafe extern "win64" fn write(
    handle: u64,
    descriptor: *const Descriptor,
    activity: *const GUID,
    count: u32,
    blocks: *const Block,
) -> NtStatus {
    // SAFETY: its arguments are valid; the driver guarantees it.
    unsafe { write_transfer(handle, descriptor, activity, ptr::null(), count, blocks) }
}

pub(crate) unsafe extern "win64" fn write_transfer(
    handle: u64,
    descriptor: *const Descriptor,
    _activity: *const GUID,
    _related: *const GUID,
    count: u32,
    blocks: *const Block,
) -> NtStatus {
    let Some((image, provider)) = provider(handle) else {
        return STATUS_INVALID_HANDLE;
    };
    if descriptor.is_null() || count > BLOCKS || (count != 0 && blocks.is_null()) {
        misuse("there is no descriptor, or too many or no blocks of data");
        return STATUS_INVALID_PARAMETER;
    }
    // SAFETY: the descriptor is valid; the driver guarantees it.
    let descriptor = unsafe { descriptor.read() };
    let blocks: Vec<_> = (0..count as usize)
        // SAFETY: there are as many blocks as the count says; the driver guarantees it.
        .map(|place| unsafe { blocks.wrapping_add(place).read() })
        .map(|block| {
            let start = ptr::with_exposed_provenance(block.start as usize);
            // SAFETY: the data is valid; the driver guarantees it.
            (block.kind, unsafe { bytes(start, block.size) })
        })
        .collect();
    if blocks.iter().map(|(_, block)| block.len()).sum::<usize>() > SIZE {
        misuse(format!("the event is larger than {SIZE} bytes"));
        return STATUS_INTEGER_OVERFLOW;
    }
    let (name, own_provider, fields) = decode(&blocks);
    if let Some(name) = &own_provider {
        image.providers.name(handle, name.clone());
    }
    let name_of_provider = own_provider.or(provider.name);
    image.system.trace(trace::Event {
        sequence: 0,
        recorded: 0,
        image: image.name.to_string(),
        thread: nmr_host::current_thread(),
        irql: irql::current(),
        provider: name_of_provider,
        provider_id: provider.id,
        name,
        descriptor,
        fields,
    });
    STATUS_SUCCESS
}

/// The names of the event and of its provider, and its fields.
fn decode(blocks: &[(u8, Vec<u8>)]) -> (Option<String>, Option<String>, Vec<Field>) {
    let of_kind = |wanted| blocks.iter().find(move |(kind, _)| *kind == wanted);
    let data = blocks
        .iter()
        .filter(|(kind, _)| ![EVENT_METADATA, PROVIDER_METADATA].contains(kind));
    let data = data.map(|(_, block)| block);
    let malformed = |why| misuse(format!("the event is malformed: {why}"));
    let provider = of_kind(PROVIDER_METADATA)
        .and_then(|(_, block)| trace::provider_name(block).map_err(malformed).ok());
    let described = of_kind(EVENT_METADATA).and_then(|(_, metadata)| {
        let data = data.clone().flatten().copied().collect::<Vec<_>>();
        trace::event(metadata, &data).map_err(malformed).ok()
    });
    if let Some((name, fields)) = described {
        return (Some(name), provider, fields);
    }
    let field = |block: &Vec<u8>| Field {
        name: String::new(),
        value: Value::Bytes(block.clone()),
    };
    (None, provider, data.map(field).collect())
}

thread_local! {
    /// What the thread is working for.
    static ACTIVITY: Cell<GUID> = const { Cell::new(GUID::from_u128(0)) };
}

/// `EtwActivityIdControl`.
pub(crate) unsafe extern "win64" fn activity_id_control(code: u32, id: *mut GUID) -> NtStatus {
    const GET: u32 = 1;
    const SET: u32 = 2;
    const CREATE: u32 = 3;
    const GET_SET: u32 = 4;
    const CREATE_SET: u32 = 5;
    if id.is_null() || !(GET..=CREATE_SET).contains(&code) {
        misuse(format!("the code is {code}, or the identifier null"));
        return STATUS_INVALID_PARAMETER;
    }
    let image = call::caller().image;
    let create = || GUID::from_u128(u128::from(image.system.next_handle()));
    // SAFETY: the identifier is valid; the driver guarantees it.
    let given = unsafe { id.read() };
    let answer = match code {
        GET => ACTIVITY.get(),
        SET => {
            ACTIVITY.set(given);
            given
        }
        CREATE => create(),
        GET_SET => ACTIVITY.replace(given),
        _ => ACTIVITY.replace(create()),
    };
    // SAFETY: as above.
    unsafe { id.write(answer) };
    STATUS_SUCCESS
}

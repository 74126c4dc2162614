//! Memory as objects: buffers of requests, of pool, and of the driver's own.
// UNSAFETY: functions that images call, and the memory that they name.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::ptr;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use nmr_host::irql::{APC_LEVEL, DISPATCH_LEVEL};

use super::layout::WDF_OBJECT_ATTRIBUTES;
use super::object::{self, Kind};
use super::request::Request;
use super::retrieve::{self, Direction};
use super::{Handle, check_irql, image, refuse, violation};
use crate::native::kernel::loaded::Loaded;
use crate::native::kernel::nt::{
    NtStatus, STATUS_BUFFER_TOO_SMALL, STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_BUFFER_SIZE,
    STATUS_INVALID_PARAMETER, STATUS_SUCCESS,
};
use crate::native::kernel::pool::{FRESH_BYTE, Wanted};
use crate::native::kernel::report::Fault;

/// A `WDFMEMORY`.
#[derive(Debug)]
pub(crate) enum Memory {
    /// The buffer of a request for one direction.
    OfRequest(Arc<Request>, Direction),
    /// Pool, which ends with the object.
    Pool(Block),
    /// Memory that the driver has: its address and its size.
    Preallocated(Mutex<(usize, usize)>),
}

/// A block of pool that an object owns.
#[derive(Debug)]
pub(crate) struct Block {
    image: Weak<Loaded>,
    address: usize,
    size: usize,
}

impl Drop for Block {
    fn drop(&mut self) {
        let Some(image) = self.image.upgrade() else {
            return;
        };
        if let Some((block, false)) = image.system.pool.free(self.address) {
            image.report(Fault::Misuse {
                function: "pool".to_owned(),
                text: format!("wrote outside of the {} bytes of a WDFMEMORY", block.size),
            });
        }
    }
}

impl Memory {
    /// Makes memory of pool, which holds what pool holds.
    pub(super) fn pool(
        image: &Arc<Loaded>,
        kind: i32,
        tag: u32,
        size: usize,
    ) -> Result<Self, NtStatus> {
        let tag = if tag == 0 {
            image.framework().tag()
        } else {
            tag
        };
        let wanted = Wanted {
            size,
            fill: FRESH_BYTE,
            paged: kind & 1 != 0,
        };
        let block = image.system.pool.allocate(image, wanted, tag);
        if block.is_null() {
            return Err(STATUS_INSUFFICIENT_RESOURCES);
        }
        Ok(Self::Pool(Block {
            image: Arc::downgrade(image),
            address: block.expose_provenance(),
            size,
        }))
    }

    /// Where it is, and how large.
    fn place(&self) -> (*mut c_void, usize) {
        let place = match self {
            Self::OfRequest(request, direction) => {
                let Ok((address, size)) = retrieve::buffer(request, *direction) else {
                    violation("the request of the memory is completed already");
                };
                return (address, size);
            }
            Self::Pool(block) => (block.address, block.size),
            Self::Preallocated(place) => *place.lock().unwrap_or_else(PoisonError::into_inner),
        };
        (ptr::with_exposed_provenance_mut(place.0), place.1)
    }

    /// Copies what a range of it holds.
    pub(super) fn read(&self) -> Vec<u8> {
        let (start, size) = self.place();
        // SAFETY: the memory is this large, and there as long as the object is.
        unsafe { std::slice::from_raw_parts(start.cast::<u8>(), size) }.to_vec()
    }

    /// Fills its beginning.
    pub(super) fn write(&self, data: &[u8]) {
        let (start, size) = self.place();
        // SAFETY: as in `read`; the length is no more than the size.
        unsafe { ptr::copy(data.as_ptr(), start.cast(), data.len().min(size)) };
    }
}

pub(super) fn find(memory: Handle) -> Arc<Memory> {
    match object::kind(memory) {
        Some(Kind::Memory(memory)) => memory,
        _ => violation(format_args!("{memory:p} is not a memory object")),
    }
}

/// `WdfMemoryCreate`.
pub(crate) unsafe extern "win64" fn create(
    _globals: *const c_void,
    attributes: *const WDF_OBJECT_ATTRIBUTES,
    kind: i32,
    tag: u32,
    size: usize,
    output: *mut Handle,
    buffer: *mut *mut c_void,
) -> NtStatus {
    const FUNCTION: &str = "WdfMemoryCreate";
    check_irql(if kind & 1 == 0 {
        DISPATCH_LEVEL
    } else {
        APC_LEVEL
    });
    if output.is_null() {
        violation("the output is null");
    }
    if size == 0 {
        return refuse(FUNCTION, STATUS_INVALID_PARAMETER, "BufferSize is 0");
    }
    let memory = match Memory::pool(&image(), kind, tag, size) {
        Ok(memory) => memory,
        Err(status) => return status,
    };
    let address = memory.place().0;
    let kind = Kind::Memory(Arc::new(memory));
    // SAFETY: the driver passes attributes and an output, as `WdfMemoryCreate` requires.
    let status = unsafe { object::create_simple(FUNCTION, attributes, output, kind) };
    if status == STATUS_SUCCESS && !buffer.is_null() {
        // SAFETY: the driver passes an output or null.
        unsafe { buffer.write(address) };
    }
    status
}

/// `WdfMemoryCreatePreallocated`.
pub(crate) unsafe extern "win64" fn create_preallocated(
    _globals: *const c_void,
    attributes: *const WDF_OBJECT_ATTRIBUTES,
    buffer: *mut c_void,
    size: usize,
    output: *mut Handle,
) -> NtStatus {
    const FUNCTION: &str = "WdfMemoryCreatePreallocated";
    if output.is_null() || buffer.is_null() {
        violation("the buffer or the output is null");
    }
    if size == 0 {
        return refuse(FUNCTION, STATUS_INVALID_PARAMETER, "BufferSize is 0");
    }
    let place = Mutex::new((buffer.expose_provenance(), size));
    let kind = Kind::Memory(Arc::new(Memory::Preallocated(place)));
    // SAFETY: the driver passes attributes and an output, as the function requires.
    unsafe { object::create_simple(FUNCTION, attributes, output, kind) }
}

/// `WdfMemoryGetBuffer`.
pub(crate) unsafe extern "win64" fn buffer(
    _globals: *const c_void,
    memory: Handle,
    length: *mut usize,
) -> *mut c_void {
    check_irql(DISPATCH_LEVEL);
    let (address, size) = find(memory).place();
    if !length.is_null() {
        // SAFETY: the driver passes an output or null.
        unsafe { length.write(size) };
    }
    address
}

/// `WdfMemoryAssignBuffer`.
pub(crate) extern "win64" fn assign_buffer(
    _globals: *const c_void,
    memory: Handle,
    buffer: *mut c_void,
    size: usize,
) -> NtStatus {
    check_irql(DISPATCH_LEVEL);
    let memory = find(memory);
    let Memory::Preallocated(place) = &*memory else {
        violation("the memory has a buffer of its own");
    };
    if buffer.is_null() {
        violation("the buffer is null");
    }
    if size == 0 {
        let text = "BufferSize is 0";
        return refuse("WdfMemoryAssignBuffer", STATUS_INVALID_PARAMETER, text);
    }
    *place.lock().unwrap_or_else(PoisonError::into_inner) = (buffer.expose_provenance(), size);
    STATUS_SUCCESS
}

/// Checks a copy between memory and a buffer, and returns where in the memory it is.
fn range(
    function: &'static str,
    memory: Handle,
    offset: usize,
    buffer: *const c_void,
    size: usize,
    too_small: NtStatus,
) -> Result<*mut u8, NtStatus> {
    check_irql(DISPATCH_LEVEL);
    let (start, whole) = find(memory).place();
    if buffer.is_null() {
        violation("the buffer is null");
    }
    if size == 0 {
        let text = "there is nothing to copy";
        return Err(refuse(function, STATUS_INVALID_PARAMETER, text));
    }
    if offset.checked_add(size).is_none_or(|end| end > whole) {
        let text = format!("{size} bytes from {offset} on are not in {whole} bytes of memory");
        return Err(refuse(function, too_small, text));
    }
    Ok(start.cast::<u8>().wrapping_add(offset))
}

/// `WdfMemoryCopyToBuffer`.
pub(crate) unsafe extern "win64" fn copy_to_buffer(
    _globals: *const c_void,
    memory: Handle,
    offset: usize,
    buffer: *mut c_void,
    size: usize,
) -> NtStatus {
    let function = "WdfMemoryCopyToBuffer";
    match range(
        function,
        memory,
        offset,
        buffer,
        size,
        STATUS_BUFFER_TOO_SMALL,
    ) {
        Ok(start) => {
            // SAFETY: the range is in the memory, and the driver passes a buffer of this size.
            unsafe { ptr::copy(start, buffer.cast(), size) };
            STATUS_SUCCESS
        }
        Err(status) => status,
    }
}

/// `WdfMemoryCopyFromBuffer`.
pub(crate) unsafe extern "win64" fn copy_from_buffer(
    _globals: *const c_void,
    memory: Handle,
    offset: usize,
    buffer: *const c_void,
    size: usize,
) -> NtStatus {
    let function = "WdfMemoryCopyFromBuffer";
    let too_small = STATUS_INVALID_BUFFER_SIZE;
    match range(function, memory, offset, buffer, size, too_small) {
        Ok(start) => {
            // SAFETY: the range is in the memory, and the driver passes a buffer of this size.
            unsafe { ptr::copy(buffer.cast(), start, size) };
            STATUS_SUCCESS
        }
        Err(status) => status,
    }
}

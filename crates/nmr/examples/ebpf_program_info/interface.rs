//! The program-information interface of eBPF for Windows: what `ebpf_extension_uuids.h`,
//! `ebpf_program_types.h`, `ebpf_windows.h` and `ebpf_result.h` of that project declare, and what
//! `shared_common.c` accepts (MIT licence; read and compared at commit `0be2d1c3` of August 2026).
//!
//! Neither side has functions. The provider's characteristics are the interface: a structure that
//! begins with its version and size, and points to others that do so as well.
// UNSAFETY: only an author of an interface can promise what lies behind its GUID. This one promises
// what the authors of eBPF for Windows have published.
#![expect(unsafe_code)]

use core::ffi::{CStr, c_char, c_void};
use core::mem::offset_of;
use core::ptr;

use nmr::{Client, Guid, Npi, Offer, Versioned, View};

/// `ebpf_extension_header_t`: how every structure begins.
#[repr(C)]
#[derive(Clone, Copy)]
struct Header {
    version: u16,
    /// Up to the end of the last field, without padding.
    size: usize,
    total_size: usize,
}

/// The beginning of `ebpf_program_data_t` that all versions with this header have. It cannot be made
/// outside of this module, so that it is always the beginning of a [`ProgramData`].
#[repr(C)]
pub(crate) struct ProgramDataBase {
    header: Header,
    program_info: *const ProgramInfo,
    specific_helpers: *const HelperAddresses,
    global_helpers: *const HelperAddresses,
    context_create: Option<ContextCreate>,
    context_destroy: Option<ContextDestroy>,
}

/// `ebpf_program_data_t`.
#[repr(C)]
pub(crate) struct ProgramData {
    base: ProgramDataBase,
    /// The IRQL at which programs run.
    pub(crate) required_irql: u8,
    /// Newer than the rest. There it is a union of a `uint32_t` and of bits.
    pub(crate) capabilities: u32,
}

/// `ebpf_program_info_t`.
#[repr(C)]
pub(crate) struct ProgramInfo {
    header: Header,
    program_type: *const ProgramType,
    specific_helper_count: u32,
    specific_helpers: *const c_void,
    global_helper_count: u32,
    global_helpers: *const c_void,
}

/// `ebpf_program_type_descriptor_t`.
#[repr(C)]
pub(crate) struct ProgramType {
    header: Header,
    name: *const c_char,
    context_descriptor: *const c_void,
    id: Guid,
    bpf_prog_type: u32,
    is_privileged: c_char,
}

/// `ebpf_helper_function_addresses_t`.
#[repr(C)]
struct HelperAddresses {
    header: Header,
    count: u32,
    addresses: *mut u64,
}

/// `ebpf_program_context_create_t`. The result is an `ebpf_result_t`, 0 for success.
type ContextCreate = unsafe extern "efiapi" fn(
    data: *const u8,
    data_size: usize,
    context_in: *const u8,
    context_size: usize,
    context: *mut *mut c_void,
) -> i32;

/// `ebpf_program_context_destroy_t`.
type ContextDestroy = unsafe extern "efiapi" fn(
    context: *mut c_void,
    data: *mut u8,
    data_size: *mut usize,
    context_out: *mut u8,
    context_size: *mut usize,
);

/// What the project calls the size of a structure: up to the end of its last field.
macro_rules! size_including {
    ($type:ty, $field:ident: $field_type:ty) => {
        offset_of!($type, $field) + size_of::<$field_type>()
    };
}

/// The two sizes of `ebpf_program_data_t` that ebpfcore accepts.
pub(crate) const PROGRAM_DATA_SIZES: [usize; 2] = [
    size_including!(ProgramData, required_irql: u8),
    size_including!(ProgramData, capabilities: u32),
];
const PROGRAM_INFO_SIZE: usize = size_including!(ProgramInfo, global_helpers: *const c_void);
const PROGRAM_TYPE_SIZE: usize = size_including!(ProgramType, is_privileged: c_char);

/// `EBPF_PROGRAM_INFO_EXTENSION_IID`.
pub(crate) struct ProgramInfoNpi;

// SAFETY: these are the declarations of the project. Its modules give no tables, and providers keep
// their data, which is the beginning of a `ProgramData`, as long as they are registered.
unsafe impl Npi for ProgramInfoNpi {
    const ID: Guid = Guid::from_u128(0x2934ad50_2154_44b6_9622_6c528c068411);
    type ClientDispatch = ();
    type ProviderDispatch = ();
    type ClientCharacteristics = ();
    type ProviderCharacteristics = ProgramDataBase;
}

// SAFETY: the data are constant, and their functions may be called on any thread.
unsafe impl Send for ProgramData {}
// SAFETY: as above.
unsafe impl Sync for ProgramDataBase {}
// SAFETY: as above.
unsafe impl Sync for ProgramData {}
// SAFETY: as above.
unsafe impl Sync for ProgramInfo {}
// SAFETY: as above.
unsafe impl Sync for ProgramType {}

// SAFETY: the header has the size, and new fields come at the end; so the project promises. No other
// structure has this base.
unsafe impl Versioned for ProgramData {
    type Base = ProgramDataBase;

    fn size(base: &ProgramDataBase) -> usize {
        base.header.size
    }
}

impl Header {
    const fn of<T>(version: u16, size: usize) -> Self {
        assert!(size <= size_of::<T>(), "so much is not there");
        Self {
            version,
            size,
            total_size: size_of::<T>(),
        }
    }
}

impl ProgramType {
    /// A type of programs without a description of their context. The project's own validation refuses
    /// such a type; here, it makes a stand-in.
    pub(crate) const fn new(name: &'static CStr, program_type: Guid) -> Self {
        Self {
            header: Header::of::<Self>(1, PROGRAM_TYPE_SIZE),
            name: name.as_ptr(),
            context_descriptor: ptr::null(),
            id: program_type,
            bpf_prog_type: 0,
            is_privileged: 0,
        }
    }
}

impl ProgramInfo {
    /// A type of programs without helper functions of its own.
    pub(crate) const fn new(program_type: &'static ProgramType) -> Self {
        Self {
            header: Header::of::<Self>(1, PROGRAM_INFO_SIZE),
            program_type,
            specific_helper_count: 0,
            specific_helpers: ptr::null(),
            global_helper_count: 0,
            global_helpers: ptr::null(),
        }
    }
}

impl ProgramData {
    /// The data of which a client is to see so many bytes.
    pub(crate) const fn new(version: u16, size: usize, program_info: &'static ProgramInfo) -> Self {
        Self {
            base: ProgramDataBase {
                header: Header::of::<Self>(version, size),
                program_info,
                specific_helpers: ptr::null(),
                global_helpers: ptr::null(),
                context_create: None,
                context_destroy: None,
            },
            required_irql: 2,
            capabilities: 0,
        }
    }
}

/// What a provider says about its type of programs, in safe types.
pub(crate) trait ProgramInfoOffer<'a> {
    /// The provider's data. `None` if there are none, or of another version.
    fn program_data(&self) -> Option<View<'a, ProgramData>>;
    /// The name of the type of programs and its identifier.
    fn program_type(&self) -> Option<(&'a CStr, Guid)>;
}

impl<'a> ProgramInfoOffer<'a> for Offer<'a, Client<ProgramInfoNpi>> {
    fn program_data(&self) -> Option<View<'a, ProgramData>> {
        let data = self.view::<ProgramData>()?;
        (data.base().header.version == 1).then_some(data)
    }

    fn program_type(&self) -> Option<(&'a CStr, Guid)> {
        let data = self.program_data()?.base();
        // SAFETY: the pointer must be null or valid for `'a`: it stays as long as the data.
        let info = unsafe { data.program_info.as_ref() }?;
        if info.header.version != 1 || info.header.size < PROGRAM_INFO_SIZE {
            return None;
        }
        // SAFETY: as above.
        let program_type = unsafe { info.program_type.as_ref() }?;
        if program_type.header.version != 1 || program_type.header.size < PROGRAM_TYPE_SIZE {
            return None;
        }
        // As the project's validation does, which looks no further.
        if program_type.name.is_null() {
            return None;
        }
        // SAFETY: the pointer must be to a text with a zero at its end: it is not null, and then the
        // project takes it for one too.
        let name = unsafe { CStr::from_ptr(program_type.name) };
        Some((name, program_type.id))
    }
}

// The layout on x64 and ARM64, computed by hand from the headers.
const _: () = assert!(size_of::<Header>() == 24);
const _: () = assert!(offset_of!(Header, size) == 8);
const _: () = assert!(offset_of!(Header, total_size) == 16);
const _: () = assert!(size_of::<ProgramDataBase>() == 64);
const _: () = assert!(offset_of!(ProgramDataBase, program_info) == 24);
const _: () = assert!(offset_of!(ProgramDataBase, specific_helpers) == 32);
const _: () = assert!(offset_of!(ProgramDataBase, global_helpers) == 40);
const _: () = assert!(offset_of!(ProgramDataBase, context_create) == 48);
const _: () = assert!(offset_of!(ProgramDataBase, context_destroy) == 56);
const _: () = assert!(size_of::<ProgramData>() == 72);
const _: () = assert!(offset_of!(ProgramData, required_irql) == 64);
const _: () = assert!(offset_of!(ProgramData, capabilities) == 68);
const _: () = assert!(PROGRAM_DATA_SIZES[0] == 65 && PROGRAM_DATA_SIZES[1] == 72);
const _: () = assert!(size_of::<ProgramInfo>() == 64 && PROGRAM_INFO_SIZE == 64);
const _: () = assert!(offset_of!(ProgramInfo, specific_helper_count) == 32);
const _: () = assert!(offset_of!(ProgramInfo, specific_helpers) == 40);
const _: () = assert!(offset_of!(ProgramInfo, global_helper_count) == 48);
const _: () = assert!(size_of::<ProgramType>() == 64 && PROGRAM_TYPE_SIZE == 61);
const _: () = assert!(offset_of!(ProgramType, context_descriptor) == 32);
const _: () = assert!(offset_of!(ProgramType, id) == 40);
const _: () = assert!(offset_of!(ProgramType, bpf_prog_type) == 56);
const _: () = assert!(size_of::<HelperAddresses>() == 40);
const _: () = assert!(offset_of!(HelperAddresses, addresses) == 32);

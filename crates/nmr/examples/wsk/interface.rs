//! Winsock Kernel (WSK) as a network programming interface, and no more of it than an application needs
//! to attach and to ask for the transports. Sockets have tables of their own, which begin here and are
//! not described.
//!
//! Where the declarations come from:
//! * the structures and functions, with the types of their fields and parameters: Microsoft's page of
//!   each, which has its name, in the public source of the driver documentation. Its editions up to early
//!   2018 have the prototypes in them.
//! * what goes over the NMR: "Attaching the WSK Client to the WSK Subsystem".
//! * the query: the page `WSK_TRANSPORT_LIST_QUERY`. None of these pages gives its number, or says how
//!   `MAKE_WSK_VERSION` packs a version; a public file of declarations for Rust does (MIT licence of
//!   S. J. R. van Schaik, 2021).
//! * statuses, `ADDRESS_FAMILY`, and the numbers of families, types and protocols: Microsoft's crate
//!   `windows-sys`, 0.61.
//!
//! Not confirmed: the value of `NPI_WSK_INTERFACE_ID`. The pages only name it; the value is what public
//! programs define that are not Microsoft's.
// UNSAFETY: only an author of an interface can promise what lies behind its GUID. This one promises
// what Microsoft documents.
#![expect(unsafe_code)]

use core::ffi::c_void;
use core::mem::offset_of;
use core::ptr;

use nmr::{Dispatch, DispatchFor, Guid, Npi, NtStatus, Remote};

/// `STATUS_NOT_IMPLEMENTED`: what an application answers to every event, because none is defined.
const STATUS_NOT_IMPLEMENTED: NtStatus = 0xc000_0002_u32.cast_signed();
/// `STATUS_BUFFER_OVERFLOW`, a warning.
pub(crate) const STATUS_BUFFER_OVERFLOW: NtStatus = 0x8000_0005_u32.cast_signed();
/// `WSK_TRANSPORT_LIST_QUERY`. It takes no input and no IRP.
pub(crate) const TRANSPORT_LIST_QUERY: u32 = 2;

/// `MAKE_WSK_VERSION`.
pub(crate) const fn version(major: u8, minor: u8) -> u16 {
    u16::from_be_bytes([major, minor])
}

/// `WSK_PROVIDER_CHARACTERISTICS`: the versions that the subsystem speaks.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Characteristics {
    pub(crate) highest: u16,
    pub(crate) lowest: u16,
}

/// `WSK_CLIENT_DISPATCH`.
#[repr(C)]
pub(crate) struct ClientDispatch {
    /// The version that the application wants to speak.
    version: u16,
    reserved: u16,
    event: Option<ClientEvent>,
}

/// `PFN_WSK_CLIENT_EVENT`.
type ClientEvent = unsafe extern "efiapi" fn(
    context: *mut c_void,
    event: u32,
    information: *mut c_void,
    length: usize,
) -> NtStatus;

/// `WSK_PROVIDER_DISPATCH` since Windows 7; before, it ended with `WskControlClient`. Every function
/// begins with the `WSK_CLIENT`, which is the provider's binding context.
#[repr(C)]
pub(crate) struct ProviderDispatch {
    /// The version that the subsystem speaks with this application. Its minor number may be higher than
    /// what the application asked for: such a version only adds to the lower ones.
    pub(crate) version: u16,
    pub(crate) reserved: u16,
    pub(crate) socket: Socket,
    pub(crate) socket_connect: SocketConnect,
    pub(crate) control_client: ControlClient,
    pub(crate) get_address_info: GetAddressInfo,
    pub(crate) free_address_info: FreeAddressInfo,
    pub(crate) get_name_info: GetNameInfo,
}

/// Structures of the kernel that only the provider looks into: `IRP`, `PEPROCESS`, `PETHREAD`,
/// `SECURITY_DESCRIPTOR`, `SOCKADDR`, `UNICODE_STRING`, `ADDRINFOEXW`.
pub(crate) type Opaque = *mut c_void;

/// `PFN_WSK_SOCKET`.
pub(crate) type Socket = unsafe extern "efiapi" fn(
    client: *mut c_void,
    address_family: u16,
    socket_type: u16,
    protocol: u32,
    flags: u32,
    socket_context: *mut c_void,
    dispatch: *const c_void,
    process: Opaque,
    thread: Opaque,
    security: Opaque,
    irp: Opaque,
) -> NtStatus;

/// `PFN_WSK_SOCKET_CONNECT`. It has no address family, which the local address says, and its flags are
/// reserved.
pub(crate) type SocketConnect = unsafe extern "efiapi" fn(
    client: *mut c_void,
    socket_type: u16,
    protocol: u32,
    local: Opaque,
    remote: Opaque,
    flags: u32,
    socket_context: *mut c_void,
    dispatch: *const c_void,
    process: Opaque,
    thread: Opaque,
    security: Opaque,
    irp: Opaque,
) -> NtStatus;

/// `PFN_WSK_CONTROL_CLIENT`. Its page calls what `returned` points to a `ULONG` in the text and a `SIZE_T`
/// in the prototype, as does the page of the query: a `usize` that was zero is right for both.
pub(crate) type ControlClient = unsafe extern "efiapi" fn(
    client: *mut c_void,
    code: u32,
    input_size: usize,
    input: *mut c_void,
    output_size: usize,
    output: *mut c_void,
    returned: *mut usize,
    irp: Opaque,
) -> NtStatus;

/// `PFN_WSK_GET_ADDRESS_INFO`.
pub(crate) type GetAddressInfo = unsafe extern "efiapi" fn(
    client: *mut c_void,
    node: Opaque,
    service: Opaque,
    name_space: u32,
    provider: *mut Guid,
    hints: Opaque,
    result: *mut Opaque,
    process: Opaque,
    thread: Opaque,
    irp: Opaque,
) -> NtStatus;

/// `PFN_WSK_FREE_ADDRESS_INFO`.
pub(crate) type FreeAddressInfo = unsafe extern "efiapi" fn(client: *mut c_void, info: Opaque);

/// `PFN_WSK_GET_NAME_INFO`.
pub(crate) type GetNameInfo = unsafe extern "efiapi" fn(
    client: *mut c_void,
    address: Opaque,
    length: u32,
    node: Opaque,
    service: Opaque,
    flags: u32,
    process: Opaque,
    thread: Opaque,
    irp: Opaque,
) -> NtStatus;

/// `WSK_TRANSPORT`: a combination of which sockets can be made.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Transport {
    pub(crate) version: u16,
    pub(crate) socket_type: u16,
    pub(crate) protocol: u32,
    pub(crate) address_family: u16,
    pub(crate) provider: Guid,
}

/// `NPI_WSK_INTERFACE_ID`, under which the subsystem is registered. See above for its value.
pub(crate) struct Wsk;

// SAFETY: these are the declarations of `wsk.h` for Windows 7 and later, whose subsystem lets its
// functions be called from any thread. The functions that take pointers are only called here.
unsafe impl Npi for Wsk {
    const ID: Guid = Guid::from_u128(0x2227e803_8d8b_11d4_abad_009027719e09);
    type ClientDispatch = ClientDispatch;
    type ProviderDispatch = ProviderDispatch;
    type ClientCharacteristics = ();
    type ProviderCharacteristics = Characteristics;
}

// SAFETY: the table is `repr(C)`, and its function takes the application's context.
unsafe impl Dispatch for ClientDispatch {}
// SAFETY: the table is `repr(C)`, and its functions take the provider's context.
unsafe impl Dispatch for ProviderDispatch {}

/// An application's part of a binding. It hears nothing: no event is defined.
pub(crate) struct Application;

// SAFETY: the function does not use its context, or anything else.
unsafe impl DispatchFor<Application> for ClientDispatch {
    const TABLE: &'static Self = &Self {
        version: version(1, 0),
        reserved: 0,
        event: Some(ignore),
    };
}

unsafe extern "efiapi" fn ignore(
    _context: *mut c_void,
    _event: u32,
    _information: *mut c_void,
    _length: usize,
) -> NtStatus {
    STATUS_NOT_IMPLEMENTED
}

/// What an application can ask of the subsystem.
pub(crate) trait Subsystem {
    /// The version that the subsystem speaks: the application's, or one with a higher minor number.
    fn version(&self) -> u16;

    /// Writes the transports that there are, and returns how many. If there is not enough room, says
    /// how many there are.
    fn transports(&self, into: &mut [Transport]) -> Result<usize, NoList>;
}

/// Why there is no list of transports.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum NoList {
    /// There are more than there was room for: so many.
    TooMany(usize),
    /// WSK answered with this status.
    Refused(NtStatus),
}

impl Subsystem for Remote<ProviderDispatch> {
    fn version(&self) -> u16 {
        // SAFETY: the peer is attached, and its table is whole.
        unsafe { (*Remote::table(self)).version }
    }

    fn transports(&self, into: &mut [Transport]) -> Result<usize, NoList> {
        let mut bytes = 0;
        // SAFETY: the peer is attached, and its table is whole.
        let control = unsafe { (*Remote::table(self)).control_client };
        // SAFETY: the function needs the peer's context, memory for so many bytes of output, and a place
        // for their number. There is no input and no IRP.
        let status = unsafe {
            control(
                Remote::context(self),
                TRANSPORT_LIST_QUERY,
                0,
                ptr::null_mut(),
                size_of_val(into),
                into.as_mut_ptr().cast(),
                &raw mut bytes,
                ptr::null_mut(),
            )
        };
        let count = bytes / size_of::<Transport>();
        match status {
            STATUS_BUFFER_OVERFLOW => Err(NoList::TooMany(count)),
            status if status < 0 => Err(NoList::Refused(status)),
            _ => Ok(count),
        }
    }
}

// The layout on x64 and ARM64, computed by hand from the structures on their pages.
const _: () = assert!(size_of::<Characteristics>() == 4);
const _: () = assert!(offset_of!(Characteristics, lowest) == 2);
const _: () = assert!(size_of::<ClientDispatch>() == 16);
const _: () = assert!(offset_of!(ClientDispatch, event) == 8);
const _: () = assert!(size_of::<ProviderDispatch>() == 56);
const _: () = assert!(offset_of!(ProviderDispatch, socket) == 8);
const _: () = assert!(offset_of!(ProviderDispatch, socket_connect) == 16);
const _: () = assert!(offset_of!(ProviderDispatch, control_client) == 24);
const _: () = assert!(offset_of!(ProviderDispatch, get_address_info) == 32);
const _: () = assert!(offset_of!(ProviderDispatch, free_address_info) == 40);
const _: () = assert!(offset_of!(ProviderDispatch, get_name_info) == 48);
const _: () = assert!(size_of::<Transport>() == 28);
const _: () = assert!(offset_of!(Transport, protocol) == 4);
const _: () = assert!(offset_of!(Transport, address_family) == 8);
const _: () = assert!(offset_of!(Transport, provider) == 12);
const _: () = assert!(version(1, 0) == 0x0100);

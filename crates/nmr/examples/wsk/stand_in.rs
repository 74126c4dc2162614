//! A stand-in for the WSK subsystem: all that it can do is to say which transports it has.
// UNSAFETY: its functions get pointers from the application.
#![expect(unsafe_code)]

use core::ffi::c_void;
use core::ptr;

use nmr::{DispatchFor, Guid, NtStatus};

use crate::interface::{
    ProviderDispatch, STATUS_BUFFER_OVERFLOW, TRANSPORT_LIST_QUERY, Transport, version,
};

/// `STATUS_NOT_SUPPORTED`.
const STATUS_NOT_SUPPORTED: NtStatus = 0xc000_00bb_u32.cast_signed();

/// The stand-in's part of a binding.
pub(crate) struct StandIn;

/// What it has: TCP over IPv4 and IPv6.
pub(crate) const TRANSPORTS: [Transport; 2] = [transport(AF_INET), transport(AF_INET6)];

const AF_INET: u16 = 2;
const AF_INET6: u16 = 23;

const fn transport(address_family: u16) -> Transport {
    const SOCK_STREAM: u16 = 1;
    const IPPROTO_TCP: u32 = 6;
    Transport {
        version: version(1, 0),
        socket_type: SOCK_STREAM,
        protocol: IPPROTO_TCP,
        address_family,
        provider: Guid::from_u128(0),
    }
}

/// A pointer to something that the stand-in does not look into.
type P = *mut c_void;

/// A function of arguments of these types that only says that it is not supported.
macro_rules! unsupported {
    ($($argument:ty),*) => {{
        unsafe extern "efiapi" fn unsupported($(_: $argument),*) -> NtStatus {
            STATUS_NOT_SUPPORTED
        }
        unsupported
    }};
}

// SAFETY: no function uses its context; the control writes where its caller says, which is all that it
// may be called for.
unsafe impl DispatchFor<StandIn> for ProviderDispatch {
    const TABLE: &'static Self = &Self {
        version: version(1, 0),
        reserved: 0,
        socket: unsupported! { P, u16, u16, u32, u32, P, *const c_void, P, P, P, P },
        socket_connect: unsupported! { P, u16, u32, P, P, u32, P, *const c_void, P, P, P, P },
        control_client: control,
        get_address_info: unsupported! { P, P, P, u32, *mut Guid, P, *mut P, P, P, P },
        free_address_info: free,
        get_name_info: unsupported! { P, P, u32, P, P, u32, P, P, P },
    };
}

unsafe extern "efiapi" fn free(_client: *mut c_void, _info: P) {}

unsafe extern "efiapi" fn control(
    _client: *mut c_void,
    code: u32,
    _input_size: usize,
    _input: *mut c_void,
    output_size: usize,
    output: *mut c_void,
    returned: *mut usize,
    _irp: P,
) -> NtStatus {
    if code != TRANSPORT_LIST_QUERY {
        return STATUS_NOT_SUPPORTED;
    }
    // SAFETY: the caller gives a place for the number of bytes.
    unsafe { returned.write(size_of_val(&TRANSPORTS)) };
    if output_size < size_of_val(&TRANSPORTS) {
        return STATUS_BUFFER_OVERFLOW;
    }
    // SAFETY: the output is not the static, and has room for so many bytes.
    unsafe { ptr::copy_nonoverlapping(TRANSPORTS.as_ptr(), output.cast(), TRANSPORTS.len()) };
    0
}

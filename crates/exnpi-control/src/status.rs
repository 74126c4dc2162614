//! Statuses, as `ntstatus.h` has them: above all those with which the driver refuses a request.

/// `STATUS_SUCCESS`.
pub const SUCCESS: i32 = 0;
/// Something is not complete yet: `STATUS_PENDING`.
pub const PENDING: i32 = 0x103;
/// Another request is registering or deregistering this module: `STATUS_DEVICE_BUSY`.
pub const BUSY: i32 = failure(0x8000_0011);
/// The request, or the size in it, is not that of its structure: `STATUS_INFO_LENGTH_MISMATCH`.
pub const WRONG_SIZE: i32 = failure(0xc000_0004);
/// A value is out of its range: `STATUS_INVALID_PARAMETER`.
pub const OUT_OF_RANGE: i32 = failure(0xc000_000d);
/// There is no such control code: `STATUS_INVALID_DEVICE_REQUEST`.
pub const UNKNOWN_CODE: i32 = failure(0xc000_0010);
/// There is no space for the reply: `STATUS_BUFFER_TOO_SMALL`.
pub const NO_SPACE: i32 = failure(0xc000_0023);
/// The driver does not speak this version: `STATUS_REVISION_MISMATCH`.
pub const WRONG_VERSION: i32 = failure(0xc000_0059);
/// The driver was built without this module: `STATUS_NOT_SUPPORTED`.
pub const NO_MODULE: i32 = failure(0xc000_00bb);

/// What a status is called, and what it means here. `None` if it is none of those that the driver
/// refuses requests with.
#[must_use]
pub const fn explain(status: i32) -> Option<(&'static str, &'static str)> {
    Some(match status {
        BUSY => (
            "STATUS_DEVICE_BUSY",
            "another request is changing this module; try again",
        ),
        WRONG_SIZE => (
            "STATUS_INFO_LENGTH_MISMATCH",
            "program and driver are of different versions; use those of one build",
        ),
        OUT_OF_RANGE => ("STATUS_INVALID_PARAMETER", "a value is out of its range"),
        UNKNOWN_CODE => (
            "STATUS_INVALID_DEVICE_REQUEST",
            "the driver does not know the request; is it a newer program than driver?",
        ),
        NO_SPACE => (
            "STATUS_BUFFER_TOO_SMALL",
            "there is no space for the reply; use program and driver of one build",
        ),
        WRONG_VERSION => (
            "STATUS_REVISION_MISMATCH",
            "program and driver are of different versions; use those of one build",
        ),
        NO_MODULE => (
            "STATUS_NOT_SUPPORTED",
            "the driver was built without this module",
        ),
        _ => return None,
    })
}

const fn failure(status: u32) -> i32 {
    status.cast_signed()
}

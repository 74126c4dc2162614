//! The names of the statuses that the NMR and its modules exchange.

use std::borrow::Cow;

use nmr_sys::NTSTATUS;

/// The names, as `ntstatus.h` has them.
const NAMES: &[(NTSTATUS, &str)] = &[
    (nmr_sys::STATUS_SUCCESS, "STATUS_SUCCESS"),
    (nmr_sys::STATUS_PENDING, "STATUS_PENDING"),
    (nmr_sys::STATUS_NOINTERFACE, "STATUS_NOINTERFACE"),
    (
        nmr_sys::STATUS_INVALID_PARAMETER,
        "STATUS_INVALID_PARAMETER",
    ),
    (
        nmr_sys::STATUS_INSUFFICIENT_RESOURCES,
        "STATUS_INSUFFICIENT_RESOURCES",
    ),
    (nmr_sys::STATUS_NO_MEMORY, "STATUS_NO_MEMORY"),
    (
        nmr_sys::STATUS_INVALID_DEVICE_STATE,
        "STATUS_INVALID_DEVICE_STATE",
    ),
    (nmr_sys::STATUS_DEVICE_NOT_READY, "STATUS_DEVICE_NOT_READY"),
    (nmr_sys::STATUS_NOT_SUPPORTED, "STATUS_NOT_SUPPORTED"),
    (nmr_sys::STATUS_ACCESS_DENIED, "STATUS_ACCESS_DENIED"),
    // The rest is what drivers return from their entry points.
    (failure(0xC000_0004), "STATUS_INFO_LENGTH_MISMATCH"),
    (failure(0xC000_0010), "STATUS_INVALID_DEVICE_REQUEST"),
    (failure(0xC000_0023), "STATUS_BUFFER_TOO_SMALL"),
    (failure(0xC000_0034), "STATUS_OBJECT_NAME_NOT_FOUND"),
    (failure(0xC000_0035), "STATUS_OBJECT_NAME_COLLISION"),
    (failure(0xC000_0059), "STATUS_REVISION_MISMATCH"),
    (failure(0xC000_0183), "STATUS_DRIVER_INTERNAL_ERROR"),
    (failure(0xC000_0225), "STATUS_NOT_FOUND"),
];

const fn failure(status: u32) -> NTSTATUS {
    status.cast_signed()
}

/// The name of a status, or its number if it has none here.
pub(crate) fn name(status: NTSTATUS) -> Cow<'static, str> {
    let known = NAMES.iter().find(|(value, _)| *value == status);
    known.map_or_else(|| number(status).into(), |&(_, name)| name.into())
}

/// A status as a number.
pub(crate) fn number(status: NTSTATUS) -> String {
    format!("{status:#010x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_statuses_have_names_and_others_numbers() {
        assert_eq!(name(0x103), "STATUS_PENDING");
        assert_eq!(name(0xC000_02B9_u32.cast_signed()), "STATUS_NOINTERFACE");
        assert_eq!(name(0xC000_0001_u32.cast_signed()), "0xc0000001");
    }
}

//! The layout of every structure, asserted at compile time against the header's (contract section
//! 1.1), which is the same on x86-64 and AArch64.
#![cfg(target_pointer_width = "64")]

use core::mem::{align_of, offset_of, size_of};

use crate::handles::{
    NMR_CLIENT_BINDING_HANDLE, NMR_CLIENT_HANDLE, NMR_PROVIDER_BINDING_HANDLE, NMR_PROVIDER_HANDLE,
};
use crate::types::{
    GUID, LUID, NPI, NPI_CLIENT_CHARACTERISTICS, NPI_MODULEID, NPI_MODULEID_TYPE,
    NPI_MODULEID_VALUE, NPI_PROVIDER_CHARACTERISTICS, NPI_REGISTRATION_INSTANCE,
};

/// Asserts the size, the alignment and every offset of one structure.
macro_rules! layout {
    ($type:ident: size $size:literal, align $align:literal { $($field:ident @ $offset:literal),* }) => {
        const _: () = {
            assert!(size_of::<$type>() == $size);
            assert!(align_of::<$type>() == $align);
            $(assert!(offset_of!($type, $field) == $offset);)*
        };
    };
}

layout!(GUID: size 16, align 4 {
    Data1 @ 0, Data2 @ 4, Data3 @ 6, Data4 @ 8
});
layout!(LUID: size 8, align 4 {
    LowPart @ 0, HighPart @ 4
});
layout!(NPI_MODULEID_VALUE: size 16, align 4 {
    Guid @ 0, IfLuid @ 0
});
layout!(NPI_MODULEID: size 24, align 4 {
    Length @ 0, Type @ 4, Value @ 8
});
layout!(NPI: size 16, align 8 {
    Handle @ 0, Dispatch @ 8
});
layout!(NPI_REGISTRATION_INSTANCE: size 40, align 8 {
    Version @ 0, Size @ 2, NpiId @ 8, ModuleId @ 16, Number @ 24, NpiSpecificCharacteristics @ 32
});
layout!(NPI_CLIENT_CHARACTERISTICS: size 72, align 8 {
    Version @ 0, Length @ 2, ClientAttachProvider @ 8, ClientDetachProvider @ 16, ClientCleanupBindingContext @ 24, ClientRegistrationInstance @ 32
});
layout!(NPI_PROVIDER_CHARACTERISTICS: size 72, align 8 {
    Version @ 0, Length @ 2, ProviderAttachClient @ 8, ProviderDetachClient @ 16, ProviderCleanupBindingContext @ 24, ProviderRegistrationInstance @ 32
});
layout!(NMR_CLIENT_HANDLE: size 8, align 8 {});
layout!(NMR_PROVIDER_HANDLE: size 8, align 8 {});
layout!(NMR_CLIENT_BINDING_HANDLE: size 8, align 8 {});
layout!(NMR_PROVIDER_BINDING_HANDLE: size 8, align 8 {});
const _: () = assert!(size_of::<NPI_MODULEID_TYPE>() == 4);
// Where the members of the embedded instance lie in the whole.
const INSTANCE: usize = offset_of!(NPI_CLIENT_CHARACTERISTICS, ClientRegistrationInstance);
const _: () = assert!(INSTANCE + offset_of!(NPI_REGISTRATION_INSTANCE, NpiId) == 40);
const _: () =
    assert!(INSTANCE + offset_of!(NPI_REGISTRATION_INSTANCE, NpiSpecificCharacteristics) == 64);

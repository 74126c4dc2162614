//! A registry without entries, in the shape in which wdk-build reads one.
#![allow(missing_docs, non_snake_case, clippy::missing_safety_doc)]

pub mod core {
    #[derive(Clone, Copy)]
    pub struct PCSTR;

    #[doc(inline)]
    pub use crate::s;
}

#[macro_export]
macro_rules! s {
    ($text:literal) => {
        $crate::core::PCSTR
    };
}

pub mod Win32 {
    pub mod System {
        pub mod Registry {
            use crate::core::PCSTR;

            #[derive(Clone, Copy, Default)]
            pub struct HKEY;
            pub struct Flags;
            pub struct NotFound;

            pub const HKEY_LOCAL_MACHINE: HKEY = HKEY;
            pub const KEY_READ: Flags = Flags;
            pub const RRF_RT_REG_SZ: Flags = Flags;

            impl NotFound {
                #[must_use]
                pub fn is_ok(&self) -> bool {
                    false
                }
                pub fn ok(self) -> Result<(), &'static str> {
                    Err("there is no registry")
                }
            }

            pub unsafe fn RegOpenKeyExA(
                _key: HKEY,
                _path: PCSTR,
                _options: Option<u32>,
                _access: Flags,
                _result: *mut HKEY,
            ) -> NotFound {
                NotFound
            }

            pub unsafe fn RegGetValueA(
                _key: HKEY,
                _path: Option<PCSTR>,
                _value: PCSTR,
                _flags: Flags,
                _kind: Option<*mut u32>,
                _data: Option<*mut ::core::ffi::c_void>,
                _length: Option<*mut u32>,
            ) -> NotFound {
                NotFound
            }

            pub unsafe fn RegCloseKey(_key: HKEY) -> NotFound {
                NotFound
            }
        }
    }
}

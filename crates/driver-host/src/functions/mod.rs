//! The table of names: which function of this crate an image gets for which name of a library. A new
//! function is a row here and its code in `native/exports` (the kernel) or `native/wdf` (the framework).
//!
//! The names are available everywhere; the functions, where images can be loaded.

/// Makes `NAMES` and, where images can be loaded, `find`. A `gated` function is called through the gate; a
/// `direct` one is small, or keeps other rules than the usual convention's.
macro_rules! table {
    (
        { $($uses:item)* }
        gated { $($gated:literal => $gated_function:path,)* }
        direct { $($direct:literal => $direct_function:path,)* }
    ) => {
        /// The names that there is a function for.
        pub(super) static NAMES: &[&str] = &[$($gated,)* $($direct,)*];

        /// The function that has a name.
        #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
        pub(super) fn find(name: &str) -> Option<super::Target> {
            $($uses)*
            match name {
                $($gated => Some(super::Target::gated($gated_function as *const ())),)*
                $($direct => Some(super::Target::direct($direct_function as *const ())),)*
                _ => None,
            }
        }
    };
}

mod kernel;
mod kmdf;
mod netio;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod target;
mod wdfldr;
mod wpp;

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
pub(crate) use target::{Target, find, find_framework, kernel_functions};

/// The libraries that drivers import from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Library {
    Kernel,
    Netio,
    WdfLdr,
    WppRecorder,
}

impl Library {
    /// Finds a library by its name, in any case.
    fn named(name: &str) -> Option<Self> {
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        if is("ntoskrnl.exe") || is("hal.dll") {
            Some(Self::Kernel)
        } else if is("netio.sys") {
            Some(Self::Netio)
        } else if is("wdfldr.sys") {
            Some(Self::WdfLdr)
        } else if is("wpprecorder.sys") {
            Some(Self::WppRecorder)
        } else {
            None
        }
    }
}

/// Returns `true` if the loader has a function that an image imports by name.
#[must_use]
pub fn is_implemented(library: &str, function: &str) -> bool {
    let names = match Library::named(library) {
        Some(Library::Kernel) => kernel::NAMES,
        Some(Library::Netio) => netio::NAMES,
        Some(Library::WdfLdr) => wdfldr::NAMES,
        Some(Library::WppRecorder) => wpp::NAMES,
        None => return false,
    };
    names.contains(&function)
}

/// Returns `true` if the loader has a function of KMDF; its name begins with `Wdf`.
#[must_use]
pub fn is_framework_implemented(function: &str) -> bool {
    let name = function.strip_prefix("Wdf");
    name.is_some_and(|name| kmdf::NAMES.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_there_once_and_known_to_the_framework() {
        for names in [
            kernel::NAMES,
            kmdf::NAMES,
            netio::NAMES,
            wdfldr::NAMES,
            wpp::NAMES,
        ] {
            let mut sorted = names.to_vec();
            sorted.sort_unstable();
            sorted.dedup();
            assert_eq!(sorted.len(), names.len());
        }
        for name in kmdf::NAMES {
            assert!(crate::kmdf::NAMES.contains(name), "KMDF has no Wdf{name}");
        }
    }
}

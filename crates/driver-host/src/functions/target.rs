//! The target of an import: the address that an image gets for a name.

use super::{Library, kernel, kmdf, netio, wdfldr, wpp};
use crate::native::exports::{csq, lookaside};
use crate::pe::Name;

/// A function that images can call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Target {
    /// Called through the [gate](crate::native::abi::gate).
    Gated(usize),
    /// Called directly.
    Direct(usize),
}

impl Target {
    pub(super) fn gated(function: *const ()) -> Self {
        Self::Gated(function.expose_provenance())
    }

    pub(super) fn direct(function: *const ()) -> Self {
        Self::Direct(function.expose_provenance())
    }

    pub(crate) fn address(self) -> usize {
        match self {
            Self::Gated(address) | Self::Direct(address) => address,
        }
    }
}

/// Finds a function by the name of its library, in any case, and its own.
pub(crate) fn find(library: &str, name: &Name) -> Option<Target> {
    let Name::Name(name) = name else {
        return None;
    };
    match Library::named(library)? {
        Library::Kernel => kernel::find(name),
        Library::Netio => netio::find(name),
        Library::WdfLdr => wdfldr::find(name),
        Library::WppRecorder => wpp::find(name),
    }
}

/// Finds a function of KMDF by its name without `Wdf`.
pub(crate) fn find_framework(name: &str) -> Option<Target> {
    kmdf::find(name)
}

/// The functions of the kernel, by their names, and those that drivers get by pointers only.
pub(crate) fn kernel_functions() -> impl Iterator<Item = (&'static str, Target)> {
    let names = kernel::NAMES.iter();
    let by_pointer = lookaside::routines().into_iter();
    let by_pointer = by_pointer.chain(csq::routines());
    let by_pointer = by_pointer.map(|(name, function)| (name, Target::gated(function)));
    names
        .filter_map(|name| Some((*name, kernel::find(name)?)))
        .chain(by_pointer)
}

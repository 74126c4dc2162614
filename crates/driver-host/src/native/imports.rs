//! Which name is which function of this crate.

use super::exports;
use super::report::Fault;
use super::{gate, wdf};
use crate::pe::Name;

/// A function that images can import.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Target {
    /// Called through the [gate](super::gate).
    Gated(usize),
    /// Called directly: it is small, or keeps other rules than the usual convention's.
    Direct(usize),
}

impl Target {
    /// A function that goes through the gate.
    pub(crate) fn gated(function: *const ()) -> Self {
        Self::Gated(function.expose_provenance())
    }

    /// A function that does not.
    pub(crate) fn direct(function: *const ()) -> Self {
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
    let is = |known: &str| library.eq_ignore_ascii_case(known);
    if is("ntoskrnl.exe") || is("hal.dll") {
        exports::find(name)
    } else if is("netio.sys") {
        exports::netio::find(name)
    } else if is("wdfldr.sys") {
        wdf::bind::find(name)
    } else {
        None
    }
}

/// The address of the function that stands for every one that is missing.
pub(crate) fn trap() -> usize {
    (missing as *const ()).expose_provenance()
}

/// Says which function was called, and stops.
extern "win64" fn missing() -> ! {
    let call = gate::caller();
    call.image.stop(Fault::Unimplemented {
        library: call.library.to_string(),
        function: call.function.to_string(),
        offset: call.offset,
    })
}

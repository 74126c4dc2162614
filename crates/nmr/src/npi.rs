//! [`Npi`]: a network programming interface.
// UNSAFETY: the type of what lies behind a GUID is a promise of the interface's author.
#![expect(unsafe_code)]

use nmr_sys::GUID;

use crate::dispatch::Dispatch;

/// A network programming interface: the GUID by which the NMR finds the peers of a module, and the
/// types of what they exchange.
///
/// The same tables under another GUID are another interface: a second type, and the way to keep a
/// test away from the modules of the system.
///
/// Source: "Network Programming Interface" of the Windows driver documentation.
///
/// # Safety
///
/// Every module that registers for `ID`, in whatever language,
///
/// * gives tables of these types, or null ones, and keeps them until its cleanup callback;
/// * gives characteristics of these types, or null ones, and keeps them as long as it is
///   registered;
/// * keeps what a pointer in an argument, a result or a structure points to as long as the interface says, and
///   at the most until its image is unloaded: a reference that is `'static` here, or a pointer to a function,
///   dies with the other image;
/// * lets its functions be called from any thread, with any arguments of their types, from its
///   attach to the end of the caller's detach;
/// * calls its peer's functions with the context it got from it, and only in that time.
///
/// If older versions of a type are shorter, then the type here is the part that all have. Only a table
/// that is [`Versioned`](crate::Versioned) may be declared whole.
pub unsafe trait Npi: 'static {
    /// The identifier: `NPIID`.
    const ID: GUID;
    /// The functions of a client, or `()`.
    type ClientDispatch: Dispatch;
    /// The functions of a provider, or `()`.
    type ProviderDispatch: Dispatch;
    /// What a client says about itself: its `NpiSpecificCharacteristics`, or `()`.
    type ClientCharacteristics: Sync + 'static;
    /// What a provider says about itself: its `NpiSpecificCharacteristics`, or `()`.
    type ProviderCharacteristics: Sync + 'static;
}

//! The events that the driver gives to ETW (Event Tracing for Windows). `exnpi_control` describes
//! them. While nobody listens an event costs one comparison.

use nmr::NtStatus;
use tracelogging::{Guid, Provider, define_provider, write_event};

use crate::tally::Tally;

define_provider!(EVENTS, "ExnpiDriver");

/// The provider of the events. Until it is registered with ETW, and where that fails, it writes
/// nothing.
pub(crate) fn provider() -> &'static Provider {
    &EVENTS
}

/// Declares functions that write one event each, about the module with a tally.
macro_rules! events {
    ($($(#[$text:meta])* $function:ident = $name:tt;)*) => {$(
        $(#[$text])*
        pub(crate) fn $function(tally: &Tally, peer: u128, status: NtStatus) {
            write_event!(
                EVENTS,
                $name,
                level(Informational),
                str8("Role", tally.role),
                guid("Module", &Guid::from_u128(&tally.identity())),
                guid("Peer", &Guid::from_u128(&peer)),
                win_ntstatus("Status", &status),
            );
        }
    )*};
}

events! {
    /// A module was registered, or was refused.
    register = "Register";
    /// A module was deregistered, and has no binding any more.
    unregister = "Unregister";
    /// A module has attached to a peer.
    attach = "Attach";
    /// A module has declined a peer, or a peer the module.
    decline = "Decline";
    /// A binding is asked to detach.
    detach = "Detach";
    /// The detach has to wait for calls in progress.
    pend = "Pend";
    /// The last of these calls has ended.
    complete = "Complete";
    /// A binding was cleaned up.
    cleanup = "Cleanup";
}

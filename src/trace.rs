//! The events that the driver gives to ETW (Event Tracing for Windows). `exnpi_control` describes
//! them. Without a listener an event costs one comparison.

use nmr::NtStatus;
use tracelogging::{Guid, Level, Provider, define_provider, provider_enabled, write_event};
use zerocopy::{Immutable, IntoBytes};

use crate::tally::Tally;

define_provider!(EVENTS, "ExnpiDriver");

/// The provider of the events. Until it is registered with ETW, and where that fails, it writes
/// nothing.
pub(crate) fn provider() -> &'static Provider {
    &EVENTS
}

/// What an event says besides the role, in the order of its fields and without gaps.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
struct Facts {
    module: [u8; 16],
    peer: [u8; 16],
    status: NtStatus,
}

/// Writes an event if it is listened to. What events have in common is here, once: it is most of their code.
#[inline(never)]
fn write(tally: &Tally, peer: u128, status: NtStatus, event: fn(&str, &[u8])) {
    if provider_enabled!(EVENTS, Level::Informational, 1) {
        let facts = Facts {
            module: Guid::from_u128(&tally.identity()).to_bytes_le(),
            peer: Guid::from_u128(&peer).to_bytes_le(),
            status,
        };
        event(tally.role, facts.as_bytes());
    }
}

/// Declares functions that write one event each, about the module with a tally.
macro_rules! events {
    ($($(#[$text:meta])* $function:ident = $name:tt;)*) => {$(
        $(#[$text])*
        pub(crate) fn $function(tally: &Tally, peer: u128, status: NtStatus) {
            write(tally, peer, status, |role, facts| {
                write_event!(
                    EVENTS,
                    $name,
                    level(Informational),
                    str8("Role", role),
                    raw_meta("Module", Guid),
                    raw_meta("Peer", Guid),
                    raw_meta("Status", Hex32, format(NtStatus)),
                    raw_data(facts),
                );
            });
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

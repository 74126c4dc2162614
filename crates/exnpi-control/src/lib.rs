//! The protocol between programs and the sample driver: a device interface, three control codes,
//! and the structures that go with them.
//!
//! The driver registers the device interface [`INTERFACE`]. A program finds the device by it, opens
//! it, and sends control requests ([`code`]):
//!
//! | code | value | access | request | reply |
//! |---|---|---|---|---|
//! | [`code::QUERY`] | `0x00226000` | `FILE_READ_DATA` | [`Query`], 8 bytes | [`State`], 192 bytes |
//! | [`code::CALL`] | `0x0022a004` | `FILE_WRITE_DATA` | [`Call`], 16 bytes | [`Called`], 24 bytes |
//! | [`code::CHANGE`] | `0x0022a008` | `FILE_WRITE_DATA` | [`Change`], 16 bytes | [`Changed`], 16 bytes |
//!
//! All of them are `METHOD_BUFFERED`. Every structure begins with a [`Header`]: its size and its
//! version. The driver takes a request that has exactly the size and the version that it knows, and
//! space for the whole reply; it answers with the size of the reply, or with a [`status`] and nothing.
//! What a request sets in motion can fail although the request is right; then the reply says so.
//!
//! # Events
//!
//! The driver is the `TraceLogging` provider [`ETW_PROVIDER`], whose identifier [`ETW_PROVIDER_ID`]
//! follows from the name: `tracelog -start T -f t.etl -guid *ExnpiDriver -level 5`. Its events are
//! `Register`, `Unregister`, `Attach`, `Decline`, `Detach`, `Pend`, `Complete` and `Cleanup`, at the
//! level *informational*. Each has the fields
//!
//! | field | type | what |
//! |---|---|---|
//! | `Role` | UTF-8 | `client` or `provider`: which of the driver's modules |
//! | `Module` | GUID | its identity |
//! | `Peer` | GUID | the identity of the other module; zero if the event has none, or it is not a GUID |
//! | `Status` | NTSTATUS | how it ended |
#![no_std]
#![forbid(unsafe_code)]

pub mod code;
mod message;
pub mod status;

pub use message::{
    Action, Call, Called, Change, Changed, Header, MOST_CALLS, Message, ModuleState, Query, Role,
    State, VERSION,
};

/// The device interface class: `{6b0c2f86-9d0e-4b1c-9f53-0d5c8d2f7a41}`.
pub const INTERFACE: u128 = 0x6b0c2f86_9d0e_4b1c_9f53_0d5c8d2f7a41;

/// The name of the driver's provider of events.
pub const ETW_PROVIDER: &str = "ExnpiDriver";

/// The identifier of that provider, which tools compute from its name:
/// `{bd5c6b07-7eb5-51b3-2116-bdde7eb19fd2}`.
pub const ETW_PROVIDER_ID: u128 = 0xbd5c6b07_7eb5_51b3_2116_bdde7eb19fd2;

#[cfg(test)]
mod tests {
    #[test]
    fn the_identifier_of_the_provider_follows_from_its_name() {
        let id = tracelogging::Guid::from_name(super::ETW_PROVIDER);
        assert_eq!(
            id,
            tracelogging::Guid::from_u128(&super::ETW_PROVIDER_ID),
            "{id:x?}"
        );
    }
}

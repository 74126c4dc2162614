//! Events that drivers write with ETW, decoded as far as they describe themselves.

mod decode;
mod value;

use nmr_host::ThreadNumber;
use nmr_host::irql::Irql;
use nmr_sys::GUID;

pub(crate) use decode::{event, provider_name};
pub use value::{Field, Value};

/// An ETW event that an image wrote.
#[derive(Clone, PartialEq, Debug)]
pub struct Event {
    /// Its place among all that images printed and traced, from 0.
    pub sequence: u64,
    /// How many entries the [record](nmr_host::Registrar::records) had.
    pub recorded: u64,
    /// The name of the image.
    pub image: String,
    /// The thread.
    pub thread: ThreadNumber,
    /// Its IRQL.
    pub irql: Irql,
    /// The name of the provider, if the event or the provider's traits say it.
    pub provider: Option<String>,
    /// What identifies the provider.
    pub provider_id: GUID,
    /// The name of the event, if it describes itself (`TraceLogging`).
    pub name: Option<String>,
    /// Its descriptor.
    pub descriptor: Descriptor,
    /// Its fields; of an event that does not describe itself, the blocks of data, without names.
    pub fields: Vec<Field>,
}

/// `EVENT_DESCRIPTOR`: what an event is about.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Descriptor {
    /// The event's number; 0 in events that describe themselves.
    pub id: u16,
    /// The version of that number.
    pub version: u8,
    /// The channel; 11 in events that describe themselves.
    pub channel: u8,
    /// The severity: 1 critical, 2 error, 3 warning, 4 information, 5 verbose; 0 is always logged.
    pub level: u8,
    /// The operation: 0 information, 1 start, 2 stop, and others.
    pub opcode: u8,
    /// The provider's task.
    pub task: u16,
    /// The provider's categories, as bits.
    pub keyword: u64,
}

const _: () = assert!(size_of::<Descriptor>() == 0x10);

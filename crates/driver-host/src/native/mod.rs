//! Everything that runs an image: Linux on x86-64.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "a register has 64 bits, of which C's types take a part; and pointers have 64 bits here"
)]

mod abi;
mod crossing;
pub(crate) mod exports;
mod host;
mod io;
mod kernel;
mod loader;
pub(crate) mod wdf;

pub use host::{
    Child, DeviceError, Exercise, Exercised, Fate, Handle, Host, Image, Interface, LoadError,
    LoadOptions, Outcome, Peer, PeerComes, RequestError, Scenario, Source, StartPeer, Step, Trial,
    Unloaded,
};
pub use kernel::inside::Visit;
pub use kernel::points::{Plan, Point, Refusal, Site};
pub use kernel::registry::RegistryValue;
pub use kernel::registry_file::BadRegistryFile;
pub use kernel::report::{Fault, Report, Stopped};
pub use kernel::system::Print;
pub use kernel::trace::{Descriptor, Event, Field, Value};

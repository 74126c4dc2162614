//! The host, as tests and tools hold it.

mod exercise;
#[expect(
    clippy::module_inception,
    reason = "the type is what the folder is about"
)]
mod host;
mod image;
mod options;
mod scenario;
mod user;

pub use exercise::{Exercise, Exercised};
pub use host::Host;
pub use image::{Child, DeviceError, Image, Unloaded};
pub use options::{LoadError, LoadOptions, Source};
pub use scenario::{Fate, Outcome, Peer, PeerComes, Scenario, StartPeer, Step, Trial};
pub use user::{Handle, Interface, RequestError};

//! Everything that runs an image: Linux on x86-64.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "a register has 64 bits, of which C's types take a part; and pointers have 64 bits here"
)]

mod during;
mod entry;
mod exercise;
mod exports;
mod fault;
mod frames;
mod gate;
mod host;
mod image;
mod imports;
mod inside;
mod kernel;
mod linux_calls;
mod loaded;
mod map;
mod objects;
mod options;
mod peek;
mod points;
mod ranges;
mod report;
mod runner;
mod scenario;
mod stack;
mod system;
mod tables;
mod thunk;
mod trace;
mod user;
mod wdf;

pub use exercise::{Exercise, Exercised};
pub use host::Host;
pub use image::{DeviceError, Image, Unloaded};
pub use inside::Visit;
pub use options::{LoadError, LoadOptions, Source};
pub use points::{Plan, Point, Refusal, Site};
pub use report::{Fault, Report, Stopped};
pub use scenario::{Fate, Outcome, Peer, PeerComes, Scenario, StartPeer, Step, Trial};
pub use system::Print;
pub use trace::{Descriptor, Event, Field, Value};
pub use user::{Handle, Interface, RequestError};

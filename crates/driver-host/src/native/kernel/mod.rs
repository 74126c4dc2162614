//! The kernel in plain Rust: its objects and services, the threads that run drivers, and what is known of
//! each driver. Nothing here has the calling convention of images.

pub(crate) mod buffer;
pub(crate) mod call;
pub(crate) mod device;
pub(crate) mod device_object;
pub(crate) mod dpc;
pub(crate) mod during;
pub(crate) mod frames;
pub(crate) mod inside;
pub(crate) mod irp;
pub(crate) mod irql;
pub(crate) mod keys;
mod linux_calls;
pub(crate) mod loaded;
pub(crate) mod mdl;
pub(crate) mod namespace;
pub(crate) mod nt;
pub(crate) mod objects;
pub(crate) mod peek;
pub(crate) mod points;
pub(crate) mod pool;
pub(crate) mod providers;
pub(crate) mod ranges;
pub(crate) mod registrations;
pub(crate) mod registry;
pub(crate) mod report;
pub(crate) mod runner;
pub(crate) mod shared_data;
pub(crate) mod spin;
pub(crate) mod stack;
pub(crate) mod structure;
pub(crate) mod system;
pub(crate) mod text;
pub(crate) mod trace;
pub(crate) mod version;
pub(crate) mod wait;
pub(crate) mod work;

//! Safe network modules for the Network Module Registrar (NMR) of Windows.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod attach;
mod binding;
mod boxed;
mod detach;
mod dispatch;
mod error;
mod gate;
mod handle;
mod identity;
mod link;
mod module;
mod npi;
mod offer;
mod peer;
mod registration;
mod role;
mod shared;
mod slot;
mod sync;

pub use detach::Detach;
pub use dispatch::{Dispatch, DispatchFor, Remote, Serves};
pub use error::{Error, Result};
pub use identity::{Identity, ModuleId};
pub use module::Module;
pub use nmr_sys::{GUID as Guid, LUID as Luid, NTSTATUS as NtStatus};
pub use npi::Npi;
pub use offer::Offer;
pub use peer::{Call, Detached, Peer};
pub use registration::{Closing, Registration};
pub use role::{Client, Provider, Role};
pub use shared::Shared;
pub use slot::Slot;

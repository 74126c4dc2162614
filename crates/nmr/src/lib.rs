//! Safe network modules for the Network Module Registrar (NMR) of Windows.
//!
//! The NMR introduces network modules to each other: a client of a network programming interface
//! (NPI) and its providers. Two modules that attach exchange a context and a table of functions
//! each, call each other directly from then on, and detach when one of them leaves, also while calls
//! are in progress. This crate makes that a matter of traits and values:
//!
//! * an interface is a type that implements [`Npi`], with its tables from [`dispatch!`];
//! * a module is a type that implements [`Module`], in the role of a [`Client`] or a [`Provider`];
//! * [`Registration::new`] registers it, and dropping the [`Registration`] deregisters it and waits;
//! * an [`Offer`] of a peer is declined with an error, or accepted with a binding, which the peer calls;
//! * a [`Peer`], or a [`Slot`] for the one peer in use, is called by entering it: the [`Call`] proves
//!   that the peer is attached. Dropping the last one completes a detach. Nothing waits for it.
//!
//! A module needs no `unsafe`. The author of an interface needs it once, to promise what its GUID
//! stands for.
//!
//! # Example
//!
//! ```
//! # use nmr_host as _;
//! use core::sync::atomic::{AtomicU32, Ordering};
//! use nmr::{Client, Guid, Identity, Module, Npi, Offer, Provider, Registration, Result, Slot};
//!
//! // An interface: its functions, and what its GUID stands for.
//! nmr::dispatch! {
//!     /// What a counter does for its clients.
//!     pub trait Counter in struct CounterDispatch {
//!         /// Adds to the count, and returns it.
//!         fn add(&self, value: u32) -> u32;
//!     }
//! }
//!
//! struct CounterNpi;
//!
//! // The promise: every module that registers for this GUID has these tables and characteristics.
//! unsafe impl Npi for CounterNpi {
//!     const ID: Guid = Guid::from_u128(0xc2e1f8a0_54f4_4b7e_8a55_0b7d4f6d1f2e);
//!     type ClientDispatch = ();
//!     type ProviderDispatch = CounterDispatch;
//!     type ClientCharacteristics = ();
//!     type ProviderCharacteristics = ();
//! }
//!
//! // A provider, with a count for each client.
//! struct Counts;
//! struct Count(AtomicU32);
//!
//! impl Module<Provider<CounterNpi>> for Counts {
//!     type Binding = Count;
//!
//!     fn identity(&self) -> Identity {
//!         Identity::new(Guid::from_u128(0x2c4c3e2b_77d7_4d58_9f7b_2f4f0c1f3a01))
//!     }
//!
//!     fn attach(&self, _offer: Offer<'_, Provider<CounterNpi>>) -> Result<Count> {
//!         Ok(Count(AtomicU32::new(0)))
//!     }
//! }
//!
//! impl Counter for Count {
//!     fn add(&self, value: u32) -> u32 {
//!         self.0.fetch_add(value, Ordering::Relaxed) + value
//!     }
//! }
//!
//! // A client, with one provider at a time. It has no functions, so its binding is `()`.
//! struct Adder(Slot<CounterDispatch>);
//!
//! impl Module<Client<CounterNpi>> for Adder {
//!     type Binding = ();
//!
//!     fn identity(&self) -> Identity {
//!         Identity::new(Guid::from_u128(0x2c4c3e2b_77d7_4d58_9f7b_2f4f0c1f3a02))
//!     }
//!
//!     fn attach(&self, offer: Offer<'_, Client<CounterNpi>>) -> Result<()> {
//!         offer.claim(&self.0)
//!     }
//! }
//!
//! # fn main() -> Result {
//! let client = Registration::new(Adder(Slot::new()?))?;
//! assert!(client.0.enter().is_err());
//!
//! let provider = Registration::new(Counts)?;
//! let call = client.0.enter()?;
//! assert_eq!(call.add(2), 2);
//! assert_eq!(call.add(3), 5);
//! drop(call);
//!
//! drop(provider);
//! assert!(client.0.enter().is_err());
//! # Ok(())
//! # }
//! ```
//!
//! # Where to read on
//!
//! * `docs/guide/README.md`: the guide, from a first interface to the tests of a driver's image, with the
//!   C of Microsoft's pages, corrected, beside the Rust that replaces it.
//! * `docs/shapes.md`: what real network modules do, such as to wait for a provider, to answer later, to
//!   take so many clients and no more; which item of this crate does it, and which test shows it.
//! * `docs/guide/16-where-everything-is.md`: every function, callback, field and status of Microsoft's
//!   pages, and where it is here.
//!
//! # Safety
//!
//! The contract of the NMR is kept by construction, and `gate.rs` argues the one part that is not
//! obvious. What remains for the driver:
//!
//! * it is not unloaded before its registrations have ended. Safe code can forget one, or keep it in a static. So its
//!   unload routine stops the system if [`registrations`] are left, as that of `nmr_driver::driver!` does;
//! * no thread of its own is inside a call or its drop when it is unloaded;
//! * a registration does not end inside one of its own callbacks, or while the thread holds a call of one of its
//!   bindings: it would wait for itself. [`identify_threads`] makes a debug build stop in the cases that it can see;
//! * its allocator gives non-paged memory, because detach and cleanup may run at `DISPATCH_LEVEL`;
//! * it stops on a panic, which is what a panic in a callback does in any case.
//!
//! # Linking
//!
//! A driver links netio.lib. Tests link `nmr-host`, the embedded registrar, on every system.
#![no_std]

#[cfg(not(target_pointer_width = "64"))]
compile_error!("the counts of calls are argued for 64 bits: build for x86-64 or ARM64");

extern crate alloc;
#[cfg(test)]
extern crate std;

mod attach;
mod awaited;
mod binding;
mod borrowed;
mod boxed;

mod detach;
mod dispatch;
mod error;
mod gate;
mod gates;
mod handle;
mod identity;
mod inside;
mod lent;
mod link;
mod locked;
#[cfg(all(loom, test))]
mod models;
mod module;
mod npi;
mod object;
mod offer;
mod peer;
mod peers;
mod registration;
mod role;
mod shared;
mod slot;
mod spread;
mod sync;
mod view;

pub use awaited::{Awaited, Missing, Wait};

#[doc(hidden)]
pub use borrowed::{Plain, Type, is_written_borrowed};
pub use detach::Detach;
pub use dispatch::{Dispatch, DispatchFor, Remote, Serves};
pub use error::{Error, Result};

pub use identity::{Identity, ModuleId};
pub use inside::identify_threads;
pub use lent::Lent;
pub use locked::Locked;
pub use module::Module;
pub use nmr_sys::{Event, GUID as Guid, LUID as Luid, NTSTATUS as NtStatus, SpinLock};
pub use npi::Npi;
pub use object::Object;
pub use offer::Offer;
pub use peer::{Call, Detached, Peer};
pub use peers::Peers;
pub use registration::{Closing, Registration, registrations};
pub use role::{Client, Provider, Role};
pub use shared::Shared;
pub use slot::Slot;
pub use spread::{Processor, SpreadCall, SpreadSlot};
pub use view::{Versioned, View};

/// The README, whose examples are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

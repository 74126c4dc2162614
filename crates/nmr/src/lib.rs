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
//! # Shapes
//!
//! What real network modules do, and how it is done here. A test in `tests/shapes`, unless it says
//! otherwise, does it; its name begins with the number.
//!
//! | | Shape | Here | Test |
//! |---|---|---|---|
//! | 1 | a client waits for its provider, with a time-out | [`Awaited::capture`], which tells a refusal from an absence | `p_01` |
//! | 2 | a provider with many clients, a client with functions only | [`Module::Binding`] is one end of one binding; what they share is a [`Shared`] | `p_02` |
//! | 3 | a client with many providers | a [`Peer`] in each binding | `p_03` |
//! | 4 | one peer at a time, at most so many | [`Offer::claim`], or an error from [`Module::attach`]; other bindings are not touched | `p_04` |
//! | 5 | peers chosen by identity | [`Offer::identity`], [`ModuleId`] | `p_05` |
//! | 6 | tables and data that grow with their version | a [`Versioned`] one is read through a [`View`], where [`field!`] is `None` if the peer is older | `p_06` |
//! | 7 | the provider is only data | tables of type `()`, and [`Offer::characteristics`] to copy | `p_07` |
//! | 8 | no table on one side | `()` is a null pointer for the peer; the context never is | `p_08` |
//! | 9 | many calls at `DISPATCH_LEVEL` | one [`Call`] for the batch | `p_09` |
//! | 10 | calls while attaching | the context is complete before the peer sees it; a [`Peer`] says [`Detached`] until then | `p_10` |
//! | 11 | a veto after the attach | the NMR cannot end one binding: decide in [`Module::attach`], or end the [`Registration`] | |
//! | 12 | a detach with calls in progress | the last [`Call`] to be dropped completes it | `p_12` |
//! | 13 | a detach that needs `PASSIVE_LEVEL` | keep the [`Detach`] and drop it in a work item, which the driver makes beforehand | `p_13` |
//! | 14 | completion inside the callback, or later | drop the [`Detach`] there, or later | `p_14` |
//! | 15 | the provider comes back | a [`Slot`] takes it; a [`Peer`] of the old binding stays detached | `p_15` |
//! | 16 | registering inside a callback | [`Registration::new`] in [`Module::attach`]; it must end elsewhere | `p_16` |
//! | 17 | several interfaces in one driver | one [`Registration`] each; [`Registration::close`] all, then wait | `p_17` |
//! | 18 | one registration for each network interface | [`Identity`] is a value of the module | `p_18` |
//! | 19 | attached when registered | [`Slot::is_attached`] after [`Registration::new`] | `p_19` |
//! | 20 | deregister at `DISPATCH_LEVEL`, wait below | [`Registration::close`], [`Closing::wait`] | `p_20` |
//! | 21 | handles cannot be mixed up | they do not appear | |
//! | 22 | tables cannot be mixed up | they belong to the [`Npi`] | `tests/ui` |
//! | 23 | a test keeps away from the system's modules | a second [`Npi`] with the same tables | `p_23` |
//! | 24 | counters for each processor | [`Spread`] in the role, as in `Client<N, Spread<P>>`; one [`Call`] for a batch does without | `p_24` |
//! | 25 | why does a wait not end? | the embedded registrar `nmr-host` names whom it waits for | |
//! | 26 | out of memory | every allocation can fail; calls, detach, cleanup and deregistration make none | `tests/bare/memory.rs` |
//! | 27 | a driver without a framework | this crate knows nothing of one | |
//!
//! # Safety
//!
//! The contract of the NMR is kept by construction, and `gate.rs` argues the one part that is not
//! obvious. What remains for the driver:
//!
//! * it is not unloaded before its registrations were dropped, and no thread of its own is inside a
//!   call or its drop then;
//! * its allocator gives non-paged memory, because detach and cleanup may run at `DISPATCH_LEVEL`;
//! * it stops on a panic, which is what a panic in a callback does in any case.
//!
//! # Linking
//!
//! A driver links netio.lib. Tests link `nmr-host`, the embedded registrar, on every system.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod attach;
mod awaited;
mod binding;
mod boxed;
mod counting;
mod detach;
mod dispatch;
mod error;
mod gate;
mod handle;
mod identity;
mod link;
#[cfg(all(loom, test))]
mod models;
mod module;
mod npi;
mod offer;
mod peer;
mod registration;
mod role;
mod shared;
mod slot;
mod spread;
mod sync;
mod view;

pub use awaited::{Awaited, Missing, Wait};
pub use counting::Counting;
pub use detach::Detach;
pub use dispatch::{Dispatch, DispatchFor, Remote, Serves};
pub use error::{Error, Result};
pub use gate::Gate;
pub use identity::{Identity, ModuleId};
pub use module::Module;
pub use nmr_sys::{Event, GUID as Guid, LUID as Luid, NTSTATUS as NtStatus};
pub use npi::Npi;
pub use offer::Offer;
pub use peer::{Call, Detached, Peer};
pub use registration::{Closing, Registration};
pub use role::{Client, Provider, Role};
pub use shared::Shared;
pub use slot::Slot;
pub use spread::{Processor, Spread};
pub use view::{Versioned, View};

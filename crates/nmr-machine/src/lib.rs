//! The Network Module Registrar as a pure state machine: no lock, no thread, no unsafe code. It is what
//! the NMR does, for others to read, to run and to check; `nmr-host` puts threads around it. The rules
//! are those of contract sections 3, 5 and 7.
//!
//! # The states
//!
//! ```text
//! a registration
//!     Live ──deregister──▶ Stopping ──wait──▶ Awaited ──its last binding is gone──▶ gone
//!
//! a binding of a client and a provider
//!     Planned ──▶ Offering ──both accept──▶ Attached ──a side deregisters──▶ Detaching ──both sides done──▶ Cleaning ──▶ gone
//!         └──▶ gone   ├──the client declines──▶ gone                             ▲
//!                     └──accepted, but a side has deregistered or the client failed
//!
//! an offer, while its client's attach callback runs
//!     Deciding ──NmrClientAttachProvider──▶ Asking ──the provider accepts──▶ Accepted
//!         ▲                                    └──it declines──▶ Deciding
//!
//! a side of a detaching binding
//!     NotCalled ──▶ InCallback ──STATUS_SUCCESS──▶ Done
//!         │              ├──STATUS_PENDING──▶ Pended ──completes──▶ Done
//!         │              └──completes──▶ CompletedInside ──STATUS_PENDING──▶ Done
//!         └──completes too early──▶ CompletedBefore ──▶ CompletedInside
//! ```
//!
//! # How it is driven
//!
//! A call into the NMR is a conversation. The thread passes an [`Event`] to [`Machine::step`], carries out
//! the [`Action`], and passes the outcome as the next event, until the action is to return. What the call
//! has still to do after the binding at hand is in its [`Task`]. An [`Offer`] belongs to the thread that
//! makes it, and the machine gets its outcome.
//!
//! Interfaces have nothing to do with each other. So a registrar has several machines, called lanes,
//! and each interface lives in one of them ([`lane_of`]). A handle names the lane too.
//!
//! # How it is checked
//!
//! `src/explore` plays the modules and visits every order of events: `cargo test -p nmr-machine`.
#![cfg_attr(not(test), no_std)]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    warn(
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice,
        clippy::todo,
        clippy::unimplemented,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]
#![expect(
    clippy::inline_always,
    reason = "a step whose event is known is one call, and what it says stays in registers"
)]

extern crate alloc;

mod arguments;
mod attaching;
mod binding;
mod detach;
mod detaching;
mod event;
#[cfg(test)]
mod explore;
mod handle;
mod interface;
mod inventory;
mod lending;
mod list;
mod machine;
mod memory;
mod module;
mod noted;
mod npis;
mod offer;
pub mod policy;
mod registering;
mod registration;
mod rule;
mod serials;
mod sharing;
mod slab;

pub use arguments::Arguments;
pub use event::{Action, Ends, Event, Finding, Invocation, Task};
pub use handle::{Handle, INSTANCES, Kind};
pub use interface::{Interface, Table};
pub use inventory::{Blocker, Identity, Leak, Missing};
pub use lending::Opening;
pub use machine::Machine;
pub use module::{Callback, Callbacks, Callee, Convention, Module, ModuleId, ModuleLabel, Role};
pub use noted::Noted;
pub use npis::lane_of;
pub use offer::{Breaches, Offer, Outcome, ProviderAnswer, Side};
pub use policy::Policy;
pub use rule::{Detection, Rule, Severity};
pub use slab::{Key, LANES};

/// The README, whose examples are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

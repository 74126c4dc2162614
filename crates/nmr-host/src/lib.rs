//! An embedded Network Module Registrar: the nine functions of `netioddk.h`, in an ordinary process,
//! with the contract enforced.
//!
//! Linking this crate gives a program the symbols that the crate `nmr-sys` declares and that
//! netio.sys exports on Windows. Modules in Rust, modules in C and driver images all register with
//! the same registrar. [`Registrar`] is how a test or a tool makes one of its own, sets its
//! [`Policy`], and reads its record and its reports.
//!
//! # Where to read on
//!
//! * `docs/guide/12-testing-natively.md`: tests of modules in Rust, with policies and refused calls.
//! * `docs/guide/15-c-modules.md`: tests of modules in C.
//! * `docs/guide/14-reading-a-report.md` and `docs/verifier.md`: what a report says, and every rule.
//!
//! # How it is built
//!
//! The registrar is a pure state machine inside a thin shell: `machine` decides, `shell` locks,
//! calls and blocks. A wrong, stale or null handle is looked up, not dereferenced; it is reported
//! with the rule that it breaks and refused.
//!
//! # What it does not know
//!
//! The text "contract" is the project's description of the NMR, with its sources. Where those
//! leave Windows open, the registrar has a setting. Nothing here was compared with a running
//! Windows.

#![cfg_attr(
    not(any(test, feature = "fuzz")),
    warn(
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::print_stderr,
        clippy::print_stdout,
        clippy::string_slice,
        clippy::todo,
        clippy::unimplemented,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]

mod allocation;
mod callback;
mod convention;
mod crash;
mod event;
mod exports;
mod faults;
mod findings;
mod functions;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
mod got;
mod held;
mod inspection;
mod inspection_of_calls;
mod inspection_of_layouts;
mod instances;
pub mod irql;
#[cfg_attr(
    not(all(target_os = "linux", target_arch = "x86_64", not(miri))),
    allow(dead_code, reason = "nothing is copied there")
)]
mod layout;
pub mod locks;
mod memory;
mod nested;
mod poison;
mod policy;
mod process;
mod record;
mod records;
mod registrar;
mod report;
mod shell;
mod spin_lock;
mod stack;
mod stderr;
mod sync;
mod thread;
mod transcript;
mod validate;
mod visit;
mod worker;
#[cfg_attr(
    not(all(target_os = "linux", target_arch = "x86_64", not(miri))),
    allow(dead_code, reason = "nothing is watched there")
)]
mod wrapped;

pub use event::NotificationEvent;
pub use exports::*;
pub use faults::fail_next_call;
pub use got::Got;
pub use layout::{CallbackArgument, Convention, Extent, InterfaceLayout, SideLayout, TableLayout};
pub use memory::{Lent, LentMemory, code, quarantine};
pub use nmr_machine::{
    Blocker, Detection, Interface, Leak, Missing, ModuleId, ModuleLabel, Role, Rule, Severity,
    Table,
};
pub use poison::is_poison;
pub use policy::{
    Choice, Cleanup, Deregistration, DetachIrql, EarlyCompletion, MemoryChecks, Mode, Offers,
    OnReport, Order, Policy, STALL, Sharing, UnknownSetting, Verify,
};
pub use record::{Actor, Moment, Note, Record};
pub use registrar::{Entered, Registrar};
pub use report::Report;
pub use spin_lock::HostSpinLock;
pub use thread::{ThreadNumber, current as current_thread, current_binding};
pub use visit::{Visit, may_block};
pub use wrapped::{HeldCall, Unwrappable, Wrapping};

/// The README, whose examples are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

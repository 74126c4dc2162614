//! A rig for tests of the registrar: client and provider modules with scripted callbacks, on the
//! raw functions of `nmr_sys`.
//!
//! A [`Rig`] is a registrar of the test's own, entered on the test's thread, and a log. A
//! [`Module`] is a registration with callbacks that a test may replace; without a script it is an
//! honest one that accepts every offer and detaches at once. When the rig is dropped, a report
//! that the test did not [expect](Rig::expect), a registration that was not closed, or a panic
//! inside a callback fails the test.
//!
//! Modules and what they point to live until the process ends, so that a registrar that calls too
//! late, too often or with a wrong context makes a test fail instead of breaking the process.
#![allow(
    dead_code,
    unused_imports,
    reason = "each test file uses a part of the rig"
)]

mod blocks;
mod calls;
mod log;
mod module;
mod offer;
mod pause;
mod raw;
mod rig;
mod shape;

pub(crate) use blocks::{block, byte, free, pageable_block, set_byte, set_word};
pub(crate) use calls::{Peer, TABLE, wrap};
pub(crate) use log::Entry;
pub(crate) use module::Module;
pub(crate) use nmr_host::{Role, Rule};
pub(crate) use nmr_sys::{
    NTSTATUS, STATUS_DEVICE_NOT_READY, STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_DEVICE_STATE,
    STATUS_INVALID_PARAMETER, STATUS_NO_MEMORY, STATUS_NOINTERFACE, STATUS_PENDING, STATUS_SUCCESS,
};
pub(crate) use offer::{Binding, Offer};
pub(crate) use pause::{Gate, Pause, until};
pub(crate) use raw::{Answer, Function, detach_callback};
pub(crate) use rig::{Other, Rig, close_all};
pub(crate) use shape::{Fault, Part, Shape};

/// The two roles, for tests that hold for both.
pub(crate) const ROLES: [Role; 2] = [Role::Client, Role::Provider];

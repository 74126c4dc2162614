//! The atomics of this crate: core's, or those of loom when its models run, or those of shuttle while
//! it tries schedules (see docs/schedules.md).

#[cfg(all(loom, test))]
pub(crate) use crate::models::spin_loop;
#[cfg(not(any(all(loom, test), shuttle)))]
pub(crate) use core::{
    hint::spin_loop,
    sync::atomic::{AtomicPtr, AtomicUsize, Ordering},
};
#[cfg(all(loom, test))]
pub(crate) use loom::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
#[cfg(shuttle)]
pub(crate) use shuttle::{
    hint::spin_loop,
    sync::atomic::{AtomicPtr, AtomicUsize, Ordering},
};

//! The atomics of [`crate::gate`]: core's, or those of loom when its models run.

#[cfg(not(all(loom, test)))]
pub(crate) use core::{
    hint::spin_loop,
    sync::atomic::{AtomicUsize, Ordering},
};
#[cfg(all(loom, test))]
pub(crate) use loom::{
    hint::spin_loop,
    sync::atomic::{AtomicUsize, Ordering},
};

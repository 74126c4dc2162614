//! Threads, and what they share: those of std, or those of shuttle while it tries schedules (see
//! docs/schedules.md). Shuttle's statics and thread locals begin anew with each execution.

#[cfg(shuttle)]
pub(crate) use shuttle::{sync::*, thread, thread_local};
#[cfg(not(shuttle))]
pub(crate) use std::{sync::*, thread, thread_local};

/// A static that is made at its first use.
#[cfg(not(shuttle))]
macro_rules! shared {
    ($(#[$doc:meta])* static $name:ident: $type:ty = $value:expr;) => {
        $(#[$doc])*
        static $name: std::sync::LazyLock<$type> = std::sync::LazyLock::new(|| $value);
    };
}
#[cfg(shuttle)]
macro_rules! shared {
    ($(#[$doc:meta])* static $name:ident: $type:ty = $value:expr;) => {
        shuttle::lazy_static! {
            $(#[$doc])*
            static ref $name: $type = $value;
        }
    };
}
pub(crate) use shared;

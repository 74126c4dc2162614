//! The functions that images import, in their calling convention, one file for each family. Each has a
//! row in [`functions`](crate::functions), the table of names.

pub(crate) mod bugcheck;
pub(crate) mod clock;
pub(crate) mod csq;
pub(crate) mod dbg;
pub(crate) mod device;
pub(crate) mod dpc;
pub(crate) mod etw;
pub(crate) mod event;
pub(crate) mod exception;
pub(crate) mod fast_mutex;
mod format;
pub(crate) mod irp;
pub(crate) mod irql;
pub(crate) mod list;
pub(crate) mod lookaside;
pub(crate) mod mdl;
pub(crate) mod memory;
pub(crate) mod mutex;
pub(crate) mod netio;
mod object;
pub(crate) mod pool;
pub(crate) mod processor;
pub(crate) mod push_lock;
pub(crate) mod queued_spin;
pub(crate) mod registry;
pub(crate) mod routine;
pub(crate) mod rundown;
pub(crate) mod semaphore;
pub(crate) mod snprintf;
pub(crate) mod spin;
pub(crate) mod string;
pub(crate) mod thread;
pub(crate) mod timer;
pub(crate) mod tracing;
pub(crate) mod waiting;
pub(crate) mod work_item;

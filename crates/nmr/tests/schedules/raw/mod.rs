//! Modules on the raw functions, as a careful author would write them in C: they count their calls,
//! may complete in every way that is allowed, and free their contexts in the cleanup. At every
//! callback they check what the NMR owes them.

mod callbacks;
mod end;
mod module;
mod watch;

pub(crate) use module::{Cast, Conduct, Detach, Hook, Module};

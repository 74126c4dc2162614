//! The library alone, on a registrar that does only what a test tells it: also what Windows is not
//! known to do. The library must be right then too, or stop the system.

mod client;
mod memory;
mod registrar;
mod statuses;

//! Functions of the kernel besides the NMR, for modules in C that run in a process: those that the headers
//! in `crates/nmr-host/include/kernel` declare. Each is exported as `nmr_kernel_` and its name, so that a
//! program may have its own of that name. All have Windows' convention; those that take a routine
//! are told the convention of the routine.
//!
//! The objects are C structures of the module, whose words are atomic here. A waiting thread waits in
//! [`waiting`]; so there is no object of the system behind them, and nothing to be freed.

mod control;
mod debug;
mod dispatcher;
mod format;
mod level;
mod locks;
mod pool;
mod registry;
mod routine;
mod rundown;
mod waiting;
mod work;

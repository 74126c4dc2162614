//! The shapes of real network modules, each as a test whose number is that of the table "Shapes" in
//! the documentation of the crate.

mod admission;
mod calls;
mod closing;
mod data;
mod detaching;
mod everyone;
mod processors;
mod raw;
mod registering;
mod support;
mod tables;
mod waiting;

//! Between images and this crate: the gate that calls come through, the trap for what is
//! missing, and the handler of faults.

pub(crate) mod fault;
pub(crate) mod gate;
pub(crate) mod trap;

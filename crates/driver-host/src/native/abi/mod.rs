//! Between images and this crate: the gate that calls come through, the trap for what is
//! missing, the handler of faults, and the checks of Control Flow Guard.

pub(crate) mod control_flow;
pub(crate) mod fault;
pub(crate) mod gate;
mod seh;
pub(crate) mod trap;

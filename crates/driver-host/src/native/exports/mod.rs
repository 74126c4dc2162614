//! What images import, one file for each family.

pub(crate) mod bugcheck;
mod dbg;
pub(crate) mod etw;
mod event;
mod fast_mutex;
mod format;
mod irql;
pub(crate) mod memory;
mod mutex;
pub(crate) mod netio;
mod object;
pub(crate) mod pool;
mod processor;
mod rundown;
mod spin;
mod string;
pub(crate) mod text;

use super::gate;
use super::imports::Target;
use super::report::Fault;

pub(crate) use event::duration;
pub(crate) use irql::{lower as lower_irql, raise as raise_irql, restore as restore_irql};

/// Finds a function of the kernel or of its hardware abstraction layer.
pub(crate) fn find(name: &str) -> Option<Target> {
    let families = [
        pool::find,
        dbg::find,
        bugcheck::find,
        memory::find,
        string::find,
        etw::find,
        event::find,
        fast_mutex::find,
        mutex::find,
        rundown::find,
        spin::find,
        irql::find,
        processor::find,
    ];
    families.iter().find_map(|find| find(name))
}

/// Reports that the calling image uses the function that it is in wrongly.
fn misuse(text: impl Into<String>) {
    let call = gate::caller();
    let function = call.function.to_string();
    call.image.report(Fault::Misuse {
        function,
        text: text.into(),
    });
}

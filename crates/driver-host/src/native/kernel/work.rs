//! Work that a driver has queued: it runs on a thread of the host, which counts as being in the driver from
//! the queueing on.

use std::sync::Arc;

use nmr_host::irql::{self, Irql};

use super::irql as levels;
use super::loaded::Loaded;
use super::report::Fault;
use super::runner;
use super::wait;

/// What a work item is called.
pub(crate) const ITEM: &str = "a work item";

/// Starts work for a driver at an IRQL.
pub(crate) fn start(
    image: &Arc<Loaded>,
    what: &'static str,
    level: Irql,
    job: impl FnOnce(&Arc<Loaded>) + Send + 'static,
) {
    let (visit, image) = (image.inside.enter(what), Arc::clone(image));
    let system = Arc::clone(&image.system);
    runner::start(&system, move || {
        at_level(&image, what, level, || job(&image));
        image.inside.leave(visit);
        wait::ring();
    });
}

/// Waits until the work items of a driver have run. Windows keeps a driver for those of its devices; here it is
/// kept for those of the executive as well.
pub(crate) fn wait_for_items(image: &Loaded) {
    wait::block(None, || !image.inside.has(ITEM));
}

/// Runs a callback of a driver at an IRQL, and reports one that returns at another.
pub(crate) fn at_level(image: &Loaded, what: &str, level: Irql, callback: impl FnOnce()) {
    let raised = irql::raise(level);
    callback();
    let left = levels::restore();
    drop(raised);
    if let Some(left) = left {
        let (function, text) = (what.to_owned(), format!("returned at {left}"));
        image.report(Fault::Misuse { function, text });
    }
}

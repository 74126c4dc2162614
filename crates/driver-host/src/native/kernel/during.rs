//! The activity of a thread in an image when it was stopped there: an entry point, a callback of the
//! framework, or one of the NMR.

use std::sync::Arc;

use nmr_host::{Actor, Moment, Record, Registrar};

use super::frames;
use super::loaded::Loaded;
use super::ranges;
use super::system::System;

/// The innermost entry point or callback that this thread is in, by the name in its manual.
pub(crate) fn current(registrar: &Registrar) -> Option<String> {
    let name = |callback: Record| callback.function.into_owned();
    match frames::entered() {
        // The registrar runs modules inside of the image's call.
        Some((what, Some(call))) if call.runs_modules() => {
            Some(callback(registrar).map_or(what, name))
        }
        Some((what, _)) => Some(what),
        None => callback(registrar).map(name),
    }
}

/// The image whose callback the registrar is running on this thread.
pub(crate) fn called_image(system: &System) -> Option<Arc<Loaded>> {
    let Actor::Module(module) = callback(&system.registrar)?.callee else {
        return None;
    };
    let mut images = ranges::loaded(system).into_iter();
    images.find(|image| image.registrations.open().contains(&module))
}

/// The innermost callback of the NMR from which this thread has not returned.
fn callback(registrar: &Registrar) -> Option<Record> {
    let thread = nmr_host::current_thread();
    let mut open = Vec::new();
    for record in registrar.records() {
        match record.moment {
            _ if record.thread != thread => {}
            Moment::Call(_) => open.push(record),
            Moment::Status(_) | Moment::Return(_) => {
                open.pop();
            }
        }
    }
    let mut callbacks = open.into_iter().rev();
    callbacks.find(|record| record.caller == Actor::Nmr)
}

//! The landing of a thread that faulted: reports the fault, and stops.

use std::cell::Cell;
use std::ffi::c_int;

use nmr_host::quarantine::{self, Touched};
use nmr_host::{Role, Rule};

use super::{emulate, fast_fail};
use crate::native::kernel::buffer;
use crate::native::kernel::call;
use crate::native::kernel::during;
use crate::native::kernel::frames;
use crate::native::kernel::loaded::Loaded;
use crate::native::kernel::ranges::{self, Found};
use crate::native::kernel::report::Fault;
use crate::native::kernel::stack::Trouble;
use crate::native::kernel::system::System;

/// A fault that the handler has found the image of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Details {
    pub(super) signal: c_int,
    pub(super) place: Place,
    pub(super) instruction: usize,
    /// What the instruction wanted.
    pub(super) wanted: usize,
    pub(super) stack: Option<Trouble>,
    /// The register `rcx`.
    pub(super) counter: u64,
    /// Whether it was a write.
    pub(super) writes: bool,
}

/// The owner of a fault. Each address identifies the image.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// At this address of an image.
    Image(usize),
    /// In a function of this crate that the image has called.
    Host { image: usize },
    /// At an address to which the image has gone without an import.
    Outside { image: usize },
    /// At an address to which a module has gone that the registrar runs.
    Module,
}

thread_local! {
    static DETAILS: Cell<Option<Details>> = const { Cell::new(None) };
}

/// Leaves the details for `land`.
pub(super) fn leave(details: Details) {
    DETAILS.set(Some(details));
}

/// What happened, for `land`.
pub(super) fn details() -> Option<Details> {
    DETAILS.get()
}

/// The function in which the thread goes on.
pub(super) extern "C" fn land() -> ! {
    let details = DETAILS.take().expect("the handler says what happened");
    let address = match details.place {
        Place::Image(address)
        | Place::Host { image: address }
        | Place::Outside { image: address } => address,
        Place::Module => module(&details),
    };
    match ranges::find(address) {
        Some(Found::Loaded(image, offset)) => stop(&image, offset, &details),
        Some(Found::Gone(name, system, offset)) => late(&name, system.upgrade().as_deref(), offset),
        None => std::process::abort(),
    }
}

fn stop(image: &Loaded, offset: u64, details: &Details) -> ! {
    match details.place {
        Place::Image(_) => image.stop(in_image(image, offset, details)),
        Place::Host { .. } => in_host(details),
        Place::Outside { .. } | Place::Module => image.stop(outside(details)),
    }
}

/// The image went where nothing of it is.
fn outside(details: &Details) -> Fault {
    Fault::Exception {
        what: format!("{} outside of the image", describe(details)),
        offset: None,
        address: Some(details.instruction as u64),
    }
}

/// The address of the image whose module the registrar runs. Ends the process if it runs none of an
/// image, as if there were no handler.
fn module(details: &Details) -> usize {
    let image = frames::host().and_then(|system| during::called_image(&system));
    if let Some(image) = image {
        return image.address();
    }
    super::end(details.signal)
}

fn in_image(image: &Loaded, offset: u64, details: &Details) -> Fault {
    if quarantine::contains(details.wanted) {
        return special_pool(details.wanted, Some(offset));
    }
    if details.signal == libc::SIGSEGV && fast_fail::is_at(details.instruction) {
        return fast_fail::bug_check(details.counter, offset);
    }
    if nmr_host::is_poison(details.wanted) {
        let client = image.registrations.only(Role::Client);
        let registrar = &image.system.registrar;
        registrar.accuse(Rule::V38, client, "a fault");
    }
    let what = if let Some(touch) = buffer::was_at(details.wanted) {
        touch.to_owned()
    } else if image.is_behind(offset) {
        "ran off its end".to_owned()
    } else if details.signal == libc::SIGSEGV
        && let Some(code) = emulate::decode(details.instruction)
        && code.is_privileged()
    {
        let name = format!("{:?}", code.mnemonic()).to_lowercase();
        format!("privileged instruction ({name})")
    } else {
        describe(details)
    };
    Fault::Exception {
        what,
        offset: Some(offset),
        address: Some(details.wanted as u64),
    }
}

/// A function of this crate has been given something bad, or too little stack; or the registrar has
/// run another image's module, which has gone where nothing is.
fn in_host(details: &Details) -> ! {
    let Some(call) = call::try_caller() else {
        std::process::abort()
    };
    if call.runs_modules()
        && details.instruction == details.wanted
        && let Some(image) = during::called_image(&call.image.system)
    {
        image.stop(outside(details));
    }
    call.image.stop(if quarantine::contains(details.wanted) {
        special_pool(details.wanted, call.offset)
    } else {
        let (what, name) = (describe(details), call.name());
        Fault::Exception {
            what: format!("{what} in {name}, which it has called"),
            offset: call.offset,
            address: (details.signal != libc::SIGABRT).then_some(details.wanted as u64),
        }
    })
}

/// A touch of special pool that is closed. The registrars get to report it first.
fn special_pool(wanted: usize, offset: Option<u64>) -> Fault {
    let touched = quarantine::touched(wanted);
    let (code, meaning) = match touched {
        Touched::Freed(_) => (0xcc, "PAGE_FAULT_IN_FREED_SPECIAL_POOL"),
        Touched::Behind(_) | Touched::Nothing => (0xcd, "PAGE_FAULT_BEYOND_END_OF_ALLOCATION"),
    };
    Fault::BugCheck {
        code,
        parameters: [wanted as u64, 0, offset.unwrap_or_default(), 0],
        meaning: format!("{meaning}: {touched}").into(),
        offset,
    }
}

/// An image is used that is gone, and its host may be as well.
fn late(name: &str, system: Option<&System>, offset: u64) -> ! {
    let fault = Fault::Late { offset };
    match system {
        Some(system) => system.stop(name, fault),
        None => panic!("{name}: {fault}, and so is its host"),
    }
}

fn describe(details: &Details) -> String {
    let what = match details.signal {
        libc::SIGSEGV => "access violation or privileged instruction",
        libc::SIGBUS => "bus error",
        libc::SIGILL => "illegal instruction",
        libc::SIGFPE => "arithmetic exception",
        libc::SIGABRT => "abort",
        libc::SIGTRAP => "trap",
        libc::SIGSYS => "system call of Linux",
        _ => "call",
    };
    match details.stack {
        None => what.to_owned(),
        Some(Trouble::Overflow) => "stack overflow".to_owned(),
        Some(Trouble::Elsewhere) => {
            format!("{what} with the stack pointer outside of the thread's stack,")
        }
    }
}

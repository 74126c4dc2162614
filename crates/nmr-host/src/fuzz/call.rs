//! The calls of a program: of the nine functions, right and wrong ones.

use std::rc::Rc;

use nmr_machine::Role;
use nmr_sys::{NTSTATUS, STATUS_SUCCESS};

use super::module::{Registered, Shape};
use super::run::{Step, choose, nmr, note, pick, rarely, with};

/// How many calls a program makes at most. More only repeat what fewer showed.
const MOST: usize = 1000;
/// How many modules it registers at most.
const MODULES: usize = 12;

const ROLES: [Role; 2] = [Role::Client, Role::Provider];

/// Makes the call that the program chooses.
pub(super) fn any() {
    let made = with(|state| {
        state.calls += 1;
        state.calls
    });
    let choice = choose(16);
    if made > MOST {
        return;
    }
    match choice {
        0..5 => register(),
        5..8 => {
            if let Some((role, handle)) = handle() {
                deregister(role, handle);
            }
        }
        8..10 => {
            if let Some((role, handle)) = handle() {
                wait(role, handle);
            }
        }
        10..14 => complete_something(),
        14 => {
            if let Some((_, handle)) = handle() {
                attach(handle);
            }
        }
        _ => {
            let skip = choose(6) as u64;
            nmr().fail_reservation(skip);
        }
    }
}

/// Closes whatever is open, as honest modules would. What the modules do not know of stays.
pub(super) fn close_all() {
    let modules = with(|state| state.modules.clone());
    for module in &modules {
        deregister(module.role, module.handle());
    }
    loop {
        let next = with(|state| state.pending.pop());
        let Some((role, handle)) = next else { break };
        complete(role, handle);
    }
    for module in &modules {
        wait(module.role, module.handle());
    }
}

fn register() {
    if with(|state| state.modules.len()) >= MODULES {
        return;
    }
    let shape = Shape {
        role: pick(&ROLES),
        npi: choose(4) / 3,
        cleanup: !rarely(4),
        malformed: if rarely(8) { 1 + choose(8) } else { 0 },
    };
    let module = Rc::new(Registered::new(
        shape,
        with(|state| state.modules.len() + 1),
    ));
    with(|state| state.modules.push(Rc::clone(&module)));
    note(Step::Call("register", shape.role, shape.malformed));
    let status = nmr().register(&module);
    note(Step::Return("register", status));
    note(Step::Call("handle", shape.role, module.handle()));
    if status == STATUS_SUCCESS {
        with(|state| state.handles.push((shape.role, module.handle())));
    }
}

fn deregister(role: Role, handle: usize) {
    note(Step::Call("deregister", role, handle));
    let status = nmr().deregister(role, handle);
    note(Step::Return("deregister", status));
}

fn wait(role: Role, handle: usize) {
    note(Step::Call("wait", role, handle));
    if let Some(status) = nmr().wait(role, handle) {
        note(Step::Return("wait", status));
    }
}

/// Completes for one end.
pub(super) fn complete(role: Role, handle: usize) {
    note(Step::Call("complete", role, handle));
    nmr().complete(role, handle);
    note(Step::Return("complete", STATUS_SUCCESS));
}

/// Completes a detach that is pending, or something else.
fn complete_something() {
    let pending = with(|state| state.pending.len());
    if pending > 0 && !rarely(4) {
        let which = choose(pending);
        let (role, handle) = with(|state| state.pending.swap_remove(which));
        complete(role, handle);
    } else if let Some((role, handle)) = handle() {
        complete(role, handle);
    }
}

/// Calls `NmrClientAttachProvider` with a context of its own, and returns the status.
pub(super) fn attach(handle: usize) -> NTSTATUS {
    let context = context(Role::Client, handle);
    note(Step::Call("attach", Role::Client, handle));
    let (status, outputs) = nmr().attach(handle, context, context + 1);
    note(Step::Return("attach", status));
    note(Step::Outputs(outputs));
    status
}

/// A context for a binding, and rarely none.
pub(super) fn context(role: Role, handle: usize) -> usize {
    let none = rarely(16);
    with(|state| {
        state.contexts += 1;
        let context = if none { 0 } else { state.contexts << 4 };
        state.bindings.insert((role, context), handle);
        context
    })
}

/// A handle of the modules, with its own role or another's, or rarely one that was never issued.
/// `None` if there is none yet.
fn handle() -> Option<(Role, usize)> {
    let known = with(|state| state.handles.len());
    if known == 0 {
        return None;
    }
    let (role, handle) = with(|state| {
        let which = state.program.choose(known);
        state.handles[known - 1 - which]
    });
    Some(match choose(16) {
        13 => (role.other(), handle),
        // Another generation, slot or kind of the same registrar.
        14 => (role, handle ^ 1 << pick(&[0, 1, 22, 61])),
        15 => (role, pick(&[0, 1, 0x7ffe_0000_1230])),
        _ => (role, handle),
    })
}

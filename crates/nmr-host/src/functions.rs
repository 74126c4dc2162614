//! What the nine functions do, in safe code: find the registrar, watch the rules about the place of
//! the call, and run it.

use std::ffi::c_void;
use std::ptr;

use nmr_sys::{NTSTATUS, STATUS_INVALID_PARAMETER, STATUS_SUCCESS};

use crate::instances;
use crate::irql::{self, DISPATCH_LEVEL};
use crate::machine::{Blocker, Event, Handle, Task};
use crate::module::{Module, Opaque, Role};
use crate::policy::Mode;
use crate::rule::{Rule, Severity};
use crate::shell::Shell;
use crate::sync::Arc;
use crate::thread;
use crate::transcript::Entry;
use crate::validate::Findings;

/// Registers a module. `write` stores a handle in the caller's variable, if there is one.
pub(crate) fn register(
    shell: &Arc<Shell>,
    role: Role,
    module: Option<Module>,
    mut findings: Findings,
    output: bool,
    write: impl Fn(*mut c_void),
) -> NTSTATUS {
    if !output {
        findings.reject(Rule::V09);
        return shell.register(role, None, &findings, |_| ());
    }
    write(ptr::null_mut());
    let status = shell.register(role, module, &findings, |handle| write(handle.address()));
    if status != STATUS_SUCCESS {
        write(ptr::null_mut());
    }
    status
}

/// Finds who calls a function with a handle.
fn enter(function: &'static str, handle: usize) -> (Arc<Shell>, Option<Handle>, Entry) {
    let (shell, handle) = instances::route(handle);
    let (caller, binding) = shell.identify(handle);
    (
        shell,
        handle,
        Entry {
            function,
            caller,
            binding,
            returns: true,
        },
    )
}

pub(crate) fn deregister(role: Role, handle: usize) -> NTSTATUS {
    let (shell, handle, entry) = enter(deregister_name(role), handle);
    if irql::current() > DISPATCH_LEVEL {
        shell.report_misuse(Rule::V76, &entry);
    }
    if let Some(status) = shell.faults.end() {
        return shell.refuse(&entry, status);
    }
    shell.call(
        &mut Task::default(),
        Event::Deregister { handle, role },
        &entry,
    )
}

pub(crate) fn wait(role: Role, handle: usize) -> NTSTATUS {
    let (shell, handle, entry) = enter(wait_name(role), handle);
    if irql::current() >= DISPATCH_LEVEL {
        shell.report_misuse(Rule::V76, &entry);
    }
    shell.report_inside_cleanup(&entry);
    if waits_for_itself(&shell, handle, role, &entry) {
        return STATUS_INVALID_PARAMETER;
    }
    if let Some(status) = shell.faults.end() {
        return shell.refuse(&entry, status);
    }
    shell.call(&mut Task::default(), Event::Wait { handle, role }, &entry)
}

/// Whether a wait cannot end because the thread is inside a callback of a binding that it would wait
/// for (V-77). Any other wait inside a callback gets a warning.
fn waits_for_itself(shell: &Shell, handle: Option<Handle>, role: Role, entry: &Entry) -> bool {
    let callbacks = thread::callbacks();
    let stuck = |blocker: &Blocker| {
        callbacks
            .iter()
            .any(|inside| inside.instance == shell.instance && inside.binding == blocker.binding)
    };
    let cannot_end = shell.blockers(handle, role).iter().any(stuck);
    if !callbacks.is_empty() {
        let severity = (!cannot_end).then_some(Severity::Warning);
        shell.report_with(Rule::V77, severity, entry.caller, entry.function);
    }
    cannot_end
}

pub(crate) fn complete(role: Role, handle: usize) {
    let (shell, handle, entry) = enter(complete_name(role), handle);
    let entry = Entry {
        returns: false,
        ..entry
    };
    if irql::current() > DISPATCH_LEVEL {
        shell.report_misuse(Rule::V47, &entry);
    }
    shell.watch_completion(handle, role, entry.function);
    shell.call(
        &mut Task::default(),
        Event::Complete { handle, role },
        &entry,
    );
}

/// Attaches a client. Returns the provider's context and table, or a status and whether the outputs
/// are to fault.
pub(crate) fn attach(
    handle: usize,
    context: Opaque,
    dispatch: Opaque,
    outputs: bool,
) -> Result<(Opaque, Opaque), (NTSTATUS, bool)> {
    let (shell, handle, entry) = enter("NmrClientAttachProvider", handle);
    let fault = shell.faults.begin();
    shell.report_inside_cleanup(&entry);
    let poisoned = shell.policy.mode == Mode::Strict;
    if !outputs {
        shell.report_misuse(Rule::V28, &entry);
        return Err((STATUS_INVALID_PARAMETER, poisoned));
    }
    let mut task = Task::default();
    let thread = thread::current();
    let event = match fault {
        Some(status) => Event::AttachFails {
            handle,
            thread,
            status,
        },
        None => Event::AttachProvider {
            handle,
            thread,
            context,
            dispatch,
        },
    };
    let status = shell.call(&mut task, event, &entry);
    let attached = task.attached.ok_or((status, poisoned));
    attached.map(|(context, dispatch)| (context, shell.provider_table(handle, dispatch)))
}

fn deregister_name(role: Role) -> &'static str {
    match role {
        Role::Client => "NmrDeregisterClient",
        Role::Provider => "NmrDeregisterProvider",
    }
}

fn wait_name(role: Role) -> &'static str {
    match role {
        Role::Client => "NmrWaitForClientDeregisterComplete",
        Role::Provider => "NmrWaitForProviderDeregisterComplete",
    }
}

fn complete_name(role: Role) -> &'static str {
    match role {
        Role::Client => "NmrClientDetachProviderComplete",
        Role::Provider => "NmrProviderDetachClientComplete",
    }
}

//! What the nine functions do, in safe code: find the registrar, watch the rules about the place of
//! the call, and run it.

use std::ffi::c_void;
use std::ptr;

use nmr_machine::{Blocker, Event, Handle, Identity, Module, Role, Rule, Severity, Task};
use nmr_sys::{NTSTATUS, Opaque, STATUS_INVALID_PARAMETER, STATUS_SUCCESS};

use crate::instances;
use crate::irql::{self, DISPATCH_LEVEL, Irql};
use crate::poison;
use crate::policy::Mode;
use crate::record::Actor;
use crate::shell::{self, Shell};
use crate::stack;
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
        // Nobody can use a handle that has no place.
        thread::set_register_failed(role, false);
        return shell.register(role, None, &findings, |_| ());
    }
    // What fails, fails before there is a handle, so this stays then.
    write(ptr::null_mut());
    if let Some(module) = module
        .as_ref()
        .filter(|_| shell.is_light() && findings.is_empty())
    {
        let fault = shell.faults.begin();
        let publish = |handle: Handle| write(handle.address());
        return fault.unwrap_or_else(|| shell.register_lightly(module, publish));
    }
    let status = shell.register(role, module, &findings, |handle| write(handle.address()));
    thread::set_register_failed(role, status != STATUS_SUCCESS);
    status
}

fn entry(function: &'static str, found: Option<Identity>) -> Entry {
    Entry {
        function,
        caller: found.map_or(Actor::Unknown, |found| Actor::Module(found.module)),
        binding: found.and_then(|found| found.binding),
        peer: found.and_then(|found| found.peer),
        returns: true,
    }
}

pub(crate) fn deregister(role: Role, value: usize) -> NTSTATUS {
    let (here, handle) = instances::route(value);
    let shell: &Arc<Shell> = &here;
    let name = deregister_name(role);
    if shell.is_light() {
        return shell.end_lightly(handle, name, |machine, task| {
            machine.deregister(task, handle, role)
        });
    }
    let entry = entry(name, shell.identify(handle));
    let level = irql::current();
    if level > DISPATCH_LEVEL {
        shell.report_misuse(Rule::V76, &entry);
    } else if level == DISPATCH_LEVEL && !delivered_at(level) {
        shell.report_misuse(Rule::V82, &entry);
    }
    if let Some(status) = shell.faults.end() {
        return shell.refuse(&entry, status);
    }
    thread::note_deregistered(value);
    let event = Event::Deregister { handle, role };
    let status = shell.call(handle, &mut Task::default(), event, &entry);
    report_failed_registration(shell, handle, role, &entry);
    status
}

/// Whether this thread has its level from the NMR, which called it back there.
fn delivered_at(level: Irql) -> bool {
    thread::callback().is_some_and(|callback| callback.irql == level)
}

pub(crate) fn wait(role: Role, value: usize) -> NTSTATUS {
    let (here, handle) = instances::route(value);
    let shell: &Arc<Shell> = &here;
    let name = wait_name(role);
    if shell.is_light() {
        return shell.end_lightly(handle, name, |machine, _| machine.wait(handle, role));
    }
    let entry = entry(name, shell.identify(handle));
    if irql::current() >= DISPATCH_LEVEL {
        shell.report_misuse(Rule::V76, &entry);
    }
    shell.report_inside_cleanup(&entry);
    if waits_for_itself(shell, value, handle, role, &entry) {
        return shell.refuse(&entry, STATUS_INVALID_PARAMETER);
    }
    if let Some(status) = shell.faults.end() {
        return shell.refuse(&entry, status);
    }
    let event = Event::Wait { handle, role };
    let status = shell.call(handle, &mut Task::default(), event, &entry);
    if let (STATUS_SUCCESS, Some(handle)) = (status, handle) {
        shell.report_completers(handle.key(), &entry);
    }
    report_failed_registration(shell, handle, role, &entry);
    status
}

/// Whether a wait cannot end because the thread is inside a callback of a binding that it would wait
/// for (V-77). Any other wait inside a callback gets a warning, unless the callback itself has
/// deregistered (V-78).
fn waits_for_itself(
    shell: &Shell,
    value: usize,
    handle: Option<Handle>,
    role: Role,
    entry: &Entry,
) -> bool {
    let callbacks = thread::callbacks();
    if callbacks.is_empty() {
        return false;
    }
    let stuck = |blocker: &Blocker| {
        callbacks
            .iter()
            .any(|inside| inside.instance == shell.instance && inside.binding == blocker.binding)
    };
    let cannot_end = shell.obstacles(handle, role).iter().any(stuck);
    if thread::has_deregistered(value) {
        shell.report_misuse(Rule::V78, entry);
    } else {
        let severity = (!cannot_end).then_some(Severity::Warning);
        shell.report_with(Rule::V77, severity, entry);
    }
    cannot_end
}

/// Reports a handle that was never issued, where the last registration failed (V-84).
fn report_failed_registration(shell: &Shell, handle: Option<Handle>, role: Role, entry: &Entry) {
    if thread::register_failed(role) && !shell.was_issued(handle) {
        shell.report_misuse(Rule::V84, entry);
        thread::set_register_failed(role, false);
    }
}

pub(crate) fn complete(role: Role, value: usize) {
    let (here, handle) = instances::route(value);
    let shell: &Arc<Shell> = &here;
    let name = complete_name(role);
    if shell.is_light() {
        shell.call_lightly(handle, &mut Task::default(), name, |machine, task| {
            machine.complete(task, handle, role)
        });
        return;
    }
    let found = shell.identify(handle);
    let entry = Entry {
        returns: false,
        ..entry(name, found)
    };
    if irql::current() > DISPATCH_LEVEL {
        shell.report_misuse(Rule::V47, &entry);
    }
    shell.watch_completion(handle, role, entry.function);
    if let Some(found) = found {
        shell.note_completer(found);
    }
    let event = Event::Complete { handle, role };
    shell.call(handle, &mut Task::default(), event, &entry);
}

/// Attaches a client. Returns the provider's context and table, or a status and whether the outputs
/// are to fault.
pub(crate) fn attach(
    handle: usize,
    context: Opaque,
    dispatch: Opaque,
    outputs: bool,
) -> Result<(Opaque, Opaque), (NTSTATUS, bool)> {
    let (here, handle) = instances::route(handle);
    let shell: &Arc<Shell> = &here;
    let (name, poisoned) = ("NmrClientAttachProvider", shell.policy.mode == Mode::Strict);
    let fault = shell.faults.begin();
    if let Some(handle) = handle {
        if outputs
            && fault.is_none()
            && shell.is_light()
            && let Some(asked) = shell::ask(handle, context, dispatch)
        {
            let concluded = shell.conclude(handle, context, &asked, name);
            return concluded.map_err(|status| (status, poisoned));
        }
        if let Some(untold) = shell::take_untold(handle) {
            shell.tell_attach(handle, untold, name);
        }
    }
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
    let mut task = Task::default();
    if outputs && shell.is_light() {
        let status = shell.call_lightly(handle, &mut task, name, |machine, task| {
            machine.step(task, event)
        });
        return task.attached.ok_or((status, poisoned));
    }
    let entry = entry(name, shell.identify(handle));
    shell.report_inside_cleanup(&entry);
    if !outputs {
        shell.report_misuse(Rule::V28, &entry);
        return Err((shell.refuse(&entry, STATUS_INVALID_PARAMETER), poisoned));
    }
    let given = [context.0.addr(), dispatch.0.addr()];
    if given.into_iter().any(poison::is_poison) {
        shell.report_misuse(Rule::V38, &entry);
    }
    let status = shell.call(handle, &mut task, event, &entry);
    if task.attached.is_some() && given.into_iter().any(stack::holds) {
        shell.report_misuse(Rule::V33, &entry);
    }
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

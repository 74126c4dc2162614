//! The nine functions in safe code: find the registrar, check the rules about the place of the call if calls are
//! watched, inject a fault if one is due, and run.

#![expect(
    clippy::inline_always,
    reason = "each becomes a part of an exported function, where its role is known"
)]

use std::ffi::c_void;
use std::ptr;

use nmr_machine::{Blocker, Event, Handle, Module, Role, Rule, Severity};
use nmr_sys::{NTSTATUS, Opaque, STATUS_INVALID_PARAMETER, STATUS_SUCCESS};

use crate::findings::Findings;
use crate::got::Got;
use crate::instances;
use crate::irql::{self, DISPATCH_LEVEL, Irql, PASSIVE_LEVEL};
use crate::poison;
use crate::policy::Mode;
use crate::record::Actor;
use crate::shell::Shell;
use crate::stack;
use crate::sync::Arc;
use crate::thread;
use crate::transcript::Entry;

/// Registers a module. `write` stores a handle in the caller's variable, if there is one.
pub(crate) fn register(
    shell: &Arc<Shell>,
    role: Role,
    module: Option<Module>,
    mut findings: Findings,
    output: bool,
    write: impl Fn(*mut c_void),
) -> NTSTATUS {
    if output {
        // What fails, fails before there is a handle, so this stays then.
        write(ptr::null_mut());
    } else {
        findings.reject(Rule::V09, Some(Got::Null));
    }
    // A handle without a place is of no use.
    let judged = module.as_ref();
    let module = judged.filter(|_| output);
    let entry = Entry {
        caller: match module {
            Some(module) => Actor::Module(module.label),
            None => refused(judged, &findings),
        },
        ..Entry::of_handle(register_name(role), 0, None)
    };
    let fault = shell.faults.begin();
    if !findings.is_empty() || shell.is_watched() {
        report_registration(shell, &entry, &findings);
    }
    let status = match (module.filter(|_| !findings.rejected()), fault) {
        (Some(module), None) => {
            shell.register(module, &entry, |handle: Handle| write(handle.address()))
        }
        (Some(_), Some(status)) => shell.refuse(&entry, status),
        (None, _) => shell.refuse(&entry, STATUS_INVALID_PARAMETER),
    };
    if shell.is_watched() {
        thread::set_register_failed(role, output && status != STATUS_SUCCESS);
    }
    status
}

/// Whose registration is refused.
#[cold]
fn refused(module: Option<&Module>, findings: &Findings) -> Actor {
    let label = module.map(|module| module.label);
    let label = label.or_else(|| findings.label());
    label.map_or(Actor::Unknown, Actor::Module)
}

#[inline(never)]
fn report_registration(shell: &Shell, entry: &Entry, findings: &Findings) {
    shell.report_characteristics(entry, findings);
    if shell.is_watched() {
        if irql::current() > PASSIVE_LEVEL {
            shell.report_misuse(Rule::V10, entry);
        }
        shell.report_inside_cleanup(entry);
    }
}

#[inline(always)]
pub(crate) fn deregister(role: Role, value: usize) -> NTSTATUS {
    let (here, handle) = instances::route(value);
    let shell: &Arc<Shell> = &here;
    let entry = shell.entry(deregister_name(role), handle, value);
    if shell.is_watched() {
        let level = irql::current();
        if level > DISPATCH_LEVEL {
            shell.report_misuse(Rule::V76, &entry);
        } else if level == DISPATCH_LEVEL && !delivered_at(level) {
            shell.report_misuse(Rule::V82, &entry);
        }
    }
    if let Some(status) = shell.faults.end() {
        return shell.refuse(&entry, status);
    }
    if shell.is_watched() {
        thread::note_deregistered(value);
        shell.remember(&entry);
    }
    let status = shell.call(handle, || Event::Deregister { handle, role }, &entry);
    report_failed_registration(shell, handle, role, &entry);
    status
}

/// Returns `true` if this thread has its level from the NMR, which called it back there.
fn delivered_at(level: Irql) -> bool {
    thread::callback().is_some_and(|callback| callback.irql == level)
}

#[inline(always)]
pub(crate) fn wait(role: Role, value: usize) -> NTSTATUS {
    let (here, handle) = instances::route(value);
    let shell: &Arc<Shell> = &here;
    let entry = shell.entry(wait_name(role), handle, value);
    if shell.is_watched() {
        if irql::current() >= DISPATCH_LEVEL {
            shell.report_misuse(Rule::V76, &entry);
        }
        shell.report_inside_cleanup(&entry);
        if waits_for_itself(shell, value, handle, role, &entry) {
            return shell.refuse(&entry, STATUS_INVALID_PARAMETER);
        }
    }
    if let Some(status) = shell.faults.end() {
        return shell.refuse(&entry, status);
    }
    let status = shell.call(handle, || Event::Wait { handle, role }, &entry);
    if shell.is_watched()
        && let (STATUS_SUCCESS, Some(handle)) = (status, handle)
    {
        shell.report_completers(handle.key(), &entry);
    }
    report_failed_registration(shell, handle, role, &entry);
    status
}

/// Returns `true` if a wait cannot end because the thread is inside a callback of a binding that it would wait
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
        shell.report_with(Rule::V77, (severity, None), entry);
    }
    cannot_end
}

/// Reports a handle that was never issued, where the last registration failed (V-84).
fn report_failed_registration(shell: &Shell, handle: Option<Handle>, role: Role, entry: &Entry) {
    if shell.is_watched() && thread::register_failed(role) && !shell.was_issued(handle) {
        shell.report_misuse(Rule::V84, entry);
        thread::set_register_failed(role, false);
    }
}

#[inline(always)]
pub(crate) fn complete(role: Role, value: usize) {
    let (here, handle) = instances::route(value);
    let shell: &Arc<Shell> = &here;
    let entry = Entry {
        returns: false,
        ..shell.entry(complete_name(role), handle, value)
    };
    if shell.is_watched() {
        if irql::current() > DISPATCH_LEVEL {
            shell.report_misuse(Rule::V47, &entry);
        }
        shell.watch_completion(handle, role, entry.function);
        if let Some(found) = shell.identify(handle) {
            shell.note_completer(found);
        }
    }
    shell.call(handle, || Event::Complete { handle, role }, &entry);
}

/// Attaches a client. Returns the provider's context and table, or a status and whether the outputs
/// are to fault.
#[inline(always)]
pub(crate) fn attach(
    value: usize,
    context: Opaque,
    dispatch: Opaque,
    outputs: bool,
) -> Result<(Opaque, Opaque), (NTSTATUS, bool)> {
    let (here, handle) = instances::route(value);
    let shell: &Arc<Shell> = &here;
    let (name, poisoned) = ("NmrClientAttachProvider", shell.policy.mode == Mode::Strict);
    let fault = shell.faults.begin();
    let entry = shell.entry(name, handle, value);
    let given = [context.0.addr(), dispatch.0.addr()];
    if shell.is_watched() {
        shell.report_inside_cleanup(&entry);
    }
    if !outputs {
        let entry = Entry::of_handle(name, value, shell.identify(handle));
        shell.report_misuse(Rule::V28, &entry);
        return Err((shell.refuse(&entry, STATUS_INVALID_PARAMETER), poisoned));
    }
    if shell.is_watched() && given.into_iter().any(poison::is_poison) {
        shell.report_misuse(Rule::V38, &entry);
    }
    let attached = shell.attach(handle, (context, dispatch), fault, &entry);
    let (context, dispatch) = attached.map_err(|status| (status, poisoned))?;
    if shell.is_watched() && given.into_iter().any(stack::holds) {
        shell.report_misuse(Rule::V33, &entry);
    }
    let dispatch = if shell.is_watched() {
        shell.provider_table(handle, dispatch)
    } else {
        dispatch
    };
    Ok((context, dispatch))
}

fn register_name(role: Role) -> &'static str {
    match role {
        Role::Client => "NmrRegisterClient",
        Role::Provider => "NmrRegisterProvider",
    }
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

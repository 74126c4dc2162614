//! Actions of a program's modules inside their callbacks.

use nmr_machine::Role;
use nmr_sys::{
    NTSTATUS, STATUS_INSUFFICIENT_RESOURCES, STATUS_INVALID_PARAMETER, STATUS_NOINTERFACE,
    STATUS_PENDING, STATUS_SUCCESS,
};

use super::call;
use super::run::{Step, choose, note, rarely, with};

/// How deep callbacks nest before modules stop making calls inside them.
const DEEPEST: usize = 4;

/// What `ProviderAttachClient` answers.
pub(super) struct ProviderAnswer {
    pub(super) status: NTSTATUS,
    pub(super) context: Option<usize>,
    pub(super) dispatch: Option<usize>,
}

/// Runs a callback, in which the program may make other calls.
fn inside<T>(step: Step, callback: impl FnOnce() -> T) -> T {
    note(step);
    let depth = with(|state| {
        state.depth += 1;
        state.depth
    });
    if depth <= DEEPEST && rarely(3) {
        (0..=choose(2)).for_each(|_| call::any());
    }
    let result = callback();
    with(|state| state.depth -= 1);
    result
}

/// A run that is over is outside of every callback.
pub(super) fn assert_outside() {
    assert_eq!(with(|state| state.depth), 0, "a callback did not return");
}

fn offered(role: Role, module: usize, handle: usize, peer: [usize; 3]) -> Step {
    let registration = with(|state| {
        state.handles.push((role, handle));
        state.modules[module - 1].handle()
    });
    let [number, context, dispatch] = peer;
    Step::Attach(
        role,
        [module, registration, handle, number, context, dispatch],
    )
}

/// `ClientAttachProvider` of a module.
pub(super) fn attach_client(module: usize, handle: usize, provider: usize) -> NTSTATUS {
    let step = offered(Role::Client, module, handle, [provider, 0, 0]);
    inside(step, || match choose(16) {
        8 => STATUS_NOINTERFACE,
        9 => STATUS_SUCCESS,
        10 => STATUS_PENDING,
        11 => {
            call::attach(handle);
            STATUS_INSUFFICIENT_RESOURCES
        }
        12 => {
            call::attach(handle);
            call::attach(handle)
        }
        13 => {
            call::attach(handle);
            STATUS_SUCCESS
        }
        _ => call::attach(handle),
    })
}

/// `ProviderAttachClient` of a module.
pub(super) fn attach_provider(module: usize, handle: usize, client: [usize; 3]) -> ProviderAnswer {
    let step = offered(Role::Provider, module, handle, client);
    inside(step, || {
        let (status, writes_context, writes_dispatch) = match choose(16) {
            8 => (STATUS_NOINTERFACE, false, false),
            9 => (STATUS_INSUFFICIENT_RESOURCES, true, false),
            10 => (STATUS_SUCCESS, false, true),
            11 => (STATUS_SUCCESS, true, false),
            12 => (STATUS_PENDING, true, true),
            13 => (STATUS_NOINTERFACE, true, true),
            _ => (STATUS_SUCCESS, true, true),
        };
        let context = writes_context.then(|| call::context(Role::Provider, handle));
        ProviderAnswer {
            status,
            context,
            dispatch: writes_dispatch.then_some(7),
        }
    })
}

/// A detach callback.
pub(super) fn detach(role: Role, context: usize) -> NTSTATUS {
    let handle = with(|state| state.bindings.get(&(role, context)).copied());
    let complete = |handle: Option<usize>| {
        if let Some(handle) = handle {
            call::complete(role, handle);
        }
    };
    let later = |handle: Option<usize>| {
        with(|state| state.pending.extend(handle.map(|handle| (role, handle))));
        STATUS_PENDING
    };
    inside(Step::Detach(role, context), || match choose(16) {
        5..10 => later(handle),
        10 | 11 => {
            complete(handle);
            STATUS_PENDING
        }
        12 => {
            complete(handle);
            STATUS_SUCCESS
        }
        13 => STATUS_INVALID_PARAMETER,
        14 => 1,
        _ => STATUS_SUCCESS,
    })
}

/// A cleanup callback.
pub(super) fn clean_up(role: Role, context: usize) {
    inside(Step::Cleanup(role, context), || ());
}

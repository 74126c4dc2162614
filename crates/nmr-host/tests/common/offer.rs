//! Offers and bindings, as a module's callbacks get them.

use nmr_sys::{NTSTATUS, STATUS_SUCCESS};

use super::module::{Module, fresh_context};
use super::raw::{self, Answer, Outputs};

/// A module's end of a binding.
#[derive(Clone, Copy)]
pub(crate) struct Binding {
    pub(crate) module: Module,
    pub(crate) handle: usize,
    pub(crate) context: usize,
    pub(crate) peer_context: usize,
    pub(crate) peer_dispatch: usize,
}

/// The arguments of an attach callback.
pub(crate) struct Offered {
    pub(crate) handle: usize,
    pub(crate) peer_instance: usize,
    /// What the provider sees of the client.
    pub(crate) peer_context: usize,
    pub(crate) peer_dispatch: usize,
    pub(crate) outputs: Option<Outputs>,
}

/// An attach callback, from the inside.
pub(crate) struct Offer {
    pub(crate) module: Module,
    /// The registration context that the callback got.
    pub(crate) context: usize,
    pub(crate) offered: Offered,
}

/// The table that every module passes.
const DISPATCH: usize = 0xd15_0000;

impl Offer {
    /// Accepts, with a context of its own: what an honest callback returns.
    pub(crate) fn accept(&self) -> NTSTATUS {
        self.accept_as(fresh_context(), DISPATCH).status
    }

    /// Accepts with this context, which no other binding may have, and this table.
    pub(crate) fn accept_as(&self, context: usize, dispatch: usize) -> Answer {
        let binding = self.remember(context);
        let Some(outputs) = self.offered.outputs else {
            return self.attach(binding, dispatch);
        };
        outputs.write_context(context);
        outputs.write_dispatch(dispatch);
        Answer {
            status: STATUS_SUCCESS,
            context,
            dispatch,
        }
    }

    /// Stores a provider's context, and nothing else.
    pub(crate) fn store_context(&self) {
        let outputs = self.offered.outputs.expect("a provider's offer");
        outputs.write_context(self.remember(fresh_context()).context);
    }

    /// Stores a provider's table, and nothing else: the context is then null.
    pub(crate) fn store_table(&self) {
        let outputs = self.offered.outputs.expect("a provider's offer");
        self.remember(0);
        outputs.write_dispatch(DISPATCH);
    }

    fn remember(&self, context: usize) -> Binding {
        let binding = Binding {
            module: self.module,
            handle: self.offered.handle,
            context,
            peer_context: self.offered.peer_context,
            peer_dispatch: self.offered.peer_dispatch,
        };
        self.module.remember(binding);
        binding
    }

    /// Calls `NmrClientAttachProvider`.
    fn attach(&self, binding: Binding, dispatch: usize) -> Answer {
        let answer = raw::attach(binding.handle, binding.context, dispatch);
        if answer.status == STATUS_SUCCESS {
            self.module.update(Binding {
                peer_context: answer.context,
                peer_dispatch: answer.dispatch,
                ..binding
            });
        } else {
            self.module.forget(binding);
        }
        answer
    }

    /// Accepts with a table of the client's choice, and tells what came out.
    pub(crate) fn ask(&self, dispatch: usize) -> Answer {
        self.accept_as(fresh_context(), dispatch)
    }

    /// Calls `NmrClientAttachProvider` with null outputs.
    pub(crate) fn ask_without_outputs(&self) -> NTSTATUS {
        raw::attach_without_outputs(self.offered.handle, fresh_context())
    }
}

impl Binding {
    /// Completes the detach of this end.
    pub(crate) fn complete(self) {
        raw::complete(self.module.role(), self.handle);
    }
}

//! Progress of a binding, reported to its [watch](crate::wrapped).

use nmr_machine::{Callback, Finding, Handle, Key, ModuleLabel, Role, Rule};
use nmr_sys::{NT_SUCCESS, NTSTATUS, Opaque};

use super::Shell;
use crate::layout::{InterfaceLayout, TableLayout};
use crate::record::Note;
use crate::sync::{Arc, Weak};
use crate::wrapped::{Host, Unwrappable, Watch, Wrapped, Wrapping};

impl Shell {
    /// Declares an interface, and watches the calls of the bindings that are made from now on.
    pub(crate) fn wrap(
        &self,
        interface: InterfaceLayout,
        wrapping: Wrapping,
    ) -> Result<(), Unwrappable> {
        self.wrapped.add(interface.clone(), wrapping)?;
        self.update_watched();
        self.declare(interface);
        Ok(())
    }

    /// Watches the calls of every interface that is not declared.
    pub(crate) fn wrap_others(
        &self,
        wrapping: Wrapping,
        measure: impl Fn(*const ()) -> Option<TableLayout> + Send + Sync + 'static,
    ) -> Result<(), Unwrappable> {
        self.wrapped.add_others(wrapping, measure)?;
        self.update_watched();
        Ok(())
    }

    /// A provider is about to be asked for its consent. Returns the client's table for it.
    #[expect(clippy::expect_used, reason = "as for `Slab::live`")]
    pub(super) fn watch_attach(self: &Arc<Self>, binding: Key, dispatch: Opaque) -> Opaque {
        if !self.wrapped.is_on() {
            return dispatch;
        }
        let described = self.machine(binding).describe(binding);
        let ends = described.expect("the binding is being offered");
        let npi = ends.npi;
        let Some(wrapping) = self.wrapped.wrapping(npi) else {
            return dispatch;
        };
        let shell: Weak<Self> = Arc::downgrade(self);
        let watch = Watch::new(
            shell,
            ends.serial,
            npi,
            wrapping,
            ends.client,
            ends.provider,
        );
        self.wrapped.begin(binding, watch);
        self.wrapped.hand_out(binding, Role::Client, dispatch)
    }

    /// The provider has answered.
    pub(super) fn watch_answer(&self, binding: Key, status: NTSTATUS) {
        if let Some(watch) = self.wrapped.watch(binding) {
            watch.answered(status);
        }
    }

    /// The provider's table for the client that has attached with this handle.
    pub(crate) fn provider_table(&self, handle: Option<Handle>, dispatch: Opaque) -> Opaque {
        handle.map_or(dispatch, |handle| {
            self.wrapped
                .hand_out(handle.key(), Role::Provider, dispatch)
        })
    }

    /// The client has answered.
    pub(super) fn watch_attached(&self, binding: Key, status: NTSTATUS) {
        if !NT_SUCCESS(status)
            && let Some(watch) = self.wrapped.watch(binding)
        {
            watch.abandoned();
        }
    }

    /// A detach callback is about to be called.
    pub(super) fn watch_detach(&self, binding: Key, role: Role) {
        if let Some(watch) = self.wrapped.watch(binding) {
            watch.detach_called(role);
        }
    }

    /// It has returned.
    pub(super) fn watch_detached(&self, binding: Key, role: Role, status: NTSTATUS) {
        if let Some(watch) = self.wrapped.watch(binding) {
            watch.detach_returned(role, status, Callback::Detach.name(role));
        }
    }

    /// A module completes the detach of its end. A handle that is not one for this does nothing
    /// here: the machine will say so.
    pub(crate) fn watch_completion(
        &self,
        handle: Option<Handle>,
        role: Role,
        function: &'static str,
    ) {
        let watch = handle
            .filter(|handle| handle.is_binding_of(role))
            .and_then(|handle| self.wrapped.watch(handle.key()));
        if let Some(watch) = watch {
            watch.done(role, function);
        }
    }
}

impl Host for Shell {
    fn wrapped(&self) -> &Wrapped {
        &self.wrapped
    }

    fn recorded(&self) -> u64 {
        Self::recorded(self)
    }

    fn add_note(&self, note: Note) {
        Self::add_note(self, note);
    }

    fn report_call(
        &self,
        rule: Rule,
        (binding, module, peer): (u64, ModuleLabel, ModuleLabel),
        function: &'static str,
        called: Option<usize>,
    ) {
        let finding = Finding {
            rule,
            binding: Some(binding),
            module: Some(module),
            peer: Some(peer),
            status: None,
        };
        let mut books = self.books();
        let mut report = books.report(finding, function, self.policy.mode);
        report.called = called;
        books.reports.push(report);
        self.announce(books);
    }
}

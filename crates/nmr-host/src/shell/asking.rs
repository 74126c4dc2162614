//! `NmrClientAttachProvider`: how a client's thread asks the provider of its offer.

use nmr_machine::{Breaches, Callback, Ends, Handle, Key, Offer, ProviderAnswer, Role, Side};
use nmr_sys::{NTSTATUS, Opaque};

use super::{Shell, offers};
use crate::callback;
use crate::records::Point;
use crate::sync::Arc;
use crate::transcript::{self, Entry};

/// What a module passes to the other: its context and its table.
type Passed = (Opaque, Opaque);

impl Shell {
    /// Attaches a client. With a fault, it fails before the provider is asked.
    pub(crate) fn attach(
        self: &Arc<Self>,
        handle: Option<Handle>,
        passed: Passed,
        fault: Option<NTSTATUS>,
        entry: &Entry,
    ) -> Result<Passed, NTSTATUS> {
        self.note_entry(entry);
        let mut provider = None;
        let begun = handle.and_then(|handle| {
            self.with_offer(handle, entry.function, |offer, breaches| {
                if let Some(status) = fault {
                    return Err(offer.fail(status, breaches));
                }
                provider = Some((handle, *offer.provider()));
                offer.ask(passed.0, passed.1, breaches)
            })
        });
        let attached = match (begun, &provider) {
            (Some(Ok(())), Some((handle, provider))) => self.ask(*handle, provider, passed),
            (Some(Err(status)), _) => Err(status),
            _ => Err(self.refuse_attach(handle, entry)),
        };
        self.note_return(entry, attached.err().unwrap_or(nmr_sys::STATUS_SUCCESS));
        attached
    }

    /// Asks the provider, and says what the client gets.
    #[expect(
        clippy::expect_used,
        reason = "an offer ends after the client's callback, in which this is called"
    )]
    fn ask(
        self: &Arc<Self>,
        handle: Handle,
        provider: &Side,
        passed: Passed,
    ) -> Result<Passed, NTSTATUS> {
        let binding = handle.key();
        let answer = if self.is_watched() {
            self.ask_watched(binding, provider, passed)
        } else {
            callback::attach_provider(provider, passed.0, passed.1)
        };
        let function = Callback::Attach.name(Role::Provider);
        let attached = self.with_offer(handle, function, |offer, breaches| {
            offer.answer(answer, breaches)
        });
        let attached = attached.expect("the offer is still being made");
        self.keep_answer(binding, attached);
        attached
    }

    /// The same with everything looked at around it.
    fn ask_watched(
        self: &Arc<Self>,
        binding: Key,
        provider: &Side,
        (context, dispatch): Passed,
    ) -> ProviderAnswer {
        self.keep_asking(binding, (context, dispatch));
        let ends = self.machine(binding).describe(binding);
        self.note_asking(ends.as_ref(), Point::Call);
        let dispatch = self.watch_attach(binding, dispatch);
        let answer = self.inside(Role::Provider, Callback::Attach, ends.as_ref(), || {
            callback::attach_provider(provider, context, dispatch)
        });
        self.watch_answer(binding, answer.status);
        self.watch_outputs(binding, &answer);
        self.note_asking(ends.as_ref(), Point::Status(answer.status));
        answer
    }

    fn note_asking(&self, ends: Option<&Ends>, moment: Point) {
        if let (true, Some(ends)) = (self.is_recording(), ends) {
            let record = transcript::record(ends, Role::Provider, Callback::Attach, moment);
            self.record_callback(&mut self.books(), Callback::Attach, record);
        }
    }

    /// Uses an offer of this thread, and reports what is wrong.
    #[inline]
    fn with_offer<T>(
        &self,
        handle: Handle,
        function: &'static str,
        run: impl FnOnce(&mut Offer, &mut Breaches) -> T,
    ) -> Option<T> {
        let mut breaches = Breaches::default();
        let done = offers::with(handle, |offer| run(offer, &mut breaches));
        if !breaches.is_empty() {
            self.report_breaches(handle.key(), breaches, function);
        }
        done
    }

    #[cold]
    fn report_breaches(&self, binding: Key, breaches: Breaches, function: &'static str) {
        let mut machine = self.machine(binding);
        machine.report_breaches(binding, breaches);
        let findings = machine.take_findings();
        drop(machine);
        self.file(findings, function, None);
    }

    /// Refuses an attach outside of the offers that this thread makes.
    #[cold]
    fn refuse_attach(&self, handle: Option<Handle>, entry: &Entry) -> NTSTATUS {
        let mut machine = self.lane_named(handle).machine();
        let status = machine.refuse_attach(handle);
        let findings = machine.take_findings();
        drop(machine);
        self.file(findings, entry.function, Some(entry));
        status
    }
}

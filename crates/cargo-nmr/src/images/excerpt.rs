//! [`Excerpt`]: the part of the record from while an image was loaded or unloaded.

use nmr_host::{Actor, ModuleLabel, Moment, Record, ThreadNumber};
use nmr_sys::STATUS_SUCCESS;

/// A part of the record.
pub(super) struct Excerpt(pub(super) Vec<Record>);

impl Excerpt {
    /// The modules that registered, each once.
    pub(super) fn registered(&self) -> Vec<ModuleLabel> {
        let calls = self.calls(&["NmrRegisterClient", "NmrRegisterProvider"]);
        let modules = calls.filter_map(|record| module(record.caller));
        let mut found = Vec::new();
        for module in modules {
            if !found.contains(&module) {
                found.push(module);
            }
        }
        found
    }

    /// The thread that registered or deregistered.
    pub(super) fn thread(&self) -> Option<ThreadNumber> {
        let mut calls = self.calls(&[
            "NmrRegisterClient",
            "NmrRegisterProvider",
            "NmrDeregisterClient",
            "NmrDeregisterProvider",
        ]);
        calls.next().map(|record| record.thread)
    }

    /// The pairs that attached: the client and the provider.
    pub(super) fn attached(&self) -> Vec<(Actor, Actor)> {
        let clients = self.0.iter().filter(|record| {
            record.function == "ClientAttachProvider"
                && record.moment == Moment::Status(STATUS_SUCCESS)
        });
        clients
            .filter_map(|client| self.with_provider(client))
            .collect()
    }

    fn with_provider(&self, client: &Record) -> Option<(Actor, Actor)> {
        let mut calls = self.calls(&["ProviderAttachClient"]);
        let provider = calls.find(|call| call.binding == client.binding)?;
        Some((client.callee, provider.callee))
    }

    /// How many offers were made.
    pub(super) fn offers(&self) -> usize {
        self.calls(&["ClientAttachProvider"]).count()
    }

    /// How many bindings were asked to end.
    pub(super) fn detached(&self) -> usize {
        self.calls(&["ClientDetachProvider"]).count()
    }

    fn calls(&self, functions: &[&str]) -> impl Iterator<Item = &Record> {
        self.0.iter().filter(move |record| {
            matches!(record.moment, Moment::Call(_)) && functions.contains(&&*record.function)
        })
    }
}

fn module(actor: Actor) -> Option<ModuleLabel> {
    match actor {
        Actor::Module(module) => Some(module),
        Actor::Nmr | Actor::Unknown => None,
    }
}

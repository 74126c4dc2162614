//! What the record of an execution must show, whatever the schedule.

use std::collections::{HashMap, HashSet};

use nmr_host::{Actor, ModuleLabel, Moment, Record};

/// The offers that a record tells of.
#[derive(Default)]
struct Offers {
    /// The modules that have deregistered.
    stopped: HashSet<ModuleLabel>,
    /// For each binding, who had when its offer began.
    at_start: HashMap<u64, HashSet<ModuleLabel>>,
}

/// Checks that the registrar began no offer for a module that had deregistered (I-8), and made
/// every call of a binding once and in order.
pub(crate) fn check(records: &[Record]) {
    let mut offers = Offers::default();
    let mut calls: HashMap<u64, Vec<(&str, bool)>> = HashMap::new();
    for record in records {
        offers.follow(record);
        if let (Some(binding), Actor::Nmr) = (record.binding, record.caller) {
            let begins = matches!(record.moment, Moment::Call(_));
            let calls = calls.entry(binding).or_default();
            calls.push((&record.function, begins));
        }
    }
    for (binding, calls) in calls {
        assert!(in_order(&calls), "binding {binding} in\n{}", text(records));
    }
}

impl Offers {
    fn follow(&mut self, record: &Record) {
        let begins = matches!(record.moment, Moment::Call(_));
        match (&*record.function, record.caller, record.callee) {
            ("NmrRegisterClient" | "NmrRegisterProvider", Actor::Module(module), _) if begins => {
                self.stopped.remove(&module);
            }
            ("NmrDeregisterClient" | "NmrDeregisterProvider", Actor::Module(module), _)
                if !begins =>
            {
                self.stopped.insert(module);
            }
            ("ClientAttachProvider", _, Actor::Module(client)) if begins => {
                assert!(
                    !self.stopped.contains(&client),
                    "{client} is offered a peer"
                );
                let binding = record.binding.expect("an offer has a binding");
                self.at_start.insert(binding, self.stopped.clone());
            }
            ("ProviderAttachClient", _, Actor::Module(provider)) if begins => {
                let binding = record.binding.expect("an offer has a binding");
                let stopped = self.at_start[&binding].contains(&provider);
                assert!(!stopped, "{provider} is offered to a client");
            }
            _ => {}
        }
    }
}

/// Returns `true` if the calls of a binding, and their returns, come in the order of the contract: attach,
/// then each detach once, then each cleanup at most once.
fn in_order(calls: &[(&str, bool)]) -> bool {
    let position = |function, begins| calls.iter().position(|call| *call == (function, begins));
    let once = |function| calls.iter().filter(|call| call.0 == function).count() <= 2;
    let attached = position("ClientAttachProvider", false);
    let detaches = ["ClientDetachProvider", "ProviderDetachClient"];
    let cleanups = [
        "ClientCleanupBindingContext",
        "ProviderCleanupBindingContext",
    ];
    let after_attach = detaches
        .into_iter()
        .filter_map(|detach| position(detach, true))
        .all(|detach| attached.is_some_and(|attached| attached < detach));
    // A client that failed after its attach is not asked to detach.
    let over = |detach, cleanup| {
        position(detach, true).is_none() || position(detach, false).is_some_and(|end| end < cleanup)
    };
    let after_detach = cleanups
        .into_iter()
        .filter_map(|cleanup| position(cleanup, true))
        .all(|cleanup| detaches.iter().all(|detach| over(detach, cleanup)));
    let every_once = detaches.into_iter().chain(cleanups).all(once);
    after_attach && after_detach && every_once
}

/// The record for people, one call or return a line.
pub(crate) fn text(records: &[Record]) -> String {
    let lines: Vec<_> = records.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

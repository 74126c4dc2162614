//! The peer for images of the interface that the sample driver has, EXNPI: the sample's own client or
//! provider, as a native module. Images of other interfaces bring their peers themselves.

use std::sync::Arc;

use driver_host::{Outcome, Peer, PeerComes, Scenario, StartPeer, Trial};
use exnpi::Exnpi;
use exnpi_driver::client::Adder;
use exnpi_driver::provider::Summer;
use nmr::{Npi, Registration};
use nmr_host::Role;

use crate::options::{FaultsOptions, PeerChoice, PeerOrder};

struct SampleClient(Registration<nmr::Client<Exnpi>, Adder>);

impl Peer for SampleClient {
    fn meet(&self) {
        // Where an attach was refused, there is nobody to call.
        let _ = self.0.add(1);
    }
}

struct SampleProvider {
    _registration: Registration<nmr::Provider<Exnpi>, Summer>,
}

impl Peer for SampleProvider {}

fn start(role: Role) -> StartPeer {
    match role {
        Role::Client => Arc::new(|| {
            let client = Adder::new().and_then(Registration::new);
            Box::new(SampleClient(client.expect("nothing fails for the peer")))
        }),
        Role::Provider => Arc::new(|| {
            let provider = Registration::new(Summer);
            Box::new(SampleProvider {
                _registration: provider.expect("nothing fails for the peer"),
            })
        }),
    }
}

/// Gives a scenario the peer that was asked for, and runs it without a fault. Returns the peer in
/// words.
pub(super) fn choose(
    scenario: Scenario,
    options: &FaultsOptions,
) -> (Scenario, &'static str, Outcome) {
    let comes = match options.peer_order {
        PeerOrder::First => PeerComes::First,
        PeerOrder::Last => PeerComes::Last,
    };
    let with = |role| Scenario {
        peer: Some((comes, start(role))),
        ..scenario.clone()
    };
    let run = |scenario: Scenario, words| {
        let dry = scenario.run(&Trial::Dry);
        (scenario, words, dry)
    };
    match options.peer {
        PeerChoice::Client => run(with(Role::Client), words(Role::Client)),
        PeerChoice::Provider => run(with(Role::Provider), words(Role::Provider)),
        PeerChoice::None => run(scenario, NOBODY),
        PeerChoice::Auto => {
            let alone = run(scenario.clone(), NOBODY);
            let with_peer =
                lonely(&alone.2).map(|role| run(with(role.other()), words(role.other())));
            match with_peer {
                Some(met) if met.2.attached > 0 => met,
                _ => alone,
            }
        }
    }
}

const NOBODY: &str = "none";

fn words(role: Role) -> &'static str {
    match role {
        Role::Client => "the sample client",
        Role::Provider => "the sample provider",
    }
}

/// The role of the module of the sample's interface without a peer, if nothing attached and
/// nothing else is wrong.
fn lonely(alone: &Outcome) -> Option<Role> {
    if alone.attached > 0 || !alone.wrong().is_empty() {
        return None;
    }
    let mut of_sample = alone.registered.iter().filter(|(_, npi)| *npi == Exnpi::ID);
    of_sample.next().map(|(module, _)| module.role)
}

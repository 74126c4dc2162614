//! Many bindings at a time. The times are those of one binding.

use std::time::{Duration, Instant};

use nmr_host::Registrar;

use crate::Work;
use crate::c::Callbacks;
use crate::lives::{NPI, share};
use crate::raw::{
    Client, Provider, close_client, close_provider, register_client, register_provider,
};
use crate::setting::Setting;

/// The part of the cycles of many clients that is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// The clients register and attach, one after the other.
    ClientsRegister,
    /// The provider deregisters, and detaches from all clients.
    ProviderLeaves,
    /// The clients deregister, detach and wait, one after the other.
    ClientsLeave,
}

/// Many clients attach to one provider, and one of the sides leaves.
pub struct Fan {
    registrar: Registrar,
    provider: &'static Provider,
    clients: Vec<&'static Client>,
    part: Part,
}

/// So many clients attach to as many providers, and all leave.
pub struct AllPairs {
    registrar: Registrar,
    providers: Vec<&'static Provider>,
    clients: Vec<&'static Client>,
}

fn clients(count: u32, callbacks: &Callbacks) -> Vec<&'static Client> {
    (0..count).map(|_| Client::leak(NPI, callbacks)).collect()
}

impl Fan {
    /// So many clients.
    #[must_use]
    pub fn new(setting: Setting, callbacks: &Callbacks, count: u32, part: Part) -> Self {
        Self {
            registrar: setting.registrar(),
            provider: Provider::leak(NPI, callbacks),
            clients: clients(count, callbacks),
            part,
        }
    }

    /// Runs all of their cycles, and returns how long the part takes.
    fn cycles(&self) -> Duration {
        let provider = register_provider(self.provider);
        let start = Instant::now();
        let clients = self.clients.iter().map(|client| register_client(client));
        let clients: Vec<_> = clients.collect();
        let registered = start.elapsed();
        let start = Instant::now();
        if self.part == Part::ProviderLeaves {
            close_provider(provider);
            let spent = start.elapsed();
            clients.into_iter().for_each(close_client);
            return spent;
        }
        clients.into_iter().for_each(close_client);
        let left = start.elapsed();
        close_provider(provider);
        if self.part == Part::ClientsRegister {
            registered
        } else {
            left
        }
    }
}

impl Work for Fan {
    fn run(&mut self, times: u64) -> Duration {
        let _entered = self.registrar.enter();
        let bindings = self.clients.len() as u64;
        let rounds = times.div_ceil(bindings);
        let spent = (0..rounds).map(|_| self.cycles()).sum();
        assert!(self.registrar.reports().is_empty());
        share(spent, times, rounds * bindings)
    }
}

impl AllPairs {
    /// So many clients, and as many providers.
    #[must_use]
    pub fn new(setting: Setting, callbacks: &Callbacks, count: u32) -> Self {
        Self {
            registrar: setting.registrar(),
            providers: (0..count).map(|_| Provider::leak(NPI, callbacks)).collect(),
            clients: clients(count, callbacks),
        }
    }

    fn attach_and_detach(&self) {
        let providers = self
            .providers
            .iter()
            .map(|provider| register_provider(provider));
        let providers: Vec<_> = providers.collect();
        let clients: Vec<_> = self
            .clients
            .iter()
            .map(|client| register_client(client))
            .collect();
        clients.into_iter().for_each(close_client);
        providers.into_iter().for_each(close_provider);
    }
}

impl Work for AllPairs {
    fn run(&mut self, times: u64) -> Duration {
        let _entered = self.registrar.enter();
        let bindings = (self.clients.len() * self.providers.len()) as u64;
        let rounds = times.div_ceil(bindings);
        let start = Instant::now();
        (0..rounds).for_each(|_| self.attach_and_detach());
        let spent = start.elapsed();
        assert!(self.registrar.reports().is_empty());
        share(spent, times, rounds * bindings)
    }
}

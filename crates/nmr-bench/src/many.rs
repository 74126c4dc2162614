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

/// Who leaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Leaves {
    /// The provider leaves all of its clients.
    Provider,
    /// The clients leave, one after the other.
    Clients,
}

/// One provider is attached to many clients, and one of the sides leaves.
pub struct Fan {
    registrar: Registrar,
    provider: &'static Provider,
    clients: Vec<&'static Client>,
    leaves: Leaves,
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
    pub fn new(setting: Setting, callbacks: &Callbacks, count: u32, leaves: Leaves) -> Self {
        Self {
            registrar: setting.registrar(),
            provider: Provider::leak(NPI, callbacks),
            clients: clients(count, callbacks),
            leaves,
        }
    }

    /// Attaches them all, and returns how long it takes to detach them.
    fn detach(&self) -> Duration {
        let provider = register_provider(self.provider);
        let clients: Vec<_> = self
            .clients
            .iter()
            .map(|client| register_client(client))
            .collect();
        let start = Instant::now();
        match self.leaves {
            Leaves::Provider => {
                close_provider(provider);
                let spent = start.elapsed();
                clients.into_iter().for_each(close_client);
                spent
            }
            Leaves::Clients => {
                clients.into_iter().for_each(close_client);
                let spent = start.elapsed();
                close_provider(provider);
                spent
            }
        }
    }
}

impl Work for Fan {
    fn run(&mut self, times: u64) -> Duration {
        let _entered = self.registrar.enter();
        let bindings = self.clients.len() as u64;
        let rounds = times.div_ceil(bindings);
        let spent = (0..rounds).map(|_| self.detach()).sum();
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

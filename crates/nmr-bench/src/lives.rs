//! Cycles of clients: they register, attach, deregister and wait.

use std::time::{Duration, Instant};

use nmr_host::Registrar;

use crate::Work;
use crate::c::Callbacks;
use crate::raw::{self, Client, Provider, register_client, register_provider};
use crate::setting::Setting;
use crate::together::together;

/// The interface of the modules that are measured. Those beside them have other ones.
pub const NPI: u128 = 7;

/// What else is registered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Beside {
    /// Nothing.
    Nothing,
    /// So many providers, each of an interface of its own.
    Registrations(u32),
    /// So many pairs of a client and a provider, each of an interface of its own.
    Pairs(u32),
}

/// One client registers, attaches to the one provider that there is, and leaves.
pub struct Life {
    registrar: Registrar,
    client: &'static Client,
    cycle: fn(&'static Client, u64),
}

/// Several threads, each with a client that does that. The times are those of all threads together.
pub struct Lives {
    registrar: Registrar,
    clients: Vec<&'static Client>,
}

impl Life {
    /// A client and a provider with these callbacks. `cycle` is that of [`raw`] or of
    /// [`c`](crate::c).
    #[must_use]
    pub fn new(
        setting: Setting,
        callbacks: &Callbacks,
        cycle: fn(&'static Client, u64),
        beside: Beside,
    ) -> Self {
        let life = Self {
            cycle,
            ..Self::alone(setting, callbacks)
        };
        let entered = life.registrar.enter();
        beside.register(callbacks);
        register_provider(Provider::leak(NPI, callbacks));
        drop(entered);
        life
    }

    /// A client without a provider.
    #[must_use]
    pub fn alone(setting: Setting, callbacks: &Callbacks) -> Self {
        Self {
            registrar: setting.registrar(),
            client: Client::leak(NPI, callbacks),
            cycle: raw::cycle,
        }
    }
}

impl Work for Life {
    fn run(&mut self, times: u64) -> Duration {
        let _entered = self.registrar.enter();
        let start = Instant::now();
        (self.cycle)(self.client, times);
        let spent = start.elapsed();
        assert!(self.registrar.reports().is_empty());
        spent
    }
}

impl Lives {
    /// Clients of interfaces of their own.
    #[must_use]
    pub fn apart(setting: Setting, callbacks: &Callbacks, threads: u32) -> Self {
        let registrar = setting.registrar();
        let entered = registrar.enter();
        let clients = (0..threads).map(|thread| {
            let npi = NPI + u128::from(thread);
            register_provider(Provider::leak(npi, callbacks));
            Client::leak(npi, callbacks)
        });
        let clients = clients.collect();
        drop(entered);
        Self { registrar, clients }
    }

    /// Clients of one interface and one provider.
    #[must_use]
    pub fn of_one_interface(setting: Setting, callbacks: &Callbacks, threads: u32) -> Self {
        let registrar = setting.registrar();
        let entered = registrar.enter();
        register_provider(Provider::leak(NPI, callbacks));
        drop(entered);
        let clients = (0..threads).map(|_| Client::leak(NPI, callbacks));
        Self {
            registrar,
            clients: clients.collect(),
        }
    }
}

impl Work for Lives {
    fn run(&mut self, times: u64) -> Duration {
        let each = times.div_ceil(self.clients.len() as u64);
        let done = each * self.clients.len() as u64;
        let spent = together(&self.clients, |client| {
            let _entered = self.registrar.enter();
            raw::cycle(client, each);
        });
        assert!(self.registrar.reports().is_empty());
        share(spent, times, done)
    }
}

/// What a part of the work took.
#[expect(clippy::cast_precision_loss, reason = "a ratio of small numbers")]
pub(crate) fn share(spent: Duration, part: u64, whole: u64) -> Duration {
    spent.mul_f64(part as f64 / whole as f64)
}

impl Beside {
    /// Registers it all with the registrar that this thread has entered, for ever.
    pub fn register(self, callbacks: &Callbacks) {
        let interfaces = |count: u32| (0..count).map(|number| 1_000 + u128::from(number));
        match self {
            Self::Nothing => {}
            Self::Registrations(count) => {
                for npi in interfaces(count) {
                    register_provider(Provider::leak(npi, callbacks));
                }
            }
            Self::Pairs(count) => {
                for npi in interfaces(count) {
                    register_provider(Provider::leak(npi, callbacks));
                    register_client(Client::leak(npi, callbacks));
                }
            }
        }
    }
}

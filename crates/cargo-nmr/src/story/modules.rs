//! The life cycle of the story's modules.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use exnpi::{CHARACTERISTICS, Characteristics};
use exnpi_driver::provider::Summer;
use nmr::Registration;
use nmr_host::Role;

use super::watched::{Notebook, Watched};
use super::{Session, Told, in_words};
use crate::job_thread::{Answer, PATIENCE};
use crate::options::{Order, Side, StoryOptions};
use crate::script;

/// How they come.
impl Session {
    pub(super) fn register(&mut self) -> Told {
        let Notebook { registrar, .. } = &self.notebook;
        for (id, name) in self.participants().modules {
            registrar.name(id, &name);
        }
        let StoryOptions { order, decline, .. } = self.options;
        self.section(script::first_registers(order));
        match order {
            Order::ClientFirst => self.register_client()?,
            Order::ProviderFirst => self.register_provider()?,
        }
        self.section(script::second_registers(order, decline));
        match order {
            Order::ClientFirst => self.register_provider(),
            Order::ProviderFirst => self.register_client(),
        }
    }

    fn register_client(&mut self) -> Told {
        let module = self.watched(&self.adder, Role::Client, Side::Provider);
        let registered = self.client_hand.ask(|| Registration::new(module));
        self.client = Some(registered.wait()?.map_err(in_words)?);
        Ok(())
    }

    fn register_provider(&mut self) -> Told {
        let module = self.watched(&Arc::new(Summer), Role::Provider, Side::Client);
        let registered = self.provider_hand.ask(|| Registration::new(module));
        self.provider = Some(registered.wait()?.map_err(in_words)?);
        Ok(())
    }

    /// A module that is recorded, and that lies about its version if the peer is to decline it.
    fn watched<M>(&self, module: &Arc<M>, role: Role, peer: Side) -> Watched<M> {
        let version = CHARACTERISTICS.version + 1;
        let declined = self.options.decline == Some(peer);
        Watched {
            module: Arc::clone(module),
            disguise: declined.then_some(Characteristics { version }),
            role,
            notebook: self.notebook.clone(),
        }
    }
}

/// How they go.
impl Session {
    /// Deregisters the provider, whose thread then waits.
    pub(super) fn deregister_provider(&mut self) -> Told<Answer<()>> {
        let begun = self.notebook.registrar.recorded();
        let provider = self.provider.take();
        let goodbye = self.provider_hand.ask(|| drop(provider));
        self.wait_for_call("NmrWaitForProviderDeregisterComplete", begun)?;
        self.call_in_vain()?;
        Ok(goodbye)
    }

    /// Lets the calls end, one by one, and with the last one the wait of the provider.
    pub(super) fn release_calls(
        &mut self,
        calls: &[Answer<nmr::Result<u32>>],
        goodbye: &Answer<()>,
    ) -> Told {
        self.section(script::last_call(calls.len()));
        let mut sum = 0;
        for (place, call) in calls.iter().enumerate() {
            self.fold_middle(place, calls.len(), script::folded_returns);
            self.notebook.pause.release_one();
            sum = call.wait()?.map_err(in_words)?;
        }
        goodbye.wait()?;
        compare("the sum", u64::from(sum), u64::from(self.sum))?;
        let changes = u64::from(self.adder.changes());
        compare("the number of changes", changes, self.calls)
    }

    pub(super) fn deregister_client(&mut self) -> Told {
        self.section(script::client_deregisters());
        self.call_in_vain()?;
        let client = self.client.take();
        self.client_hand.ask(|| drop(client)).wait()
    }

    pub(super) fn end_declined(&mut self) -> Told {
        self.section(script::both_deregister());
        self.call_in_vain()?;
        let client = self.client.take();
        self.client_hand.ask(|| drop(client)).wait()?;
        let provider = self.provider.take();
        self.provider_hand.ask(|| drop(provider)).wait()
    }

    /// Waits until a thread has called a function of the NMR, which may block it.
    fn wait_for_call(&self, function: &str, begun: u64) -> Told {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let records = self.notebook.registrar.records_since(begun);
            if records.iter().any(|record| record.function == function) {
                return Ok(());
            }
            thread::sleep(Duration::from_micros(200));
        }
        Err(format!("{function} was not called within {PATIENCE:?}"))
    }
}

fn compare(what: &str, found: u64, expected: u64) -> Told {
    if found == expected {
        return Ok(());
    }
    Err(format!("{what} is {found} instead of {expected}"))
}

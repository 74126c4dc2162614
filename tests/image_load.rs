//! The driver's images under load: calls from several threads while images come and go.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod images;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use driver_host::Host;
use exnpi::{CHARACTERISTICS, Characteristics, ClientCalls, ClientDispatch, Exnpi, ProviderCalls};
use exnpi_driver::client::Adder;
use images::{clean, load, on_hosts};
use nmr::{Guid, Identity, Lent, Module, Offer, Provider, Registration, Result, Slot};

const CALLERS: usize = 4;

/// Threads that call until they are told to stop.
struct Load {
    stop: Arc<AtomicBool>,
    callers: Vec<JoinHandle<()>>,
    /// How many calls got through.
    calls: Arc<AtomicU64>,
}

impl Load {
    /// Starts threads that make a call again and again; it says whether it got through.
    fn start(call: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        let (stop, calls, call) = (Arc::<AtomicBool>::default(), Arc::default(), Arc::new(call));
        let callers = (0..CALLERS).map(|_| {
            let (stop, calls, call) = (Arc::clone(&stop), Arc::clone(&calls), Arc::clone(&call));
            thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    count(&calls, call());
                }
            })
        });
        let callers = callers.collect();
        Self {
            stop,
            callers,
            calls,
        }
    }

    /// Waits until some more calls have got through.
    fn wait_for_calls(&self) {
        let before = self.calls.load(Ordering::Relaxed);
        while self.calls.load(Ordering::Relaxed) < before + 50 {
            thread::sleep(Duration::from_micros(100));
        }
    }

    fn finish(self) {
        self.stop.store(true, Ordering::Relaxed);
        for caller in self.callers {
            caller.join().unwrap();
        }
    }
}

fn count(calls: &AtomicU64, got_through: bool) {
    if got_through {
        calls.fetch_add(1, Ordering::Relaxed);
    } else {
        thread::yield_now();
    }
}

/// A native provider that calls its client, unasked.
struct Caller {
    client: Slot<ClientDispatch>,
}

/// The provider's part of a binding.
struct Ignore;

impl Module<Provider<Exnpi>> for Caller {
    type Binding = Ignore;

    fn identity(&self) -> Identity {
        Identity::new(Guid::from_u128(0x5f0e_2c1b_84a6_4d39_9b7e_c8d1_0f63_a572))
    }

    fn characteristics(&self) -> Option<Lent<'_, Characteristics>> {
        Some(Lent::new(&CHARACTERISTICS))
    }

    fn attach(&self, offer: Offer<'_, Provider<Exnpi>>) -> Result<Ignore> {
        offer.claim(&self.client)?;
        Ok(Ignore)
    }
}

impl ProviderCalls for Ignore {
    fn add(&self, value: u32) -> u32 {
        value
    }
}

/// A native client of the image's provider, and threads that call through it.
fn call_provider(host: &Host) -> (Arc<Registration<nmr::Client<Exnpi>, Adder>>, Load) {
    let client = host.run(|| Registration::new(Adder::new().unwrap()).unwrap());
    let client = Arc::new(client.unwrap());
    let caller = Arc::clone(&client);
    (client, Load::start(move || caller.add(1).is_ok()))
}

/// A native provider of the image's client, and threads that call through it.
fn call_client(host: &Host) -> (Arc<Registration<Provider<Exnpi>, Caller>>, Load) {
    let provider = host.run(|| {
        let client = Slot::new().unwrap();
        Registration::new(Caller { client }).unwrap()
    });
    let provider = Arc::new(provider.unwrap());
    let caller = Arc::clone(&provider);
    let call = move || {
        caller.client.enter().is_ok_and(|client| {
            client.changed(1);
            true
        })
    };
    (provider, Load::start(call))
}

#[test]
#[ignore = "needs the driver built for Windows: run `cargo xtask test`"]
fn a_provider_is_unloaded_and_returns_under_load() {
    on_hosts(|host| {
        let (client, calls) = call_provider(host);
        for _ in 0..5 {
            let provider = load(host, "provider");
            calls.wait_for_calls();
            clean(&provider.unload());
        }
        calls.finish();
        drop(client);
    });
}

#[test]
#[ignore = "needs the driver built for Windows: run `cargo xtask test`"]
fn a_client_is_unloaded_and_returns_under_load() {
    on_hosts(|host| {
        let (provider, calls) = call_client(host);
        for _ in 0..5 {
            let client = load(host, "client");
            calls.wait_for_calls();
            clean(&client.unload());
        }
        calls.finish();
        drop(provider);
    });
}

#[test]
#[ignore = "needs the driver built for Windows: run `cargo xtask test`"]
fn either_of_a_pair_is_unloaded_first_under_load() {
    on_hosts(|host| {
        for provider_goes_first in [false, true] {
            let provider = load(host, "provider");
            let client = load(host, "client");
            let (native, calls) = call_provider(host);
            calls.wait_for_calls();
            let order = if provider_goes_first {
                [provider, client]
            } else {
                [client, provider]
            };
            for image in order {
                clean(&image.unload());
            }
            calls.finish();
            drop(native);
        }
    });
}

#[test]
#[ignore = "needs the driver built for Windows: run `cargo xtask test`"]
fn a_native_module_goes_under_load() {
    on_hosts(|host| {
        let provider = load(host, "provider");
        for _ in 0..5 {
            let (client, calls) = call_provider(host);
            calls.wait_for_calls();
            calls.finish();
            drop(client);
        }
        clean(&provider.unload());
    });
}

#[test]
#[ignore = "needs the driver built for Windows: run `cargo xtask test`"]
fn images_come_and_go_on_several_threads() {
    on_hosts(|host| {
        thread::scope(|scope| {
            for role in ["provider", "client", "both"] {
                scope.spawn(move || {
                    for _ in 0..10 {
                        clean(&load(host, role).unload());
                    }
                });
            }
        });
    });
}

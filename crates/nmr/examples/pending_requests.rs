//! A provider that takes requests now and answers them later, on a thread of its own.
//!
//! A request that is pending holds a `Call` into the client. So the client stays attached until the
//! answer has arrived, however soon it wants to leave; no request is counted, and only the thread
//! that ends the client's registration waits.
//!
//! Run it with `cargo run -p wdk-nmr --example pending_requests`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Sender};
use std::thread;

use exnpi::{ClientCalls, ClientDispatch, Exnpi, ProviderCalls, ProviderDispatch};
use nmr::{
    Call, Client, Guid, Identity, Module, Offer, Peer, Provider, Registration, Result, Slot,
};
use nmr_host::{Policy, Registrar};

/// A request: the value to be squared, and whom to tell.
type Request = (u32, Call<ClientDispatch>);

/// The provider, which hands requests to its worker.
struct Calculator(Sender<Request>);

/// Its part of a binding.
struct Desk {
    client: Peer<ClientDispatch>,
    worker: Sender<Request>,
}

impl Module<Provider<Exnpi>> for Calculator {
    type Binding = Desk;

    fn identity(&self) -> Identity {
        Identity::new(Guid::from_u128(0x5b1a_0d5e_7c57_4d0b_a3b6_6f0a_2c8e_2f02))
    }

    fn attach(&self, offer: Offer<'_, Provider<Exnpi>>) -> Result<Desk> {
        let worker = self.0.clone();
        offer.peer().map(|client| Desk { client, worker })
    }
}

impl ProviderCalls for Desk {
    /// Takes the request, and returns whether the answer will come.
    fn add(&self, value: u32) -> u32 {
        let client = self.client.enter().ok();
        client.map_or(0, |client| self.worker.send((value, client)).is_ok().into())
    }
}

/// The client.
struct Student {
    provider: Slot<ProviderDispatch>,
    sum: Arc<AtomicU32>,
}

/// Its part of a binding.
struct Notebook(Arc<AtomicU32>);

impl Module<Client<Exnpi>> for Student {
    type Binding = Notebook;

    fn identity(&self) -> Identity {
        Identity::new(Guid::from_u128(0x5b1a_0d5e_7c57_4d0b_a3b6_6f0a_2c8e_2f03))
    }

    fn attach(&self, offer: Offer<'_, Client<Exnpi>>) -> Result<Notebook> {
        offer.claim(&self.provider)?;
        Ok(Notebook(self.sum.clone()))
    }
}

impl ClientCalls for Notebook {
    fn changed(&self, square: u32) {
        println!("an answer: {square}");
        self.0.fetch_add(square, Ordering::Relaxed);
    }
}

fn main() {
    let registrar = Registrar::new(Policy::default());
    let entered = registrar.enter();

    let (requests, work) = mpsc::channel::<Request>();
    let provider = Registration::new(Calculator(requests)).expect("there is memory");
    let sum = Arc::new(AtomicU32::new(0));
    let student = Student {
        provider: Slot::new().expect("there is memory"),
        sum: sum.clone(),
    };
    let client = Registration::new(student).expect("there is memory");
    for value in 1..=3 {
        let provider = client.provider.enter().expect("the provider is there");
        assert_eq!(provider.add(value), 1, "the request is taken");
    }
    let leaving = client.close();
    println!("the client is leaving, with three answers to come");
    let answer = |(value, client): Request| client.changed(value * value);
    let worker = thread::spawn(move || work.into_iter().for_each(answer));
    leaving.wait();
    assert_eq!(sum.load(Ordering::Relaxed), 1 + 4 + 9);
    println!("the client has left");

    // With the provider goes the last way to the worker, which ends.
    drop(provider);
    worker.join().expect("the worker does not panic");
    drop(entered);
    assert_eq!(registrar.finish(), [], "every rule of the NMR was kept");
}

#[test]
fn it_runs() {
    main();
}

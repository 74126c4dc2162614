//! Calls, in both directions.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::mpsc;
use std::thread;

use exnpi::{ClientCalls, ClientDispatch, Exnpi, ProviderCalls, ProviderDispatch};
use nmr::{Call, Client, Offer, Peer, Provider, Registration};
use nmr_host::irql;

use crate::support::{Adder, Attaches, Deaf, Summer, run};

#[test]
fn p_02_a_provider_has_a_binding_for_each_client() {
    run(|| {
        let _provider = Registration::new(Summer).unwrap();
        let clients = [(); 3].map(|()| Registration::new(Adder::new()).unwrap());
        for (client, value) in clients.iter().zip(1..) {
            client.add(value);
            client.add(value);
        }
        assert_eq!(clients.each_ref().map(|client| client.heard()), [2, 4, 6]);
    });
}

#[test]
fn p_03_a_client_has_a_binding_for_each_provider() {
    run(|| {
        let peers = Arc::new(Mutex::new(Vec::<Peer<ProviderDispatch>>::new()));
        let list = peers.clone();
        let client = Attaches(move |offer: Offer<'_, Client<Exnpi>>| {
            list.lock().unwrap().push(offer.peer()?);
            Ok(Deaf)
        });
        let _client = Registration::new(client).unwrap();
        let providers = [(); 3].map(|()| Registration::new(Summer).unwrap());
        let add = |peer: &Peer<ProviderDispatch>| peer.enter().map(|provider| provider.add(1));
        let sums: Vec<_> = peers.lock().unwrap().iter().map(add).collect();
        assert_eq!(sums, [Ok(1); 3]);
        drop(providers);
        assert!(peers.lock().unwrap().iter().all(|peer| !peer.is_attached()));
    });
}

#[test]
fn p_09_a_batch_of_calls_at_dispatch_level() {
    run(|| {
        let _provider = Registration::new(Summer).unwrap();
        let client = Registration::new(Adder::new()).unwrap();
        let raised = irql::raise(irql::DISPATCH_LEVEL);
        let provider = client.provider.enter().unwrap();
        for value in 1..=10 {
            provider.add(value);
        }
        drop(provider);
        drop(raised);
        assert_eq!(client.heard(), 55);
    });
}

/// A client with inverted roles: it has the functions and never calls.
struct Hook;

impl ClientCalls for Hook {
    fn changed(&self, sum: u32) {
        assert_eq!(sum, 5);
    }
}

/// The provider's binding to a hook, which is not called.
struct Mute;

impl ProviderCalls for Mute {
    fn add(&self, value: u32) -> u32 {
        value
    }
}

#[test]
fn p_02_the_provider_calls_and_the_client_is_called() {
    run(|| {
        let peers = Arc::new(Mutex::new(None::<Peer<ClientDispatch>>));
        let place = peers.clone();
        let provider = Attaches(move |offer: Offer<'_, Provider<Exnpi>>| {
            *place.lock().unwrap() = Some(offer.peer()?);
            Ok(Mute)
        });
        let client = Attaches(|_: Offer<'_, Client<Exnpi>>| Ok(Hook));
        let _client = Registration::new(client).unwrap();
        let _provider = Registration::new(provider).unwrap();
        let peer = peers.lock().unwrap().clone().unwrap();
        peer.enter().unwrap().changed(5);
    });
}

#[test]
fn p_12_the_last_call_completes_the_detach() {
    run(|| {
        let provider = Registration::new(Summer).unwrap();
        let client = Registration::new(Adder::new()).unwrap();
        let call = client.provider.enter().unwrap();
        let second = call.clone();
        let closing = provider.close();
        // No thread waits, the calls still work, and new ones do not begin.
        assert!(client.provider.enter().is_err());
        assert_eq!(call.add(1), 1);
        drop(call);
        assert_eq!(second.clone().add(1), 2);
        drop(second);
        closing.wait();
    });
}

/// Begins a call that outlives this function: a pending request.
fn begin(client: &Adder) -> Call<ProviderDispatch> {
    client.provider.enter().unwrap()
}

#[test]
fn p_12_a_call_ends_on_another_thread_at_dispatch_level() {
    run(|| {
        let provider = Registration::new(Summer).unwrap();
        let client = Registration::new(Adder::new()).unwrap();
        let (send, requests) = mpsc::channel::<Call<ProviderDispatch>>();
        let (go, wait) = mpsc::channel::<()>();
        let worker = thread::spawn(move || {
            wait.recv().unwrap();
            let _raised = irql::raise(irql::DISPATCH_LEVEL);
            requests.into_iter().for_each(drop);
        });
        for _ in 0..3 {
            send.send(begin(&client)).unwrap();
        }
        drop(send);
        let closing = (client.close(), provider.close());
        go.send(()).unwrap();
        drop(closing);
        worker.join().unwrap();
    });
}

//! A module that calls each of its peers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use exnpi::{ClientCalls, ClientDispatch, Exnpi, ProviderCalls};
use nmr::{Client, Detached, Error, Module, Offer, Peers, Provider, Registration, Shared};

use crate::support::{Attaches, Ear, run, run_with};

type Set = Arc<Peers<ClientDispatch>>;

/// A provider's binding that its client does not call.
struct Silent;

impl ProviderCalls for Silent {
    fn add(&self, value: u32) -> u32 {
        value
    }
}

fn provider(set: &Set) -> Registration<Provider<Exnpi>, impl Module<Provider<Exnpi>>> {
    let set = Arc::clone(set);
    let joins = move |offer: Offer<'_, Provider<Exnpi>>| offer.join(&set).map(|()| Silent);
    Registration::new(Attaches(joins)).unwrap()
}

/// A client that hears the last value, and where.
fn client() -> (
    Registration<Client<Exnpi>, impl Module<Client<Exnpi>>>,
    Shared<AtomicU32>,
) {
    let heard = Shared::new(AtomicU32::new(0)).unwrap();
    let ear = heard.clone();
    let listens = move |_: Offer<'_, Client<Exnpi>>| Ok(Ear(ear.clone()));
    (Registration::new(Attaches(listens)).unwrap(), heard)
}

/// Calls every client, and returns how many there were.
fn publish(set: &Set, value: u32) -> usize {
    set.enter().map(|client| client.changed(value)).count()
}

#[test]
fn p_02_every_client_is_called_and_none_that_has_left() {
    run(|| {
        let set = Set::default();
        let _provider = provider(&set);
        assert_eq!(publish(&set, 1), 0);
        let mut clients: Vec<_> = (0..5).map(|_| client()).collect();
        assert_eq!(publish(&set, 2), 5);
        let (gone, last) = clients.remove(2);
        drop(gone);
        assert_eq!(publish(&set, 3), 4);
        assert_eq!(last.load(Ordering::SeqCst), 2);
        let heard = |(_, heard): &(_, Shared<AtomicU32>)| heard.load(Ordering::SeqCst);
        assert_eq!(clients.iter().map(heard).collect::<Vec<_>>(), [3; 4]);
        // A place that was vacated is taken again.
        clients.push(client());
        assert_eq!(publish(&set, 4), 5);
    });
}

#[test]
fn p_02_a_client_leaves_while_it_is_called() {
    run(|| {
        let set = Set::default();
        let _provider = provider(&set);
        let (first, _) = client();
        let (_second, heard) = client();
        let mut calls = set.enter();
        // Entries are added in front.
        let call = calls.next().unwrap();
        let closing = (first.close(), call);
        assert_eq!(calls.map(|client| client.changed(7)).count(), 0);
        drop(closing.1);
        closing.0.wait();
        assert_eq!(publish(&set, 8), 1);
        assert_eq!(heard.load(Ordering::SeqCst), 8);
    });
}

/// Clients come and go while others are called: the last call of one that leaves completes its detach
/// inside the loop, where no lock is held.
#[test]
fn p_02_clients_come_and_go_while_all_are_called() {
    run_with(|registrar| {
        let set = Set::default();
        let provider = provider(&set);
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            let comers = [(); 2].map(|()| {
                scope.spawn(|| {
                    let _entered = registrar.enter();
                    (0..20).for_each(|_| drop(client()));
                })
            });
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    publish(&set, 1);
                }
            });
            for comer in comers {
                comer.join().unwrap();
            }
            stop.store(true, Ordering::Relaxed);
        });
        drop(provider);
        assert_eq!(publish(&set, 2), 0);
    });
}

#[test]
fn a_peer_that_has_left_is_not_ready() {
    assert_eq!(Error::from(Detached), Error::DEVICE_NOT_READY);
}

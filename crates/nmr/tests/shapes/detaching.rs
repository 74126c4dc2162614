//! What modules do when a binding ends.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::thread;

use exnpi::{Exnpi, ProviderDispatch};
use nmr::{Client, Detach, Identity, Module, Offer, Peer, Registration, Result};

use crate::support::{Adder, Attaches, Deaf, MODULE, Summer, run};

/// A client that hands each detach to a worker.
struct Deferring(Mutex<Sender<Detach<ProviderDispatch>>>);

impl Module<Client<Exnpi>> for Deferring {
    type Binding = Deaf;

    fn identity(&self) -> Identity {
        Identity::new(MODULE)
    }

    fn attach(&self, _offer: Offer<'_, Client<Exnpi>>) -> Result<Deaf> {
        Ok(Deaf)
    }

    fn detaching(&self, _binding: &Deaf, detach: Detach<ProviderDispatch>) {
        self.0.lock().unwrap().send(detach).unwrap();
    }
}

#[test]
fn p_13_a_worker_finishes_the_detach() {
    static WORK_IS_DONE: AtomicBool = AtomicBool::new(false);
    run(|| {
        WORK_IS_DONE.store(false, Ordering::SeqCst);
        let (send, work) = channel();
        let worker = thread::spawn(move || {
            for detach in work {
                thread::yield_now();
                WORK_IS_DONE.store(true, Ordering::SeqCst);
                drop(detach);
            }
        });
        let provider = Registration::new(Summer).unwrap();
        let client = Registration::new(Deferring(Mutex::new(send))).unwrap();
        drop(provider);
        assert!(WORK_IS_DONE.load(Ordering::SeqCst));
        drop(client);
        worker.join().unwrap();
    });
}

#[test]
fn p_14_a_detach_completes_in_the_callback_or_later() {
    run(|| {
        let (send, detaches) = channel();
        let client = Registration::new(Deferring(Mutex::new(send))).unwrap();
        for is_late in [false, true] {
            let provider = Registration::new(Summer).unwrap();
            let closing = provider.close();
            let detach = detaches.recv().unwrap();
            if is_late {
                thread::spawn(move || drop(detach));
            } else {
                drop(detach);
            }
            closing.wait();
        }
        drop(client);
    });
}

/// A client that keeps each detach as long as the test wants, and counts what it is told.
struct Told(Mutex<Sender<Detach<ProviderDispatch>>>);

static PENDED: AtomicU32 = AtomicU32::new(0);
static COMPLETED: AtomicU32 = AtomicU32::new(0);

impl Module<Client<Exnpi>> for Told {
    type Binding = Deaf;

    fn identity(&self) -> Identity {
        Identity::new(MODULE)
    }

    fn attach(&self, _offer: Offer<'_, Client<Exnpi>>) -> Result<Deaf> {
        Ok(Deaf)
    }

    fn detaching(&self, _binding: &Deaf, detach: Detach<ProviderDispatch>) {
        // There is no receiver: the detach ends here.
        let _ = self.0.lock().unwrap().send(detach);
    }

    fn pended() {
        PENDED.fetch_add(1, Ordering::SeqCst);
    }

    fn completed() {
        COMPLETED.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn p_14_a_pending_detach_and_its_completion_are_told_once() {
    let told = || [&PENDED, &COMPLETED].map(|count| count.swap(0, Ordering::SeqCst));
    run(|| {
        let (send, detaches) = channel();
        let client = Registration::new(Told(Mutex::new(send))).unwrap();
        let provider = Registration::new(Summer).unwrap();
        let closing = provider.close();
        assert_eq!(told(), [1, 0]);
        drop(detaches.recv().unwrap());
        assert_eq!(told(), [0, 1]);
        closing.wait();
        drop(detaches);
        drop(Registration::new(Summer).unwrap());
        assert_eq!(told(), [0, 0]);
        drop(client);
    });
}

#[test]
fn p_15_a_provider_that_comes_back_is_attached_again() {
    run(|| {
        let client = Registration::new(Adder::new()).unwrap();
        for _ in 0..3 {
            assert_eq!(client.add(1), None);
            let provider = Registration::new(Summer).unwrap();
            assert_eq!(client.add(1), Some(1));
            assert_eq!(client.add(1), Some(2));
            drop(provider);
        }
    });
}

#[test]
fn p_15_what_is_left_of_an_old_binding_stays_detached() {
    run(|| {
        let (send, peers) = channel::<Peer<ProviderDispatch>>();
        let send = Mutex::new(send);
        let client = Attaches(move |offer: Offer<'_, Client<Exnpi>>| {
            send.lock().unwrap().send(offer.peer()?).unwrap();
            Ok(Deaf)
        });
        let _client = Registration::new(client).unwrap();
        drop(Registration::new(Summer).unwrap());
        let old = peers.recv().unwrap();
        let _provider = Registration::new(Summer).unwrap();
        let new = peers.recv().unwrap();
        assert!(old.enter().is_err());
        assert!(new.enter().is_ok());
    });
}

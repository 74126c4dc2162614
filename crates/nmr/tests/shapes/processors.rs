//! Calls into one peer from many processors.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::thread;

use exnpi::{ClientCalls, ClientDispatch, Exnpi, ProviderCalls, ProviderDispatch};
use nmr::{
    Call, Client, Identity, Module, Offer, Peer, Processor, Provider, Registration, Result, Slot,
    Spread,
};
use nmr_host::irql;

use crate::support::{Attaches, Deaf, MODULE, Summer, run};

thread_local! {
    static NUMBER: Cell<usize> = const { Cell::new(0) };
}

/// The processor that a thread says it runs on.
struct Said;

impl Processor for Said {
    fn number() -> usize {
        NUMBER.get()
    }
}

/// More processors than shards.
const PROCESSORS: [usize; 6] = [0, 1, 2, 3, 7, usize::MAX];

type Calls = Spread<Said, 4>;
type SpreadCall = Call<ProviderDispatch, Calls>;

/// A client whose calls are counted for each processor.
struct Many(Slot<ProviderDispatch, Calls>);

impl Many {
    fn register() -> Registration<Client<Exnpi, Calls>, Self> {
        Registration::new(Self(Slot::spread().unwrap())).unwrap()
    }

    fn enter_on(&self, processor: usize) -> Option<SpreadCall> {
        NUMBER.set(processor);
        self.0.enter().ok()
    }

    fn enter_everywhere(&self) -> Vec<SpreadCall> {
        let enter = |processor| self.enter_on(processor);
        PROCESSORS.into_iter().filter_map(enter).collect()
    }
}

impl Module<Client<Exnpi, Calls>> for Many {
    type Binding = Deaf;

    fn identity(&self) -> Identity {
        Identity::new(MODULE)
    }

    fn attach(&self, offer: Offer<'_, Client<Exnpi, Calls>>) -> Result<Deaf> {
        offer.claim(&self.0)?;
        Ok(Deaf)
    }
}

#[test]
fn p_24_the_last_call_of_all_processors_completes_the_detach() {
    run(|| {
        let client = Many::register();
        for _ in 0..2 {
            assert!(client.enter_everywhere().is_empty());
            let provider = Registration::new(Summer).unwrap();
            let calls = client.enter_everywhere();
            assert_eq!(calls.len(), PROCESSORS.len());
            let second = calls[1].clone();
            let closing = provider.close();
            assert!(client.enter_everywhere().is_empty());
            assert_eq!(second.add(1), 1);
            // Each ends on another processor than it began, the last one at this level.
            for (call, processor) in calls.into_iter().zip(PROCESSORS.into_iter().rev()) {
                NUMBER.set(processor);
                drop(call);
            }
            assert_eq!(second.add(1), 2);
            let raised = irql::raise(irql::DISPATCH_LEVEL);
            drop(second);
            drop(raised);
            closing.wait();
        }
    });
}

#[test]
fn p_24_calls_of_many_processors_meet_the_detach() {
    run(|| {
        let line = Arc::new(Many::register());
        for _ in 0..3 {
            let provider = Registration::new(Summer).unwrap();
            let threads = PROCESSORS.map(|processor| {
                let line = line.clone();
                let call = move || line.enter_on(processor).map(|call| call.add(1));
                thread::spawn(move || while call().is_some() {})
            });
            while line.enter_on(0).is_some_and(|call| call.add(0) < 100) {}
            drop(provider);
            for thread in threads {
                thread.join().unwrap();
            }
        }
    });
}

#[test]
fn p_24_calls_end_on_another_thread() {
    run(|| {
        let provider = Registration::new(Summer).unwrap();
        let client = Many::register();
        let calls = client.enter_everywhere();
        let (go, wait) = channel::<()>();
        let worker = thread::spawn(move || {
            wait.recv().unwrap();
            drop(calls);
        });
        let closing = (client.close(), provider.close());
        go.send(()).unwrap();
        drop(closing);
        worker.join().unwrap();
    });
}

/// A provider's binding whose calls are counted for each processor.
struct Told(Peer<ClientDispatch, Calls>);

impl ProviderCalls for Told {
    fn add(&self, value: u32) -> u32 {
        for processor in PROCESSORS {
            NUMBER.set(processor);
            self.0.enter().unwrap().changed(value);
        }
        value
    }
}

struct Hears;

static HEARD: AtomicU32 = AtomicU32::new(0);

impl ClientCalls for Hears {
    fn changed(&self, sum: u32) {
        HEARD.fetch_add(sum, Ordering::Relaxed);
    }
}

#[test]
fn p_24_each_side_chooses_for_itself() {
    run(|| {
        HEARD.store(0, Ordering::Relaxed);
        let slot = Arc::new(Slot::<ProviderDispatch>::new().unwrap());
        let place = slot.clone();
        let client = Attaches(move |offer: Offer<'_, Client<Exnpi>>| {
            offer.claim(&place)?;
            Ok(Hears)
        });
        let provider = Attaches(|offer: Offer<'_, Provider<Exnpi, Calls>>| offer.peer().map(Told));
        let _client = Registration::new(client).unwrap();
        let _provider = Registration::new(provider).unwrap();
        slot.enter().unwrap().add(2);
        assert_eq!(HEARD.load(Ordering::Relaxed), 12);
    });
}

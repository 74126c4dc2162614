//! Calls into one peer from many processors.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;

use exnpi::{Exnpi, ProviderCalls, ProviderDispatch};
use nmr::{
    Client, Identity, Module, Offer, Processor, Registration, Result, Slot, SpreadCall, SpreadSlot,
};
use nmr_host::irql;

use crate::support::{Deaf, MODULE, Summer, run};

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

/// Some of them share a word: there are 16.
const PROCESSORS: [usize; 6] = [0, 1, 2, 15, 16, usize::MAX];

/// A client whose calls are counted for each processor.
struct Many(SpreadSlot<ProviderDispatch, Said>);

impl Many {
    fn register() -> Registration<Client<Exnpi>, Self> {
        Registration::new(Self(SpreadSlot::new().unwrap())).unwrap()
    }

    fn enter_on(&self, processor: usize) -> Option<SpreadCall<ProviderDispatch>> {
        NUMBER.set(processor);
        self.0.enter().ok()
    }

    fn enter_everywhere(&self) -> Vec<SpreadCall<ProviderDispatch>> {
        let enter = |processor| self.enter_on(processor);
        PROCESSORS.into_iter().filter_map(enter).collect()
    }
}

impl Module<Client<Exnpi>> for Many {
    type Binding = Deaf;

    fn identity(&self) -> Identity {
        Identity::new(MODULE)
    }

    fn attach(&self, offer: Offer<'_, Client<Exnpi>>) -> Result<Deaf> {
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

#[test]
fn p_24_a_call_without_a_processor_counts_as_well() {
    run(|| {
        let client = Many::register();
        let provider = Registration::new(Summer).unwrap();
        let (one, other) = (client.enter_on(3).unwrap(), Slot::enter(&client.0).unwrap());
        let closing = provider.close();
        drop(one);
        assert_eq!(other.add(1), 1);
        drop(other);
        closing.wait();
    });
}

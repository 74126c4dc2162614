//! The sample's client and provider: every order of attach, call, detach and drop.

use std::thread;

use exnpi::{
    CHARACTERISTICS, Characteristics, ClientCalls, Exnpi, ProviderCalls, ProviderDispatch,
};
use exnpi_driver::client::Adder;
use exnpi_driver::provider::Summer;
use nmr::{
    Call, Client, Closing, Error, Guid, Identity, Lent, Module, Offer, Provider, Registration,
    Result, Slot,
};
use nmr_host::{Policy, Registrar, irql};

type ClientRegistration<M> = Registration<Client<Exnpi>, M>;
type ProviderRegistration = Registration<Provider<Exnpi>, Summer>;

/// Runs a test with the sample's client and provider, attached, under several policies, and expects
/// that no rule is broken.
fn with_a_pair(test: impl Fn(ClientRegistration<Adder>, ProviderRegistration)) {
    run(|| Adder::new().unwrap(), test);
}

/// The same with a client that can have a call in progress.
fn with_a_caller(test: impl Fn(ClientRegistration<Caller>, ProviderRegistration)) {
    run(Caller::new, test);
}

fn run<M: Module<Client<Exnpi>>>(
    client: impl Fn() -> M,
    test: impl Fn(ClientRegistration<M>, ProviderRegistration),
) {
    for seed in 0..24 {
        let registrar = Registrar::new(Policy::from_seed(seed));
        let entered = registrar.enter();
        let provider = Registration::new(Summer).unwrap();
        let client = Registration::new(client()).unwrap();
        test(client, provider);
        drop(entered);
        assert_eq!(registrar.finish(), [], "{}", registrar.policy());
    }
}

/// Such a client.
struct Caller(Slot<ProviderDispatch>);

impl Caller {
    fn new() -> Self {
        Self(Slot::new().unwrap())
    }

    fn begin(&self) -> Call<ProviderDispatch> {
        self.0.enter().unwrap()
    }
}

struct Silence;

impl ClientCalls for Silence {
    fn changed(&self, sum: u32) {
        panic!("the provider has detached and says {sum}");
    }
}

impl Module<Client<Exnpi>> for Caller {
    type Binding = Silence;

    fn identity(&self) -> Identity {
        Identity::new(Guid::from_u128(0x5f2c7d0e_6f1b_4f3c_8f4c_2d9a0f0c8b1a))
    }

    fn characteristics(&self) -> Option<Lent<'_, Characteristics>> {
        Some(Lent::new(&CHARACTERISTICS))
    }

    fn attach(&self, offer: Offer<'_, Client<Exnpi>>) -> Result<Silence> {
        offer.claim(&self.0).map(|()| Silence)
    }
}

#[test]
fn idle_and_the_client_ends_first() {
    with_a_pair(|client, provider| {
        drop(client);
        drop(provider);
    });
}

#[test]
fn idle_and_the_provider_ends_first() {
    with_a_pair(|client, provider| {
        drop(provider);
        assert_eq!(client.add(1), Err(Error::DEVICE_NOT_READY));
        drop(client);
    });
}

#[test]
fn called_and_the_client_ends_first() {
    with_a_pair(|client, provider| {
        assert_eq!(client.add(1), Ok(1));
        drop(client);
        drop(provider);
    });
}

#[test]
fn called_and_the_provider_ends_first() {
    with_a_pair(|client, provider| {
        assert_eq!(client.add(1), Ok(1));
        drop(provider);
        assert_eq!(client.changes(), 1);
    });
}

#[test]
fn the_client_ends_during_a_call() {
    with_a_caller(|client, provider| {
        let call = client.begin();
        let closing = client.close();
        assert_eq!(call.add(1), 1);
        drop(call);
        closing.wait();
        drop(provider);
    });
}

#[test]
fn the_provider_ends_during_a_call() {
    with_a_caller(|client, provider| {
        let call = client.begin();
        let closing = provider.close();
        // The provider has detached from the client: it adds, and says nothing.
        assert_eq!(call.add(1), 1);
        assert!(client.0.enter().is_err());
        drop(call);
        closing.wait();
    });
}

#[test]
fn a_call_ends_on_another_thread_while_this_one_waits() {
    with_a_caller(|client, provider| {
        let call = client.begin();
        let closing = provider.close();
        let other = thread::spawn(move || {
            thread::yield_now();
            let _raised = irql::raise(irql::DISPATCH_LEVEL);
            assert_eq!(call.add(1), 1);
            drop(call);
        });
        closing.wait();
        other.join().unwrap();
    });
}

#[test]
fn the_provider_returns() {
    with_a_pair(|client, provider| {
        assert_eq!(client.add(5), Ok(5));
        drop(provider);
        let provider = Registration::new(Summer).unwrap();
        assert_eq!(client.add(2), Ok(2));
        drop(provider);
        assert_eq!(client.changes(), 2);
    });
}

#[test]
fn the_client_returns() {
    with_a_pair(|client, _provider| {
        assert_eq!(client.add(5), Ok(5));
        drop(client);
        let client = Registration::new(Adder::new().unwrap()).unwrap();
        assert_eq!(client.add(2), Ok(2));
    });
}

#[test]
fn a_second_provider_takes_over_after_the_first() {
    with_a_pair(|client, first| {
        let second = Registration::new(Summer).unwrap();
        assert_eq!(client.add(5), Ok(5));
        drop(first);
        // It was declined, and the NMR does not repeat an offer.
        assert!(client.add(1).is_err());
        drop(second);
        let _third = Registration::new(Summer).unwrap();
        assert_eq!(client.add(1), Ok(1));
    });
}

/// What may happen to a pair with a call in progress.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Step {
    EndCall,
    CloseClient,
    CloseProvider,
    WaitForClient,
    WaitForProvider,
}

use Step::{CloseClient, CloseProvider, EndCall, WaitForClient, WaitForProvider};

const STEPS: [Step; 5] = [
    EndCall,
    CloseClient,
    CloseProvider,
    WaitForClient,
    WaitForProvider,
];

/// Returns `true` if a step can follow the others without waiting for itself.
fn is_possible(step: Step, before: &[Step]) -> bool {
    let done = |other: Step| before.contains(&other);
    !done(step)
        && match step {
            WaitForClient => done(CloseClient) && done(EndCall),
            WaitForProvider => done(CloseProvider) && done(EndCall),
            _ => true,
        }
}

/// All orders of the steps that begin in this way.
fn orders(begin: &[Step]) -> Vec<Vec<Step>> {
    if begin.len() == STEPS.len() {
        return vec![begin.to_vec()];
    }
    let next = STEPS.into_iter().filter(|step| is_possible(*step, begin));
    next.flat_map(|step| orders(&[begin, &[step]].concat()))
        .collect()
}

/// A pair on its way.
#[derive(Default)]
struct Pair {
    call: Option<Call<ProviderDispatch>>,
    client: Option<ClientRegistration<Caller>>,
    provider: Option<ProviderRegistration>,
    closing_client: Option<Closing<Client<Exnpi>, Caller>>,
    closing_provider: Option<Closing<Provider<Exnpi>, Summer>>,
}

impl Pair {
    fn take(&mut self, step: Step) {
        match step {
            EndCall => drop(self.call.take()),
            CloseClient => self.closing_client = self.client.take().map(Registration::close),
            CloseProvider => self.closing_provider = self.provider.take().map(Registration::close),
            WaitForClient => drop(self.closing_client.take()),
            WaitForProvider => drop(self.closing_provider.take()),
        }
    }
}

#[test]
fn every_order_of_closing_waiting_and_the_end_of_a_call() {
    let orders = orders(&[]);
    assert_eq!(orders.len(), 16);
    for order in orders {
        println!("{order:?}");
        with_a_caller(|client, provider| {
            let mut pair = Pair {
                call: Some(client.begin()),
                client: Some(client),
                provider: Some(provider),
                ..Pair::default()
            };
            for step in &order {
                pair.take(*step);
            }
        });
    }
}

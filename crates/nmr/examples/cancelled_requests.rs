//! A provider whose requests pend, and which cancels them when their client detaches.
//!
//! A pending request holds a `Call` into the client. `detaching` takes all of them, completes each through its
//! `Call`, and drops it: these calls are covered by what was claimed before the detach, which is then complete.
//! The requests are behind a spin lock, because `detaching` may run at `DISPATCH_LEVEL`. No call is made, and no
//! `Call` is dropped, while the lock is held.
//!
//! Run it with `cargo run -p wdk-nmr --example cancelled_requests`.

use std::sync::atomic::{AtomicU32, Ordering};

use exnpi::{ClientCalls, ClientDispatch, Exnpi, ProviderCalls, ProviderDispatch};
use nmr::{
    Call, Client, Detach, Guid, Identity, Locked, Module, Npi, Offer, Peer, Provider, Registration,
    Result, Shared, Slot,
};
use nmr_host::{HostSpinLock, Interface, Policy, Registrar, Wrapping};

/// What the client hears of a request that was cancelled.
const CANCELLED: u32 = 0;

/// A request: its number, and the client that waits for the answer.
type Request = (u32, Call<ClientDispatch>);

/// The requests of one client: as many as there is room for. `None` once it detaches.
type Queue = Shared<Locked<Option<[Option<Request>; 4]>, HostSpinLock>>;

/// The provider.
struct Reader;

/// Its part of a binding.
struct Desk {
    client: Peer<ClientDispatch>,
    queue: Queue,
}

impl Module<Provider<Exnpi>> for Reader {
    type Binding = Desk;

    fn identity(&self) -> Identity {
        Identity::new(Guid::from_u128(0x5b1a_0d5e_7c57_4d0b_a3b6_6f0a_2c8e_2f04))
    }

    fn attach(&self, offer: Offer<'_, Provider<Exnpi>>) -> Result<Desk> {
        Ok(Desk {
            client: offer.peer()?,
            queue: Shared::new(Locked::new(Some([const { None }; 4])))?,
        })
    }

    fn detaching(&self, desk: &Desk, detach: Detach<ClientDispatch>) {
        let requests = desk.queue.with(Option::take);
        for (_, client) in requests.into_iter().flatten().flatten() {
            client.changed(CANCELLED);
        }
        drop(detach);
    }
}

impl Desk {
    /// Puts a request into the queue. Gives it back if there is no room, or the client detaches.
    fn pend(&self, request: Request) -> Option<Request> {
        let mut request = Some(request);
        self.queue.with(|queue| {
            let places = queue.iter_mut().flatten();
            if let Some(place) = places.into_iter().find(|place| place.is_none()) {
                *place = request.take();
            }
        });
        request
    }

    /// Takes a request out of the queue.
    fn take(&self, number: u32) -> Option<Request> {
        self.queue.with(|queue| {
            let is_it = |place: &&mut Option<Request>| {
                place.as_ref().is_some_and(|request| request.0 == number)
            };
            queue.iter_mut().flatten().find(is_it)?.take()
        })
    }
}

impl ProviderCalls for Desk {
    /// An odd number is a request, whose answer comes later. The number after it answers that request.
    fn add(&self, number: u32) -> u32 {
        if number % 2 == 1 {
            let refused = self
                .client
                .enter()
                .map(|client| self.pend((number, client)));
            return u32::from(matches!(refused, Ok(None)));
        }
        let Some((answered, client)) = self.take(number - 1) else {
            return 0;
        };
        client.changed(answered);
        1
    }
}

/// The client, and how many of its requests were answered and cancelled.
struct Student {
    provider: Slot<ProviderDispatch>,
    answers: Shared<[AtomicU32; 2]>,
}

/// Its part of a binding.
struct Notebook(Shared<[AtomicU32; 2]>);

impl Module<Client<Exnpi>> for Student {
    type Binding = Notebook;

    fn identity(&self) -> Identity {
        Identity::new(Guid::from_u128(0x5b1a_0d5e_7c57_4d0b_a3b6_6f0a_2c8e_2f05))
    }

    fn attach(&self, offer: Offer<'_, Client<Exnpi>>) -> Result<Notebook> {
        offer.claim(&self.provider)?;
        Ok(Notebook(self.answers.clone()))
    }
}

impl ClientCalls for Notebook {
    fn changed(&self, answer: u32) {
        self.0[usize::from(answer == CANCELLED)].fetch_add(1, Ordering::Relaxed);
    }
}

fn run(policy: Policy) {
    let registrar = Registrar::new(policy);
    let interface = Interface::of::<ClientDispatch, ProviderDispatch>(Exnpi::ID);
    // Not everywhere can the registrar see the calls; what the modules do is the same.
    let _ = registrar.wrap(interface, Wrapping::default());
    let entered = registrar.enter();
    let provider = Registration::new(Reader).expect("there is memory");
    let client = Registration::new(Student {
        provider: Slot::new().expect("there is memory"),
        answers: Shared::new(Default::default()).expect("there is memory"),
    })
    .expect("there is memory");

    let call = client.provider.enter().expect("the provider is there");
    let taken = [1, 3, 5, 7, 9].map(|number| call.add(number));
    assert_eq!(taken, [1, 1, 1, 1, 0], "there is room for four");
    assert_eq!(call.add(4), 1, "request 3 is answered");
    drop(call);
    drop(provider);
    let [answered, cancelled] = client
        .answers
        .each_ref()
        .map(|count| count.load(Ordering::Relaxed));
    println!("{answered} answered, {cancelled} cancelled");
    assert_eq!((answered, cancelled), (1, 3));
    drop((client, entered));
    assert_eq!(registrar.finish(), [], "every rule of the NMR was kept");
}

fn main() {
    run(Policy::default());
}

#[test]
fn it_runs_under_every_policy() {
    (0..24).map(Policy::from_seed).for_each(run);
}

//! A provider that gives out objects with a table of their own, as WSK gives out sockets.
//!
//! The interface's author wraps an object in a type: making one is an argument about pointers, using one is
//! not. An object holds a `Call`, so that the provider stays attached until the last object is closed, and
//! dropping it closes it.
//!
//! Run it with `cargo run -p wdk-nmr --example owned_objects`.

use std::sync::atomic::{AtomicU32, Ordering};

use nmr::{Client, Guid, Identity, Module, Offer, Provider, Registration, Result, Shared, Slot};
use nmr_host::{Policy, Registrar};

use interface::{Counter, Counters, CountersDispatch, CountersNpi, Open, OpenCounter};

/// What the author of the interface writes: the tables, the promise, and the object.
#[expect(
    unsafe_code,
    reason = "only the author of an interface can promise what its pointers lead to"
)]
mod interface {
    use core::ffi::c_void;
    use core::ptr;

    use nmr::{Call, DispatchFor, Guid, Npi, Object};

    nmr::dispatch! {
        /// What the provider does.
        pub trait Counters in struct CountersDispatch {
            /// Opens a counter. Returns null if there is none left.
            fn open(&self) -> *const CounterObject;
        }
    }

    nmr::dispatch! {
        /// What a counter does.
        pub trait Counter in struct CounterDispatch {
            /// Adds to the counter, and returns the sum.
            fn add(&self, value: u32) -> u32;
            /// Closes the counter, which must not be used any more.
            fn close(&self);
        }
    }

    /// How an object begins, as `WSK_SOCKET` does: with its table. Its functions take its address.
    #[repr(C)]
    pub(crate) struct CounterObject {
        dispatch: *const CounterDispatch,
    }

    /// A counter of a provider, and behind its beginning whatever the provider has.
    #[repr(C)]
    pub(crate) struct Open<T> {
        object: CounterObject,
        pub(crate) state: T,
    }

    impl<T> Open<T>
    where
        CounterDispatch: DispatchFor<Self>,
    {
        pub(crate) fn new(state: T) -> Self {
            let dispatch = ptr::from_ref(CounterDispatch::TABLE);
            let object = CounterObject { dispatch };
            Self { object, state }
        }
    }

    // SAFETY: the table is a static.
    unsafe impl<T: Send> Send for Open<T> {}
    // SAFETY: as above.
    unsafe impl<T: Sync> Sync for Open<T> {}

    pub(crate) struct CountersNpi;

    // SAFETY: the modules of this file are the only ones. What `open` returns stays until `close`.
    unsafe impl Npi for CountersNpi {
        const ID: Guid = Guid::from_u128(0x7d0c_7f2e_1f6a_4f5b_8a39_52c1_0d7e_8801);
        type ClientDispatch = ();
        type ProviderDispatch = CountersDispatch;
        type ClientCharacteristics = ();
        type ProviderCharacteristics = ();
    }

    /// A counter of the peer, which dropping it closes.
    pub(crate) struct OpenCounter(Object<CountersDispatch, CounterDispatch>);

    impl OpenCounter {
        /// Opens a counter of the provider. `None` if there is none left.
        pub(crate) fn open(provider: Call<CountersDispatch>) -> Option<Self> {
            let object = provider.open();
            // SAFETY: it is null, or an object that stays until `close`: the interface promises it.
            let dispatch = unsafe { object.as_ref() }?.dispatch;
            let context = object.cast_mut().cast::<c_void>();
            // SAFETY: the table is the object's, and its functions take the object's address, on any thread.
            unsafe { Object::new(provider, context, dispatch) }.map(Self)
        }

        pub(crate) fn add(&self, value: u32) -> u32 {
            self.0.add(value)
        }
    }

    impl Drop for OpenCounter {
        fn drop(&mut self) {
            self.0.close();
        }
    }
}

/// The counters of a provider, as many as it has.
type Store = Shared<[Open<State>; 2]>;

/// Whether a counter is open, and its sum.
#[derive(Default)]
struct State {
    is_open: AtomicU32,
    sum: AtomicU32,
}

impl Counter for Open<State> {
    fn add(&self, value: u32) -> u32 {
        self.state.sum.fetch_add(value, Ordering::Relaxed) + value
    }

    fn close(&self) {
        self.state.is_open.store(0, Ordering::Release);
    }
}

/// The provider.
struct Bank(Store);

/// Its part of a binding.
struct Desk(Store);

impl Module<Provider<CountersNpi>> for Bank {
    type Binding = Desk;

    fn identity(&self) -> Identity {
        Identity::new(Guid::from_u128(0x7d0c_7f2e_1f6a_4f5b_8a39_52c1_0d7e_8802))
    }

    fn attach(&self, _offer: Offer<'_, Provider<CountersNpi>>) -> Result<Desk> {
        Ok(Desk(self.0.clone()))
    }
}

impl Counters for Desk {
    fn open(&self) -> *const interface::CounterObject {
        let is_free =
            |counter: &&Open<State>| counter.state.is_open.swap(1, Ordering::Acquire) == 0;
        let counter = self.0.iter().find(is_free);
        counter.map_or(std::ptr::null(), |counter| {
            std::ptr::from_ref(counter).cast()
        })
    }
}

/// The client.
struct Customer(Slot<CountersDispatch>);

impl Module<Client<CountersNpi>> for Customer {
    type Binding = ();

    fn identity(&self) -> Identity {
        Identity::new(Guid::from_u128(0x7d0c_7f2e_1f6a_4f5b_8a39_52c1_0d7e_8803))
    }

    fn attach(&self, offer: Offer<'_, Client<CountersNpi>>) -> Result<()> {
        offer.claim(&self.0)
    }
}

fn run(policy: Policy) -> Result {
    let registrar = Registrar::new(policy);
    let entered = registrar.enter();
    let store = Shared::new([(); 2].map(|()| Open::new(State::default())))?;
    let provider = Registration::new(Bank(store))?;
    let client = Registration::new(Customer(Slot::new()?))?;

    let open = || client.0.enter().ok().and_then(OpenCounter::open);
    let (first, second) = (open().unwrap(), open().unwrap());
    assert!(open().is_none(), "there are two");
    assert_eq!((first.add(1), second.add(10), first.add(2)), (1, 10, 3));
    drop(second);
    let third = open().expect("one was closed");

    let leaving = provider.close();
    assert!(client.0.enter().is_err(), "no call begins any more");
    assert_eq!(first.add(3), 6, "and an object is still there");
    println!("the provider is leaving, with two objects open");
    drop((first, third));
    leaving.wait();
    drop((client, entered));
    assert_eq!(registrar.finish(), [], "every rule of the NMR was kept");
    Ok(())
}

fn main() -> Result {
    run(Policy::default())
}

#[test]
fn it_runs_under_every_policy() {
    (0..24)
        .map(Policy::from_seed)
        .for_each(|policy| run(policy).unwrap());
}

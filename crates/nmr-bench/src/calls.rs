//! Safe modules that are called, and the loops that call them.

use std::ffi::c_void;
use std::hint::black_box;
use std::sync::OnceLock;

use nmr::{
    Client, Counting, Gate, Guid, Identity, Module, Npi, Offer, Peer, Processor, Provider,
    Registration, Result, Spread,
};
use nmr_host::Registrar;

use crate::setting::Setting;

nmr::dispatch! {
    /// What the provider does.
    pub trait Counter in struct CounterDispatch {
        /// Adds something to the number of a thread.
        fn add(&self, thread: u32) -> u32;
    }
}

/// The interface.
struct CounterNpi;

// UNSAFETY: only the author of an interface can promise what lies behind its GUID.
#[expect(unsafe_code)]
// SAFETY: the registrar of a pair has no other modules, and any thread may call these.
unsafe impl Npi for CounterNpi {
    const ID: Guid = Guid::from_u128(0x3b0f_6f0c_8f3e_4b63_9d39_5a1d_3f4f_0a11);
    type ClientDispatch = ();
    type ProviderDispatch = CounterDispatch;
    type ClientCharacteristics = ();
    type ProviderCharacteristics = ();
}

/// The provider's end of the binding: what it adds. It writes nothing, because threads that call it must
/// have nothing in common here, and because waiting for the last call's write would hide what a call costs.
struct Added(u32);

impl Counter for Added {
    fn add(&self, thread: u32) -> u32 {
        self.0.wrapping_add(thread)
    }
}

struct Called;

impl Module<Provider<CounterNpi>> for Called {
    type Binding = Added;

    fn identity(&self) -> Identity {
        Identity::new(Guid::from_u128(1))
    }

    fn attach(&self, _: Offer<'_, Provider<CounterNpi>>) -> Result<Added> {
        Ok(Added(1))
    }
}

/// A client that counts its calls with `G`.
struct Caller<G: Counting>(OnceLock<Peer<CounterDispatch, G>>);

impl<G: Counting> Module<Client<CounterNpi, G>> for Caller<G> {
    type Binding = ();

    fn identity(&self) -> Identity {
        Identity::new(Guid::from_u128(2))
    }

    fn attach(&self, offer: Offer<'_, Client<CounterNpi, G>>) -> Result<()> {
        let peer = offer.peer()?;
        assert!(self.0.set(peer).is_ok(), "there is one provider");
        Ok(())
    }
}

/// A provider whose clients come and go.
pub(crate) struct Lives {
    _provider: Registration<Provider<CounterNpi>, Called>,
    registrar: Registrar,
}

impl Lives {
    pub(crate) fn new() -> Self {
        let registrar = Setting::Off.registrar();
        let _entered = registrar.enter();
        Self {
            _provider: Registration::new(Called).expect("there is memory"),
            registrar,
        }
    }

    /// A client registers, attaches and leaves.
    pub(crate) fn one<G: Counting>(&self) {
        let _entered = self.registrar.enter();
        drop(Registration::new(Caller::<G>(OnceLock::new())).expect("there is memory"));
    }
}

/// A client and a provider that are attached.
pub struct Pair<G: Counting = Gate> {
    client: Registration<Client<CounterNpi, G>, Caller<G>>,
    _provider: Registration<Provider<CounterNpi>, Called>,
    _registrar: Registrar,
}

impl Pair {
    /// A pair with a registrar of its own.
    ///
    /// # Panics
    ///
    /// If memory runs out.
    #[must_use]
    pub fn new() -> Self {
        Self::counted()
    }

    /// A pair for the rest of the process.
    #[must_use]
    pub fn leak() -> &'static Self {
        Box::leak(Box::new(Self::new()))
    }

    /// What the provider gave to the client.
    pub(crate) fn raw(&self) -> (*const CounterDispatch, *mut c_void) {
        let call = self.peer().enter().expect("they are attached");
        (call.table(), call.context())
    }
}

impl<P: Processor, const SHARDS: usize> Pair<Spread<P, SHARDS>> {
    /// A pair for the rest of the process whose calls are counted for each processor.
    #[must_use]
    pub fn leak_spread() -> &'static Self {
        Box::leak(Box::new(Self::counted()))
    }
}

impl<G: Counting> Pair<G> {
    fn counted() -> Self {
        let registrar = Setting::Off.registrar();
        let _entered = registrar.enter();
        Self {
            _provider: Registration::new(Called).expect("there is memory"),
            client: Registration::new(Caller(OnceLock::new())).expect("there is memory"),
            _registrar: registrar,
        }
    }

    /// The provider, as the client sees it.
    ///
    /// # Panics
    ///
    /// Never: they are attached.
    #[must_use]
    pub fn peer(&self) -> &Peer<CounterDispatch, G> {
        self.client.0.get().expect("they are attached")
    }
}

impl Default for Pair {
    fn default() -> Self {
        Self::new()
    }
}

/// A loop of calls on behalf of a thread, so many times.
pub type Loop = fn(&Peer<CounterDispatch>, thread: u32, times: u64);

/// `enter`, one call, and the drop, `times` times.
#[inline(never)]
pub fn guarded<G: Counting>(peer: &Peer<CounterDispatch, G>, thread: u32, times: u64) {
    let mut sum = 0_u32;
    for _ in 0..times {
        if let Ok(call) = peer.enter() {
            sum = sum.wrapping_add(call.add(thread));
        }
    }
    black_box(sum);
}

/// One `enter` and drop around `times` calls.
///
/// # Panics
///
/// If the peer is detached.
#[inline(never)]
pub fn batch(peer: &Peer<CounterDispatch>, thread: u32, times: u64) {
    let call = peer.enter().expect("the peer is attached");
    let mut sum = 0_u32;
    for _ in 0..times {
        sum = sum.wrapping_add(call.add(thread));
    }
    black_box(sum);
}

/// A clone of a peer and its drop, `times` times.
#[inline(never)]
pub fn clones(peer: &Peer<CounterDispatch>, times: u64) {
    for _ in 0..times {
        drop(black_box(peer.clone()));
    }
}

//! Safe modules that are called, and the loops that call them.

use std::ffi::c_void;
use std::hint::black_box;
use std::sync::OnceLock;

use nmr::{
    Client, Guid, Identity, Module, Npi, Offer, Peer, Provider, Registration, Remote, Result, Slot,
    SpreadSlot,
};
use nmr_host::Registrar;

use crate::processors::Current;
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

/// A client of one provider.
struct Caller(OnceLock<Peer<CounterDispatch>>);

impl Module<Client<CounterNpi>> for Caller {
    type Binding = ();

    fn identity(&self) -> Identity {
        Identity::new(Guid::from_u128(2))
    }

    fn attach(&self, offer: Offer<'_, Client<CounterNpi>>) -> Result<()> {
        let peer = offer.peer()?;
        assert!(self.0.set(peer).is_ok(), "there is one provider");
        Ok(())
    }
}

/// A client of one provider, in a slot.
pub struct Slotted<S>(S);

/// A slot, whose calls are counted in one word or in many.
pub trait Place: Sized + Send + Sync + 'static {
    /// A vacant one.
    fn new() -> Result<Self>;
    /// The slot.
    fn slot(&self) -> &Slot<CounterDispatch>;
    /// One call, if there is a provider.
    fn add(&self, thread: u32) -> Option<u32>;
}

impl Place for Slot<CounterDispatch> {
    fn new() -> Result<Self> {
        Slot::new()
    }

    fn slot(&self) -> &Slot<CounterDispatch> {
        self
    }

    fn add(&self, thread: u32) -> Option<u32> {
        Some(self.enter().ok()?.add(thread))
    }
}

impl Place for SpreadSlot<CounterDispatch, Current> {
    fn new() -> Result<Self> {
        SpreadSlot::new()
    }

    fn slot(&self) -> &Slot<CounterDispatch> {
        self
    }

    fn add(&self, thread: u32) -> Option<u32> {
        Some(self.enter().ok()?.add(thread))
    }
}

impl<S: Place> Module<Client<CounterNpi>> for Slotted<S> {
    type Binding = ();

    fn identity(&self) -> Identity {
        Identity::new(Guid::from_u128(2))
    }

    fn attach(&self, offer: Offer<'_, Client<CounterNpi>>) -> Result<()> {
        offer.claim(self.0.slot())
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

    /// A client with a slot registers, attaches and leaves.
    pub(crate) fn one<S: Place>(&self) {
        let _entered = self.registrar.enter();
        let slot = S::new().expect("there is memory");
        drop(Registration::new(Slotted(slot)).expect("there is memory"));
    }
}

/// A client and a provider that are attached.
pub struct Pair {
    client: Registration<Client<CounterNpi>, Caller>,
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
        let registrar = Setting::Off.registrar();
        let _entered = registrar.enter();
        Self {
            _provider: Registration::new(Called).expect("there is memory"),
            client: Registration::new(Caller(OnceLock::new())).expect("there is memory"),
            _registrar: registrar,
        }
    }

    /// A pair for the rest of the process.
    #[must_use]
    pub fn leak() -> &'static Self {
        Box::leak(Box::new(Self::new()))
    }

    /// What the provider gave to the client.
    pub(crate) fn raw(&self) -> (*const CounterDispatch, *mut c_void) {
        let call = self.peer().enter().expect("they are attached");
        (Remote::table(&call), Remote::context(&call))
    }
}

impl Pair {
    /// The provider, as the client sees it.
    ///
    /// # Panics
    ///
    /// Never: they are attached.
    #[must_use]
    pub fn peer(&self) -> &Peer<CounterDispatch> {
        self.client.0.get().expect("they are attached")
    }
}

/// A client with a slot, and a provider.
pub struct SlotPair<S: Place> {
    client: Registration<Client<CounterNpi>, Slotted<S>>,
    _lives: Lives,
}

impl<S: Place> SlotPair<S> {
    /// A pair for the rest of the process.
    ///
    /// # Panics
    ///
    /// If memory runs out.
    #[must_use]
    pub fn leak() -> &'static Self {
        let lives = Lives::new();
        let entered = lives.registrar.enter();
        let slot = Slotted(S::new().expect("there is memory"));
        let client = Registration::new(slot).expect("there is memory");
        drop(entered);
        Box::leak(Box::new(Self {
            client,
            _lives: lives,
        }))
    }
}

impl<S: Place> SlotPair<S> {
    /// `enter`, one call, and the drop, `times` times.
    #[inline(never)]
    pub fn guarded(&self, thread: u32, times: u64) {
        let mut sum = 0_u32;
        for _ in 0..times {
            if let Some(number) = self.client.0.add(thread) {
                sum = sum.wrapping_add(number);
            }
        }
        black_box(sum);
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
pub fn guarded(peer: &Peer<CounterDispatch>, thread: u32, times: u64) {
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

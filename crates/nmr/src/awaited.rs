//! [`Awaited`]: a slot whose peer threads can wait for.
//!
//! Two rules exclude lost and spurious wakeups. The state is in the
//! slot and in the note of the last refusal; the event only says that it has changed.
//!
//! * A thread that changes the state sets the event afterwards.
//! * A waiting thread resets the event first, reads the state, and waits if there is nothing. If there
//!   is something, it sets the event again, because it may have taken the news from another.
//!
//! Say that a thread waits, and that there is something to be found. It looked before that came, so
//! its own reset comes before the set that followed. Any reset after that set is by a thread that
//! finds something, and sets the event again. So the last of these operations is a set.
//!
//! The other way round, an event that was set for a peer that has left wakes a thread once: it resets
//! the event, finds nothing, and waits for the rest of its time.
//!
//! The models at the foot of this file run under loom, and `cargo xtask plant-faults gate` breaks each rule.

use core::fmt;
use core::time::Duration;

use nmr_sys::Event;

use crate::dispatch::Dispatch;
use crate::error::{Error, Result};
use crate::npi::Npi;
use crate::offer::Offer;
use crate::peer::{Call, Detached};
use crate::role::Client;
use crate::slot::Slot;
use crate::sync::{AtomicUsize, Ordering};

/// A client's [`Slot`] whose provider threads can wait for, with an event of the system.
///
/// The module puts an offer into it with [`claim`](Self::claim), and passes on the outcome of the
/// outcome. Both are one line:
///
/// ```
/// # use nmr::{Awaited, Client, Error, Guid, Identity, Missing, Module, Offer, Registration, Wait};
/// use nmr_host::NotificationEvent;
///
/// nmr::dispatch! {
///     /// What the provider does.
///     pub trait Calls in struct ProviderDispatch {
///         /// Adds a value.
///         fn add(&self, value: u32) -> u32;
///     }
/// }
/// # struct CounterNpi;
/// # unsafe impl nmr::Npi for CounterNpi {
/// #     const ID: Guid = Guid::from_u128(0xc2e1f8a0_54f4_4b7e_8a55_0b7d4f6d1f2f);
/// #     type ClientDispatch = ();
/// #     type ProviderDispatch = ProviderDispatch;
/// #     type ClientCharacteristics = ();
/// #     type ProviderCharacteristics = ();
/// # }
///
/// struct Adder(Awaited<ProviderDispatch, NotificationEvent>);
///
/// impl Module<Client<CounterNpi>> for Adder {
///     type Binding = ();
/// #   fn identity(&self) -> Identity {
/// #       Identity::new(Guid::from_u128(0x2c4c3e2b_77d7_4d58_9f7b_2f4f0c1f3a02))
/// #   }
///
///     fn attach(&self, offer: Offer<'_, Client<CounterNpi>>) -> nmr::Result<()> {
///         self.0.claim(offer)
///     }
///
///     fn attached(&self, _binding: &()) {
///         self.0.attached();
///     }
///
///     fn declined(&self, reason: Error) {
///         self.0.refused(reason);
///     }
/// }
///
/// # fn main() -> nmr::Result {
/// let client = Registration::new(Adder(Awaited::new()?))?;
/// assert_eq!(client.0.capture(Wait::No).err(), Some(Missing::Absent));
/// # Ok(())
/// # }
/// ```
///
/// It is for clients only: a provider is notified that it has attached before it can call its client.
pub struct Awaited<D: Dispatch, E> {
    slot: Slot<D>,
    news: News<E>,
}

/// How long to wait for a provider.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wait {
    /// Not at all.
    No,
    /// So long, all in all. The system may round it up to its steps of time.
    AtMost(Duration),
    /// As long as it takes.
    Forever,
}

/// There is no provider to call.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Missing {
    /// None has come, or the one that came has left.
    Absent,
    /// The last offer came to nothing, for this reason.
    Refused(Error),
}

impl<D: Dispatch, E: Event> Awaited<D, E> {
    /// A vacant slot. `PASSIVE_LEVEL`.
    ///
    /// Fails with [`Error::INSUFFICIENT_RESOURCES`], or as the event does.
    pub fn new() -> Result<Self> {
        Ok(Self {
            slot: Slot::new()?,
            news: News::new()?,
        })
    }

    /// Puts the connection to the provider into the slot. As [`Offer::claim`].
    pub fn claim<N>(&self, offer: Offer<'_, Client<N>>) -> Result
    where
        N: Npi<ProviderDispatch = D>,
    {
        offer.claim(&self.slot)
    }

    /// To be called by [`Module::attached`](crate::Module::attached): wakes the waiting threads.
    pub fn attached(&self) {
        self.news.attached();
    }

    /// To be called by [`Module::declined`](crate::Module::declined): wakes the waiting threads and gives them
    /// the reason. At most `DISPATCH_LEVEL`.
    ///
    /// The module's [`attach`](crate::Module::attach) can call it as well, when it declines an offer
    /// itself; and so can code that wants all waits to end. The reason stays until a provider attaches,
    /// or until [`forget_refusal`](Self::forget_refusal). It is not noted while one is attached.
    pub fn refused(&self, reason: Error) {
        self.news.refused(reason, || self.slot.is_attached());
    }

    /// Forgets the last refusal, so that [`capture`](Self::capture) waits again: for another
    /// provider, because the NMR does not repeat an offer. At most `DISPATCH_LEVEL`.
    pub fn forget_refusal(&self) {
        self.news.forget_refusal();
    }

    /// Begins a call into the provider that is attached now. As [`Slot::enter`].
    pub fn enter(&self) -> Result<Call<D>, Detached> {
        self.slot.enter()
    }

    /// Begins a call, and waits for a provider if there is none. At most `APC_LEVEL`; with
    /// [`Wait::No`] at most `DISPATCH_LEVEL`.
    ///
    /// A refusal ends the wait. A provider that has left again before the thread runs does not.
    ///
    /// Do not wait for a provider inside a method of the module, or before
    /// [`Registration::new`](crate::Registration::new) has returned on the thread that is to
    /// register that provider.
    ///
    /// Source: `WskCaptureProviderNPI`, whose time-outs these are.
    pub fn capture(&self, wait: Wait) -> Result<Call<D>, Missing> {
        self.news.wait_for(wait, || self.slot.enter().ok())
    }
}

/// Wakes the waiting threads.
struct News<E> {
    /// The number of attaches in the upper half, and in the lower half the status of the last refusal, which
    /// is negative, or [`NONE`].
    refusal: AtomicUsize,
    changed: E,
}

/// Nothing was refused. Not the status of a failure.
const NONE: usize = 0;
/// The bits of the status.
const STATUS: usize = u32::MAX as usize;
/// One attach. Refusals that are 2^32 attaches apart would be taken for each other.
const ATTACH: usize = STATUS + 1;

impl<E: Event> News<E> {
    fn new() -> Result<Self> {
        let changed = E::new().map_err(|status| {
            Error::from_status(status).unwrap_or(Error::INSUFFICIENT_RESOURCES)
        })?;
        Ok(Self {
            refusal: AtomicUsize::new(NONE),
            changed,
        })
    }

    fn attached(&self) {
        let attached = |now: usize| Some((now & !STATUS).wrapping_add(ATTACH));
        let _ = self
            .refusal
            .fetch_update(Ordering::Release, Ordering::Relaxed, attached);
        self.changed.set();
    }

    /// Notes a refusal, unless a peer is attached, or attaches between the look at the slot and the note: then
    /// the number of attaches differs.
    fn refused(&self, reason: Error, is_attached: impl Fn() -> bool) {
        let attaches = self.refusal.load(Ordering::Acquire) & !STATUS;
        let refused = |now: usize| {
            let status = reason.status().cast_unsigned() as usize;
            (now & !STATUS == attaches).then_some(attaches | status)
        };
        if is_attached() {
            return;
        }
        let noted = self
            .refusal
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, refused);
        if noted.is_ok() {
            self.changed.set();
        }
    }

    fn forget_refusal(&self) {
        self.refusal.fetch_and(!STATUS, Ordering::Relaxed);
    }

    /// Waits until `enter` finds something, or an offer was refused.
    fn wait_for<T>(&self, wait: Wait, enter: impl Fn() -> Option<T>) -> Result<T, Missing> {
        let look = || match enter() {
            Some(found) => Some(Ok(found)),
            None => self.refusal().map(Missing::Refused).map(Err),
        };
        if let Some(found) = look() {
            return found;
        }
        let deadline = match wait {
            Wait::No => return Err(Missing::Absent),
            Wait::AtMost(limit) => Some(E::deadline(limit)),
            Wait::Forever => None,
        };
        loop {
            self.changed.reset();
            if let Some(found) = look() {
                self.changed.set();
                return found;
            }
            if !self.changed.wait(deadline) {
                return look().unwrap_or(Err(Missing::Absent));
            }
        }
    }

    fn refusal(&self) -> Option<Error> {
        let status = self.refusal.load(Ordering::Relaxed) & STATUS;
        #[expect(clippy::cast_possible_truncation, reason = "it is the lower half")]
        let status = status as u32;
        Error::from_status(status.cast_signed())
    }
}

/// [`Error::DEVICE_NOT_READY`] if there was none, or the reason for the refusal.
impl From<Missing> for Error {
    fn from(missing: Missing) -> Self {
        match missing {
            Missing::Absent => Self::DEVICE_NOT_READY,
            Missing::Refused(reason) => reason,
        }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("no peer is attached"),
            Self::Refused(reason) => write!(f, "the last offer was refused: {reason}"),
        }
    }
}

impl core::error::Error for Missing {}

#[cfg(all(loom, test))]
mod models {
    use core::time::Duration;
    use std::sync::Arc;

    use loom::sync::{Condvar, Mutex};
    use loom::thread::{self, JoinHandle};

    use nmr_sys::{Event, NTSTATUS};

    use super::{Missing, News, Wait};
    use crate::error::Error;
    use crate::gate::{Gate, Released};

    /// An event without a clock: a wait that does not end is a deadlock, which loom reports.
    struct ModelEvent(Mutex<bool>, Condvar);

    impl Event for ModelEvent {
        type Deadline = ();

        fn new() -> Result<Self, NTSTATUS> {
            Ok(Self(Mutex::new(false), Condvar::new()))
        }

        fn set(&self) {
            *self.0.lock().unwrap() = true;
            self.1.notify_all();
        }

        fn reset(&self) {
            *self.0.lock().unwrap() = false;
        }

        fn deadline(_limit: Duration) {}

        fn wait(&self, _deadline: Option<()>) -> bool {
            let mut set = self.0.lock().unwrap();
            while !*set {
                set = self.1.wait(set).unwrap();
            }
            true
        }
    }

    /// A slot, reduced to its gate.
    struct Provision {
        gate: Gate,
        news: News<ModelEvent>,
    }

    impl Provision {
        fn claimed() -> Arc<Self> {
            let gate = Gate::vacant();
            assert!(gate.claim());
            let news = News::new().unwrap();
            Arc::new(Self { gate, news })
        }

        fn attach(&self) {
            self.gate.open();
            self.news.attached();
            self.leave();
        }

        fn refuse(&self) {
            self.news
                .refused(Error::NO_INTERFACE, || self.gate.is_open());
        }

        fn capture(&self) -> Result<(), Missing> {
            self.news
                .wait_for(Wait::Forever, || match self.gate.enter() {
                    Ok(()) => {
                        self.leave();
                        Some(())
                    }
                    Err(left) => {
                        self.finish(left);
                        None
                    }
                })
        }

        fn detach(&self) {
            self.gate.close();
            self.leave();
        }

        fn leave(&self) {
            self.finish(self.gate.leave());
        }

        fn finish(&self, left: Released) {
            if left == Released::Drained {
                self.gate.release();
            }
        }
    }

    /// Tries the interleavings with at most three switches away from a thread that could go on.
    fn explore(model: fn()) {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(3);
        builder.check(model);
    }

    fn wait(it: &Arc<Provision>) -> JoinHandle<Result<(), Missing>> {
        let it = Arc::clone(it);
        thread::spawn(move || it.capture())
    }

    const REFUSED: Missing = Missing::Refused(Error::NO_INTERFACE);

    #[test]
    fn everyone_who_waits_meets_the_provider() {
        explore(|| {
            let it = Provision::claimed();
            let waits = [wait(&it), wait(&it)];
            it.attach();
            for wait in waits {
                assert_eq!(wait.join().unwrap(), Ok(()));
            }
        });
    }

    #[test]
    fn everyone_who_waits_hears_of_the_refusal() {
        explore(|| {
            let it = Provision::claimed();
            let waits = [wait(&it), wait(&it)];
            it.refuse();
            for wait in waits {
                assert_eq!(wait.join().unwrap(), Err(REFUSED));
            }
        });
    }

    #[test]
    fn a_provider_that_leaves_at_once_does_not_end_the_wait() {
        explore(|| {
            let it = Provision::claimed();
            let wait = wait(&it);
            it.attach();
            it.detach();
            it.refuse();
            assert!([Ok(()), Err(REFUSED)].contains(&wait.join().unwrap()));
        });
    }

    /// Or later waits would end with it, when that provider has left.
    #[test]
    fn a_refusal_that_meets_an_attach_is_not_kept() {
        explore(|| {
            let it = Provision::claimed();
            let other = Arc::clone(&it);
            let refusal = thread::spawn(move || other.refuse());
            it.attach();
            refusal.join().unwrap();
            assert_eq!(it.news.refusal(), None);
        });
    }
}

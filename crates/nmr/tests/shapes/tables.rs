//! Interfaces that `dispatch!` does not cover, and interfaces under another name.
// UNSAFETY: a table that `dispatch!` does not make has an author who vouches for it.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::mem::offset_of;
use std::sync::Arc;

use exnpi::{Characteristics, ClientDispatch, Exnpi, ProviderDispatch};
use nmr::{
    Client, Dispatch, DispatchFor, Guid, Module, Npi, Offer, Provider, Registration, Remote, Slot,
};

use crate::support::{Attaches, Deaf, Summer, run};

/// A table that says how long it is. The second function came with version 2.
#[repr(C)]
struct ClockDispatch {
    size: usize,
    version: usize,
    now: unsafe extern "efiapi" fn(*mut c_void) -> u64,
    resolution: Option<unsafe extern "efiapi" fn(*mut c_void) -> u64>,
}

const OLD_SIZE: usize = offset_of!(ClockDispatch, resolution);

/// What a clock does, in version 1.
trait OldClock: Send + Sync {
    fn now(&self) -> u64;
}

/// What a caller gets, from a clock of any version.
trait Clock: OldClock {
    fn resolution(&self) -> Option<u64>;
}

// SAFETY: the table is `repr(C)`, and its functions take the callee's context.
unsafe impl Dispatch for ClockDispatch {}

// SAFETY: the function uses its context as a shared `T`.
unsafe impl<T: OldClock> DispatchFor<T> for ClockDispatch {
    const TABLE: &'static Self = &Self {
        size: OLD_SIZE,
        version: 1,
        now: now::<T>,
        resolution: None,
    };
}

/// # Safety
///
/// * The context is a live and shared `T`.
unsafe extern "efiapi" fn now<T: OldClock>(context: *mut c_void) -> u64 {
    // SAFETY: the caller promises it.
    unsafe { &*context.cast::<T>() }.now()
}

impl OldClock for Remote<ClockDispatch> {
    fn now(&self) -> u64 {
        // SAFETY: every version has this function.
        let function = unsafe { (*self.table()).now };
        // SAFETY: it takes the peer's context.
        unsafe { function(self.context()) }
    }
}

impl Clock for Remote<ClockDispatch> {
    fn resolution(&self) -> Option<u64> {
        // SAFETY: every version has this field.
        let size = unsafe { (*self.table()).size };
        if size <= OLD_SIZE {
            return None;
        }
        // SAFETY: the table is long enough for this field.
        let function = unsafe { (*self.table()).resolution }?;
        // SAFETY: it takes the peer's context.
        Some(unsafe { function(self.context()) })
    }
}

struct ClockNpi;

// SAFETY: the only modules are those of this file.
unsafe impl Npi for ClockNpi {
    const ID: Guid = Guid::from_u128(0x2b7d3f0f_0d3c_4a30_a2f0_8f16a3f4c0aa);
    type ClientDispatch = ();
    type ProviderDispatch = ClockDispatch;
    type ClientCharacteristics = ();
    type ProviderCharacteristics = ();
}

struct Noon;

impl OldClock for Noon {
    fn now(&self) -> u64 {
        12
    }
}

#[test]
fn p_06_a_table_of_an_older_version_is_shorter() {
    run(|| {
        let provider = Attaches(|_: Offer<'_, Provider<ClockNpi>>| Ok(Noon));
        let _provider = Registration::new(provider).unwrap();
        let clock = Arc::new(Slot::new().unwrap());
        let slot = clock.clone();
        let client = Attaches(move |offer: Offer<'_, Client<ClockNpi>>| offer.claim(&slot));
        let _client = Registration::new(client).unwrap();
        let call = clock.enter().unwrap();
        assert_eq!((call.now(), call.resolution()), (12, None));
    });
}

/// EXNPI under another identifier, so that a test does not meet modules of the system.
pub(crate) struct Private;

// SAFETY: the tables and characteristics are those of EXNPI.
unsafe impl Npi for Private {
    const ID: Guid = Guid::from_u128(0x78c0b6a1_1a4e_4ac7_8e39_b6e0ce6f1c52);
    type ClientDispatch = ClientDispatch;
    type ProviderDispatch = ProviderDispatch;
    type ClientCharacteristics = Characteristics;
    type ProviderCharacteristics = Characteristics;
}

/// A client of EXNPI, under whatever identifier.
fn client<N>(slot: &Arc<Slot<ProviderDispatch>>) -> impl Module<Client<N>>
where
    N: Npi<ClientDispatch = ClientDispatch, ProviderDispatch = ProviderDispatch>,
{
    let slot = slot.clone();
    Attaches(move |offer: Offer<'_, Client<N>>| offer.claim(&slot).map(|()| Deaf))
}

#[test]
fn p_23_the_same_tables_under_another_identifier() {
    run(|| {
        let public = Arc::new(Slot::new().unwrap());
        let private = Arc::new(Slot::new().unwrap());
        let _public = Registration::new(client::<Exnpi>(&public)).unwrap();
        let _private = Registration::new(client::<Private>(&private)).unwrap();
        let _provider = Registration::new(Summer).unwrap();
        assert!(public.is_attached());
        assert!(!private.is_attached());
    });
}

//! Interfaces that `dispatch!` does not cover, and interfaces under another name.
// UNSAFETY: a table that `dispatch!` does not make depends on its author's promise.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::sync::Arc;

use exnpi::{Characteristics, ClientDispatch, Exnpi, ProviderDispatch};
use nmr::{
    Client, Dispatch, DispatchFor, Guid, Module, Npi, Offer, Provider, Registration, Remote, Slot,
    Versioned, field,
};

use crate::support::{Attaches, Deaf, Summer, run};

/// A table that says how long it is. The last function came with version 2.
#[repr(C)]
struct ClockDispatch {
    base: ClockBase,
    resolution: Option<unsafe extern "efiapi" fn(*mut c_void) -> u64>,
}

/// Version 1.
#[repr(C)]
struct ClockBase {
    size: usize,
    version: usize,
    now: unsafe extern "efiapi" fn(*mut c_void) -> u64,
}

/// What a caller gets, from a clock of any version.
trait Clock {
    fn now(&self) -> Option<u64>;
    fn resolution(&self) -> Option<u64>;
}

// SAFETY: the table is `repr(C)`, and its functions take the callee's context.
unsafe impl Dispatch for ClockDispatch {}

// SAFETY: the tables of this file are as long as they say, or longer.
unsafe impl Versioned for ClockDispatch {
    type Base = ClockBase;

    fn size(base: &ClockBase) -> usize {
        base.size
    }
}

/// A provider whose table says that it has so many bytes.
struct ClockOf<const SIZE: usize>;

// SAFETY: the functions do not use their context.
unsafe impl<const SIZE: usize> DispatchFor<ClockOf<SIZE>> for ClockDispatch {
    const TABLE: &'static Self = &Self {
        base: ClockBase {
            size: SIZE,
            version: 2,
            now: twelve,
        },
        resolution: Some(twelve),
    };
}

unsafe extern "efiapi" fn twelve(_context: *mut c_void) -> u64 {
    12
}

impl Clock for Remote<ClockDispatch> {
    fn now(&self) -> Option<u64> {
        let function = Remote::view(self)?.base().now;
        // SAFETY: it takes the peer's context.
        Some(unsafe { function(Remote::context(self)) })
    }

    fn resolution(&self) -> Option<u64> {
        let function = field!(Remote::view(self)?, ClockDispatch, resolution)??;
        // SAFETY: it takes the peer's context.
        Some(unsafe { function(Remote::context(self)) })
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

/// What a client finds in a table of so many bytes: the two functions, and the size.
fn look<const SIZE: usize>() -> (Option<u64>, Option<u64>, Option<usize>) {
    let provider = Attaches(|_: Offer<'_, Provider<ClockNpi>>| Ok(ClockOf::<SIZE>));
    let _provider = Registration::new(provider).unwrap();
    let clock = Arc::new(Slot::new().unwrap());
    let slot = clock.clone();
    let client = Attaches(move |offer: Offer<'_, Client<ClockNpi>>| offer.claim(&slot));
    let _client = Registration::new(client).unwrap();
    let call = clock.enter().unwrap();
    let size = Remote::view(&call).map(|table| table.size());
    (call.now(), call.resolution(), size)
}

const OLD: usize = size_of::<ClockBase>();
const NEW: usize = size_of::<ClockDispatch>();

#[test]
fn p_06_a_table_of_this_version() {
    run(|| assert_eq!(look::<NEW>(), (Some(12), Some(12), Some(NEW))));
}

#[test]
fn p_06_a_table_of_an_older_version_is_shorter() {
    run(|| assert_eq!(look::<OLD>(), (Some(12), None, Some(OLD))));
}

#[test]
fn p_06_a_table_that_ends_in_a_field() {
    run(|| assert_eq!(look::<{ NEW - 1 }>(), (Some(12), None, Some(NEW - 1))));
}

#[test]
fn p_06_a_table_of_a_newer_version_is_longer() {
    // The bytes that are not known here are not read, so they need not be there.
    run(|| assert_eq!(look::<4096>(), (Some(12), Some(12), Some(4096))));
}

#[test]
fn p_06_a_table_without_even_its_base() {
    run(|| {
        assert_eq!(look::<0>(), (None, None, None));
        assert_eq!(look::<{ OLD - 1 }>(), (None, None, None));
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

nmr::dispatch! {
    /// Functions whose names `Remote` uses, too.
    pub(crate) trait Names in struct NamesDispatch {
        /// 1.
        fn context(&self) -> u32;
        /// 2.
        fn table(&self) -> u32;
        /// 3.
        fn view(&self) -> u32;
    }
}

struct NamesNpi;

// SAFETY: the only modules are those below.
unsafe impl Npi for NamesNpi {
    const ID: Guid = Guid::from_u128(0x2b7d3f0f_0d3c_4a30_a2f0_8f16a3f4c0ab);
    type ClientDispatch = ();
    type ProviderDispatch = NamesDispatch;
    type ClientCharacteristics = ();
    type ProviderCharacteristics = ();
}

struct Named;

impl Names for Named {
    fn context(&self) -> u32 {
        1
    }

    fn table(&self) -> u32 {
        2
    }

    fn view(&self) -> u32 {
        3
    }
}

#[test]
fn functions_of_a_table_are_not_hidden_by_those_of_remote() {
    run(|| {
        let slot = Arc::new(Slot::new().unwrap());
        let place = slot.clone();
        let provider = Attaches(|_: Offer<'_, Provider<NamesNpi>>| Ok(Named));
        let client = Attaches(move |offer: Offer<'_, Client<NamesNpi>>| offer.claim(&place));
        let _modules = (
            Registration::new(provider).unwrap(),
            Registration::new(client).unwrap(),
        );
        let call = slot.enter().unwrap();
        assert_eq!((call.context(), call.table(), call.view()), (1, 2, 3));
    });
}

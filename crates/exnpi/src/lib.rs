//! EXNPI: an example of a network programming interface. A client sends values to a provider, and
//! the provider returns their sum by a call. `include/exnpi.h` declares the same for C.
//!
//! It is the model for an interface of one's own: chapter 5 of the guide,
//! `docs/guide/05-tables-and-characteristics.md`, says what belongs into one.
#![no_std]
// UNSAFETY: only the author of an interface can promise what lies behind its GUID.
#![expect(unsafe_code)]

nmr::dispatch! {
    /// `EXNPI_PROVIDER_DISPATCH`: what a provider does for its clients.
    pub trait ProviderCalls in struct ProviderDispatch {
        /// Adds a value, and returns the sum of all that were sent through this binding.
        fn add(&self, value: u32) -> u32;
    }
}

nmr::dispatch! {
    /// `EXNPI_CLIENT_DISPATCH`: the calls that a client gets from its providers.
    pub trait ClientCalls in struct ClientDispatch {
        /// The sum has changed.
        fn changed(&self, sum: u32);
    }
}

/// `EXNPI_CLIENT_CHARACTERISTICS` and `EXNPI_PROVIDER_CHARACTERISTICS`.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Characteristics {
    /// The version of EXNPI that the module speaks.
    pub version: u32,
}

/// What a module of this version says about itself.
pub const CHARACTERISTICS: Characteristics = Characteristics { version: 1 };

/// The interface.
pub struct Exnpi;

// SAFETY: `exnpi.h` declares these tables and characteristics for this GUID, and allows calls from
// any thread with any values.
unsafe impl nmr::Npi for Exnpi {
    const ID: nmr::Guid = nmr::Guid::from_u128(0x1d639dbc_7f45_47be_a432_6c0b5caa147b);
    type ClientDispatch = ClientDispatch;
    type ProviderDispatch = ProviderDispatch;
    type ClientCharacteristics = Characteristics;
    type ProviderCharacteristics = Characteristics;
}

// The layout is that of the header.
const _: () = assert!(size_of::<Characteristics>() == 4);
const _: () = assert!(size_of::<ClientDispatch>() == size_of::<usize>());
const _: () = assert!(size_of::<ProviderDispatch>() == size_of::<usize>());

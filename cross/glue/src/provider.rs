//! Drivers with a provider whose registration ends too early, or never.
#![allow(dead_code, reason = "each feature has one of the drivers")]

use core::mem;

use exnpi::{Exnpi, ProviderCalls};
use nmr::{Error, Guid, Identity, Module, Offer, Provider, Registration, Result, Shared};
use nmr_driver::Driver;

struct Same;

impl Module<Provider<Exnpi>> for Same {
    type Binding = Same;

    fn identity(&self) -> Identity {
        Identity::new(Guid::from_u128(0x1f0d_77a2_53b4_4c1e_8d3c_9b20_6a4e_7703))
    }

    fn attach(&self, _offer: Offer<'_, Provider<Exnpi>>) -> Result<Same> {
        Ok(Same)
    }
}

impl ProviderCalls for Same {
    fn add(&self, value: u32) -> u32 {
        value
    }
}

/// Fails to load when it has a registration and memory.
pub struct Fails {
    _provider: Registration<Provider<Exnpi>, Same>,
    _memory: Shared<u32>,
}

impl Driver for Fails {
    fn load() -> Result<Self> {
        let _fails = Self {
            _provider: Registration::new(Same)?,
            _memory: Shared::new(1)?,
        };
        Err(Error::DEVICE_NOT_READY)
    }
}

/// Forgets its registration.
pub struct Forgotten;

impl Driver for Forgotten {
    fn load() -> Result<Self> {
        mem::forget(Registration::new(Same)?);
        Ok(Self)
    }
}

/// Forgets its registration and fails to load.
pub struct Abandons;

impl Driver for Abandons {
    fn load() -> Result<Self> {
        mem::forget(Registration::new(Same)?);
        Err(Error::DEVICE_NOT_READY)
    }
}

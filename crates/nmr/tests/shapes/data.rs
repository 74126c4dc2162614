//! Interfaces without functions.
// UNSAFETY: declares an interface.
#![expect(unsafe_code)]

use std::sync::OnceLock;

use nmr::{Client, Error, Guid, Identity, Module, Npi, Offer, Provider, Registration, Result};

use crate::support::{MODULE, run};

/// What the provider says, which is all there is to the interface.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Debug)]
struct Limits {
    version: u32,
    most: u32,
}

struct LimitsNpi;

// SAFETY: the only modules are those of this file.
unsafe impl Npi for LimitsNpi {
    const ID: Guid = Guid::from_u128(0x9a0a9f76_5dd5_44b8_ae3c_c4b6c5d6ef01);
    type ClientDispatch = ();
    type ProviderDispatch = ();
    type ClientCharacteristics = ();
    type ProviderCharacteristics = Limits;
}

struct Publishes(Limits);

impl Module<Provider<LimitsNpi>> for Publishes {
    type Binding = ();

    fn identity(&self) -> Identity {
        Identity::new(MODULE)
    }

    fn characteristics(&self) -> Option<&Limits> {
        Some(&self.0)
    }

    fn attach(&self, _offer: Offer<'_, Provider<LimitsNpi>>) -> Result<()> {
        Ok(())
    }
}

/// A client that copies what the first provider of version 2 says.
#[derive(Default)]
struct Reads(OnceLock<Limits>);

impl Module<Client<LimitsNpi>> for Reads {
    type Binding = ();

    fn identity(&self) -> Identity {
        Identity::new(MODULE)
    }

    fn attach(&self, offer: Offer<'_, Client<LimitsNpi>>) -> Result<()> {
        match offer.characteristics() {
            Some(limits) if limits.version == 2 => {
                self.0.set(*limits).map_err(|_| Error::ACCESS_DENIED)
            }
            _ => Err(Error::NOT_SUPPORTED),
        }
    }
}

#[test]
fn p_07_a_provider_that_is_only_data() {
    run(|| {
        let old = Publishes(Limits {
            version: 1,
            most: 3,
        });
        let new = Publishes(Limits {
            version: 2,
            most: 40,
        });
        let providers = [old, new].map(|provider| Registration::new(provider).unwrap());
        let client = Registration::new(Reads::default()).unwrap();
        // What was copied outlives the provider.
        drop(providers);
        assert_eq!(client.0.get().unwrap().most, 40);
    });
}

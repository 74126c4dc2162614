//! Interfaces without functions.
// UNSAFETY: declares an interface.
#![expect(unsafe_code)]

use std::mem::offset_of;
use std::sync::{Arc, OnceLock};

use nmr::{
    Client, Error, Guid, Identity, Lent, Module, Npi, Offer, Provider, Registration, Result,
    Versioned, field,
};

use crate::support::{Attaches, MODULE, run};

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

    fn characteristics(&self) -> Option<Lent<'_, Limits>> {
        Some(Lent::new(&self.0))
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

/// What providers of another interface say, which declares the part that all have.
#[repr(C)]
struct Rates {
    base: RatesBase,
    least: u8,
    mean: u32,
}

#[repr(C)]
struct RatesBase {
    version: u32,
    most: u32,
}

struct RatesNpi;

// SAFETY: the only modules are those below.
unsafe impl Npi for RatesNpi {
    const ID: Guid = Guid::from_u128(0x9a0a9f76_5dd5_44b8_ae3c_c4b6c5d6ef02);
    type ClientDispatch = ();
    type ProviderDispatch = ();
    type ClientCharacteristics = ();
    type ProviderCharacteristics = RatesBase;
}

// SAFETY: version 2 came with `least` and version 3 with `mean`; and every base is the beginning
// of one.
unsafe impl Versioned for Rates {
    type Base = RatesBase;

    fn size(base: &RatesBase) -> usize {
        match base.version {
            0 => 0,
            1 => size_of::<RatesBase>(),
            2 => offset_of!(Self, least) + size_of::<u8>(),
            _ => size_of::<Self>(),
        }
    }
}

/// What a client sees of what a provider says: the whole of it is there, whatever the version.
fn seen(version: u32) -> Option<(u32, Option<u8>, Option<u32>)> {
    struct PublishesRates(Rates);

    impl Module<Provider<RatesNpi>> for PublishesRates {
        type Binding = ();

        fn identity(&self) -> Identity {
            Identity::new(MODULE)
        }

        fn characteristics(&self) -> Option<Lent<'_, RatesBase>> {
            Some(Lent::whole(&self.0))
        }

        fn attach(&self, _offer: Offer<'_, Provider<RatesNpi>>) -> Result<()> {
            Ok(())
        }
    }

    let base = RatesBase { version, most: 9 };
    let (least, mean) = (1, 5);
    let rates = Rates { base, least, mean };
    let _provider = Registration::new(PublishesRates(rates)).unwrap();
    let seen = Arc::new(OnceLock::new());
    let note = seen.clone();
    let client = Attaches(move |offer: Offer<'_, Client<RatesNpi>>| {
        let view = offer.view::<Rates>();
        let found = view.map(|it| {
            (
                it.base().most,
                field!(it, Rates, least),
                field!(it, Rates, mean),
            )
        });
        note.set(found).map_err(|_| Error::ACCESS_DENIED)
    });
    drop(Registration::new(client).unwrap());
    *seen.get().unwrap()
}

#[test]
fn p_06_data_that_grows_with_its_version() {
    run(|| {
        let views = [0, 1, 2, 3].map(seen);
        let expected = [
            None,
            Some((9, None, None)),
            Some((9, Some(1), None)),
            Some((9, Some(1), Some(5))),
        ];
        assert_eq!(views, expected);
    });
}

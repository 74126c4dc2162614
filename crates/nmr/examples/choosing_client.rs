//! A client that chooses among several providers of one interface, by who they are.
//!
//! The NMR offers every provider to every client. This one wants the provider of one vendor, and of
//! that the implementation with a certain number; it declines the others, which hear nothing of it.
//!
//! Run it with `cargo run -p wdk-nmr --example choosing_client`.

use exnpi::{Exnpi, ProviderCalls, ProviderDispatch};
use nmr::{
    Client, Error, Guid, Identity, Module, ModuleId, Offer, Provider, Registration, Result, Slot,
};
use nmr_host::{Policy, Registrar};

const VENDOR: Guid = Guid::from_u128(0x7d0c_5a2e_91d4_4b5e_9a55_0b6a_1c3d_3f01);
const OTHER_VENDOR: Guid = Guid::from_u128(0x7d0c_5a2e_91d4_4b5e_9a55_0b6a_1c3d_3f02);

/// A provider that multiplies what it gets by its number.
struct Multiplier {
    vendor: Guid,
    number: u32,
}

/// Its part of a binding.
struct Factor(u32);

impl Module<Provider<Exnpi>> for Multiplier {
    type Binding = Factor;

    fn identity(&self) -> Identity {
        Identity {
            number: self.number,
            ..Identity::new(self.vendor)
        }
    }

    fn attach(&self, _offer: Offer<'_, Provider<Exnpi>>) -> Result<Factor> {
        Ok(Factor(self.number))
    }
}

impl ProviderCalls for Factor {
    fn add(&self, value: u32) -> u32 {
        self.0 * value
    }
}

/// A client that uses number 2 of its vendor.
struct Choosy(Slot<ProviderDispatch>);

/// Its part of a binding: it does not listen to what providers say.
struct Deaf;

impl exnpi::ClientCalls for Deaf {
    fn changed(&self, _sum: u32) {}
}

impl Module<Client<Exnpi>> for Choosy {
    type Binding = Deaf;

    fn identity(&self) -> Identity {
        Identity::new(Guid::from_u128(0x7d0c_5a2e_91d4_4b5e_9a55_0b6a_1c3d_3f03))
    }

    fn attach(&self, offer: Offer<'_, Client<Exnpi>>) -> Result<Deaf> {
        let provider = offer.identity().ok_or(Error::NO_INTERFACE)?;
        if provider.module != ModuleId::Guid(VENDOR) || provider.number != 2 {
            println!(
                "declined: number {} of {:?}",
                provider.number, provider.module
            );
            return Err(Error::NO_INTERFACE);
        }
        println!("attached: number {}", provider.number);
        offer.claim(&self.0)?;
        Ok(Deaf)
    }
}

fn main() {
    let registrar = Registrar::new(Policy::default());
    let entered = registrar.enter();

    let client = Choosy(Slot::new().expect("there is memory"));
    let client = Registration::new(client).expect("there is memory");
    let providers = [(OTHER_VENDOR, 2), (VENDOR, 1), (VENDOR, 2), (VENDOR, 3)];
    let providers = providers.map(|(vendor, number)| {
        Registration::new(Multiplier { vendor, number }).expect("there is memory")
    });
    let provider = client.0.enter().expect("the right one is there");
    assert_eq!(provider.add(21), 42);

    // A call in progress keeps its provider, so it ends first.
    drop(provider);
    drop(providers);
    assert!(client.0.enter().is_err());

    drop(client);
    drop(entered);
    assert_eq!(registrar.finish(), [], "every rule of the NMR was kept");
}

#[test]
fn it_runs() {
    main();
}

//! A provider that is only data: no functions, one structure that clients read when they attach.
//!
//! The NMR lends the structure to clients as long as the provider is registered. Here a client gets it
//! for the length of its `attach` and copies what it needs, so it cannot read it too late.
//!
//! Run it with `cargo run -p wdk-nmr --example data_only`.

use std::sync::Mutex;

use nmr::{Client, Error, Guid, Identity, Lent, Module, Offer, Provider, Registration, Result};
use nmr_host::{Policy, Registrar};

use interface::{Limits, LimitsNpi};

#[expect(
    unsafe_code,
    reason = "only the author of an interface can promise what lies behind its identifier"
)]
mod interface {
    //! The interface, which in life is a crate of its own.

    use nmr::{Guid, Npi};

    /// What the provider says about the network that it serves.
    #[repr(C)]
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub(crate) struct Limits {
        /// The version of the interface.
        pub(crate) version: u32,
        /// In bytes.
        pub(crate) largest_packet: u32,
    }

    /// The interface.
    pub(crate) struct LimitsNpi;

    // SAFETY: the only modules of this interface are in this file, and they use these types.
    unsafe impl Npi for LimitsNpi {
        const ID: Guid = Guid::from_u128(0x3c3e_8d1b_9b0e_4f4e_8f39_3c6f_5d0a_1e01);
        type ClientDispatch = ();
        type ProviderDispatch = ();
        type ClientCharacteristics = ();
        type ProviderCharacteristics = Limits;
    }
}

/// The provider.
struct Network(Limits);

impl Module<Provider<LimitsNpi>> for Network {
    type Binding = ();

    fn identity(&self) -> Identity {
        Identity::new(Guid::from_u128(0x3c3e_8d1b_9b0e_4f4e_8f39_3c6f_5d0a_1e02))
    }

    fn characteristics(&self) -> Option<Lent<'_, Limits>> {
        Some(Lent::new(&self.0))
    }

    fn attach(&self, _offer: Offer<'_, Provider<LimitsNpi>>) -> Result<()> {
        Ok(())
    }
}

/// A client that wants to know how large packets may be, from a provider that speaks version 2.
#[derive(Default)]
struct Sender {
    largest_packet: Mutex<Option<u32>>,
}

impl Module<Client<LimitsNpi>> for Sender {
    type Binding = ();

    fn identity(&self) -> Identity {
        Identity::new(Guid::from_u128(0x3c3e_8d1b_9b0e_4f4e_8f39_3c6f_5d0a_1e03))
    }

    fn attach(&self, offer: Offer<'_, Client<LimitsNpi>>) -> Result<()> {
        let limits = offer.characteristics().ok_or(Error::NO_INTERFACE)?;
        if limits.version != 2 {
            println!("declined: version {}", limits.version);
            return Err(Error::NO_INTERFACE);
        }
        println!(
            "attached: packets of {} bytes at most",
            limits.largest_packet
        );
        *self.largest_packet.lock().unwrap() = Some(limits.largest_packet);
        Ok(())
    }
}

fn main() {
    let registrar = Registrar::new(Policy::default());
    let entered = registrar.enter();

    let [old, new] = [(1, 576), (2, 1500)].map(|(version, largest_packet)| {
        let limits = Limits {
            version,
            largest_packet,
        };
        Registration::new(Network(limits)).expect("there is memory")
    });
    let sender = Registration::new(Sender::default()).expect("there is memory");
    drop((old, new));
    // Both providers are gone, and the copy is not.
    assert_eq!(*sender.largest_packet.lock().unwrap(), Some(1500));

    drop(sender);
    drop(entered);
    assert_eq!(registrar.finish(), [], "every rule of the NMR was kept");
}

#[test]
fn it_runs() {
    main();
}

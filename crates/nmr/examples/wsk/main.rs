//! Winsock Kernel (WSK) reached through the NMR, described from public pages: how to declare an
//! interface that one does not own, with tables on both sides.
//!
//! An application registers as a client, captures the subsystem with a time-out, and asks for the
//! transports. `WskRegister` and `WskCaptureProviderNPI` do the same for drivers in C.
//!
//! **It has not met the real one.** The types are compared with the documented structures by hand and
//! by assertions of their layout, and `interface.rs` says what was read where and what is unconfirmed;
//! the provider is a stand-in. New drivers should use WSK's own functions, as Microsoft advises; this
//! shows what an interface of the system looks like.
//!
//! Run it with `cargo run -p wdk-nmr --example wsk`.

mod interface;
mod stand_in;

use interface::{
    Application, Characteristics, NoList, ProviderDispatch, Subsystem, Transport, Wsk, version,
};
use nmr::{
    Awaited, Client, Error, Guid, Identity, Lent, Missing, Module, Offer, Provider, Registration,
    Result, Wait,
};
use nmr_host::{NotificationEvent, Policy, Registrar};
use stand_in::{StandIn, TRANSPORTS};

/// The version that the application speaks.
const VERSION: u16 = version(1, 0);

/// The application.
struct Driver(Awaited<ProviderDispatch, NotificationEvent>);

impl Module<Client<Wsk>> for Driver {
    type Binding = Application;

    fn identity(&self) -> Identity {
        Identity::new(Guid::from_u128(0x0c6b_9a4e_70f3_4d4e_9a52_2b8f_1d7e_6c01))
    }

    fn attach(&self, offer: Offer<'_, Client<Wsk>>) -> Result<Application> {
        let versions = offer.characteristics().ok_or(Error::NO_INTERFACE)?;
        if !(versions.lowest..=versions.highest).contains(&VERSION) {
            self.0.refused(Error::NOT_SUPPORTED);
            return Err(Error::NO_INTERFACE);
        }
        self.0.claim(offer)?;
        Ok(Application)
    }

    fn attached(&self, _binding: &Application) {
        self.0.attached();
    }

    fn declined(&self, reason: Error) {
        self.0.refused(reason);
    }
}

/// A stand-in for the subsystem that speaks these versions.
struct StandInModule(Characteristics);

impl Module<Provider<Wsk>> for StandInModule {
    type Binding = StandIn;

    fn identity(&self) -> Identity {
        Identity::new(Guid::from_u128(0x0c6b_9a4e_70f3_4d4e_9a52_2b8f_1d7e_6c02))
    }

    fn characteristics(&self) -> Option<Lent<'_, Characteristics>> {
        Some(Lent::new(&self.0))
    }

    fn attach(&self, _offer: Offer<'_, Provider<Wsk>>) -> Result<StandIn> {
        Ok(StandIn)
    }
}

fn main() {
    let registrar = Registrar::new(Policy::default());
    let entered = registrar.enter();
    let subsystem = |lowest, highest| {
        let characteristics = Characteristics { highest, lowest };
        Registration::new(StandInModule(characteristics)).expect("there is memory")
    };

    let driver = Driver(Awaited::new().expect("there is memory"));
    let driver = Registration::new(driver).expect("there is memory");
    assert_eq!(driver.0.capture(Wait::No).err(), Some(Missing::Absent));

    let later = subsystem(version(2, 0), version(2, 1));
    let missing = driver.0.capture(Wait::Forever).err();
    println!("a subsystem of versions that the application does not speak: {missing:?}");
    assert_eq!(missing, Some(Missing::Refused(Error::NOT_SUPPORTED)));
    drop(later);

    let usual = subsystem(version(1, 0), version(1, 1));
    let wsk = driver.0.capture(Wait::Forever).expect("it is there");
    // So the stand-in does; the real one may give a higher minor version.
    assert_eq!(wsk.version(), VERSION);
    let mut found = [Transport::default(); 4];
    assert_eq!(wsk.transports(&mut found[..1]), Err(NoList::TooMany(2)));
    let count = wsk.transports(&mut found).expect("there is room");
    println!("the transports that it has: {count}");
    assert_eq!(found[..count], TRANSPORTS);
    // A call in progress keeps the subsystem, so it ends first.
    drop(wsk);

    drop((driver, usual));
    drop(entered);
    assert_eq!(registrar.finish(), [], "every rule of the NMR was kept");
}

#[test]
fn it_runs() {
    main();
}

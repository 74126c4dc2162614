//! A client of EXNPI that waits for its provider with an event of the kernel, and prints what it
//! finds: at once, after a moment, and in the end.

use core::time::Duration;

use exnpi::{ClientCalls, Exnpi, ProviderCalls, ProviderDispatch};
use nmr::{
    Awaited, Client, Error, Event, Guid, Identity, Locked, Missing, Module, Offer, Registration,
    Result, Wait,
};
use nmr_driver::{Driver, KernelEvent, KernelSpinLock};
use wdk::{print, println};

struct Patient {
    provider: Awaited<ProviderDispatch, KernelEvent>,
    /// How often an offer was accepted, and how often one came to nothing.
    offers: Locked<(u32, u32), KernelSpinLock>,
}

struct Deaf;

impl Module<Client<Exnpi>> for Patient {
    type Binding = Deaf;

    fn identity(&self) -> Identity {
        Identity::new(Guid::from_u128(0x1f0d_77a2_53b4_4c1e_8d3c_9b20_6a4e_7701))
    }

    fn attach(&self, offer: Offer<'_, Client<Exnpi>>) -> Result<Deaf> {
        self.provider.claim(offer)?;
        Ok(Deaf)
    }

    fn attached(&self, _binding: &Deaf) {
        self.offers.with(|(accepted, _)| *accepted += 1);
        self.provider.attached();
    }

    fn declined(&self, reason: Error) {
        self.offers.with(|(_, lost)| *lost += 1);
        self.provider.refused(reason);
    }
}

impl ClientCalls for Deaf {
    fn changed(&self, _sum: u32) {}
}

impl Patient {
    fn look(&self, how: &str, wait: Wait) {
        print!("{how}: ");
        match self.provider.capture(wait) {
            Ok(provider) => println!("{}", provider.add(42)),
            Err(Missing::Absent) => println!("absent"),
            Err(Missing::Refused(reason)) => println!("refused with {:08x}", reason.status()),
        }
    }
}

pub struct Waiting {
    _client: Registration<Client<Exnpi>, Patient>,
}

impl Driver for Waiting {
    fn load() -> Result<Self> {
        let client = Registration::new(Patient {
            provider: Awaited::new()?,
            offers: Locked::new((0, 0)),
        })?;
        client.look("not at all", Wait::No);
        client.look("no time", Wait::AtMost(Duration::ZERO));
        client.look("a moment", Wait::AtMost(Duration::from_nanos(101)));
        client.look("at most for ever", Wait::AtMost(Duration::MAX));
        let never = KernelEvent::new().map_err(|_| Error::INSUFFICIENT_RESOURCES)?;
        while client.provider.enter().is_ok() {
            never.wait(Some(KernelEvent::deadline(Duration::from_nanos(100))));
        }
        client.look("for ever", Wait::Forever);
        let (accepted, lost) = client.offers.with(|offers| *offers);
        println!("offers: {accepted} accepted, {lost} lost");
        Ok(Self { _client: client })
    }
}

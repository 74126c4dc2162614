//! The driver `waiting` waits for its provider with an event of the kernel. The provider is in the
//! process of the test, and comes when it likes: no test depends on the clock.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod common;

use std::thread;

use common::{fixture, host, lines, printed};
use driver_host::{Host, Image, LoadOptions};
use exnpi::{Exnpi, ProviderCalls};
use nmr::{Error, Guid, Identity, Module, Offer, Provider, Registration, Result};

/// A provider that takes clients, or not.
struct Shop {
    open: bool,
}

struct Counter;

impl Module<Provider<Exnpi>> for Shop {
    type Binding = Counter;

    fn identity(&self) -> Identity {
        Identity::new(Guid::from_u128(0x1f0d_77a2_53b4_4c1e_8d3c_9b20_6a4e_7702))
    }

    fn attach(&self, _offer: Offer<'_, Provider<Exnpi>>) -> Result<Counter> {
        self.open.then_some(Counter).ok_or(Error::ACCESS_DENIED)
    }
}

impl ProviderCalls for Counter {
    fn add(&self, value: u32) -> u32 {
        value + 1
    }
}

fn register(host: &Host, open: bool) -> Registration<Provider<Exnpi>, Shop> {
    let _entered = host.registrar().enter();
    Registration::new(Shop { open }).unwrap()
}

fn load(host: &Host) -> Image {
    host.load(fixture("waiting"), LoadOptions::default())
        .unwrap()
}

/// Unloads the driver, which leaves nothing.
fn unload(host: &Host, image: Image) {
    let unloaded = image.unload();
    assert_eq!(lines(&unloaded.reports), [""; 0]);
    assert!(unloaded.unmapped);
    assert_eq!(host.pool_in_use(), 0);
    assert_eq!(host.registrar().finish(), []);
}

/// Waits until the driver has printed something.
fn wait_for(host: &Host, text: &str) {
    while !printed(host).contains(text) {
        thread::yield_now();
    }
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn p_01_an_image_waits_for_a_provider_that_is_late_and_comes_back() {
    let host = host();
    let (image, provider) = thread::scope(|scope| {
        let provider = scope.spawn(|| {
            wait_for(&host, "at most for ever: ");
            let first = register(&host, true);
            wait_for(&host, "at most for ever: 43\n");
            drop(first);
            wait_for(&host, "\nfor ever: ");
            register(&host, true)
        });
        (load(&host), provider.join().unwrap())
    });
    assert_eq!(
        printed(&host),
        "not at all: absent\nno time: absent\na moment: absent\nat most for ever: 43\n\
         for ever: 43\noffers: 2 accepted, 0 lost\n"
    );
    drop(provider);
    unload(&host, image);
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn p_01_an_image_is_told_that_its_provider_refuses() {
    let host = host();
    let provider = register(&host, false);
    let image = load(&host);
    assert_eq!(
        printed(&host),
        "not at all: refused with c0000022\nno time: refused with c0000022\n\
         a moment: refused with c0000022\nat most for ever: refused with c0000022\n\
         for ever: refused with c0000022\noffers: 0 accepted, 1 lost\n"
    );
    drop(provider);
    unload(&host, image);
}

//! The driver of `examples/c-module` as an image: the very sources that its test for Linux compiles.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod common;

use common::{fixture, lines, printed};
use driver_host::{Host, LoadOptions, Scenario, Trial};
use nmr_host::{Interface, Table, Wrapping};
use nmr_sys::GUID;

/// QUOTA, as `quota.h` declares it.
const QUOTA: Interface = {
    let table = Some(Table {
        size: 8,
        functions: 1,
    });
    Interface {
        npi: GUID::from_u128(0x6f0b_6a0e_52e1_4a4f_9d0c_0c3a_1f5b_7d21),
        client: table,
        provider: table,
    }
};

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn its_modules_attach_call_and_leave() {
    let host = Host::new("mode=strict,memory=checked".parse().unwrap());
    host.use_special_pool();
    let registrar = host.registrar();
    registrar.wrap(QUOTA, Wrapping::default()).unwrap();
    let image = host.load(fixture("quota"), LoadOptions::default()).unwrap();
    assert_eq!(printed(&host), "quota: exhausted after 60 bytes\n");
    drop(image.unload());
    assert_eq!(lines(&host.reports()), [""; 0]);
    assert_eq!(registrar.finish(), []);
    assert_eq!(host.pool_in_use(), 0);
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn it_loses_nothing_when_something_is_refused() {
    let bytes = std::fs::read(fixture("quota")).unwrap();
    let scenario = Scenario::new(vec![("quota.sys".to_owned(), bytes)]);
    let dry = scenario.run(&Trial::Dry);
    assert_eq!(dry.wrong(), [""; 0]);
    let trials = dry.trials();
    // Two registrations, an attach that is refused in two ways, two contexts, and the unload.
    assert_eq!(trials.len(), 7);
    for trial in trials {
        assert_eq!(scenario.run(&trial).lost(&dry), [""; 0], "{trial:?}");
    }
}

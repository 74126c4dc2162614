//! What images ask of KMDF, read from real ones.

use std::fs;
use std::path::PathBuf;

use driver_host::facts::Facts;
use driver_host::framework::FrameworkUse;
use driver_host::functions;

fn read(image: &str) -> Option<FrameworkUse> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/driver");
    let bytes = fs::read(root.join(image)).unwrap();
    FrameworkUse::find(&Facts::read(&bytes).unwrap().image, &bytes)
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn the_version_and_the_calls_of_a_driver_are_found() {
    let found = read("x64/release/both/exnpi_driver.sys").unwrap();
    assert_eq!(
        (found.version, found.count, found.windows()),
        ((1, 31), 458, Some("Windows 10, version 2004"))
    );
    let called = found.called.unwrap();
    for name in [
        "WdfDriverCreate",
        "WdfDeviceCreate",
        "WdfIoQueueCreate",
        "WdfRequestCompleteWithInformation",
        "WdfRequestRetrieveInputBuffer",
    ] {
        assert!(called.iter().any(|own| own == name), "{name}: {called:?}");
    }
    let lacking: Vec<_> = called
        .iter()
        .filter(|name| !functions::is_framework_implemented(name))
        .collect();
    assert!(lacking.is_empty(), "{lacking:?}");
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn code_for_another_processor_is_not_read() {
    let found = read("arm64/release/both/exnpi_driver.sys").unwrap();
    assert_eq!((found.version, found.called), ((1, 31), None));
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_driver_without_the_framework_asks_nothing_of_it() {
    assert_eq!(read("x64/release/fixtures/services.sys"), None);
}

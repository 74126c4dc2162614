//! Structured exceptions: the driver of `cross/seh`, which handles its own, and those that stop the host in spite of a
//! handler.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod common;

use common::{fixture, host, lines, printed};
use driver_host::{Host, Image, LoadError, LoadOptions, Scenario, Trial};

/// What it prints, without its judgement, once for code of the optimizer and once for other code.
const CASES: [&str; 20] = [
    "read",
    "division",
    "probe of the kernel",
    "alignment",
    "probe of nothing",
    "raised violation",
    "raised misalignment",
    "semaphore",
    "copy",
    "copy backwards",
    "fill",
    "pages",
    "order",
    "depth",
    "normal",
    "information",
    "mended",
    "registers",
    "dynamic",
    "often",
];

fn load(host: &Host, mistake: u32) -> Result<Image, LoadError> {
    let file = format!("[seh]\n\"Mistake\"=dword:{mistake}\n");
    host.import_registry(file.as_bytes()).unwrap();
    host.load(fixture("seh"), LoadOptions::default())
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_driver_handles_its_exceptions() {
    let host = host();
    host.use_special_pool();
    let image = load(&host, 0).unwrap();
    assert_eq!(image.missing_imports(), [""; 0]);
    let unloaded = image.unload();
    assert!(unloaded.unmapped);
    assert_eq!(lines(&host.reports()), [""; 0]);
    assert_eq!(host.pool_in_use(), 0);
    let said = printed(&host);
    let expected = CASES.map(|case| format!("{case}: right\n")).concat();
    assert_eq!(said, expected.repeat(2));
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn it_loses_nothing_when_something_is_refused() {
    let bytes = std::fs::read(fixture("seh")).unwrap();
    let scenario = Scenario::new(vec![("seh.sys".to_owned(), bytes)]);
    let dry = scenario.run(&Trial::Dry);
    assert_eq!(dry.wrong(), [""; 0]);
    for trial in dry.trials() {
        assert_eq!(scenario.run(&trial).lost(&dry), [""; 0], "{trial:?}");
    }
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn what_no_handler_takes_stops_the_host() {
    let cases = [
        (
            1,
            "seh.sys: access violation or privileged instruction at address 0x20000, at offset 0x",
        ),
        // The memory of the kernel: a bug check on Windows, whatever the handlers say.
        (
            2,
            "seh.sys: access violation or privileged instruction at address 0xffff800000001000, at offset 0x",
        ),
        (4, "seh.sys: ExRaiseStatus raised 0xc000009a, at offset 0x"),
        (
            5,
            "seh.sys: a language handler continues an exception that cannot be continued, at offset 0x",
        ),
    ];
    for (mistake, expected) in cases {
        let host = host();
        let loaded = load(&host, mistake);
        assert!(matches!(loaded, Err(LoadError::Stopped(_))), "{mistake}");
        let reports = lines(&host.reports());
        assert!(reports[0].starts_with(expected), "{mistake}: {reports:?}");
        assert_eq!(printed(&host), "", "{mistake}");
    }
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn no_handler_hides_a_touch_of_freed_pool() {
    let host = host();
    host.use_special_pool();
    let loaded = load(&host, 3);
    assert!(matches!(loaded, Err(LoadError::Stopped(_))));
    let reports = lines(&host.reports());
    let text = "PAGE_FAULT_IN_FREED_SPECIAL_POOL";
    assert!(reports[0].contains(text), "{reports:?}");
    assert_eq!(printed(&host), "");
}

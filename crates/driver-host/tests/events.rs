//! ETW events of real images, which the crate tracelogging writes.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod common;

use common::{fixture, host, lines};
use driver_host::{Event, Host, LoadOptions};

fn shown(event: &Event) -> String {
    let fields: Vec<_> = event.fields.iter().map(ToString::to_string).collect();
    let name = event.name.as_deref().unwrap_or("-");
    let provider = event.provider.as_deref().unwrap_or("-");
    format!("{provider} {name} {}", fields.join(" "))
}

fn run(host: &Host, name: &str) -> Vec<String> {
    let image = host.load(fixture(name), LoadOptions::default()).unwrap();
    assert_eq!(image.missing_imports(), [""; 0]);
    let unloaded = image.unload();
    assert!(unloaded.unmapped);
    lines(&host.reports())
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn events_are_captured_with_their_names_and_fields() {
    let host = host();
    assert_eq!(run(&host, "traces"), [""; 0]);
    let events = host.events();
    assert_eq!(
        events.iter().map(shown).collect::<Vec<_>>(),
        [
            "Nmr.Fixture.Traces Started ",
            "Nmr.Fixture.Traces Attach binding=7 module={2227e803-8d8b-11d4-abad-009027719e09} \
             status=0xc00000bb text=h\u{f6}flich last=true list=[1, 2, 3] \
             pair={a=-1, b=0x000000000000beef}",
            "Nmr.Fixture.Traces Enabled ",
            "Nmr.Fixture.Traces Stopped ",
        ]
    );
    let about = events[1].descriptor;
    assert_eq!(
        (about.level, about.keyword, about.opcode, about.channel),
        (3, 6, 1, 11)
    );
    assert_eq!(events[2].descriptor.level, 5);
    assert_eq!(events[0].image, "traces.sys");
    assert!(!events[0].provider_id.is_nil());
    let prints: Vec<_> = host.prints().iter().map(|print| print.sequence).collect();
    let events: Vec<_> = events.iter().map(|event| event.sequence).collect();
    assert_eq!((prints, events), (vec![1], vec![0, 2, 3, 4]));
    assert_eq!(host.take_events().len(), 4);
    assert_eq!(host.events(), []);
}

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn a_provider_that_is_left_and_one_at_a_raised_level_are_reported() {
    let reports = run(&host(), "tracing");
    assert_eq!(reports.len(), 4, "{reports:#?}");
    assert_eq!(reports[0], "tracing.sys: EtwRegister: called at APC_LEVEL");
    assert_eq!(
        reports[1],
        "tracing.sys: EtwSetInformation: called at APC_LEVEL"
    );
    assert_eq!(
        reports[2],
        "tracing.sys: EtwUnregister: called at APC_LEVEL"
    );
    let left = &reports[3];
    let expected = "tracing.sys: unloaded with an ETW provider left: Nmr.Fixture.Traces {";
    assert!(left.starts_with(expected), "{left}");
    assert!(
        left.ends_with("}; call EtwUnregister before unload"),
        "{left}"
    );
}

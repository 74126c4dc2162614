//! The one of the mistakes of real drivers (contract section 6.3) that only an image can make. The
//! others are among the tests of `nmr-host-c`.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod common;
#[path = "common/lingering.rs"]
mod lingering;

use std::time::Duration;

use common::fixture;
use driver_host::{Host, LoadOptions};
use nmr_host::Rule;

const STATUS_TIMEOUT: i32 = 0x102;

#[test]
#[ignore = "needs drivers built for Windows: run `cargo xtask test`"]
fn d_05_a_detach_callback_that_can_be_paged_out_waits() {
    let host = Host::new("irql=dispatch,memory=checked".parse().unwrap());
    let image = host.load(fixture("drain"), LoadOptions::default()).unwrap();
    let call = || lingering::attach().linger(Duration::ZERO);
    assert_eq!(host.run(call).unwrap(), STATUS_TIMEOUT);
    drop(image.unload());
    let reports = host.registrar().reports();
    let mut rules: Vec<Rule> = reports.iter().map(|report| report.rule).collect();
    rules.sort();
    assert_eq!(rules, [Rule::V52, Rule::V53], "{reports:#?}");
}

//! What a call costs inside a driver's image, and in a program with the same modules:
//! `cargo bench -p nmr-bench --bench image`, after `cargo xtask build-driver --release`.
//!
//! One call here is what the sample driver makes of it: the client enters and calls the provider, which
//! enters and calls the client back; both keep a tally.
#![allow(missing_docs, reason = "the macros of criterion make public functions")]

use std::path::Path;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use driver_host::{Handle, Host, LoadOptions};
use exnpi_control::{Call, Called, Header, INTERFACE, code};
use exnpi_driver::control::Control;
use nmr_bench::setting::Setting;
use nmr_driver::{Driver, device_io_control};
use nmr_host::Policy;
use nmr_sys::GUID;
use zerocopy::{FromBytes, IntoBytes};

const IMAGE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../target/driver/x64/release/both/exnpi_driver.sys"
);

/// How many calls are measured as one: a request costs much more than a call.
const AT_ONCE: u32 = 10_000;

const CALL: Call = Call {
    header: Header::of::<Call>(),
    count: AT_ONCE,
    value: 1,
};

fn assert_made(reply: &[u8]) {
    let called = Called::read_from_bytes(reply).expect("the reply is as declared");
    assert_eq!(called.made, AT_ONCE);
}

/// Has the image make its calls.
fn request(device: &Handle) {
    let answer = device.control(code::CALL, CALL.as_bytes(), size_of::<Called>());
    let (_, reply) = answer.expect("the driver answers");
    assert_made(&reply);
}

fn image(criterion: &mut Criterion) {
    let path = Path::new(IMAGE);
    if !path.exists() {
        println!(
            "no image is built, so no calls in one are measured: cargo xtask build-driver --release"
        );
        return;
    }
    let host = Host::new(Policy::default());
    let image = host
        .load(path.to_path_buf(), LoadOptions::default())
        .expect("the image loads");
    image.add_device().expect("it accepts a device");
    let interface = image.interfaces(GUID::from_u128(INTERFACE)).remove(0);
    let device = interface.open().expect("the device opens");
    criterion.bench_function("10,000 calls in the driver/image", |bencher| {
        bencher.iter(|| request(&device));
    });
    drop(device);
}

fn native(criterion: &mut Criterion) {
    let registrar = Setting::Off.registrar();
    let _entered = registrar.enter();
    let control = Control::load().expect("there is memory");
    let mut reply = [0; size_of::<Called>()];
    criterion.bench_function("10,000 calls in the driver/program", |bencher| {
        bencher.iter(|| {
            let size = device_io_control(&control, code::CALL, CALL.as_bytes(), &mut reply);
            assert_eq!(size, Ok(reply.len()));
            assert_made(&reply);
        });
    });
}

fn settings() -> Criterion {
    Criterion::default().measurement_time(Duration::from_secs(2))
}

criterion_group!(name = groups; config = settings(); targets = image, native);
criterion_main!(groups);

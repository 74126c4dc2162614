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
use exnpi_driver::control::{Control, Reply, Request};
use nmr_bench::setting::Setting;
use nmr_host::Policy;
use nmr_sys::GUID;
use zerocopy::{FromBytes, IntoBytes};

const IMAGE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../target/driver/x64/release/both/exnpi_driver.sys"
);

/// How many calls are measured as one: a request costs much more than a call.
const AT_ONCE: u32 = 10_000;

/// Has the image make its calls.
fn request(device: &Handle) {
    let call = Call {
        header: Header::of::<Call>(),
        count: AT_ONCE,
        value: 1,
    };
    let answer = device.control(code::CALL, call.as_bytes(), size_of::<Called>());
    let (_, reply) = answer.expect("the driver answers");
    let called = Called::read_from_bytes(&reply).expect("the reply is as declared");
    assert_eq!(called.made, AT_ONCE);
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
    let control = Control::new().expect("there is memory");
    let call = Request::Call {
        count: AT_ONCE,
        value: 1,
    };
    criterion.bench_function("10,000 calls in the driver/program", |bencher| {
        bencher.iter(|| {
            let reply = control.answer(call);
            assert!(matches!(reply, Ok(Reply::Called(called)) if called.made == AT_ONCE));
        });
    });
    control.close();
}

fn settings() -> Criterion {
    Criterion::default().measurement_time(Duration::from_secs(2))
}

criterion_group!(name = groups; config = settings(); targets = image, native);
criterion_main!(groups);

//! The readers of images, INF files, catalogs and certificates on any bytes.
#![no_main]

#[path = "../../crates/driver-package/tests/common/reading.rs"]
mod reading;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    reading::read(bytes);
});

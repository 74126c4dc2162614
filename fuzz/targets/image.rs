//! The reader of images on any bytes.
#![no_main]

#[path = "../../crates/driver-host/tests/common/reading.rs"]
mod reading;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    reading::read(bytes);
});

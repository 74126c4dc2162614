//! The nine functions of the NMR on any program of calls and answers.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| nmr_host::fuzz::functions(bytes));

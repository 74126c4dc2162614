//! Compiles the C modules against the headers of the registrar and of the interface.

const INCLUDES: [&str; 2] = ["../nmr-host/include", "../exnpi/include"];

fn main() {
    for path in ["c"].iter().chain(&INCLUDES) {
        println!("cargo::rerun-if-changed={path}");
    }
    cc::Build::new()
        .std("c11")
        .files([
            "c/calls.c",
            "c/client.c",
            "c/provider.c",
            "c/npiid.c",
            "c/memory.c",
        ])
        .includes(INCLUDES)
        .extra_warnings(true)
        .flag_if_supported("-Wpedantic")
        .flag_if_supported("/experimental:c11atomics")
        .compile("exnpi_c_modules");
}

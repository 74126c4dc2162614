//! The driver's images, loaded and unloaded again and again. This is alone in its process, because it
//! looks at what the process uses.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod images;

use std::fs;

use driver_host::Host;
use images::{clean, finish, load};
use nmr_host::Policy;

/// How many kilobytes the process uses, how many mappings it has, and how many threads.
fn usage() -> [u64; 3] {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let field = |name| {
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap();
        line.split_whitespace().next().unwrap().parse().unwrap()
    };
    let mappings = fs::read_to_string("/proc/self/maps")
        .unwrap()
        .lines()
        .count() as u64;
    [field("VmRSS:"), mappings, field("Threads:")]
}

#[test]
#[ignore = "needs the driver built for Windows: run `cargo xtask test`"]
fn a_thousand_cycles_leave_nothing_behind() {
    let host = Host::new(Policy::default());
    host.registrar().set_recording(false);
    let cycle = || {
        let provider = load(&host, "provider");
        let client = load(&host, "client");
        clean(&provider.unload());
        clean(&client.unload());
        // What the host keeps for queries.
        let _ = (host.take_events(), host.take_points());
    };
    // The loader keeps the addresses of the last 512 mappings, and an image has two.
    (0..300).for_each(|_| cycle());
    let [memory, mappings, threads] = usage();
    (0..1000).for_each(|_| cycle());
    let [memory_after, mappings_after, threads_after] = usage();
    finish(&host);
    assert!(
        memory_after < memory + 2048,
        "{memory} KiB became {memory_after} KiB"
    );
    assert!(
        mappings_after < mappings + 64,
        "{mappings} mappings became {mappings_after}"
    );
    assert!(
        threads_after < threads + 8,
        "{threads} threads became {threads_after}"
    );
}

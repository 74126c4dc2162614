//! A watched call hands every argument and every result on, in both conventions of x86-64.
// UNSAFETY: foreign functions behind addresses.
#![cfg(all(target_os = "linux", target_arch = "x86_64", not(miri)))]
#![expect(unsafe_code)]
#![expect(
    clippy::cast_possible_truncation,
    reason = "numbers are cut to the types of arguments"
)]

mod common;

use std::ptr::{from_ref, null, with_exposed_provenance};

use common::*;
use nmr_host::{Interface, Table, Wrapping};

/// Six integers in registers and more on the stack, mixed with as many floating-point numbers.
macro_rules! mixed {
    ($convention:literal, $name:ident) => {
        extern $convention fn $name(
            a: u64, b: f64, c: u8, d: f32, e: i64, f: f64, g: u16, h: f64, i: u64, j: f64, k: u32,
            l: f64, m: u64, n: f64, o: i8, p: f64, q: u64, r: f64, s: u64, t: f64,
        ) -> All {
            All([
                a, b.to_bits(), c.into(), d.to_bits().into(), e.cast_unsigned(), f.to_bits(),
                g.into(), h.to_bits(), i, j.to_bits(), k.into(), l.to_bits(), m, n.to_bits(),
                u64::from(o.cast_unsigned()), p.to_bits(), q, r.to_bits(), s, t.to_bits(),
            ])
        }
    };
}

/// What a register or two can return.
macro_rules! results {
    ($convention:literal, $wide:ident, $pair:ident, $float:ident, $deep:ident) => {
        extern $convention fn $wide(low: u64, high: u64) -> u128 {
            u128::from(high) << 64 | u128::from(low)
        }

        extern $convention fn $pair(first: f64, second: f64) -> Pair {
            Pair(second, first)
        }

        extern $convention fn $float(value: f64) -> f64 {
            value / 3.0
        }

        /// Calls itself through the table, to the depth.
        extern $convention fn $deep(table: &Functions, depth: u64) -> u64 {
            if depth == 0 { 0 } else { depth + (table.$deep)(table, depth - 1) }
        }
    };
}

/// All arguments.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Debug)]
struct All([u64; 20]);

#[repr(C)]
#[derive(Clone, Copy, PartialEq, Debug)]
struct Pair(f64, f64);

macro_rules! mixed_type {
    ($convention:literal) => {
        extern $convention fn(
            u64, f64, u8, f32, i64, f64, u16, f64, u64, f64, u32, f64, u64, f64, i8, f64, u64, f64,
            u64, f64,
        ) -> All
    };
}

/// A table that begins with its version and its size, and has a function that is missing.
#[repr(C)]
struct Functions {
    version: u16,
    size: u16,
    efi_mixed: mixed_type!("efiapi"),
    sysv_mixed: mixed_type!("sysv64"),
    missing: *const (),
    efi_wide: extern "efiapi" fn(u64, u64) -> u128,
    sysv_wide: extern "sysv64" fn(u64, u64) -> u128,
    efi_pair: extern "efiapi" fn(f64, f64) -> Pair,
    sysv_pair: extern "sysv64" fn(f64, f64) -> Pair,
    efi_float: extern "efiapi" fn(f64) -> f64,
    sysv_float: extern "sysv64" fn(f64) -> f64,
    efi_deep: extern "efiapi" fn(&Functions, u64) -> u64,
    sysv_deep: extern "sysv64" fn(&Functions, u64) -> u64,
}

mixed!("efiapi", efi_mixed);
mixed!("sysv64", sysv_mixed);
results!("efiapi", efi_wide, efi_pair, efi_float, efi_deep);
results!("sysv64", sysv_wide, sysv_pair, sysv_float, sysv_deep);

/// Attaches a client to a provider with this table, and shows what the client gets.
fn through_a_copy(functions: Functions, test: impl FnOnce(&Functions)) {
    let rig = Rig::new();
    let interface = Interface {
        npi: Shape::new().npi,
        client: None,
        provider: Some(Table {
            size: size_of::<Functions>(),
            functions: size_of::<Functions>() / 8 - 1,
        }),
    };
    rig.registrar.wrap(interface, Wrapping::default()).unwrap();
    let table = from_ref::<Functions>(Box::leak(Box::new(functions))).expose_provenance();
    let client = rig
        .client()
        .on_attach(|offer| offer.ask(0).status)
        .registered();
    let provider = rig
        .provider()
        .on_attach(move |offer| offer.ask(table).status)
        .registered();
    let copy = client.binding(0).peer_dispatch;
    assert_ne!(copy, table);
    // SAFETY: the registrar hands out a copy of the provider's table, which lives as long as it.
    test(unsafe { &*with_exposed_provenance(copy) });
    close_all([client, provider]);
}

fn functions() -> Functions {
    Functions {
        version: 3,
        size: 104,
        efi_mixed,
        sysv_mixed,
        missing: null(),
        efi_wide,
        sysv_wide,
        efi_pair,
        sysv_pair,
        efi_float,
        sysv_float,
        efi_deep,
        sysv_deep,
    }
}

#[test]
fn a_copy_keeps_what_is_no_function() {
    through_a_copy(functions(), |copy| {
        assert_eq!((copy.version, copy.size), (3, 104));
        assert!(copy.missing.is_null());
        assert_ne!(copy.efi_wide as usize, functions().efi_wide as usize);
    });
}

#[test]
fn every_argument_arrives() {
    through_a_copy(functions(), |copy| {
        for seed in 0..200 {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut next = || random.u64(..);
            let numbers: [u64; 20] = std::array::from_fn(|_| next());
            let real = |index: usize| f64::from_bits(numbers[index] >> 12);
            let single = f32::from_bits((numbers[3] >> 41) as u32);
            macro_rules! call {
                ($function:expr) => {
                    $function(
                        numbers[0],
                        real(1),
                        numbers[2] as u8,
                        single,
                        numbers[4].cast_signed(),
                        real(5),
                        numbers[6] as u16,
                        real(7),
                        numbers[8],
                        real(9),
                        numbers[10] as u32,
                        real(11),
                        numbers[12],
                        real(13),
                        numbers[14] as i8,
                        real(15),
                        numbers[16],
                        real(17),
                        numbers[18],
                        real(19),
                    )
                };
            }
            let expected = call!(efi_mixed);
            assert_eq!(call!((copy.efi_mixed)), expected, "seed {seed}");
            assert_eq!(call!((copy.sysv_mixed)), expected, "seed {seed}");
        }
    });
}

#[test]
fn every_result_comes_back() {
    through_a_copy(functions(), |copy| {
        let wide = 0x0123_4567_89ab_cdef_u128 << 64 | 0xfedc_ba98_7654_3210;
        let (low, high) = (wide as u64, (wide >> 64) as u64);
        assert_eq!((copy.efi_wide)(low, high), wide);
        assert_eq!((copy.sysv_wide)(low, high), wide);
        assert_eq!((copy.efi_pair)(1.5, -2.5), Pair(-2.5, 1.5));
        assert_eq!((copy.sysv_pair)(1.5, -2.5), Pair(-2.5, 1.5));
        assert_eq!((copy.efi_float)(1.0).to_bits(), (1.0_f64 / 3.0).to_bits());
        assert_eq!((copy.sysv_float)(1.0).to_bits(), (1.0_f64 / 3.0).to_bits());
    });
}

#[test]
fn calls_go_deep() {
    through_a_copy(functions(), |copy| {
        assert_eq!((copy.efi_deep)(copy, 1000), 500_500);
        assert_eq!((copy.sysv_deep)(copy, 1000), 500_500);
    });
}

/// More functions than a page has stubs for.
#[test]
fn many_bindings_have_many_stubs() {
    let rig = Rig::new();
    wrap(&rig.registrar, Wrapping::default()).unwrap();
    let accept = |offer: &Offer| offer.ask(TABLE.address()).status;
    let client = rig.client().on_attach(accept).registered();
    let providers: Vec<Module> = (0..300)
        .map(|_| rig.provider().on_attach(accept).registered())
        .collect();
    for (binding, provider) in providers.iter().enumerate() {
        let call_back = || provider.binding(0).call(|| ());
        client.binding(binding).call(call_back);
    }
    client.close();
    close_all(providers);
}

/// For how many nanoseconds this thread has had a processor.
fn busy() -> i64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the output is a local.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// Prints what a call costs, bare and watched: `-- --ignored --nocapture`.
#[test]
#[ignore = "measures, and holds nothing"]
fn what_a_watched_call_costs() {
    const CALLS: i64 = 5_000_000;
    let bare = functions();
    through_a_copy(functions(), |copy| {
        for (name, table) in [("bare", &bare), ("watched", copy)] {
            let call = std::hint::black_box(table.efi_float);
            let start = busy();
            for _ in 0..CALLS {
                std::hint::black_box(call(1.0));
            }
            println!("{name}: {} ns a call", (busy() - start) / CALLS);
        }
    });
}

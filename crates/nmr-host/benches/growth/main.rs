//! What registration and deregistration cost, and with what the cost grows: with the bindings that
//! they touch, and not with anything else.
//!
//! `cargo bench -p nmr-host` prints the figures and draws them under `target/criterion`.
#![allow(missing_docs, reason = "the macros of criterion make public functions")]

mod raw;

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use nmr_host::{Policy, Registrar};

use raw::{Identity, close_client, close_provider, register_client, register_provider};

fn registrar() -> Registrar {
    let registrar = Registrar::new(Policy::default());
    registrar.set_recording(false);
    registrar
}

/// One client registers, attaches to one provider, and leaves, beside other interfaces' modules.
fn one_client(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("one client, beside unrelated registrations");
    for unrelated in [10_u32, 100, 1_000, 10_000] {
        let registrar = registrar();
        let _entered = registrar.enter();
        for number in 0..unrelated {
            register_provider(Identity::leak(1_000 + u128::from(number)).provider());
        }
        register_provider(Identity::leak(7).provider());
        let client = Identity::leak(7).client();
        group.bench_function(BenchmarkId::from_parameter(unrelated), |bencher| {
            bencher.iter(|| close_client(register_client(black_box(client))));
        });
    }
}

/// One client registers, attaches to one provider, and leaves, beside pairs of other interfaces.
fn beside_pairs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("one client, beside unrelated bindings");
    for unrelated in [10_u32, 100, 1_000, 10_000] {
        let registrar = registrar();
        let _entered = registrar.enter();
        for number in 0..unrelated {
            let identity = Identity::leak(1_000 + u128::from(number));
            register_provider(identity.provider());
            register_client(identity.client());
        }
        register_provider(Identity::leak(7).provider());
        let client = Identity::leak(7).client();
        group.bench_function(BenchmarkId::from_parameter(unrelated), |bencher| {
            bencher.iter(|| close_client(register_client(black_box(client))));
        });
    }
}

/// A provider leaves all of its clients. The figure is per binding.
fn fan_out(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a provider leaves its clients");
    group.sample_size(20);
    for clients in [10_u32, 100, 1_000, 10_000] {
        group.bench_function(BenchmarkId::from_parameter(clients), |bencher| {
            bencher.iter_custom(|rounds| detach_time(clients, rounds));
        });
    }
}

/// How long it takes to detach `rounds` bindings, in providers that have `clients` bindings each.
fn detach_time(clients: u32, rounds: u64) -> Duration {
    let registrar = registrar();
    let _entered = registrar.enter();
    let identity = Identity::leak(7);
    let (provider, client) = (identity.provider(), identity.client());
    for _ in 0..clients {
        register_client(client);
    }
    let times = rounds.div_ceil(u64::from(clients));
    let mut spent = Duration::ZERO;
    for _ in 0..times {
        let handle = register_provider(provider);
        let start = Instant::now();
        close_provider(handle);
        spent += start.elapsed();
    }
    spent.mul_f64(ratio(rounds, times * u64::from(clients)))
}

#[expect(clippy::cast_precision_loss, reason = "a ratio of small numbers")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

criterion_group!(growth, one_client, beside_pairs, fan_out);
criterion_main!(growth);

//! What the registrar costs, and with what that grows: `cargo bench -p nmr-bench --bench registrar` draws
//! it under `target/criterion`. Unless it says "watched", the registrar watches nothing.
#![allow(missing_docs, reason = "the macros of criterion make public functions")]

use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, criterion_group, criterion_main};
use nmr_bench::c::{self, Callbacks};
use nmr_bench::callbacks::{Memory, Nothing, callbacks};
use nmr_bench::lives::{Beside, Life, Lives, NPI};
use nmr_bench::many::{AllPairs, Fan, Part};
use nmr_bench::pending::{By, Pending};
use nmr_bench::raw::{self, Client, Provider};
use nmr_bench::setting::Setting;
use nmr_bench::{Renewed, Work, floor};

const MINIMAL: Callbacks = callbacks::<Nothing>();
const ALLOCATING: Callbacks = callbacks::<Memory>();

fn group<'a>(criterion: &'a mut Criterion, name: &str) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.sample_size(20);
    group.warm_up_time(Duration::from_millis(500));
    group.measurement_time(Duration::from_secs(2));
    group
}

fn measure(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, mut work: impl Work) {
    group.bench_function(name, |bencher| bencher.iter_custom(|times| work.run(times)));
}

/// Draws a curve.
fn grow<W: Work>(
    criterion: &mut Criterion,
    name: &str,
    sizes: &[u32],
    mut prepare: impl FnMut(u32) -> W,
) {
    let mut group = group(criterion, name);
    for &size in sizes {
        let mut work = prepare(size);
        group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
            bencher.iter_custom(|times| work.run(times));
        });
    }
}

fn one_client(criterion: &mut Criterion) {
    let mut group = group(criterion, "one client");
    let provider = Provider::leak(NPI, &MINIMAL);
    let client = Client::that_attaches(floor::ATTACH_DIRECTLY, NPI, &MINIMAL);
    measure(&mut group, "its six callbacks", |times| {
        floor::floor(client, provider, times);
    });
    let life = |setting| Life::new(setting, &MINIMAL, raw::cycle, Beside::Nothing);
    measure(&mut group, "with a provider", life(Setting::Off));
    measure(
        &mut group,
        "with no provider",
        Life::alone(Setting::Off, &MINIMAL),
    );
    let in_c = c::callbacks();
    let life = Life::new(Setting::Off, &in_c, c::cycle, Beside::Nothing);
    measure(&mut group, "with a provider, in C", life);
    let watched = || Life::new(Setting::Tests, &MINIMAL, raw::cycle, Beside::Nothing);
    measure(
        &mut group,
        "with a provider, watched",
        Renewed::new(watched),
    );
    let watched = || Life::alone(Setting::Tests, &MINIMAL);
    measure(
        &mut group,
        "with no provider, watched",
        Renewed::new(watched),
    );
}

fn unrelated(criterion: &mut Criterion) {
    const SIZES: [u32; 5] = [10, 100, 1_000, 10_000, 100_000];
    let beside = |beside| Life::new(Setting::Off, &MINIMAL, raw::cycle, beside);
    grow(
        criterion,
        "one client beside unrelated registrations",
        &SIZES,
        |size| beside(Beside::Registrations(size)),
    );
    grow(
        criterion,
        "one client beside unrelated pairs",
        &SIZES,
        |size| beside(Beside::Pairs(size)),
    );
}

fn bindings(criterion: &mut Criterion) {
    const SIZES: [u32; 4] = [10, 100, 1_000, 10_000];
    let fan = |size, part| Fan::new(Setting::Off, &ALLOCATING, size, part);
    grow(
        criterion,
        "a provider leaves its clients, each",
        &SIZES,
        |size| fan(size, Part::ProviderLeaves),
    );
    grow(
        criterion,
        "clients leave their provider, each",
        &SIZES,
        |size| fan(size, Part::ClientsLeave),
    );
    grow(
        criterion,
        "K clients and K providers, each binding",
        &[10, 30, 100, 300],
        |size| AllPairs::new(Setting::Off, &ALLOCATING, size),
    );
}

fn pending(criterion: &mut Criterion) {
    let mut group = group(criterion, "a detach that is completed later");
    for (by, name) in [
        (By::SameThread, "the same thread"),
        (By::AnotherThread, "another thread"),
    ] {
        let life = Pending::new(Setting::Off, 1, by);
        measure(&mut group, &format!("a cycle, by {name}"), life);
        let many = Pending::new(Setting::Off, 1_000, by);
        measure(&mut group, &format!("1,000 at once, by {name}"), many);
    }
}

fn threads(criterion: &mut Criterion) {
    const THREADS: [u32; 2] = [1, 2];
    grow(
        criterion,
        "cycles on threads, an interface each",
        &THREADS,
        |threads| Lives::apart(Setting::Off, &MINIMAL, threads),
    );
    grow(
        criterion,
        "cycles on threads, one interface",
        &THREADS,
        |threads| Lives::of_one_interface(Setting::Off, &MINIMAL, threads),
    );
}

criterion_group!(groups, one_client, unrelated, bindings, pending, threads);
criterion_main!(groups);

//! What a call costs: `cargo bench -p nmr-bench --bench calls` draws it under `target/criterion`.
#![allow(missing_docs, reason = "the macros of criterion make public functions")]

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};
use nmr_bench::Work;
use nmr_bench::c::{Guard, Guarded};
use nmr_bench::calls::{self, Pair};
use nmr_bench::together::Threads;

const GUARDS: [(&str, Guard); 5] = [
    ("C, as EX_RUNDOWN_REF", Guard::Exchange),
    ("C, add and subtract", Guard::Add),
    ("C, a word for each thread", Guard::Sharded),
    ("C, a read-write lock", Guard::RwLock),
    ("C, a mutex", Guard::Mutex),
];

fn measure(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, mut work: impl Work) {
    group.bench_function(name, |bencher| bencher.iter_custom(|times| work.run(times)));
}

fn one_thread(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a call, 1 thread");
    let pair = Pair::leak();
    let guarded = Guarded::leak(pair);
    measure(&mut group, "C, the bare call", |times| {
        guarded.call(Guard::Bare, 0, times);
    });
    for (name, guard) in GUARDS {
        measure(&mut group, name, |times| guarded.call(guard, 0, times));
    }
    measure(&mut group, "in a batch", |times| {
        calls::batch(pair.peer(), 0, times);
    });
    measure(&mut group, "enter, call, drop", |times| {
        calls::guarded(pair.peer(), 0, times);
    });
    measure(&mut group, "a clone of the peer", |times| {
        calls::clones(pair.peer(), times);
    });
}

fn two_threads_on_one_peer(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a call, 2 threads on one peer");
    let pair = Pair::leak();
    let guarded = Guarded::leak(pair);
    for (name, guard) in GUARDS {
        let work = |thread, times| guarded.call(guard, thread, times);
        measure(&mut group, name, Threads::new(2, work));
    }
    let work = |thread, times| calls::batch(pair.peer(), thread, times);
    measure(&mut group, "in a batch", Threads::new(2, work));
    let work = |thread, times| calls::guarded(pair.peer(), thread, times);
    measure(&mut group, "enter, call, drop", Threads::new(2, work));
    let work = |_, times| calls::clones(pair.peer(), times);
    measure(&mut group, "a clone of the peer", Threads::new(2, work));
}

fn two_threads_on_two_peers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a call, 2 threads on two peers");
    let pairs = [Pair::leak(), Pair::leak()];
    let guarded = pairs.map(Guarded::leak);
    for (name, guard) in GUARDS {
        let work = |thread, times| guarded[thread as usize].call(guard, thread, times);
        measure(&mut group, name, Threads::new(2, work));
    }
    let work = |thread, times| calls::guarded(pairs[thread as usize].peer(), thread, times);
    measure(&mut group, "enter, call, drop", Threads::new(2, work));
}

criterion_group!(
    groups,
    one_thread,
    two_threads_on_one_peer,
    two_threads_on_two_peers
);
criterion_main!(groups);

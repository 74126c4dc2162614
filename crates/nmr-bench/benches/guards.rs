//! What it costs to count the calls of several threads into one peer, in three ways.
//!
//! `UPDATE_DOCS=1 cargo bench -p nmr-bench --bench guards` writes it to `docs/calls.md`.

use std::fmt::{self, Write};
use std::time::Duration;

use nmr_bench::c::{Guard, Guarded};
use nmr_bench::calls::Pair;
use nmr_bench::together::Threads;
use nmr_bench::{Work, document, guards};

const REPETITIONS: usize = 31;
/// Long enough for the clock, and short enough that a thread is not often interrupted.
const TIMES: u64 = 100_000;

/// A name, and what is measured with a number of threads.
type Row = (&'static str, fn(u32) -> Box<dyn Work>);

const ROWS: &[Row] = &[
    ("the bare call, in C", |threads| in_c(threads, Guard::Bare)),
    ("add and subtract, in C", |threads| {
        in_c(threads, Guard::Add)
    }),
    ("a word a thread, in C", |threads| {
        in_c(threads, Guard::Sharded)
    }),
    ("`Peer`", guards::gate),
    ("`Slot`", guards::slot),
    ("`SpreadSlot`", guards::spread),
    ("the number of the processor alone", guards::number),
    #[cfg(target_os = "linux")]
    ("asymmetric", guards::asymmetric),
];

fn in_c(threads: u32, guard: Guard) -> Box<dyn Work> {
    let peer = Guarded::leak(Pair::leak());
    Box::new(Threads::new(threads, move |thread, times| {
        peer.call(guard, thread, times);
    }))
}

fn main() {
    let text = measure().expect("a string can be written to");
    print!("{text}");
    if document::wanted() {
        document::write_to("calls.md", "guards", &text);
    }
}

/// Everything, as a table with where and when it was measured.
fn measure() -> Result<String, fmt::Error> {
    let mut text = String::new();
    let machine = document::circumstances();
    writeln!(text, "{machine} {REPETITIONS} repetitions, medians.\n")?;
    writeln!(text, "| nanoseconds for a call | 1 thread | 2 threads |")?;
    writeln!(text, "|---|---|---|")?;
    let mut works: Vec<_> = ROWS
        .iter()
        .flat_map(|(_, prepare)| [prepare(1), prepare(2)])
        .collect();
    let times = interleaved(&mut works);
    for ((name, _), times) in ROWS.iter().zip(times.chunks(2)) {
        writeln!(text, "| {name} | {:.1} | {:.1} |", times[0], times[1])?;
    }
    let mut lives = [guards::life(), guards::spread_life()];
    let [gate, spread] = interleaved(&mut lives)[..] else {
        unreachable!("there are two");
    };
    writeln!(
        text,
        "\nA cycle with a `Slot`: {gate:.0} ns; with a `SpreadSlot`: {spread:.0} ns."
    )?;
    #[cfg(target_os = "linux")]
    writeln!(
        text,
        "\nA barrier for all: {:.0} ns, and {:.0} ns while another thread runs.",
        barrier(1),
        barrier(2)
    )?;
    Ok(text)
}

/// The medians, in nanoseconds for each time.
fn interleaved(works: &mut [Box<dyn Work>]) -> Vec<f64> {
    let mut times = vec![Vec::new(); works.len()];
    for _ in 0..REPETITIONS {
        for (work, times) in works.iter_mut().zip(&mut times) {
            times.push(work.run(TIMES));
        }
    }
    times.into_iter().map(median).collect()
}

#[expect(clippy::cast_precision_loss, reason = "there are not so many times")]
fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e9 / TIMES as f64
}

/// What the closer of an asymmetric guard pays, while so many threads of the process run.
#[cfg(target_os = "linux")]
fn barrier(threads: u32) -> f64 {
    use nmr_bench::asymmetric::{Asymmetric, barrier};

    let _registered = Asymmetric::new();
    let mut work: Vec<Box<dyn Work>> = vec![Box::new(Threads::new(threads, |thread, times| {
        for _ in 0..times {
            if thread == 0 {
                barrier();
            } else {
                std::hint::spin_loop();
            }
        }
    }))];
    interleaved(&mut work)[0]
}

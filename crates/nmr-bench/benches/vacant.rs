//! How long an attach takes while threads try the vacant slot that it takes.
//!
//! `UPDATE_DOCS=1 cargo bench -p nmr-bench --bench vacant` writes it to `docs/calls.md`.

use std::fmt::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use exnpi::{ClientCalls, Exnpi, ProviderCalls, ProviderDispatch};
use nmr::{Client, Guid, Identity, Module, Offer, Provider, Registration, Result, Slot};
use nmr_bench::document;
use nmr_bench::setting::Setting;

const ATTACHES: usize = 300;
const THREADS: [u32; 4] = [0, 2, 4, 8];
const ID: Identity = Identity::new(Guid::from_u128(0x3b0f_6f0c_8f3e_4b63_9d39_5a1d_3f4f_0a21));

struct Caller(Slot<ProviderDispatch>);

struct Deaf;

impl ClientCalls for Deaf {
    fn changed(&self, _sum: u32) {}
}

impl Module<Client<Exnpi>> for Caller {
    type Binding = Deaf;

    fn identity(&self) -> Identity {
        ID
    }

    fn attach(&self, offer: Offer<'_, Client<Exnpi>>) -> Result<Deaf> {
        offer.claim(&self.0)?;
        Ok(Deaf)
    }
}

struct Called;

struct Same;

impl ProviderCalls for Same {
    fn add(&self, value: u32) -> u32 {
        value
    }
}

impl Module<Provider<Exnpi>> for Called {
    type Binding = Same;

    fn identity(&self) -> Identity {
        ID
    }

    fn attach(&self, _: Offer<'_, Provider<Exnpi>>) -> Result<Same> {
        Ok(Same)
    }
}

/// What was measured with a number of threads.
struct Row {
    /// From the shortest to the longest.
    attaches: Vec<Duration>,
    detaches: Vec<Duration>,
    refusals: u64,
}

fn measure(threads: u32) -> Row {
    let registrar = Setting::Off.registrar();
    let _entered = registrar.enter();
    let slot = Slot::new().expect("there is memory");
    let client = Registration::new(Caller(slot)).expect("there is memory");
    let (stop, refusals) = (AtomicBool::new(false), AtomicU64::new(0));
    let (mut attaches, mut detaches) = (Vec::new(), Vec::new());
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut refused = 0;
                while !stop.load(Ordering::Relaxed) {
                    refused += u64::from(client.0.enter().is_err());
                }
                refusals.fetch_add(refused, Ordering::Relaxed);
            });
        }
        for _ in 0..ATTACHES {
            // The threads try the vacant slot meanwhile.
            thread::sleep(Duration::from_millis(1));
            let start = Instant::now();
            let provider = Registration::new(Called).expect("there is memory");
            attaches.push(start.elapsed());
            assert!(client.0.is_attached());
            let start = Instant::now();
            drop(provider);
            detaches.push(start.elapsed());
        }
        stop.store(true, Ordering::Relaxed);
    });
    attaches.sort_unstable();
    detaches.sort_unstable();
    Row {
        attaches,
        detaches,
        refusals: refusals.into_inner(),
    }
}

fn main() {
    let mut text = format!("{} {ATTACHES} attaches.\n\n", document::circumstances());
    text +=
        "| threads that try | attach: median | longest | detach: median | longest | refusals |\n";
    text += "|--:|--:|--:|--:|--:|--:|\n";
    for threads in THREADS {
        let Row {
            attaches,
            detaches,
            refusals,
        } = measure(threads);
        let median = |times: &[Duration]| times[times.len() / 2];
        let longest = |times: &[Duration]| times[times.len() - 1];
        writeln!(
            text,
            "| {threads} | {:.1?} | {:.1?} | {:.1?} | {:.1?} | {refusals} |",
            median(&attaches),
            longest(&attaches),
            median(&detaches),
            longest(&detaches),
        )
        .expect("a string can be written to");
    }
    print!("{text}");
    if document::wanted() {
        document::write_to("calls.md", "vacant", &text);
    }
}

//! Threads that meet in the registrar, many times. Each test prints the seed of its random delays;
//! the variable `NMR_RACE_SEED` sets it.

mod common;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::hint::spin_loop;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use common::*;

/// Keeps the other tests of this file away: two threads that race need two processors.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A barrier that is quick, so that threads leave it at nearly the same time.
#[derive(Clone)]
struct Line {
    arrived: Arc<AtomicUsize>,
    threads: usize,
    laps: usize,
}

impl Line {
    fn new(threads: usize) -> Self {
        Self {
            arrived: Arc::default(),
            threads,
            laps: 0,
        }
    }

    /// Blocks until as many threads are here as the line is for.
    fn meet(&mut self) {
        self.laps += 1;
        self.arrived.fetch_add(1, Ordering::AcqRel);
        let mut spins = 0_u32;
        while self.arrived.load(Ordering::Acquire) < self.laps * self.threads {
            spins += 1;
            if spins.is_multiple_of(50) {
                thread::yield_now();
            } else {
                spin_loop();
            }
        }
    }
}

/// Random short delays.
struct Delays(fastrand::Rng);

impl Delays {
    fn new(test: &str) -> Self {
        let seed = std::env::var("NMR_RACE_SEED")
            .ok()
            .and_then(|seed| seed.parse().ok());
        let seed = seed.unwrap_or_else(|| RandomState::new().build_hasher().finish());
        println!("{test}: NMR_RACE_SEED={seed}");
        Self(fastrand::Rng::with_seed(seed))
    }

    fn fork(&mut self) -> Self {
        Self(self.0.fork())
    }

    fn pass(&mut self) {
        for _ in 0..self.0.u32(..200) {
            spin_loop();
        }
    }
}

/// Registers and closes a module as often as another thread does the same with a peer.
fn meet_and_part(module: Module, rounds: usize, mut line: Line, mut delays: Delays) {
    for round in 1..=rounds {
        line.meet();
        delays.pass();
        assert_eq!(module.register(), STATUS_SUCCESS);
        line.meet();
        assert_eq!(module.counts()[0], round, "one offer");
        delays.pass();
        assert_eq!(module.deregister(), STATUS_PENDING);
        assert_eq!(module.wait_for_others(), STATUS_SUCCESS);
        assert_eq!(module.counts(), [round; 3], "one detach, one cleanup");
    }
}

#[test]
#[ignore = "long: cargo xtask test --all"]
fn long_u_10_a_pair_that_registers_at_once_gets_one_offer_every_time() {
    const ROUNDS: usize = 100_000;
    let _alone = alone();
    let rig = Rig::new();
    rig.silence();
    let early = Arc::new(AtomicUsize::new(0));
    let (client, provider) = rig.pair();
    for module in [client, provider] {
        let early = Arc::clone(&early);
        module.on_attach(move |offer| {
            early.fetch_add((module.handle() == 0).into(), Ordering::Relaxed);
            offer.accept()
        });
    }
    let mut delays = Delays::new("u_10");
    let line = Line::new(2);
    let there = (line.clone(), delays.fork());
    let other = rig.thread(move || meet_and_part(provider, ROUNDS, there.0, there.1));
    meet_and_part(client, ROUNDS, line, delays);
    other.join();
    let early = early.load(Ordering::Relaxed);
    assert_eq!(early, 0, "the handle is stored before any offer");
}

/// Completes the bindings that come out of a channel.
fn complete_all(bindings: &Receiver<Binding>, mut delays: Delays) {
    for binding in bindings {
        delays.pass();
        binding.complete();
    }
}

/// Lets another thread complete while the detach callback returns.
fn completes_elsewhere(module: Module, completer: Sender<Binding>) {
    module.on_detach(move |binding| {
        completer.send(binding).expect("the completer runs");
        STATUS_PENDING
    });
}

#[test]
fn completions_meet_the_end_of_the_detach_callbacks() {
    let _alone = alone();
    let rig = Rig::new();
    rig.silence();
    let (client, provider) = rig.pair();
    let mut delays = Delays::new("completions");
    let completers = [client, provider].map(|module| {
        let (sender, receiver) = channel();
        completes_elsewhere(module, sender);
        let delays = delays.fork();
        rig.thread(move || complete_all(&receiver, delays))
    });
    provider.registered();
    for round in 1..=20_000 {
        client.registered();
        delays.pass();
        assert_eq!(client.deregister(), STATUS_PENDING);
        assert_eq!(client.wait_for_others(), STATUS_SUCCESS);
        assert_eq!(client.counts(), [round; 3]);
        assert_eq!(provider.counts(), [round; 3]);
    }
    provider.close();
    for module in [client, provider] {
        module.detaches();
    }
    for completer in completers {
        completer.join();
    }
}

#[test]
fn one_of_two_concurrent_waits_succeeds() {
    const ROUNDS: usize = 5_000;
    let _alone = alone();
    let rig = Rig::new();
    rig.silence();
    let (client, provider) = rig.pair();
    client.pends();
    provider.registered();
    let (mut line, mut delays) = (Line::new(2), Delays::new("waits"));
    let (mut there, mut pause) = (line.clone(), delays.fork());
    let other = rig.thread(move || {
        let wait = |_| {
            there.meet();
            pause.pass();
            client.binding(0).complete();
            let status = client.wait_for_others();
            there.meet();
            status
        };
        (0..ROUNDS).map(wait).collect::<Vec<_>>()
    });
    let wait = |_| {
        client.registered();
        assert_eq!(client.deregister(), STATUS_PENDING);
        line.meet();
        delays.pass();
        let status = client.wait_for_others();
        line.meet();
        status
    };
    let here: Vec<_> = (0..ROUNDS).map(wait).collect();
    for statuses in here.into_iter().zip(other.join()) {
        assert!(
            [
                (STATUS_SUCCESS, STATUS_INVALID_PARAMETER),
                (STATUS_INVALID_PARAMETER, STATUS_SUCCESS)
            ]
            .contains(&statuses)
        );
    }
    rig.expect(&[Rule::V72; ROUNDS]);
    provider.close();
}

/// Registers and closes a module again and again, without looking at its peer.
fn come_and_go(module: Module, mut delays: Delays) {
    for _ in 0..20_000 {
        assert_eq!(module.register(), STATUS_SUCCESS);
        delays.pass();
        assert_eq!(module.deregister(), STATUS_PENDING);
        delays.pass();
        assert_eq!(module.wait_for_others(), STATUS_SUCCESS);
    }
}

/// Lets a client and a provider come and go on two threads, with late completions or without.
fn modules_come_and_go(policy: &str, late: bool) {
    let _alone = alone();
    let rig = Rig::with(policy);
    rig.silence();
    let (client, provider) = rig.pair();
    let mut delays = Delays::new(policy);
    let (sender, receiver) = channel();
    if late {
        completes_elsewhere(client, sender.clone());
        completes_elsewhere(provider, sender.clone());
    }
    drop(sender);
    let completer = delays.fork();
    let completer = rig.thread(move || complete_all(&receiver, completer));
    let there = delays.fork();
    let other = rig.thread(move || come_and_go(provider, there));
    come_and_go(client, delays);
    other.join();
    let [attaches, detaches, cleanups] = client.counts();
    assert_eq!([detaches, cleanups], [attaches; 2]);
    assert_eq!(provider.counts(), [attaches; 3]);
    client.detaches();
    provider.detaches();
    completer.join();
}

#[test]
fn t_22_modules_come_and_go_on_two_threads() {
    modules_come_and_go("", false);
}

#[test]
fn t_22_modules_come_and_go_with_late_completions() {
    modules_come_and_go("detach=seeded,cleanup-order=seeded", true);
}

#[test]
fn t_22_modules_come_and_go_with_a_worker() {
    modules_come_and_go("cleanup=worker,irql=dispatch", true);
}

//! One execution: a registrar, its modules and its threads.

use std::sync::{Arc, Mutex};

use nmr_host::{Choice, Mode, Policy, Registrar, Report, Rule, Verify};
use shuttle::rand::{Rng, thread_rng};
use shuttle::thread::{self, JoinHandle};

use crate::record;

/// What the threads of an execution share. The locks here are std's, because the scheduler is not
/// to switch inside them.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) registrar: Arc<Registrar>,
    threads: Arc<Mutex<Vec<JoinHandle<()>>>>,
    tolerated: Arc<Mutex<Vec<Rule>>>,
}

impl World {
    /// Runs a scenario to its end, under a policy that follows from the seed.
    pub(crate) fn run(seed: u64, scenario: impl Fn(&Self)) {
        let policy = Policy {
            mode: *one_of(Mode::ALL),
            // What is not looked at takes another way through the registrar.
            verify: *one_of(&[Verify::Full, Verify::Full, Verify::Full, Verify::Light]),
            ..Policy::from_seed(seed)
        };
        let recording = policy.verify == Verify::Full;
        let world = Self {
            registrar: Arc::new(Registrar::new(policy)),
            threads: Arc::default(),
            tolerated: Arc::default(),
        };
        world.registrar.set_recording(recording);
        world.inside(|| scenario(&world));
        world.join_all();
        let records = world.registrar.records();
        record::check(&records);
        let reports = world.registrar.finish();
        let tolerated = world.tolerated.lock().unwrap();
        let unexpected = |report: &&Report| !tolerated.contains(&report.rule);
        if let Some(report) = reports.iter().find(unexpected) {
            let policy = world.registrar.policy();
            panic!(
                "{report}\nunder {policy}\nafter\n{}",
                record::text(&records)
            );
        }
    }

    /// Runs something on a thread of its own, which has ended when the execution ends.
    pub(crate) fn thread(&self, run: impl FnOnce() + Send + 'static) {
        let world = self.clone();
        let thread = thread::spawn(move || world.inside(run));
        self.threads.lock().unwrap().push(thread);
    }

    /// Waits for all threads, also those that are started meanwhile.
    pub(crate) fn join_all(&self) {
        loop {
            let next = self.threads.lock().unwrap().pop();
            let Some(thread) = next else { break };
            thread.join().expect("a panic ends the execution");
        }
    }

    /// Lets the modules break a rule.
    pub(crate) fn tolerate(&self, rules: &[Rule]) {
        self.tolerated.lock().unwrap().extend(rules);
    }

    fn inside(&self, run: impl FnOnce()) {
        let _entered = self.registrar.enter();
        run();
    }
}

/// One of several things. Each execution with the same seed chooses the same.
pub(crate) fn one_of<T>(choices: &[T]) -> &T {
    &choices[thread_rng().gen_range(0..choices.len())]
}

/// One time in two.
pub(crate) fn maybe() -> bool {
    *one_of(&[false, true])
}

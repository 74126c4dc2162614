//! Which thread runs next, by the numbers that follow from a seed.

use std::collections::HashMap;

use fastrand::Rng;
use shuttle::scheduler::{Schedule, Scheduler, Task, TaskId};

/// In so many steps priorities change, if they do: about as many as the longer scenarios have.
const HORIZON: usize = 400;
/// How often priorities change in an execution. Most faults need one or two.
const CHANGES: usize = 3;

/// A scheduler for one execution.
#[derive(Debug)]
pub(crate) struct Seeded {
    seed: u64,
    /// The decisions of the scheduler.
    random: Rng,
    /// The decisions of the scenario.
    data: Rng,
    manner: Manner,
    used: bool,
}

/// Different faults show in different manners.
#[derive(Debug)]
enum Manner {
    /// Any thread, at every step.
    Uniform,
    /// Mostly the same thread.
    Lazy,
    /// The thread with the highest priority, which changes a few times: probabilistic concurrency
    /// testing (Burckhardt et al., 2010).
    Priorities(Priorities),
}

#[derive(Debug)]
struct Priorities {
    of: HashMap<TaskId, i64>,
    changes: [usize; CHANGES],
    steps: usize,
    lowest: i64,
}

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let data = random.fork();
        let manner = match random.u8(..3) {
            0 => Manner::Uniform,
            1 => Manner::Lazy,
            _ => Manner::Priorities(Priorities {
                of: HashMap::new(),
                changes: std::array::from_fn(|_| random.usize(..HORIZON)),
                steps: 0,
                lowest: 0,
            }),
        };
        Self {
            seed,
            random,
            data,
            manner,
            used: false,
        }
    }
}

impl Scheduler for Seeded {
    fn new_execution(&mut self) -> Option<Schedule> {
        let first = !std::mem::replace(&mut self.used, true);
        first.then(|| Schedule::new(self.seed))
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        yields: bool,
    ) -> Option<TaskId> {
        let stays = current.filter(|current| runnable.iter().any(|task| task.id() == *current));
        match (&mut self.manner, stays) {
            (Manner::Priorities(priorities), _) => {
                Some(priorities.choose(&mut self.random, runnable, current, yields))
            }
            (Manner::Lazy, Some(current)) if !yields && self.random.u8(..8) != 0 => Some(current),
            _ => self.random.choice(runnable).map(|task| task.id()),
        }
    }

    fn next_u64(&mut self) -> u64 {
        self.data.u64(..)
    }
}

impl Priorities {
    fn choose(
        &mut self,
        random: &mut Rng,
        runnable: &[&Task],
        current: Option<TaskId>,
        yields: bool,
    ) -> TaskId {
        for task in runnable {
            self.of
                .entry(task.id())
                .or_insert_with(|| random.i64(1..i64::MAX));
        }
        if let Some(current) = current
            && (yields || self.changes.contains(&self.steps))
        {
            self.lowest -= 1;
            self.of.insert(current, self.lowest);
        }
        self.steps += 1;
        let highest = runnable.iter().max_by_key(|task| self.of[&task.id()]);
        highest.expect("there is always one to run").id()
    }
}

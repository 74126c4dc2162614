//! Depth first through every state that a setup can reach.

use core::fmt::Write;
use core::hash::BuildHasher;
use std::collections::hash_map::RandomState;
use std::collections::{BTreeSet, HashSet};

use super::books::Violation;
use super::moves::Move;
use super::setup::Setup;
use super::sights::Sights;
use super::world::World;
use crate::rule::Rule;

/// What an exploration visited.
#[derive(Debug, Default)]
pub(super) struct Visited {
    pub(super) states: u64,
    pub(super) transitions: u64,
    /// The states in which no move is owed.
    pub(super) quiet: u64,
    /// The most moves on one path.
    pub(super) depth: usize,
    pub(super) sights: Sights,
    /// The rules that were broken.
    pub(super) broken: BTreeSet<Rule>,
}

/// A state on the path, and what is still to be tried there.
struct Step {
    /// It is taken by the last move that is tried.
    world: Option<World>,
    code: u64,
    left: Vec<Move>,
    /// The move that is being tried.
    made: Option<Move>,
}

struct Search<'a> {
    setup: &'a Setup,
    hasher: RandomState,
    bytes: Vec<u8>,
    /// Of each state, a hash with a random key: that two states share one happens in less than 1 of
    /// 100 000 searches of ten million states.
    seen: HashSet<u64>,
    path: Vec<Step>,
    visited: Visited,
}

/// Visits every state, and fails with the path to the first one that is wrong.
///
/// The states form no cycle, which is checked. So every run ends, and with each quiet state right,
/// every run in which the modules do what they owe ends well, from wherever it starts.
pub(super) fn explore(setup: &Setup) -> Result<Visited, Violation> {
    let mut search = Search {
        setup,
        hasher: RandomState::new(),
        bytes: Vec::new(),
        seen: HashSet::new(),
        path: Vec::new(),
        visited: Visited::default(),
    };
    let result = search.run();
    result.map_err(|violation| search.tell(&violation))?;
    Ok(search.visited)
}

impl Search<'_> {
    fn run(&mut self) -> Result<(), Violation> {
        self.enter(World::new(self.setup))?;
        while let Some(step) = self.path.last_mut() {
            step.made = step.left.pop();
            let Some(made) = step.made else {
                self.path.pop();
                continue;
            };
            let world = if step.left.is_empty() {
                step.world.take()
            } else {
                step.world.clone()
            };
            let mut world = world.expect("there was a move left");
            let breach = world.breach(made);
            self.visited.broken.extend(breach.map(|breach| breach.rule));
            world.make(self.setup, made)?;
            self.visited.transitions += 1;
            self.visited.sights.join(world.sights);
            self.enter(world)?;
        }
        Ok(())
    }

    /// Goes on from a state, unless it was seen.
    fn enter(&mut self, world: World) -> Result<(), Violation> {
        self.bytes.clear();
        world.code(self.setup, &mut self.bytes);
        let code = self.hasher.hash_one(&self.bytes);
        if !self.seen.insert(code) {
            let cycle = self.path.iter().any(|step| step.code == code);
            return if cycle {
                Err("deadlock: the last moves lead nowhere and can be repeated".to_owned())
            } else {
                Ok(())
            };
        }
        let left = world.moves(self.setup);
        self.inspect(&world, &left)?;
        self.visited.states += 1;
        self.path.push(Step {
            world: Some(world),
            code,
            left,
            made: None,
        });
        self.visited.depth = self.visited.depth.max(self.path.len() - 1);
        Ok(())
    }

    fn inspect(&mut self, world: &World, left: &[Move]) -> Result<(), Violation> {
        if !left.iter().any(|&step| world.is_owed(step)) {
            self.visited.quiet += 1;
            world.check_quiet(self.setup)?;
        }
        if self.setup.no_memory {
            for &step in left {
                if let Move::Register(id) = step {
                    world.fail_registrations(self.setup, id)?;
                }
            }
        }
        Ok(())
    }

    /// A violation with the moves that led to it.
    fn tell(&self, violation: &str) -> Violation {
        let mut text = format!("violated: {violation}\nafter:\n");
        for (number, made) in self.path.iter().filter_map(|step| step.made).enumerate() {
            let _ = writeln!(text, "  {:2}. {made:?}", number + 1);
        }
        text
    }
}

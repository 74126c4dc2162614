//! Many schedules of the threads inside the registrar and the safe layer, each of which follows from
//! one number. `docs/schedules.md` says how to run them and how to repeat one.
//!
//! Every scenario is written once and runs under every schedule and policy. Each execution begins
//! with nothing, and expects in the end that no rule was broken and nothing is left; a wait that
//! never ends is a deadlock, which the scheduler notices.
#![cfg(shuttle)]

mod explore;
mod memory;
mod planted;
mod raw;
mod raw_races;
mod record;
mod safe;
mod safe_races;
mod scheduler;
mod spread_races;
mod wait_races;
mod world;

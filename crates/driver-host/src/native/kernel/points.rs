//! Points: the places where a driver asks the host for something that it may not get. The host
//! counts them, and refuses what a plan says.
//!
//! What makes a function of this crate such a point is one line in it: a call of [`may_fail`],
//! [`may_be_null`] or [`ask`].

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::call::{self, Call};
use super::nt::{NtStatus, STATUS_INSUFFICIENT_RESOURCES};

/// A place in the life of a driver where it asked for something that it might not have got.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Point {
    /// Its number in the order of the host's points, from 1.
    pub ordinal: u64,
    /// Where it is.
    pub site: Site,
    /// The answers that refuse, one at least.
    pub refusals: &'static [Refusal],
    /// The answer that it got, if it was refused.
    pub refused: Option<Refusal>,
}

/// Where a point is: the same in every run, if the driver does the same.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Site {
    /// The name of the image.
    pub image: String,
    /// The function that was called.
    pub function: String,
    /// The offset in the image of the instruction after the call. `None` if the call was the last
    /// thing that its function did.
    pub offset: Option<u64>,
    /// Which call from there it is, from 1.
    pub occurrence: u64,
}

/// The form in which a function reports a failure to the driver.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Refusal {
    /// By a null pointer.
    Null,
    /// By a status.
    Status(NtStatus),
}

/// What a host refuses.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub enum Plan {
    /// Nothing that it has.
    #[default]
    Nothing,
    /// One point, by its number, with the answer of this index among its refusals.
    Ordinal(u64, usize),
    /// One point, by its place.
    Site(Site, Refusal),
    /// Every point, each with the first of its refusals.
    Everything,
}

const RESOURCES: &[Refusal] = &[Refusal::Status(STATUS_INSUFFICIENT_RESOURCES)];
const NULL: &[Refusal] = &[Refusal::Null];

/// Stands in a function that may answer with `STATUS_INSUFFICIENT_RESOURCES`, before it changes
/// anything.
pub(crate) fn may_fail() -> Result<(), NtStatus> {
    match ask(RESOURCES) {
        Some(_) => Err(STATUS_INSUFFICIENT_RESOURCES),
        None => Ok(()),
    }
}

/// Stands in a function that may answer with null. Returns whether it is to.
pub(crate) fn may_be_null() -> bool {
    ask(NULL).is_some()
}

/// Stands in a function that may answer with one of several refusals. Returns the one that it has to
/// answer with, if any. What is not called by an image is not refused.
pub(crate) fn ask(refusals: &'static [Refusal]) -> Option<Refusal> {
    let call = call::try_caller()?;
    let site = |occurrence| Site::of(&call, occurrence);
    call.image.system.points.reach(site, refusals)
}

/// The points of a host.
#[derive(Debug, Default)]
pub(crate) struct Points(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    plan: Plan,
    reached: Vec<Point>,
    /// How often each place was reached; their occurrences are 0.
    occurrences: HashMap<Site, u64>,
}

impl Points {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn plan(&self, plan: Plan) {
        self.lock().plan = plan;
    }

    pub(crate) fn reached(&self) -> Vec<Point> {
        self.lock().reached.clone()
    }

    pub(crate) fn take(&self) -> Vec<Point> {
        let mut state = self.lock();
        state.occurrences.clear();
        std::mem::take(&mut state.reached)
    }

    fn reach(&self, site: impl Fn(u64) -> Site, refusals: &'static [Refusal]) -> Option<Refusal> {
        let mut state = self.lock();
        let occurrence = state.occurrences.entry(site(0)).or_default();
        *occurrence += 1;
        let site = site(*occurrence);
        let ordinal = state.reached.len() as u64 + 1;
        let refused = state.plan.refusal(ordinal, &site, refusals);
        state.reached.push(Point {
            ordinal,
            site,
            refusals,
            refused,
        });
        refused
    }
}

impl Plan {
    fn refusal(&self, ordinal: u64, site: &Site, refusals: &[Refusal]) -> Option<Refusal> {
        match self {
            Self::Ordinal(wanted, index) if *wanted == ordinal => refusals.get(*index).copied(),
            Self::Site(wanted, refusal) if wanted == site => Some(*refusal),
            Self::Everything => refusals.first().copied(),
            Self::Nothing | Self::Ordinal(..) | Self::Site(..) => None,
        }
    }
}

impl Site {
    fn of(call: &Call, occurrence: u64) -> Self {
        Self {
            image: call.image.name.to_string(),
            function: call.name(),
            offset: call.offset,
            occurrence,
        }
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.function, self.image)?;
        if let Some(offset) = self.offset {
            write!(f, ", offset {offset:#x}")?;
        }
        match self.occurrence {
            1 => Ok(()),
            later => write!(f, ", time {later}"),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Status(status) => write!(f, "{status:#010x}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reaches a point of an image `a.sys` from each of some offsets, and returns the answers.
    fn reach<const N: usize>(points: &Points, offsets: [u64; N]) -> [Option<Refusal>; N] {
        offsets.map(|offset| points.reach(|occurrence| site(offset, occurrence), NULL))
    }

    fn site(offset: u64, occurrence: u64) -> Site {
        Site {
            image: "a.sys".to_owned(),
            function: "ExAllocatePool2".to_owned(),
            offset: Some(offset),
            occurrence,
        }
    }

    #[test]
    fn the_point_that_was_asked_to_fail_fails() {
        for plan in [Plan::Ordinal(3, 0), Plan::Site(site(8, 2), Refusal::Null)] {
            let points = Points::default();
            points.plan(plan);
            let answers = reach(&points, [8, 16, 8, 8]);
            assert_eq!(answers, [None, None, Some(Refusal::Null), None]);
        }
    }

    #[test]
    fn points_are_counted_as_a_whole_and_by_their_places() {
        let points = Points::default();
        reach(&points, [8, 16, 8]);
        points.plan(Plan::Everything);
        reach(&points, [16]);
        let found = points.reached();
        let numbers = found.iter().map(|point| point.ordinal);
        assert_eq!(numbers.collect::<Vec<_>>(), [1, 2, 3, 4]);
        let sites: Vec<_> = found.iter().map(|point| point.site.clone()).collect();
        assert_eq!(sites, [site(8, 1), site(16, 1), site(8, 2), site(16, 2)]);
        let refused: Vec<_> = found.iter().map(|point| point.refused).collect();
        assert_eq!(refused, [None, None, None, Some(Refusal::Null)]);
        assert_eq!(
            found[2].site.to_string(),
            "ExAllocatePool2 in a.sys, offset 0x8, time 2"
        );
    }
}

//! Which image is, or was, at an address. The handler of faults asks, so it never blocks on a lock.

use std::iter;
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::thread;

use super::loaded::Loaded;
use super::system::System;

/// A range of addresses that an image has, or had.
#[derive(Clone, Debug)]
pub(crate) struct Range {
    start: usize,
    size: usize,
    name: Arc<str>,
    image: Weak<Loaded>,
    system: Weak<System>,
    loaded: bool,
}

static RANGES: RwLock<Vec<Range>> = RwLock::new(Vec::new());

/// How many unloaded images are remembered.
const REMEMBERED: usize = 512;

/// An image is at an address from now on.
pub(crate) fn add(image: &Arc<Loaded>, start: usize, size: usize) {
    let range = Range {
        start,
        size,
        name: Arc::clone(&image.name),
        image: Arc::downgrade(image),
        system: Arc::downgrade(&image.system),
        loaded: true,
    };
    let mut ranges = RANGES.write().unwrap_or_else(PoisonError::into_inner);
    // What was there is forgotten: the addresses are in use again.
    ranges.retain(|old| old.loaded || old.start + old.size <= start || start + size <= old.start);
    ranges.push(range);
}

/// An image is gone.
pub(crate) fn bury(image: &Loaded) {
    let mut ranges = RANGES.write().unwrap_or_else(PoisonError::into_inner);
    for range in ranges
        .iter_mut()
        .filter(|range| range.image.as_ptr() == &raw const *image)
    {
        range.loaded = false;
    }
    let buried = ranges.iter().filter(|range| !range.loaded).count();
    let mut surplus = buried.saturating_sub(REMEMBERED);
    ranges.retain(|range| {
        let forget = !range.loaded && surplus > 0;
        surplus -= usize::from(forget);
        !forget
    });
}

/// What is at an address.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    /// A loaded image, and the offset in it.
    Loaded(Arc<Loaded>, u64),
    /// An image that was unloaded: its name, its host, and the offset in it.
    Gone(Arc<str>, Weak<System>, u64),
}

/// The images that a host has loaded.
pub(crate) fn loaded(system: &System) -> Vec<Arc<Loaded>> {
    let ranges = RANGES.read().unwrap_or_else(PoisonError::into_inner);
    let own = |range: &&Range| range.loaded && range.system.as_ptr() == &raw const *system;
    let images = ranges.iter().filter(own);
    images.filter_map(|range| range.image.upgrade()).collect()
}

/// Finds an image by an address. It does not block: the thread that asks may be the one
/// that is changing the list.
pub(crate) fn find(address: usize) -> Option<Found> {
    let try_read = || {
        thread::yield_now();
        RANGES.try_read().ok()
    };
    let ranges = RANGES.try_read().ok();
    let ranges = ranges.or_else(|| iter::repeat_with(try_read).take(10_000).flatten().next())?;
    let inside = |range: &&Range| (range.start..range.start + range.size).contains(&address);
    let range = ranges.iter().rev().find(inside)?;
    let offset = (address - range.start) as u64;
    if range.loaded {
        return Some(Found::Loaded(range.image.upgrade()?, offset));
    }
    Some(Found::Gone(
        Arc::clone(&range.name),
        Weak::clone(&range.system),
        offset,
    ))
}

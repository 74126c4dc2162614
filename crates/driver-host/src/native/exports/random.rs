//! `RtlRandomEx`.
// UNSAFETY: the seed is in the memory of the image.
#![expect(unsafe_code)]

use std::sync::atomic::{AtomicU32, Ordering};

use super::object::object;

/// At any level. A number below 2^31 - 1, which follows from the seed alone.
pub(crate) unsafe extern "win64" fn random(seed: *const AtomicU32) -> u32 {
    // SAFETY: the driver passes a seed.
    let seed = unsafe { object(seed) };
    let step = |seed: u32| ((u64::from(seed) * 0x7fff_ffed + 0x7fff_ffc3) % 0x7fff_ffff) as u32;
    let next = step(seed.load(Ordering::Relaxed));
    seed.store(next, Ordering::Relaxed);
    next
}

//! The memory that registrations take: reserved before anything is published, and made to fail
//! on demand.

/// Counts reservations, and fails one of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    /// How many reservations still succeed before the one that fails.
    pub(crate) fail_after: Option<u64>,
}

/// There is no memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OutOfMemory;

impl From<alloc::collections::TryReserveError> for OutOfMemory {
    fn from(_: alloc::collections::TryReserveError) -> Self {
        Self
    }
}

impl From<hashbrown::TryReserveError> for OutOfMemory {
    fn from(_: hashbrown::TryReserveError) -> Self {
        Self
    }
}

impl Memory {
    /// Stands before so many reservations. Fails if one of them is to fail.
    #[inline]
    pub(crate) fn reserve(&mut self, count: usize) -> Result<(), OutOfMemory> {
        let Some(left) = self.fail_after else {
            return Ok(());
        };
        self.fail_after = left.checked_sub(count as u64);
        self.fail_after.map(drop).ok_or(OutOfMemory)
    }
}

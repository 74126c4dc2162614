//! One set-up at a time: two that write the same files would take each other's half-written ones.

use std::fs::{File, TryLockError};
use std::path::Path;

use anyhow::{Context, Result};

use crate::files;
use crate::setup::Log;

/// Waits until no other set-up is in progress. The lock ends when the file is closed, however that comes
/// about.
pub(crate) fn take(path: &Path, log: Log) -> Result<File> {
    files::create_parent(path)?;
    let context = || format!("cannot lock {}", path.display());
    let file = File::create(path).with_context(context)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            log.did("waiting", "another set-up is in progress");
            file.lock().with_context(context)?;
        }
        Err(TryLockError::Error(error)) => return Err(error).with_context(context),
    }
    Ok(file)
}

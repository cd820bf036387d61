//! libhdf5's advisory file lock: exclusive for writing, shared for reading, by `flock`.

use std::fs::{File, TryLockError};
use std::io;

use crate::error::{Error, ErrorKind, Result};

/// How hard to insist on a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockPolicy {
    /// None is taken.
    Off,
    /// One is taken; a file system that has none is no error.
    BestEffort,
    /// One is taken, or the open fails.
    Required,
}

impl LockPolicy {
    /// What `HDF5_USE_FILE_LOCKING` asks for, with libhdf5's words; best effort when it is unset or anything else.
    pub fn from_environment() -> Self {
        match std::env::var("HDF5_USE_FILE_LOCKING").as_deref() {
            Ok("FALSE" | "0") => LockPolicy::Off,
            Ok("TRUE" | "1") => LockPolicy::Required,
            _ => LockPolicy::BestEffort,
        }
    }
}

/// Locks `file` until it is closed; another process's conflicting lock is an error that says what to do.
pub fn lock(file: &File, path: &std::path::Path, exclusive: bool, policy: LockPolicy) -> Result<()> {
    if policy == LockPolicy::Off {
        return Ok(());
    }
    let outcome = if exclusive { file.try_lock() } else { file.try_lock_shared() };
    match outcome {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(Error::new(
            ErrorKind::Locked,
            format!(
                "'{}' is open for {} elsewhere (this or another process holds its lock); close it there, or set \
                 HDF5_USE_FILE_LOCKING=FALSE if you know that nothing writes to it",
                path.display(),
                if exclusive { "reading or writing" } else { "writing" }
            ),
        )),
        Err(TryLockError::Error(e)) if policy == LockPolicy::BestEffort && no_locks(&e) => Ok(()),
        Err(TryLockError::Error(e)) => Err(Error::io(format_args!("locking '{}'", path.display()), e)),
    }
}

fn no_locks(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported
        || error.raw_os_error() == Some(libc::ENOSYS)
        || error.raw_os_error() == Some(libc::ENOLCK)
}

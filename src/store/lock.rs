//! libhdf5's advisory file lock: exclusive for writing, shared for reading, by `flock`.

use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;

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
                "'{}' is open for {} by {}; close it there, or set HDF5_USE_FILE_LOCKING=FALSE if you know that nothing \
                 writes to it",
                path.display(),
                if exclusive { "reading or writing" } else { "writing" },
                holder(file).unwrap_or_else(|| "this or another process".to_owned()),
            ),
        )),
        Err(TryLockError::Error(e)) if policy == LockPolicy::BestEffort && no_locks(&e) => Ok(()),
        Err(TryLockError::Error(e)) => Err(Error::io(format_args!("locking '{}'", path.display()), e)),
    }
}

/// Who holds a lock on the file, as far as Linux tells (other machines' locks on a network file system it does not).
fn holder(file: &File) -> Option<String> {
    let metadata = file.metadata().ok()?;
    let device = metadata.dev();
    let inode = format!("{:02x}:{:02x}:{}", libc::major(device), libc::minor(device), metadata.ino());
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    let process = lock_owner(&locks, &inode)?;
    if process == std::process::id() {
        return Some("this process, by a call or by a link that was followed".to_owned());
    }
    let name = std::fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
    match name.trim() {
        "" => Some(format!("process {process}")),
        name => Some(format!("process {process} ({name})")),
    }
}

/// The process that holds a lock of `flock` in the table of `/proc/locks`, whose lines are
/// "1: FLOCK  ADVISORY  WRITE 1234 fe:00:131090 0 EOF"; those of waiting processes have "->" in front of the kind.
fn lock_owner(locks: &str, inode: &str) -> Option<u32> {
    let fields = locks.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let mut owners = fields.filter(|fields| fields.get(1) == Some(&"FLOCK") && fields.get(5) == Some(&inode));
    owners.next()?.get(4)?.parse().ok()
}

fn no_locks(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported
        || error.raw_os_error() == Some(libc::ENOSYS)
        || error.raw_os_error() == Some(libc::ENOLCK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_is_named() {
        let path = std::env::temp_dir().join(format!("h5r-lock-{}", std::process::id()));
        let open = || File::options().read(true).write(true).create(true).truncate(false).open(&path).unwrap();
        let (first, second) = (open(), open());
        lock(&first, &path, true, LockPolicy::Required).unwrap();
        let error = lock(&second, &path, true, LockPolicy::Required).unwrap_err();
        drop(first);
        lock(&second, &path, true, LockPolicy::Required).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(error.kind(), ErrorKind::Locked);
        assert!(error.message().contains("open for reading or writing by this process, by"), "{error}");
    }

    #[test]
    fn locks_are_told_apart() {
        let locks = "1: POSIX  ADVISORY  WRITE 11 fe:00:7 0 EOF\n2: -> FLOCK  ADVISORY  WRITE 12 fe:00:7 0 EOF\n\
                     3: FLOCK  ADVISORY  READ  13 fe:00:7 0 EOF\n";
        assert_eq!(lock_owner(locks, "fe:00:7"), Some(13));
        assert_eq!(lock_owner(locks, "fe:00:8"), None);
    }
}

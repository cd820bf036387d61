//! The files that this process has open for writing, by device and inode: one that links lead to again, or that the program has
//! opened itself, is not opened a second time, which its lock would forbid.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::sync::{Arc, Weak};

use parking_lot::{Condvar, Mutex};

use crate::object::file::{File, Shared};

/// What tells a file from all others.
pub(super) type FileId = (u64, u64);

/// One that nothing holds is being opened or closed by another thread. No handle is dropped while this is locked: that may close
/// a file, which leaves.
static OPEN: Mutex<BTreeMap<FileId, Weak<Shared>>> = Mutex::new(BTreeMap::new());

/// Something was entered, or has left.
static CHANGED: Condvar = Condvar::new();

/// The identity of a file.
pub(super) fn id(file: &Metadata) -> FileId {
    (file.dev(), file.ino())
}

/// The file is open from now on.
pub(super) fn enter(id: FileId, file: &Arc<Shared>) {
    OPEN.lock().insert(id, Arc::downgrade(file));
    CHANGED.notify_all();
}

/// The file is closed, if it is this one that was entered.
pub(super) fn leave(id: FileId, file: *const Shared) {
    let mut open = OPEN.lock();
    if open.get(&id).is_some_and(|entered| entered.as_ptr() == file) {
        open.remove(&id);
        CHANGED.notify_all();
    }
}

/// A file that is being opened: other threads that want it wait until this is dropped.
pub(super) struct Opening(FileId);

impl Drop for Opening {
    fn drop(&mut self) {
        leave(self.0, Weak::new().as_ptr());
    }
}

/// The open file, or else the right to open it.
pub(super) fn find_or_begin(id: FileId) -> Result<File, Opening> {
    let mut open = OPEN.lock();
    loop {
        match open.get(&id).map(Weak::upgrade) {
            Some(Some(shared)) => return Ok(File { shared }),
            Some(None) => CHANGED.wait(&mut open),
            None => break,
        }
    }
    open.insert(id, Weak::new());
    Err(Opening(id))
}

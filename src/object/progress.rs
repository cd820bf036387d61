//! Telling the user how far a long call with raw data is, and letting him end it.

use std::sync::Arc;

use parking_lot::RwLock;

use crate::error::{Error, ErrorKind, Result};

/// Told the bytes that are done and all bytes of the call, in memory; its answer is 0 to go on. It runs on the calling thread,
/// without the file's lock.
pub type Progress = dyn Fn(u64, u64) -> i32 + Send + Sync;

/// Calls with fewer bytes are not reported.
const LEAST: u64 = 1 << 20;

/// Whom to tell.
#[derive(Default)]
pub(super) struct Listener(RwLock<Option<Arc<Progress>>>);

impl Listener {
    /// Tells this one from now on, or no one. The one before is not called any more when this returns.
    pub fn set(&self, progress: Option<Arc<Progress>>) {
        *self.0.write() = progress;
    }

    /// Reports; an error if the user wants to end the call.
    pub fn report(&self, done: u64, total: u64) -> Result<()> {
        if total < LEAST {
            return Ok(());
        }
        // Held meanwhile, so that who takes the listener away waits for it.
        let answer = self.0.read_recursive().as_ref().map_or(0, |progress| progress(done, total));
        match answer {
            0 => Ok(()),
            code => Err(Error::new(
                ErrorKind::Callback,
                format!("the progress callback returned {code} after {done} of {total} bytes and so ended the call"),
            )),
        }
    }
}

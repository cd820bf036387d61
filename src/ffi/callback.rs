//! Which files' callbacks this thread is in, so that a call that would wait for itself is refused.

use std::cell::RefCell;
use std::ffi::c_void;

use super::handle;
use crate::error::{Error, ErrorKind, Result};

thread_local! {
    static RUNNING: RefCell<Vec<(u64, Source)>> = const { RefCell::new(Vec::new()) };
}

/// Where a callback was called from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// From an iteration in the user's own call.
    Iteration,
    /// From a call with raw data.
    Transfer,
    /// From rebalancing: a progress report or a mode change.
    Rebalancing,
}

/// The user's pointer, handed back as it is; what it points to is the user's to synchronise.
#[derive(Clone, Copy)]
pub(super) struct UserData(pub *mut c_void);

// SAFETY: h5r never dereferences it.
unsafe impl Send for UserData {}
// SAFETY: as above.
unsafe impl Sync for UserData {}

impl UserData {
    /// The pointer. A method, so that closures capture the wrapper and not its field.
    pub fn get(self) -> *mut c_void {
        self.0
    }
}

struct Leave;

impl Drop for Leave {
    fn drop(&mut self) {
        RUNNING.with_borrow_mut(|running| running.pop());
    }
}

/// Runs the user's `callback` for the file with handle `file`.
pub(super) fn run<R>(file: u64, source: Source, callback: impl FnOnce() -> R) -> R {
    RUNNING.with_borrow_mut(|running| running.push((file, source)));
    let _leave = Leave;
    callback()
}

/// Runs one visit of an iteration: its answer is 0 to go on, positive to stop, negative to fail. An iteration whose
/// file was closed meanwhile ends before the visit.
pub(super) fn visit(file: u64, callback: impl FnOnce() -> i32) -> Result<bool> {
    if !handle::file_is_open(file) {
        return Err(Error::new(ErrorKind::Closed, "the file was closed during the iteration"));
    }
    match run(file, Source::Iteration, callback) {
        0 => Ok(true),
        1.. => Ok(false),
        code => {
            Err(Error::new(ErrorKind::Callback, format!("the callback returned {code} and so ended the iteration")))
        }
    }
}

/// Refuses `call` in any callback of `file`.
pub(super) fn refuse_inside(file: u64, call: &str) -> Result<()> {
    refuse(file, call, |_| true)
}

/// Refuses `call` in a callback of `file` that comes from rebalancing.
pub(super) fn refuse_inside_rebalancing(file: u64, call: &str) -> Result<()> {
    refuse(file, call, |source| source == Source::Rebalancing)
}

fn refuse(file: u64, call: &str, refused: impl Fn(Source) -> bool) -> Result<()> {
    if RUNNING.with_borrow(|running| running.iter().any(|&(f, source)| f == file && refused(source))) {
        let message = format!("{call} cannot be called from a callback of the same file; call it after the callback");
        return Err(Error::new(ErrorKind::Reentrant, message));
    }
    Ok(())
}

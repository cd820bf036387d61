//! Files: create, open, flush, check, close.

use std::ffi::{c_char, c_void};
use std::sync::Arc;

use super::callback::{Source, UserData};
use super::options::{self, h5r_create_options, h5r_open_options};
use super::{callback, guard, h5r_file, h5r_object, h5r_status, handle, input, last_error};
use crate::object::{File, Progress};

/// Creates the file `path`, and replaces one that exists unless the options say otherwise; `options` may be NULL for
/// all defaults. Stores a handle that `h5r_close` closes.
///
/// Errors: ARGUMENT, RANGE, EXISTS (exclusive), LOCKED, IO. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_create(
    path: *const c_char,
    options: *const h5r_create_options,
    file_out: *mut *mut h5r_file,
) -> h5r_status {
    guard::call(|| {
        // SAFETY: as this function's documentation asks of the caller.
        let (path, options, out) =
            unsafe { (input::path(path)?, options::read(options)?, input::output(file_out, "file_out")?) };
        let file = File::create(path, &options.checked()?)?;
        out.set(handle::open_file(file)? as *mut h5r_file);
        Ok(())
    })
}

/// Opens the HDF5 file `path` for reading and writing, or for reading only if the options say so; `options` may be NULL
/// for all defaults. Stores a handle that `h5r_close` closes.
///
/// Errors: ARGUMENT, RANGE, NOT_FOUND, NOT_HDF5, CORRUPT, UNSUPPORTED, LOCKED, IO. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_open(
    path: *const c_char,
    options: *const h5r_open_options,
    file_out: *mut *mut h5r_file,
) -> h5r_status {
    guard::call(|| {
        // SAFETY: as this function's documentation asks of the caller.
        let (path, options, out) =
            unsafe { (input::path(path)?, options::read(options)?, input::output(file_out, "file_out")?) };
        let file = File::open(path, &options.checked()?)?;
        out.set(handle::open_file(file)? as *mut h5r_file);
        Ok(())
    })
}

/// Writes everything that was changed; the file on disk is then a valid HDF5 file with this state. So are other files whose
/// objects were opened through external links of this one.
///
/// In every mode but none, incremental included, a flush first does the rebalancing that is left, in the calling thread, where a
/// quarter of the records or more was deleted since the last pass: docs/rebalancing.md says what that costs.
///
/// Errors: BAD_HANDLE, READ_ONLY, IO (after which the file accepts only `h5r_close`), FAILED. Any thread.
#[no_mangle]
pub extern "C" fn h5r_flush(file: *mut h5r_file) -> h5r_status {
    guard::with_file(file, |entry, _| entry.file.flush())
}

/// Sets what flushes survive from now on: H5R_DURABILITY_PROCESS, _POWER or _NONE.
///
/// Errors: BAD_HANDLE, RANGE, READ_ONLY, FAILED. Any thread.
#[no_mangle]
pub extern "C" fn h5r_set_durability(file: *mut h5r_file, durability: i32) -> h5r_status {
    guard::with_file(file, |entry, _| entry.file.set_durability(options::durability(durability)?))
}

/// Stops background work, flushes and closes the file, and everything that was opened from it. The handle is
/// consumed, also when an error is returned; only H5R_ERR_REENTRANT, from a callback of this very file, leaves it
/// open. No callback of this file comes after this returned. Closing NULL does nothing.
///
/// Errors: BAD_HANDLE, REENTRANT, IO, FAILED (an earlier write failed: the file keeps its last flushed state),
/// INTERNAL. Any thread.
#[no_mangle]
pub extern "C" fn h5r_close(file: *mut h5r_file) -> h5r_status {
    if file.is_null() {
        last_error::clear();
        return super::H5R_OK;
    }
    guard::call(|| {
        let handle = file as u64;
        callback::refuse_inside(handle, "h5r_close")?;
        // While handles of its objects keep them open, so that errors are heard of.
        let beyond = handle::file(handle)?.file.flush_beyond();
        handle::close_file(handle)?.file.close().and(beyond)
    })
}

/// The file's root group; NULL for a bad handle. The handle is borrowed: it is the same for every call, lives as long as
/// the file is open, and closing it does nothing. Any thread.
#[no_mangle]
pub extern "C" fn h5r_root(file: *mut h5r_file) -> *mut h5r_object {
    let mut root = 0;
    guard::with_file(file, |entry, handle| {
        root = entry.root(handle)?;
        Ok(())
    });
    root as *mut h5r_object
}

/// Reads every structure of the file and checks it against the format and against each other: B-trees, heaps, object
/// headers, counts, and that no two of them share space. Changes nothing.
///
/// Errors: BAD_HANDLE, CORRUPT (the message names the structure and its address), UNSUPPORTED, IO. Any thread.
#[no_mangle]
pub extern "C" fn h5r_check(file: *mut h5r_file) -> h5r_status {
    guard::with_file(file, |entry, _| entry.file.check())
}

/// Told how far a long call with raw data is: bytes of elements in memory that are done, and all of the call. 0 goes on, any
/// other value ends the call with H5R_ERR_CALLBACK.
pub type h5r_transfer_progress =
    Option<unsafe extern "C" fn(bytes_done: u64, bytes_total: u64, user_data: *mut c_void) -> i32>;

/// Calls `progress` from now on in h5r_dataset_read, _write and their kin of 1 MiB and more: before the first byte, at the end,
/// and in between while chunks go through filters, while chunks are read, and after each 32 MiB read in one piece; NULL: no more. It runs on the thread that made the call, no lock is held meanwhile, and it may call
/// anything on this file but h5r_close and this. When a writing call is ended, chunks are as before or as written, whole ones,
/// and the dataset is sound. The one before is not called any more when this returns.
///
/// Errors: BAD_HANDLE, REENTRANT (from a callback of this file), FAILED. Any thread.
#[no_mangle]
pub extern "C" fn h5r_set_progress(
    file: *mut h5r_file,
    progress: h5r_transfer_progress,
    user_data: *mut c_void,
) -> h5r_status {
    guard::with_file(file, |entry, handle| {
        callback::refuse_inside(handle, "h5r_set_progress")?;
        let user_data = UserData(user_data);
        entry.file.set_progress(progress.map(|progress| {
            let call: Arc<Progress> = Arc::new(move |done, total| {
                // SAFETY: the user's function.
                callback::run(handle, Source::Transfer, || unsafe { progress(done, total, user_data.get()) })
            });
            call
        }))
    })
}

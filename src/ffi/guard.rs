//! What surrounds every call: the last error cleared, panics caught, errors turned into statuses.

use std::any::Any;
use std::panic::{catch_unwind, AssertUnwindSafe};

use super::handle::{self, FileEntry};
use super::status::{code, h5r_status, H5R_ERR_BAD_HANDLE, H5R_ERR_REENTRANT, H5R_OK};
use super::{h5r_file, h5r_object, last_error};
use crate::error::{Error, Result};
use crate::format::filter;
use crate::object::Object;

/// Runs a call. A panic that unwinds through the file's lock makes the file accept only close: `object/` sees to that.
pub(super) fn call(body: impl FnOnce() -> Result<()>) -> h5r_status {
    last_error::clear();
    if filter::is_running() {
        last_error::set("h5r cannot be called from a filter's callback");
        return H5R_ERR_REENTRANT;
    }
    let error = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => {
            // Calls that a callback made may have failed.
            last_error::clear();
            return H5R_OK;
        }
        Ok(Err(error)) => error,
        Err(panic) => described(panic),
    };
    last_error::set(error.message());
    code(error.kind())
}

#[cold]
fn described(panic: Box<dyn Any + Send>) -> Error {
    let text = panic.downcast_ref::<&str>().map(|s| s.to_string());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    Error::internal(format_args!("{text}; this is a defect, please report it. The file accepts only close"))
}

/// Runs a call on a file; `body` gets its handle too.
pub(super) fn with_file(file: *mut h5r_file, body: impl FnOnce(&FileEntry, u64) -> Result<()>) -> h5r_status {
    let handle = file as u64;
    match handle::file(handle) {
        Ok(entry) => call(|| body(&entry, handle)),
        Err(error) => refused(error),
    }
}

/// Runs a call on an object; `body` gets its file's handle too.
#[inline]
pub(super) fn with_object(object: *mut h5r_object, body: impl FnOnce(&Object, u64) -> Result<()>) -> h5r_status {
    match handle::object(object as u64) {
        Ok(entry) => call(|| body(&entry.object, entry.file)),
        Err(error) => refused(error),
    }
}

#[cold]
fn refused(error: Error) -> h5r_status {
    last_error::set(error.message());
    H5R_ERR_BAD_HANDLE
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffi::*;
    use crate::object::{CreateOptions, File};
    use crate::store::{Backend, MemoryBackend};
    use std::ffi::CStr;
    use std::io::{self, IoSlice};
    use std::path::Path;
    use std::ptr;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::Arc;

    #[test]
    fn statuses_and_messages() {
        let text = || unsafe { CStr::from_ptr(h5r_last_error()) }.to_str().unwrap().to_owned();
        assert_eq!(call(|| Err(Error::range("lazy threshold", 0.5, "0.01..0.20"))), H5R_ERR_RANGE);
        assert_eq!(text(), "lazy threshold 0.5 is outside 0.01..0.20");
        assert_eq!(call(|| Ok(())), H5R_OK);
        assert_eq!(text(), "");
        assert_eq!(call(|| panic!("seven {}", 7)), H5R_ERR_INTERNAL);
        assert!(text().contains("seven 7"), "{}", text());
    }

    /// A file in memory that panics when it is written to, once armed.
    struct Panicking(MemoryBackend, Arc<AtomicBool>);

    impl Backend for Panicking {
        fn len(&mut self) -> io::Result<u64> {
            self.0.len()
        }
        fn read_at(&mut self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
            self.0.read_at(buffer, offset)
        }
        fn write_at(&mut self, buffers: &mut [IoSlice<'_>], offset: u64) -> io::Result<()> {
            assert!(!self.1.load(Ordering::Relaxed), "a defect for the test");
            self.0.write_at(buffers, offset)
        }
        fn set_len(&mut self, length: u64) -> io::Result<()> {
            self.0.set_len(length)
        }
        fn sync(&mut self) -> io::Result<()> {
            self.0.sync()
        }
    }

    #[test]
    fn after_a_panic_the_file_accepts_only_close() {
        let armed = Arc::new(AtomicBool::new(false));
        let memory = MemoryBackend::new();
        let bytes = memory.shared();
        let backend = Box::new(Panicking(memory, armed.clone()));
        let file = File::create_on(backend, Path::new("memory"), &CreateOptions::default()).unwrap();
        let file = handle::open_file(file).unwrap() as *mut h5r_file;
        let root = h5r_root(file);
        let (value, mut count) = (7i32, 0u64);
        let write =
            || unsafe { h5r_attr_write(root, c"a".as_ptr(), H5R_I32, 0, ptr::null(), (&raw const value).cast()) };
        assert_eq!((write(), h5r_flush(file)), (H5R_OK, H5R_OK));
        let flushed = bytes.lock().clone();
        assert_eq!(write(), H5R_OK);
        armed.store(true, Ordering::Relaxed);
        assert_eq!(h5r_flush(file), H5R_ERR_INTERNAL);
        armed.store(false, Ordering::Relaxed);
        assert_eq!((write(), h5r_flush(file)), (H5R_ERR_FAILED, H5R_ERR_FAILED));
        assert_eq!(unsafe { h5r_attr_count(root, &mut count) }, H5R_ERR_FAILED);
        assert_eq!(h5r_close(file), H5R_ERR_FAILED);
        assert_eq!(h5r_close(file), H5R_ERR_BAD_HANDLE);
        assert!(*bytes.lock() == flushed, "the last flushed state is kept");
    }

    #[test]
    fn no_handle_is_dereferenced() {
        for value in [0u64, 1, 8, 15, 0x1_0000_0003, u64::MAX, usize::MAX as u64 - 3] {
            assert_eq!(with_object(value as *mut h5r_object, |_, _| Ok(())), H5R_ERR_BAD_HANDLE);
        }
        for value in [0u64, 1, 8, 15, 0x1_0000_0005, 0xffff_ffff_ffff_fff3] {
            assert_eq!(with_file(value as *mut h5r_file, |_, _| Ok(())), H5R_ERR_BAD_HANDLE);
        }
    }
}

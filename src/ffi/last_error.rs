//! This thread's message for its last failed call.

use std::cell::{Cell, RefCell};
use std::ffi::{c_char, CStr};

use super::status::{h5r_status, H5R_OK};

thread_local! {
    /// Whether the message is set: what the hot path clears, without touching the buffer.
    static SET: Cell<bool> = const { Cell::new(false) };
    /// The message with its NUL.
    static MESSAGE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

#[inline]
pub(super) fn clear() {
    SET.set(false);
}

/// Keeps `message` for `h5r_last_error`: one line, without NUL.
#[cold]
pub(super) fn set(message: &str) {
    // A thread that is ending has no buffer any more; its call still returns the status.
    let _ = MESSAGE.try_with(|buffer| {
        let mut buffer = buffer.borrow_mut();
        buffer.clear();
        buffer.extend(message.bytes().map(|b| match b {
            0 => b'?',
            b'\n' | b'\r' => b' ',
            b => b,
        }));
        buffer.push(0);
        SET.set(true);
    });
}

/// This thread's message for its last failed call: one line of UTF-8 that says what was wrong, with which value, and
/// what is accepted; an empty string when the last call succeeded. Never NULL. The text stays valid until this
/// thread's next call of a function that can fail. Cannot fail; any thread, each has its own.
#[no_mangle]
pub extern "C" fn h5r_last_error() -> *const c_char {
    if SET.get() {
        if let Ok(text) = MESSAGE.try_with(|buffer| buffer.borrow().as_ptr()) {
            return text.cast();
        }
    }
    c"".as_ptr()
}

/// Makes `message` this thread's message for its last failed call, which ended with `status`, and returns `status`: for
/// layers above this library that refuse something themselves. NULL, or H5R_OK, is no message. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_set_last_error(status: h5r_status, message: *const c_char) -> h5r_status {
    clear();
    if status != H5R_OK && !message.is_null() {
        // SAFETY: as this function's documentation asks of the caller: a string that ends with a NUL.
        set(&unsafe { CStr::from_ptr(message) }.to_string_lossy());
    }
    status
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffi::H5R_ERR_ARGUMENT;
    use std::ptr;

    #[test]
    fn one_line_per_thread() {
        let text = || unsafe { CStr::from_ptr(h5r_last_error()) }.to_str().unwrap().to_owned();
        assert_eq!(text(), "");
        set("a\0b\nc");
        assert_eq!(text(), "a?b c");
        std::thread::spawn(move || assert_eq!(unsafe { CStr::from_ptr(h5r_last_error()) }, c"")).join().unwrap();
        clear();
        assert_eq!(text(), "");
        assert_eq!(unsafe { h5r_set_last_error(H5R_ERR_ARGUMENT, c"of a layer above".as_ptr()) }, H5R_ERR_ARGUMENT);
        assert_eq!(text(), "of a layer above");
        assert_eq!(unsafe { h5r_set_last_error(H5R_OK, c"no error".as_ptr()) }, H5R_OK);
        assert_eq!(text(), "");
        assert_eq!(unsafe { h5r_set_last_error(H5R_ERR_ARGUMENT, ptr::null()) }, H5R_ERR_ARGUMENT);
        assert_eq!(text(), "");
    }
}

//! Reading raw data without the file's lock.

use std::io;
use std::sync::Arc;

use crate::error::{Error, Result};

/// Bytes of a file that any number of threads read at once.
pub trait SharedRead: Send + Sync {
    /// Fills `buffer` from `offset`; a file that ends before is an `UnexpectedEof` error.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;
}

/// Reads where the store says that raw data are. What is read may be overwritten, or its space given to something else,
/// meanwhile: the caller finds out whether it was.
#[derive(Clone)]
pub struct Reader {
    pub(super) file: Arc<dyn SharedRead>,
    pub(super) base: u64,
}

impl Reader {
    /// Fills `buffer` from `address`.
    pub fn read(&self, address: u64, buffer: &mut [u8], what: &'static str) -> Result<()> {
        let length = buffer.len();
        let read = self.file.read_at(buffer, self.base.saturating_add(address));
        read.map_err(|e| read_failed(e, address, length, what))
    }
}

/// What a failed read of `length` bytes at `address` means.
#[cold]
pub(super) fn read_failed(error: io::Error, address: u64, length: usize, what: &'static str) -> Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => {
            Error::corrupt(what, address, format_args!("the file ends within its {length} bytes"))
        }
        _ => Error::io(format_args!("reading {length} bytes at {address:#x}"), error),
    }
}

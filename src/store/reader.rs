//! Reading raw data without the file's lock.

use std::io;
use std::sync::Arc;

use crate::error::{Error, Result};

/// Bytes of a file that any number of threads read at once.
pub trait SharedRead: Send + Sync {
    /// Fills `buffer` from `offset`; a file that ends before is an `UnexpectedEof` error.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;
    /// Whether it is better to ask for several parts together.
    fn reads_together(&self) -> bool {
        false
    }
    /// Fills the buffers of all parts. After an error nothing is known of any.
    fn read_all(&self, parts: &mut [ReadPart<'_>]) -> io::Result<()> {
        parts.iter_mut().try_for_each(|part| self.read_at(part.buffer, part.offset))
    }
}

/// A part of a file, and where its bytes go.
pub struct ReadPart<'a> {
    /// Where it begins.
    pub offset: u64,
    /// As long as the part.
    pub buffer: &'a mut [u8],
}

/// Reads where the store says that raw data are. What is read may be overwritten, or its space given to something else,
/// meanwhile: the caller finds out whether it was.
#[derive(Clone)]
pub struct Reader {
    pub(super) file: Arc<dyn SharedRead>,
    pub(super) base: u64,
}

impl Reader {
    /// Whether it is better to ask for several parts together.
    pub fn reads_together(&self) -> bool {
        self.file.reads_together()
    }

    /// Fills the buffers of all parts, which are at addresses; false where one could not be read, which reading it alone explains.
    pub fn read_all(&self, parts: &mut [ReadPart<'_>]) -> bool {
        parts.iter_mut().for_each(|part| part.offset = self.base.saturating_add(part.offset));
        self.file.read_all(parts).is_ok()
    }

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

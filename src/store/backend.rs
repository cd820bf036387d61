//! The one place where bytes meet the outside: a trait, so that tests can keep files in memory, record writes and
//! inject faults.

use std::io::{self, IoSlice};

/// Random access to one file's bytes. Calls come from one thread at a time.
pub trait Backend: Send {
    /// The file's length in bytes.
    fn len(&mut self) -> io::Result<u64>;
    /// Fills `buffer` from `offset`; a file that ends before is an `UnexpectedEof` error.
    fn read_at(&mut self, buffer: &mut [u8], offset: u64) -> io::Result<()>;
    /// Writes all of `buffers`, one after the other, from `offset`.
    fn write_at(&mut self, buffers: &mut [IoSlice<'_>], offset: u64) -> io::Result<()>;
    /// Cuts or extends (with zeros) the file.
    fn set_len(&mut self, length: u64) -> io::Result<()>;
    /// Waits until all writes are on the device.
    fn sync(&mut self) -> io::Result<()>;
    /// Whether the file has no bytes.
    fn is_empty(&mut self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
}

/// A file in memory.
#[derive(Default)]
pub struct MemoryBackend {
    bytes: std::sync::Arc<parking_lot::Mutex<Vec<u8>>>,
}

impl MemoryBackend {
    /// An empty file.
    pub fn new() -> Self {
        Self::default()
    }

    /// A file with these bytes.
    pub fn with_bytes(bytes: Vec<u8>) -> Self {
        MemoryBackend { bytes: std::sync::Arc::new(parking_lot::Mutex::new(bytes)) }
    }

    /// The bytes, shared: they stay readable after the backend went into a store.
    pub fn shared(&self) -> std::sync::Arc<parking_lot::Mutex<Vec<u8>>> {
        self.bytes.clone()
    }
}

impl Backend for MemoryBackend {
    fn len(&mut self) -> io::Result<u64> {
        Ok(self.bytes.lock().len() as u64)
    }

    fn read_at(&mut self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let bytes = self.bytes.lock();
        let start = usize::try_from(offset).map_err(|_| io::ErrorKind::UnexpectedEof)?;
        let end = start.checked_add(buffer.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        let source = bytes.get(start..end).ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(source);
        Ok(())
    }

    fn write_at(&mut self, buffers: &mut [IoSlice<'_>], offset: u64) -> io::Result<()> {
        let mut bytes = self.bytes.lock();
        let mut at = usize::try_from(offset).map_err(|_| io::ErrorKind::InvalidInput)?;
        for buffer in buffers {
            let end = at.checked_add(buffer.len()).ok_or(io::ErrorKind::InvalidInput)?;
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            bytes[at..end].copy_from_slice(buffer);
            at = end;
        }
        Ok(())
    }

    fn set_len(&mut self, length: u64) -> io::Result<()> {
        let length = usize::try_from(length).map_err(|_| io::ErrorKind::InvalidInput)?;
        self.bytes.lock().resize(length, 0);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

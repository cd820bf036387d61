//! The one place where bytes meet the outside: a trait, so that tests can keep files in memory, record writes and
//! inject faults.

use std::io::{self, IoSlice};
use std::sync::Arc;

use parking_lot::Mutex;

use super::SharedRead;

/// Bytes that are written one after the other from an offset.
pub struct WritePart<'a> {
    /// Where they go.
    pub offset: u64,
    /// What they are.
    pub buffers: Vec<IoSlice<'a>>,
}

impl WritePart<'_> {
    /// How many they are.
    pub fn length(&self) -> u64 {
        self.buffers.iter().map(|buffer| buffer.len() as u64).sum()
    }
}

/// Random access to one file's bytes. Calls come from one thread at a time.
pub trait Backend: Send {
    /// The file's length in bytes.
    fn len(&mut self) -> io::Result<u64>;
    /// Fills `buffer` from `offset`; a file that ends before is an `UnexpectedEof` error.
    fn read_at(&mut self, buffer: &mut [u8], offset: u64) -> io::Result<()>;
    /// Writes all of `buffers`, one after the other, from `offset`.
    fn write_at(&mut self, buffers: &mut [IoSlice<'_>], offset: u64) -> io::Result<()>;
    /// Writes all that does not depend on each other, in any order; an error comes with the number of the write that met it.
    fn write_all(&mut self, writes: &mut [WritePart<'_>]) -> Result<(), (usize, io::Error)> {
        let mut writes = writes.iter_mut().enumerate();
        writes.try_for_each(|(number, write)| {
            self.write_at(&mut write.buffers, write.offset).map_err(|error| (number, error))
        })
    }
    /// Cuts or extends (with zeros) the file.
    fn set_len(&mut self, length: u64) -> io::Result<()>;
    /// Waits until all writes are on the device.
    fn sync(&mut self) -> io::Result<()>;
    /// The same bytes for reading by several threads at once; none if that cannot be.
    fn shared(&self) -> Option<Arc<dyn SharedRead>> {
        None
    }
    /// Whether the file has no bytes.
    fn is_empty(&mut self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
}

/// A file in memory.
#[derive(Default)]
pub struct MemoryBackend {
    bytes: Arc<Mutex<Vec<u8>>>,
}

impl MemoryBackend {
    /// An empty file.
    pub fn new() -> Self {
        Self::default()
    }

    /// A file with these bytes.
    pub fn with_bytes(bytes: Vec<u8>) -> Self {
        MemoryBackend { bytes: Arc::new(Mutex::new(bytes)) }
    }

    /// The file whose bytes another backend shares.
    pub fn sharing(bytes: &Arc<Mutex<Vec<u8>>>) -> Self {
        MemoryBackend { bytes: bytes.clone() }
    }

    /// The bytes, shared: they stay readable after the backend went into a store.
    pub fn shared(&self) -> Arc<Mutex<Vec<u8>>> {
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

/// A call that changed a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// These bytes were written at this offset.
    Write(u64, Vec<u8>),
    /// The file was cut or extended to this length.
    SetLength(u64),
    /// All writes reached the device.
    Sync,
}

/// Passes calls on, and keeps a log of those that change the file.
pub struct RecordingBackend {
    inner: Box<dyn Backend>,
    log: Arc<Mutex<Vec<Change>>>,
}

impl RecordingBackend {
    /// A recorder in front of `inner`.
    pub fn new(inner: Box<dyn Backend>) -> Self {
        RecordingBackend { inner, log: Arc::default() }
    }

    /// The log, shared: it stays readable after the backend went into a store.
    pub fn log(&self) -> Arc<Mutex<Vec<Change>>> {
        self.log.clone()
    }
}

impl Backend for RecordingBackend {
    fn len(&mut self) -> io::Result<u64> {
        self.inner.len()
    }

    fn read_at(&mut self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.inner.read_at(buffer, offset)
    }

    fn write_at(&mut self, buffers: &mut [IoSlice<'_>], offset: u64) -> io::Result<()> {
        let bytes = buffers.iter().flat_map(|buffer| buffer.iter().copied()).collect();
        self.inner.write_at(buffers, offset)?;
        self.log.lock().push(Change::Write(offset, bytes));
        Ok(())
    }

    fn set_len(&mut self, length: u64) -> io::Result<()> {
        self.inner.set_len(length)?;
        self.log.lock().push(Change::SetLength(length));
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.inner.sync()?;
        self.log.lock().push(Change::Sync);
        Ok(())
    }
}

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// With this error number of the operating system, without having done anything.
    Error(i32),
    /// With this error number, a write after the sectors of 512 bytes that end in its first half.
    Short(i32),
}

/// What a [`FaultBackend`] shall do and has done.
#[derive(Debug, Default)]
pub struct FaultControl {
    /// The call that fails, counted from 1.
    pub fail_at: Option<(u64, Fault)>,
    /// Calls so far, `len` not counted.
    pub calls: u64,
    /// Calls before the one that failed that changed the file.
    pub changes: u64,
    /// Calls that would have changed the file, made after the one that failed.
    pub changes_after: u64,
    /// The call that failed could change the file; none when no call failed.
    pub failed: Option<bool>,
}

impl FaultControl {
    /// Counts from here; the `call`-th call fails.
    pub fn watch(&mut self, call: u64, fault: Fault) {
        *self = FaultControl { fail_at: Some((call, fault)), ..Self::default() };
    }

    /// Counts a call; the fault that it shall meet.
    fn count(&mut self, changes: bool) -> Option<Fault> {
        self.calls += 1;
        let fault = self.fail_at.filter(|(call, _)| *call == self.calls).map(|(_, fault)| fault);
        if fault.is_some() {
            self.failed = Some(changes);
        } else if self.failed.is_some() {
            self.changes_after += u64::from(changes);
        } else {
            self.changes += u64::from(changes);
        }
        fault
    }
}

/// Passes calls on until one shall fail.
pub struct FaultBackend {
    inner: Box<dyn Backend>,
    control: Arc<Mutex<FaultControl>>,
}

impl FaultBackend {
    /// A backend in front of `inner` that fails nothing yet.
    pub fn new(inner: Box<dyn Backend>) -> Self {
        FaultBackend { inner, control: Arc::default() }
    }

    /// What to fail, shared.
    pub fn control(&self) -> Arc<Mutex<FaultControl>> {
        self.control.clone()
    }

    fn meet(&mut self, changes: bool) -> io::Result<()> {
        match self.control.lock().count(changes) {
            Some(Fault::Error(number) | Fault::Short(number)) => Err(io::Error::from_raw_os_error(number)),
            None => Ok(()),
        }
    }
}

impl Backend for FaultBackend {
    fn len(&mut self) -> io::Result<u64> {
        self.inner.len()
    }

    fn read_at(&mut self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.meet(false)?;
        self.inner.read_at(buffer, offset)
    }

    fn write_at(&mut self, buffers: &mut [IoSlice<'_>], offset: u64) -> io::Result<()> {
        let fault = self.control.lock().count(true);
        match fault {
            None => self.inner.write_at(buffers, offset),
            Some(Fault::Error(number)) => Err(io::Error::from_raw_os_error(number)),
            Some(Fault::Short(number)) => {
                let bytes: Vec<u8> = buffers.iter().flat_map(|buffer| buffer.iter().copied()).collect();
                let half = offset + bytes.len() as u64 / 2;
                let length = (half - half % 512).saturating_sub(offset) as usize;
                self.inner.write_at(&mut [IoSlice::new(&bytes[..length])], offset)?;
                Err(io::Error::from_raw_os_error(number))
            }
        }
    }

    fn set_len(&mut self, length: u64) -> io::Result<()> {
        self.meet(true)?;
        self.inner.set_len(length)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.meet(true)?;
        self.inner.sync()
    }
}

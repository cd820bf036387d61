//! What opening does to a file that was caught in a commit.

use std::io::{self, IoSlice};

use super::journal::{self, Entry, Record};
use super::Backend;
use crate::error::{Error, Result};
use crate::format::superblock::{self, Superblock, COMMITTING};

/// What was found and done when a file was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Recovery {
    /// The file was in a flushed state.
    #[default]
    Nothing,
    /// A flush had been decided on: its redo record, with bytes of so many blocks, was applied (in memory, when opened for reading).
    Applied {
        /// Blocks that the record held, the superblock included.
        blocks: u64,
        /// All bytes that went where they belong, those that the record named by where they stood included.
        bytes: u64,
    },
    /// A flush had begun without being decided on: what it left was discarded, the state before is whole.
    Discarded,
}

/// Brings the file that `superblock` was read from to its last decided state: on the device, or for a file that is only
/// read, in front of it. Gives the superblock of that state. Can itself be interrupted and repeated.
pub fn recover(
    mut backend: Box<dyn Backend>,
    superblock: Superblock,
    read_only: bool,
) -> Result<(Box<dyn Backend>, Superblock, Recovery)> {
    let failed = |e| Error::io("recovering from an interrupted flush", e);
    let length = backend.len().map_err(failed)?;
    if superblock.flags & COMMITTING == 0 {
        let end = superblock.base.saturating_add(superblock.end);
        if !read_only && length > end {
            // What a flush left that was not decided on. (libhdf5 cuts whatever stands there, too.)
            backend.set_len(end).map_err(failed)?;
            return Ok((backend, superblock, Recovery::Discarded));
        }
        return Ok((backend, superblock, Recovery::Nothing));
    }
    let base = superblock.base;
    let mut before = vec![0; superblock.len()];
    backend.read_at(&mut before, base).map_err(failed)?;
    superblock::clear_flags(&mut before, COMMITTING);
    if let Some(Record { entries, blocks }) = journal::find(&mut *backend, length, base, &before).map_err(failed)? {
        if let Some(decided) = new_superblock(&mut *backend, &entries, base).map_err(failed)? {
            let bytes = entries.iter().map(|entry| entry.length).sum();
            let recovery = Recovery::Applied { blocks, bytes };
            let end = base + decided.end;
            let backend = match read_only {
                true => Box::new(Overlay { inner: backend, entries: sorted(entries), length: end }),
                false => apply(backend, &entries, end).map_err(failed)?,
            };
            return Ok((backend, decided, recovery));
        }
    }
    let decided = Superblock { flags: superblock.flags & !COMMITTING, ..superblock };
    let end = base.saturating_add(decided.end);
    // A file that is shorter is truncated, which opening it tells; it is not made longer here.
    if !read_only && end <= length {
        backend.write_at(&mut [IoSlice::new(&before)], base).map_err(failed)?;
        backend.sync().map_err(failed)?;
        backend.set_len(end).map_err(failed)?;
    }
    Ok((backend, decided, Recovery::Discarded))
}

/// The record's last block, if it is a superblock for which the file is long enough.
fn new_superblock(backend: &mut dyn Backend, entries: &[Entry], base: u64) -> io::Result<Option<Superblock>> {
    let Some(last) = entries.last().filter(|last| last.length <= superblock::MAX_LENGTH as u64) else {
        return Ok(None);
    };
    let mut image = vec![0; last.length as usize];
    backend.read_at(&mut image, last.source)?;
    let Ok(decided) = Superblock::parse(&image, base) else { return Ok(None) };
    let fits = base.checked_add(decided.end).is_some_and(|end| end <= last.source);
    Ok(Some(decided).filter(|decided| fits && decided.flags & COMMITTING == 0))
}

/// The blocks, then the superblock, then the cut; each on the device before the next.
fn apply(mut backend: Box<dyn Backend>, entries: &[Entry], end: u64) -> io::Result<Box<dyn Backend>> {
    if let Some((superblock, blocks)) = entries.split_last() {
        for entry in blocks {
            journal::apply(&mut *backend, entry)?;
        }
        backend.sync()?;
        journal::apply(&mut *backend, superblock)?;
        backend.sync()?;
        backend.set_len(end)?;
    }
    Ok(backend)
}

/// In the order of their targets: the superblock, which is the last in the record, comes first.
fn sorted(mut entries: Vec<Entry>) -> Vec<Entry> {
    entries.rotate_right(1);
    entries
}

/// A file that is only read, as it will be when its record is applied: what that changes is read from the record, or from where
/// it says that it stands.
struct Overlay {
    inner: Box<dyn Backend>,
    /// In the order of their targets; they do not overlap.
    entries: Vec<Entry>,
    length: u64,
}

impl Backend for Overlay {
    fn len(&mut self) -> io::Result<u64> {
        Ok(self.length)
    }

    fn read_at(&mut self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let end = offset.saturating_add(buffer.len() as u64);
        if end > self.length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.inner.read_at(buffer, offset)?;
        let first = self.entries.partition_point(|entry| entry.target + entry.length <= offset);
        for entry in self.entries[first..].iter().take_while(|entry| entry.target < end) {
            let (from, to) = (entry.target.max(offset), (entry.target + entry.length).min(end));
            let part = &mut buffer[(from - offset) as usize..(to - offset) as usize];
            self.inner.read_at(part, entry.source + (from - entry.target))?;
        }
        Ok(())
    }

    fn write_at(&mut self, _: &mut [IoSlice<'_>], _: u64) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn set_len(&mut self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

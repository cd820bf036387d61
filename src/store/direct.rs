//! Direct I/O: the pages of long transfers go between memory and the device and not through the operating system's page
//! cache, which is left to others. What the pages do not cover, at both ends, goes the usual way, as do short transfers.

use std::fs::File;
use std::io::{self, IoSlice};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;

use parking_lot::Mutex;

use super::file::FileBackend;
use super::region::Region;
use super::{Backend, SharedRead};

/// What offsets, lengths and memory are multiples of: what devices ask for, at most.
const PAGE: u64 = 4096;

/// Shorter transfers are not worth it.
pub const WORTH: usize = 1 << 20;

/// Memory for what the caller has at odd addresses.
const PIECE: usize = 1 << 20;

/// The two ways to a file's bytes.
struct Ways {
    plain: File,
    /// The same file, opened for direct I/O.
    direct: File,
    page: u64,
    /// The file system refused a direct transfer: all go the usual way.
    refused: AtomicBool,
    /// Bytes that went directly.
    direct_bytes: AtomicU64,
    spare: Mutex<Vec<Region>>,
}

/// A part of a transfer.
struct Pages {
    /// Bytes before the first whole page.
    head: usize,
    /// Bytes of whole pages.
    middle: usize,
}

impl Ways {
    fn pages(&self, offset: u64, length: usize) -> Option<Pages> {
        if length < WORTH || self.refused.load(Ordering::Relaxed) {
            return None;
        }
        let head = (offset.next_multiple_of(self.page) - offset) as usize;
        let middle = length.checked_sub(head)?;
        Some(Pages { head, middle: middle - middle % self.page as usize })
    }

    /// Does a direct transfer of `length` bytes; false if the file system refused it, and that it did not happen.
    fn try_direct(&self, length: usize, transfer: impl FnOnce() -> io::Result<()>) -> io::Result<bool> {
        match transfer() {
            Ok(()) => {
                self.direct_bytes.fetch_add(length as u64, Ordering::Relaxed);
                Ok(true)
            }
            Err(error) if matches!(error.raw_os_error(), Some(libc::EINVAL | libc::EOPNOTSUPP)) => {
                self.refused.store(true, Ordering::Relaxed);
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Calls `work` with aligned memory.
    fn with_memory<R>(&self, work: impl FnOnce(&mut [u8]) -> R) -> R {
        let spare = self.spare.lock().pop();
        let mut memory = spare.unwrap_or_else(|| Region::new(PIECE, false));
        let result = work(&mut memory);
        self.spare.lock().push(memory);
        result
    }

    fn write_pages(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        if is_aligned(bytes) {
            return self.direct.write_all_at(bytes, offset);
        }
        self.with_memory(|memory| {
            let mut at = offset;
            for piece in bytes.chunks(PIECE) {
                let memory = &mut memory[..piece.len()];
                memory.copy_from_slice(piece);
                self.direct.write_all_at(memory, at)?;
                at += piece.len() as u64;
            }
            Ok(())
        })
    }

    fn read_pages(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        if is_aligned(bytes) {
            return self.direct.read_exact_at(bytes, offset);
        }
        self.with_memory(|memory| {
            let mut at = offset;
            for piece in bytes.chunks_mut(PIECE) {
                let memory = &mut memory[..piece.len()];
                self.direct.read_exact_at(memory, at)?;
                piece.copy_from_slice(memory);
                at += piece.len() as u64;
            }
            Ok(())
        })
    }

    fn write(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let Some(Pages { head, middle }) = self.pages(offset, bytes.len()) else {
            return self.plain.write_all_at(bytes, offset);
        };
        let (before, rest) = bytes.split_at(head);
        let (pages, behind) = rest.split_at(middle);
        let at = offset + head as u64;
        self.plain.write_all_at(before, offset)?;
        if !self.try_direct(middle, || self.write_pages(pages, at))? {
            self.plain.write_all_at(pages, at)?;
        }
        self.plain.write_all_at(behind, at + middle as u64)
    }
}

fn is_aligned(bytes: &[u8]) -> bool {
    (bytes.as_ptr() as usize).is_multiple_of(PAGE as usize)
}

impl SharedRead for Ways {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let Some(Pages { head, middle }) = self.pages(offset, buffer.len()) else {
            return self.plain.read_exact_at(buffer, offset);
        };
        let (before, rest) = buffer.split_at_mut(head);
        let (pages, behind) = rest.split_at_mut(middle);
        let at = offset + head as u64;
        self.plain.read_exact_at(before, offset)?;
        if !self.try_direct(middle, || self.read_pages(pages, at))? {
            self.plain.read_exact_at(pages, at)?;
        }
        self.plain.read_exact_at(behind, at + middle as u64)
    }
}

/// The backend over a file that is opened twice.
pub struct DirectBackend {
    usual: FileBackend,
    ways: Arc<Ways>,
}

impl DirectBackend {
    /// Opens an open file for direct I/O too; an error, with the file, where its file system does not have it.
    pub fn new(file: File, writable: bool) -> Result<Self, (File, io::Error)> {
        // The same file, whatever its name leads to by now; and without a lock of its own.
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        let direct = File::options().read(true).write(writable).custom_flags(libc::O_DIRECT).open(path);
        match direct.and_then(|direct| Ok((direct, file.try_clone()?, file.try_clone()?))) {
            Ok((direct, plain, usual)) => Ok(DirectBackend::of(usual, plain, direct, PAGE)),
            Err(error) => Err((file, error)),
        }
    }

    fn of(usual: File, plain: File, direct: File, page: u64) -> Self {
        let (refused, direct_bytes) = (AtomicBool::new(false), AtomicU64::new(0));
        let ways = Ways { plain, direct, page, refused, direct_bytes, spare: Mutex::default() };
        DirectBackend { usual: FileBackend::new(usual), ways: Arc::new(ways) }
    }
}

impl Backend for DirectBackend {
    fn len(&mut self) -> io::Result<u64> {
        self.usual.len()
    }

    fn read_at(&mut self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.ways.read_at(buffer, offset)
    }

    fn write_at(&mut self, buffers: &mut [IoSlice<'_>], offset: u64) -> io::Result<()> {
        match buffers {
            many if many.iter().any(|buffer| buffer.len() >= WORTH) => {
                let mut at = offset;
                many.iter().try_for_each(|buffer| {
                    self.ways.write(buffer, at)?;
                    at += buffer.len() as u64;
                    Ok(())
                })
            }
            many => self.usual.write_at(many, offset),
        }
    }

    fn set_len(&mut self, length: u64) -> io::Result<()> {
        self.usual.set_len(length)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.usual.sync()
    }

    fn shared(&self) -> Option<Arc<dyn SharedRead>> {
        Some(self.ways.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: usize = 5 << 20;

    fn path(name: &str) -> std::path::PathBuf {
        std::env::temp_dir().join(format!("h5r-direct-{name}-{}", std::process::id()))
    }

    fn open(name: &str) -> File {
        File::options().read(true).write(true).create(true).truncate(true).open(path(name)).unwrap()
    }

    /// Writes and reads at odd and even places and addresses, against a model.
    fn follow_a_model(backend: &mut DirectBackend) {
        let mut model = vec![0u8; LENGTH];
        backend.set_len(0).unwrap();
        backend.set_len(LENGTH as u64).unwrap();
        let data: Vec<u8> = (0..LENGTH as u32 + 8192).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let even = data.as_ptr().align_offset(4096);
        let places = [(0, WORTH, even), (4096, 3 * WORTH, even), (1, WORTH + 9000, 7), (2048, 2 * WORTH, even + 2048)];
        let more = [(5000, 300, 1), (8192, WORTH - 1, even), (LENGTH - WORTH - 77, WORTH + 77, 5), (0, LENGTH, 3)];
        for (offset, length, from) in places.into_iter().chain(more) {
            backend.write_at(&mut [IoSlice::new(&data[from..from + length])], offset as u64).unwrap();
            model[offset..offset + length].copy_from_slice(&data[from..from + length]);
            let mut out = vec![0; LENGTH];
            backend.read_at(&mut out, 0).unwrap();
            assert!(out == model, "{offset} {length} {from}");
            let mut part = vec![0; length];
            backend.shared().unwrap().read_at(&mut part, offset as u64).unwrap();
            assert!(part == model[offset..offset + length], "{offset} {length} {from}");
        }
        let mut out = vec![0; WORTH + 1];
        let beyond = backend.read_at(&mut out, (LENGTH - WORTH) as u64).unwrap_err();
        assert_eq!(beyond.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn long_transfers_go_directly_and_are_the_same() {
        let Ok(mut backend) = DirectBackend::new(open("long"), true) else {
            return eprintln!("no direct I/O in the folder for temporary files");
        };
        follow_a_model(&mut backend);
        let direct_bytes = backend.ways.direct_bytes.load(Ordering::Relaxed);
        let is_refused = direct_bytes == 0 && backend.ways.refused.load(Ordering::Relaxed);
        assert!(is_refused || direct_bytes > 20 << 20, "{direct_bytes}");
        std::fs::remove_file(path("long")).unwrap();
    }

    #[test]
    fn what_the_file_system_refuses_goes_the_usual_way() {
        let file = open("refused");
        let direct = path("refused");
        let Ok(direct) = File::options().read(true).write(true).custom_flags(libc::O_DIRECT).open(direct) else {
            return eprintln!("no direct I/O in the folder for temporary files");
        };
        // Pages of one byte: offsets and lengths are such as no device takes.
        let mut backend = DirectBackend::of(file.try_clone().unwrap(), file, direct, 1);
        backend.set_len(LENGTH as u64).unwrap();
        let data = vec![9; WORTH + 1];
        backend.write_at(&mut [IoSlice::new(&data)], 1).unwrap();
        assert!(backend.ways.refused.load(Ordering::Relaxed));
        assert_eq!(backend.ways.direct_bytes.load(Ordering::Relaxed), 0);
        follow_a_model(&mut backend);
        std::fs::remove_file(path("refused")).unwrap();
    }
}

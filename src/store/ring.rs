//! io_uring: transfers that do not depend on each other are handed to the kernel together, and waited for together. What it
//! refuses, and what it does in part, is done the usual way. One of the places outside the C ABI with `unsafe`.

use std::fs::File;
use std::io::{self, IoSlice};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;

use io_uring::{opcode, squeue, types, IoUring, Probe};
use parking_lot::Mutex;

use super::file::{FileBackend, MAX_SLICES};
use super::{Backend, ReadPart, SharedRead, WritePart};

/// Transfers that the kernel has at once.
const DEPTH: u32 = 64;

/// Bytes of one transfer at most; longer ones are done the usual way.
const MOST: usize = 1 << 30;

/// The rings of one file: each is used by one thread at a time.
struct Rings {
    file: File,
    spare: Mutex<Vec<IoUring>>,
    /// The kernel does not do transfers of this file so: all go the usual way.
    refused: AtomicBool,
    /// Transfers that were done by a ring, as a whole.
    done: AtomicU64,
}

/// A ring that knows what is asked of it.
fn ring(depth: u32) -> io::Result<IoUring> {
    let ring = IoUring::new(depth)?;
    let mut probe = Probe::new();
    ring.submitter().register_probe(&mut probe)?;
    match probe.is_supported(opcode::Read::CODE) && probe.is_supported(opcode::Writev::CODE) {
        true => Ok(ring),
        false => Err(io::ErrorKind::Unsupported.into()),
    }
}

impl Rings {
    /// Has the kernel do the transfers, each with its number in the list as user data; what it said of each, none where it
    /// was not asked.
    ///
    /// # Safety
    /// The memory of the transfers is the caller's, and fit for them, until this returns.
    unsafe fn run(&self, transfers: &[squeue::Entry]) -> Vec<Option<i32>> {
        let mut said = vec![None; transfers.len()];
        let spare = self.spare.lock().pop();
        let Some(mut ring) = spare.or_else(|| ring(DEPTH).ok()) else { return said };
        let (mut next, mut flying, mut is_sound) = (0, 0, true);
        while is_sound && (next < transfers.len() || flying > 0) {
            let mut queue = ring.submission();
            while let Some(transfer) = transfers.get(next).filter(|_| flying < DEPTH as usize) {
                // SAFETY: the memory is valid, as the caller promises; this does not return before the kernel is done with it.
                if unsafe { queue.push(transfer) }.is_err() {
                    break;
                }
                (next, flying) = (next + 1, flying + 1);
            }
            drop(queue);
            match ring.submit_and_wait(1) {
                Err(error) if error.kind() != io::ErrorKind::Interrupted => is_sound = false,
                _ => {}
            }
            flying -= take(&mut ring, &mut said);
        }
        // After an error: what the kernel has taken it finishes, what it has not goes with the ring.
        while flying > ring.submission().len() {
            std::thread::yield_now();
            flying -= take(&mut ring, &mut said);
        }
        if is_sound {
            self.spare.lock().push(ring);
        }
        said
    }

    /// Whether a transfer of `length` bytes was done as a whole; an error if it must not be tried again.
    fn judge(&self, said: Option<i32>, length: usize) -> io::Result<bool> {
        match said {
            Some(done) if usize::try_from(done) == Ok(length) => {
                self.done.fetch_add(1, Ordering::Relaxed);
                Ok(true)
            }
            Some(error) if error < 0 => match -error {
                libc::EINVAL | libc::EOPNOTSUPP | libc::ENOSYS | libc::EPERM => {
                    self.refused.store(true, Ordering::Relaxed);
                    Ok(false)
                }
                libc::EINTR | libc::EAGAIN | libc::ECANCELED => Ok(false),
                error => Err(io::Error::from_raw_os_error(error)),
            },
            // Done in part, or not at all.
            _ => Ok(false),
        }
    }

    fn is_worth(&self, transfers: usize) -> bool {
        transfers > 1 && !self.refused.load(Ordering::Relaxed)
    }
}

/// Takes what the kernel has finished.
fn take(ring: &mut IoUring, said: &mut [Option<i32>]) -> usize {
    let mut taken = 0;
    for entry in ring.completion() {
        if let Some(place) = said.get_mut(entry.user_data() as usize) {
            *place = Some(entry.result());
        }
        taken += 1;
    }
    taken
}

impl SharedRead for Rings {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(buffer, offset)
    }

    fn reads_together(&self) -> bool {
        !self.refused.load(Ordering::Relaxed)
    }

    fn read_all(&self, parts: &mut [ReadPart<'_>]) -> io::Result<()> {
        let (mut said, fd) = (Vec::new(), types::Fd(self.file.as_raw_fd()));
        if self.is_worth(parts.len()) && parts.iter().all(|part| part.buffer.len() <= MOST) {
            let transfers: Vec<squeue::Entry> = parts
                .iter_mut()
                .enumerate()
                .map(|(number, part)| {
                    let read = opcode::Read::new(fd, part.buffer.as_mut_ptr(), part.buffer.len() as u32);
                    read.offset(part.offset).build().user_data(number as u64)
                })
                .collect();
            // SAFETY: each buffer is borrowed alone until this function returns, and is as long as is said.
            said = unsafe { self.run(&transfers) };
        }
        for (number, part) in parts.iter_mut().enumerate() {
            if !self.judge(said.get(number).copied().flatten(), part.buffer.len())? {
                self.file.read_exact_at(part.buffer, part.offset)?;
            }
        }
        Ok(())
    }
}

/// The backend over a file whose transfers go through rings where several are to be done.
pub struct RingBackend {
    usual: FileBackend,
    rings: Arc<Rings>,
}

impl RingBackend {
    /// Takes an open file; an error, with the file, where the kernel gives no ring.
    pub fn new(file: File) -> Result<Self, (File, io::Error)> {
        RingBackend::with_depth(file, DEPTH)
    }

    fn with_depth(file: File, depth: u32) -> Result<Self, (File, io::Error)> {
        match ring(depth).and_then(|ring| Ok((ring, file.try_clone()?))) {
            Ok((ring, usual)) => {
                let (refused, done) = (AtomicBool::new(false), AtomicU64::new(0));
                let rings = Rings { file, spare: Mutex::new(vec![ring]), refused, done };
                Ok(RingBackend { usual: FileBackend::new(usual), rings: Arc::new(rings) })
            }
            Err(error) => Err((file, error)),
        }
    }
}

impl Backend for RingBackend {
    fn len(&mut self) -> io::Result<u64> {
        self.usual.len()
    }

    fn read_at(&mut self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.usual.read_at(buffer, offset)
    }

    fn write_at(&mut self, buffers: &mut [IoSlice<'_>], offset: u64) -> io::Result<()> {
        self.usual.write_at(buffers, offset)
    }

    fn write_all(&mut self, writes: &mut [WritePart<'_>]) -> Result<(), (usize, io::Error)> {
        let (mut said, fd) = (Vec::new(), types::Fd(self.rings.file.as_raw_fd()));
        let fits = |write: &WritePart<'_>| write.buffers.len() <= MAX_SLICES && write.length() <= MOST as u64;
        if self.rings.is_worth(writes.len()) && writes.iter().all(fits) {
            let transfers: Vec<squeue::Entry> = writes
                .iter()
                .enumerate()
                .map(|(number, write)| {
                    let write_v = opcode::Writev::new(fd, write.buffers.as_ptr().cast(), write.buffers.len() as u32);
                    write_v.offset(write.offset).build().user_data(number as u64)
                })
                .collect();
            // SAFETY: the buffers, and the list of them, which has the layout of the system's, are borrowed until this
            // function returns.
            said = unsafe { self.rings.run(&transfers) };
        }
        for (number, write) in writes.iter_mut().enumerate() {
            let said = said.get(number).copied().flatten();
            let is_done = self.rings.judge(said, write.length() as usize).map_err(|error| (number, error))?;
            if !is_done {
                self.usual.write_at(&mut write.buffers, write.offset).map_err(|error| (number, error))?;
            }
        }
        Ok(())
    }

    fn set_len(&mut self, length: u64) -> io::Result<()> {
        self.usual.set_len(length)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.usual.sync()
    }

    fn shared(&self) -> Option<Arc<dyn SharedRead>> {
        Some(self.rings.clone())
    }
}

impl Drop for RingBackend {
    /// The kernel may keep a file a moment longer than its last transfer, and with the file its lock.
    fn drop(&mut self) {
        let _ = rustix::fs::flock(&self.rings.file, rustix::fs::FlockOperation::Unlock);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: usize = 3 << 20;

    fn path(name: &str) -> std::path::PathBuf {
        std::env::temp_dir().join(format!("h5r-ring-{name}-{}", std::process::id()))
    }

    fn open(name: &str) -> File {
        File::options().read(true).write(true).create(true).truncate(true).open(path(name)).unwrap()
    }

    fn data(seed: u32) -> Vec<u8> {
        (0..LENGTH as u32).map(|n| ((n ^ seed).wrapping_mul(2_654_435_761) >> 24) as u8).collect()
    }

    /// More transfers than fit a ring, of many lengths, written and read against a model.
    fn follow_a_model(backend: &mut RingBackend) {
        let (data, mut model) = (data(1), vec![0u8; LENGTH]);
        backend.set_len(LENGTH as u64).unwrap();
        let (mut writes, mut at) = (Vec::new(), 0);
        for number in 0..300usize {
            let (first, second) = (1 + number * 31 % 7000, number * 17 % 3000);
            let end = at + first + second;
            model[at..end].copy_from_slice(&data[at..end]);
            let buffers = vec![IoSlice::new(&data[at..at + first]), IoSlice::new(&data[at + first..end])];
            writes.push(WritePart { offset: at as u64, buffers });
            at = end + number % 5;
        }
        backend.write_all(&mut writes).unwrap();
        assert_eq!(std::fs::read(format!("/proc/self/fd/{}", backend.rings.file.as_raw_fd())).unwrap(), model);
        let mut out = vec![0; LENGTH];
        let mut parts: Vec<ReadPart<'_>> = Vec::new();
        let mut offset = 0;
        for buffer in out.chunks_mut(9973) {
            let length = buffer.len() as u64;
            parts.push(ReadPart { offset, buffer });
            offset += length;
        }
        backend.shared().unwrap().read_all(&mut parts).unwrap();
        assert_eq!(out, model);
    }

    /// A backend with a ring; none, and it is said, where the kernel has none.
    fn with_ring(name: &str) -> Option<RingBackend> {
        let made = RingBackend::new(open(name));
        made.map_err(|(_, error)| eprintln!("no ring here: {error}")).ok()
    }

    #[test]
    fn what_goes_through_rings_is_what_was_written() {
        let Some(mut backend) = with_ring("model") else { return };
        follow_a_model(&mut backend);
        let reads = LENGTH.div_ceil(9973) as u64;
        assert_eq!(backend.rings.done.load(Ordering::Relaxed), 300 + reads);
        assert_eq!(backend.rings.spare.lock().len(), 1, "the ring serves again");
        std::fs::remove_file(path("model")).unwrap();
    }

    #[test]
    fn what_the_kernel_refuses_goes_the_usual_way() {
        // No kernel gives a ring without entries.
        let Err((file, _)) = RingBackend::with_depth(open("refused"), 0) else { panic!("a ring without entries") };
        drop(file);
        let Some(mut backend) = with_ring("refused") else { return };
        assert!(!backend.rings.judge(Some(-libc::EINVAL), 8).unwrap());
        assert!(!backend.rings.reads_together());
        follow_a_model(&mut backend);
        assert_eq!(backend.rings.done.load(Ordering::Relaxed), 0);
        std::fs::remove_file(path("refused")).unwrap();
    }

    #[test]
    fn parts_are_completed_and_errors_told() {
        let Some(backend) = with_ring("faults") else { return };
        for said in [None, Some(0), Some(7), Some(-libc::EINTR), Some(-libc::EAGAIN)] {
            assert!(!backend.rings.judge(said, 8).unwrap(), "{said:?} is not all of it");
        }
        let error = backend.rings.judge(Some(-libc::EIO), 8).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EIO));
        assert!(backend.rings.reads_together());
        // The file ends within the second of three.
        std::fs::write(path("faults"), data(2)).unwrap();
        let (mut one, mut two, mut three) = (vec![0; 500], vec![0; 500], vec![0; 500]);
        let mut parts = [(0, &mut one), (LENGTH as u64 - 100, &mut two), (700, &mut three)]
            .map(|(offset, buffer)| ReadPart { offset, buffer: buffer.as_mut_slice() });
        let error = backend.shared().unwrap().read_all(&mut parts).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        std::fs::remove_file(path("faults")).unwrap();
        // A disk that is full.
        let full = File::options().read(true).write(true).open("/dev/full").unwrap();
        let mut backend = RingBackend::new(full).map_err(|(_, error)| error).unwrap();
        let write = |offset| WritePart { offset, buffers: vec![IoSlice::new(b"bytes")] };
        let (number, error) = backend.write_all(&mut [write(0), write(5)]).unwrap_err();
        assert_eq!((number, error.raw_os_error()), (0, Some(libc::ENOSPC)));
    }
}

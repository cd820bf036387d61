//! A file as read-only memory: reads are copies without a system call, and several threads share the pages. One of the
//! places outside the C ABI with `unsafe`.

use std::fs::File;
use std::io::{self, IoSlice};
use std::ptr::NonNull;
use std::sync::Arc;

use rustix::mm::{mmap, munmap, MapFlags, ProtFlags};

use super::{Backend, SharedRead};

/// The bytes that a file had when it was mapped. Whoever cuts the file meanwhile ends this process (`SIGBUS`), so a lock that
/// keeps writers away belongs to it.
struct Map {
    start: NonNull<u8>,
    length: usize,
}

// SAFETY: the memory is only read, by copying, and belongs to this value.
unsafe impl Send for Map {}
// SAFETY: as above.
unsafe impl Sync for Map {}

impl Map {
    fn new(file: &File, length: u64) -> io::Result<Map> {
        let length = usize::try_from(length).map_err(|_| io::ErrorKind::OutOfMemory)?;
        // SAFETY: a new mapping at an address that the system chooses is nobody else's.
        let start = unsafe { mmap(std::ptr::null_mut(), length, ProtFlags::READ, MapFlags::SHARED, file, 0)? };
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Map { start, length })
    }

    /// Fills `buffer` from `offset`; false if that is not all in the map.
    fn copy(&self, buffer: &mut [u8], offset: u64) -> bool {
        let Ok(at) = usize::try_from(offset) else { return false };
        if at.checked_add(buffer.len()).is_none_or(|end| end > self.length) {
            return false;
        }
        // SAFETY: the source lies in the map, and a buffer that is borrowed alone does not overlap it.
        unsafe { self.start.as_ptr().add(at).copy_to_nonoverlapping(buffer.as_mut_ptr(), buffer.len()) };
        true
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        // SAFETY: `new` mapped this, and nothing refers to it any more.
        let _ = unsafe { munmap(self.start.as_ptr().cast(), self.length) };
    }
}

/// A file that is only read, mapped; what lies behind the map is read from the file.
struct MappedFile {
    map: Map,
    file: File,
}

impl SharedRead for MappedFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        match self.map.copy(buffer, offset) {
            true => Ok(()),
            false => SharedRead::read_at(&self.file, buffer, offset),
        }
    }
}

/// The backend over a mapped file.
pub struct MapBackend {
    shared: Arc<MappedFile>,
}

impl MapBackend {
    /// Maps an open file. An error where it cannot be: the file is empty, or no file of a disk.
    pub fn new(file: File) -> Result<Self, (File, io::Error)> {
        match file.metadata().and_then(|metadata| Map::new(&file, metadata.len())) {
            Ok(map) => Ok(MapBackend { shared: Arc::new(MappedFile { map, file }) }),
            Err(error) => Err((file, error)),
        }
    }
}

fn read_only<R>() -> io::Result<R> {
    Err(io::ErrorKind::PermissionDenied.into())
}

impl Backend for MapBackend {
    fn len(&mut self) -> io::Result<u64> {
        Ok(self.shared.file.metadata()?.len())
    }

    fn read_at(&mut self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        SharedRead::read_at(&*self.shared, buffer, offset)
    }

    fn write_at(&mut self, _: &mut [IoSlice<'_>], _: u64) -> io::Result<()> {
        read_only()
    }

    fn set_len(&mut self, _: u64) -> io::Result<()> {
        read_only()
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn shared(&self) -> Option<Arc<dyn SharedRead>> {
        Some(self.shared.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_mapped_is_the_file_and_what_grew_behind_it_is_read() {
        let path = std::env::temp_dir().join(format!("h5r-map-{}", std::process::id()));
        let bytes: Vec<u8> = (0..10_000u32).map(|n| ((n * 7) >> 3) as u8).collect();
        std::fs::write(&path, &bytes[..9000]).unwrap();
        let mut backend = MapBackend::new(File::open(&path).unwrap()).map_err(|(_, e)| e).unwrap();
        std::fs::write(path.with_extension("new"), b"").unwrap();
        let empty = File::open(path.with_extension("new")).unwrap();
        assert!(MapBackend::new(empty).is_err(), "an empty file cannot be mapped");
        std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        std::os::unix::fs::FileExt::write_all_at(
            &File::options().write(true).open(&path).unwrap(),
            &bytes[9000..],
            9000,
        )
        .unwrap();
        let shared = backend.shared().unwrap();
        let mut out = vec![0; 800];
        for offset in [0, 1, 4095, 8200, 8500, 9200] {
            backend.read_at(&mut out, offset).unwrap();
            assert_eq!(out, bytes[offset as usize..][..800], "{offset}");
            out.fill(0);
            shared.read_at(&mut out, offset).unwrap();
            assert_eq!(out, bytes[offset as usize..][..800], "{offset}");
        }
        assert_eq!(backend.read_at(&mut out, 9201).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert!(backend.read_at(&mut out, u64::MAX).is_err());
        assert_eq!(backend.len().unwrap(), 10_000);
        assert!(backend.write_at(&mut [IoSlice::new(b"x")], 0).is_err());
        std::fs::remove_file(path.with_extension("new")).unwrap();
        std::fs::remove_file(&path).unwrap();
    }
}

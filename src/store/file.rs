//! The backend over an operating system's file, with positioned vectored writes and libhdf5's advisory lock.

use std::fs::File;
use std::io::{self, IoSlice};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::{Backend, SharedRead};

/// Buffers that one vectored write may have (Linux: `IOV_MAX`).
pub const MAX_SLICES: usize = 1024;

/// A file of the operating system.
pub struct FileBackend {
    file: Arc<File>,
}

impl FileBackend {
    /// Takes an open file.
    pub fn new(file: File) -> Self {
        FileBackend { file: Arc::new(file) }
    }
}

impl Backend for FileBackend {
    fn len(&mut self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read_at(&mut self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(buffer, offset)
    }

    fn write_at(&mut self, mut buffers: &mut [IoSlice<'_>], mut offset: u64) -> io::Result<()> {
        IoSlice::advance_slices(&mut buffers, 0);
        while !buffers.is_empty() {
            let count = buffers.len().min(MAX_SLICES);
            match rustix::io::pwritev(&*self.file, &buffers[..count], offset) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    IoSlice::advance_slices(&mut buffers, written);
                    offset += written as u64;
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }

    fn shared(&self) -> Option<Arc<dyn SharedRead>> {
        Some(self.file.clone())
    }

    fn set_len(&mut self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }
}

impl SharedRead for File {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.read_exact_at(buffer, offset)
    }
}

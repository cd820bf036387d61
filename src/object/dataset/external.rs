//! Raw data in files of their own, read (specification, IV.A.2.h "External Data Files").

use std::fs::File;
use std::io;
use std::io::IoSlice;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::selection::Slab;
use super::{own_body, transfer, DatasetState, Selection};
use crate::datatype::{Conversion, Datatype};
use crate::error::{Error, Result};
use crate::format::local_heap::LocalHeap;
use crate::format::message::external_files::ExternalFiles;
use crate::format::message::kind;
use crate::object::header::ObjectHeader;
use crate::store::{Backend, Store};

/// The size of an external file that takes all that is left.
const UNLIMITED: u64 = u64::MAX;

/// A part of the raw data: so many bytes, from an offset of a file.
pub(super) struct Part {
    name: String,
    offset: u64,
    size: u64,
}

impl DatasetState {
    /// Where the external raw data are, in order.
    pub(super) fn external_parts(&self, store: &mut Store, header: &ObjectHeader) -> Result<Vec<Part>> {
        let sizes = store.sizes();
        let body = own_body(store, header, kind::EXTERNAL_FILES, "external files")?.to_vec();
        let files = ExternalFiles::decode(&body, sizes)?;
        let heap = store.read_bytes(files.heap, LocalHeap::length(sizes), "local heap")?;
        let heap = LocalHeap::parse(&heap, sizes)?;
        let names = store.read_bytes(heap.data, heap.size, "local heap")?;
        let unlimited = if sizes.length < 8 { (1 << (8 * sizes.length)) - 1 } else { UNLIMITED };
        let part = |slot: &crate::format::message::external_files::Slot| {
            let name = usize::try_from(slot.name_offset).ok().and_then(|at| names.get(at..)).unwrap_or_default();
            let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
            if name.is_empty() {
                let detail = format_args!("no name of an external file at {}", slot.name_offset);
                return Err(Error::corrupt("local heap", files.heap, detail));
            }
            let size = if slot.size == unlimited { UNLIMITED } else { slot.size };
            Ok(Part { name: String::from_utf8_lossy(name).into_owned(), offset: slot.offset, size })
        };
        files.slots.iter().map(part).collect()
    }

    /// Reads the selected elements from external files.
    pub(super) fn read_external(
        &self,
        parts: Vec<Part>,
        folder: &Path,
        memory: &Datatype,
        selection: Option<&Selection<'_>>,
        out: &mut [u8],
    ) -> Result<()> {
        let slab = Slab::new(selection, self.dataspace.dims())?;
        let conversion = Conversion::between(&self.datatype, memory)?;
        if self.check_transfer(&slab, memory, out.len())? == 0 {
            return Ok(());
        }
        let reader = ExternalBackend { parts, folder: folder.to_path_buf(), size: self.size, open: None };
        // The parts, one after the other, are read as one extent of a file.
        let mut store = Store::new(Box::new(reader), crate::format::Sizes::EIGHT, 0, self.size, true)?;
        let fetch = |address, buffer: &mut [u8]| store.read_raw(address, buffer, "external raw data");
        transfer::read(fetch, 0, &slab, conversion, out)
    }
}

/// External files, one after the other.
struct ExternalBackend {
    parts: Vec<Part>,
    /// Of the HDF5 file.
    folder: PathBuf,
    size: u64,
    /// The file of the part that was read last.
    open: Option<(usize, File)>,
}

impl ExternalBackend {
    /// The file of a part: as libhdf5, relative to the current folder; else relative to the HDF5 file.
    fn file(&mut self, number: usize) -> io::Result<&File> {
        if self.open.as_ref().is_none_or(|(open, _)| *open != number) {
            let name = Path::new(&self.parts[number].name);
            let file = File::open(name).or_else(|e| File::open(self.folder.join(name)).map_err(|_| e));
            let named = |e: io::Error| io::Error::new(e.kind(), format!("external file '{}': {e}", name.display()));
            self.open = Some((number, file.map_err(named)?));
        }
        match &self.open {
            Some((_, file)) => Ok(file),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

impl Backend for ExternalBackend {
    fn len(&mut self) -> io::Result<u64> {
        Ok(self.size)
    }

    fn read_at(&mut self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let (mut rest, mut begin, end) = (buffer, 0u64, offset);
        let mut position = end;
        for number in 0..self.parts.len() {
            let Part { offset, size, .. } = self.parts[number];
            let part_end = begin.saturating_add(size);
            if position < part_end && !rest.is_empty() {
                let length = (rest.len() as u64).min(part_end - position) as usize;
                let (now, later) = std::mem::take(&mut rest).split_at_mut(length);
                read_or_zero(self.file(number)?, now, offset.saturating_add(position - begin))?;
                rest = later;
                position += length as u64;
            }
            begin = part_end;
        }
        match rest.is_empty() {
            true => Ok(()),
            false => Err(io::Error::new(io::ErrorKind::InvalidData, "the external files are shorter than the dataset")),
        }
    }

    fn write_at(&mut self, _: &mut [IoSlice<'_>], _: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn set_len(&mut self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What stands behind the end of an external file reads as zeros.
fn read_or_zero(file: &File, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        match file.read_at(buffer, offset) {
            Ok(0) => {
                buffer.fill(0);
                return Ok(());
            }
            Ok(read) => {
                buffer = &mut buffer[read..];
                offset += read as u64;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(())
}

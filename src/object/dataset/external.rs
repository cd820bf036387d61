//! Raw data in files of their own (specification, IV.A.2.h "External Data Files").

use std::fs::File;
use std::io;
use std::io::IoSlice;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::selection::Slab;
use super::{own_body, transfer, DatasetState, Selection, Storage};
use crate::datatype::{Conversion, Datatype};
use crate::error::{Error, ErrorKind, Result};
use crate::format::local_heap::LocalHeap;
use crate::format::message::external_files::{unlimited, ExternalFiles, Slot, UNLIMITED};
use crate::format::message::kind;
use crate::object::header::ObjectHeader;
use crate::store::{Backend, Seal, Store};

/// A part of the raw data: so many bytes, from an offset of a file.
pub(super) struct Part {
    name: String,
    offset: u64,
    size: u64,
}

/// The message, and the local heap of the names.
pub(super) fn external_names(store: &mut Store, header: &ObjectHeader) -> Result<(ExternalFiles, LocalHeap)> {
    let sizes = store.sizes();
    let body = own_body(store, header, kind::EXTERNAL_FILES, "external files")?;
    let files = ExternalFiles::decode(body, sizes)?;
    // A copy's heap may not be written yet.
    let id = store.block(files.heap, LocalHeap::length(sizes), Seal::None, "local heap")?;
    Ok((files, LocalHeap::parse(store.bytes(id), sizes)?))
}

impl DatasetState {
    /// The external files, in order: their names, and what of them is used.
    pub(in crate::object) fn external_files(
        &self,
        store: &mut Store,
        header: &ObjectHeader,
    ) -> Result<Vec<(Vec<u8>, Slot)>> {
        let (files, heap) = external_names(store, header)?;
        let unlimited = unlimited(store.sizes());
        let id = store.block(heap.data, heap.size, Seal::None, "local heap")?;
        let names = store.bytes(id);
        let named = |slot: &Slot| {
            let name = usize::try_from(slot.name_offset).ok().and_then(|at| names.get(at..)).unwrap_or_default();
            let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
            if name.is_empty() {
                let detail = format_args!("no name of an external file at {}", slot.name_offset);
                return Err(Error::corrupt("local heap", files.heap, detail));
            }
            let size = if slot.size == unlimited { UNLIMITED } else { slot.size };
            Ok((name.to_vec(), Slot { size, ..*slot }))
        };
        files.slots.iter().map(named).collect()
    }

    /// Gives back the names of external files. The files stay.
    pub(in crate::object) fn free_external_names(&self, store: &mut Store, header: &ObjectHeader) -> Result<()> {
        if self.storage != Storage::External {
            return Ok(());
        }
        let (files, names) = external_names(store, header)?;
        for (address, length) in [(names.data, names.size), (files.heap, LocalHeap::length(store.sizes()))] {
            store.check_extent(address, length, "local heap")?;
            if !store.space_mut().confirm_used(address, length) {
                return Err(Error::corrupt("local heap", address, "its space is free"));
            }
            store.free(address, length);
        }
        Ok(())
    }

    /// Where the external raw data are, in order.
    pub(super) fn external_parts(&self, store: &mut Store, header: &ObjectHeader) -> Result<Vec<Part>> {
        let part = |(name, slot): (Vec<u8>, Slot)| Part {
            name: String::from_utf8_lossy(&name).into_owned(),
            offset: slot.offset,
            size: slot.size,
        };
        Ok(self.external_files(store, header)?.into_iter().map(part).collect())
    }

    /// Reads the selected elements from external files.
    pub(super) fn read_external(
        &self,
        external: &mut Store,
        memory: &Datatype,
        selection: Option<&Selection<'_>>,
        out: &mut [u8],
    ) -> Result<()> {
        let slab = Slab::new(selection, self.dataspace.dims())?;
        let conversion = Conversion::between(&self.datatype, memory)?;
        if self.check_transfer(&slab, memory, out.len())? == 0 {
            return Ok(());
        }
        let fetch = |address, buffer: &mut [u8]| external.read_raw(address, buffer, "external raw data");
        transfer::read(fetch, 0, &slab, conversion, out)
    }

    /// Writes the selected elements to external files, at once.
    pub(super) fn write_external(
        &self,
        external: &mut Store,
        memory: &Datatype,
        selection: Option<&Selection<'_>>,
        data: &[u8],
    ) -> Result<()> {
        let slab = Slab::new(selection, self.dataspace.dims())?;
        let conversion = Conversion::between(memory, &self.datatype)?;
        if self.check_transfer(&slab, memory, data.len())? == 0 {
            return Ok(());
        }
        transfer::write(external, 0, &slab, conversion, data)
    }

    /// The parts, one after the other, as one extent of a file. One that is not there is made if it is to be written, as by libhdf5,
    /// relative to the current folder, with the first access to it.
    pub(super) fn open_external(&self, parts: Vec<Part>, folder: &Path, is_written: bool) -> Result<Store> {
        let room = parts.iter().fold(0, |room: u64, part| room.saturating_add(part.size));
        if is_written && room < self.size {
            let message = format!("the external files have room for {room} bytes, the dataset has {}", self.size);
            return Err(Error::new(ErrorKind::Range, message));
        }
        let backend = ExternalBackend { parts, folder: folder.to_path_buf(), size: self.size, open: None, is_written };
        Store::new(Box::new(backend), crate::format::Sizes::EIGHT, 0, self.size, !is_written)
    }
}

/// External files, one after the other.
struct ExternalBackend {
    parts: Vec<Part>,
    /// Of the HDF5 file.
    folder: PathBuf,
    size: u64,
    /// The file of the part that was used last.
    open: Option<(usize, File)>,
    is_written: bool,
}

impl ExternalBackend {
    /// The file of a part: as libhdf5, relative to the current folder; else relative to the HDF5 file.
    fn file(&mut self, number: usize) -> io::Result<&File> {
        if self.open.as_ref().is_none_or(|(open, _)| *open != number) {
            let name = Path::new(&self.parts[number].name);
            let open = |path: &Path| File::options().read(true).write(self.is_written).open(path);
            let mut file = open(name).or_else(|e| open(&self.folder.join(name)).map_err(|_| e));
            if self.is_written && file.as_ref().is_err_and(|e| e.kind() == io::ErrorKind::NotFound) {
                file = File::options().read(true).write(true).create_new(true).open(name);
            }
            let named = |e: io::Error| io::Error::new(e.kind(), format!("external file '{}': {e}", name.display()));
            self.open = Some((number, file.map_err(named)?));
        }
        match &self.open {
            Some((_, file)) => Ok(file),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

impl ExternalBackend {
    /// Calls `visit` with the files that so many bytes are in, how many in each, and where.
    fn each_part(
        &mut self,
        mut position: u64,
        mut left: usize,
        visit: &mut dyn FnMut(&File, usize, u64) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut begin = 0u64;
        for number in 0..self.parts.len() {
            let Part { offset, size, .. } = self.parts[number];
            let end = begin.saturating_add(size);
            if position < end && left > 0 {
                let length = (left as u64).min(end - position) as usize;
                visit(self.file(number)?, length, offset.saturating_add(position - begin))?;
                left -= length;
                position += length as u64;
            }
            begin = end;
        }
        match left {
            0 => Ok(()),
            _ => Err(io::Error::new(io::ErrorKind::InvalidData, "the external files are shorter than the dataset")),
        }
    }
}

impl Backend for ExternalBackend {
    fn len(&mut self) -> io::Result<u64> {
        Ok(self.size)
    }

    fn read_at(&mut self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let mut rest = buffer;
        self.each_part(offset, rest.len(), &mut |file, length, offset| {
            let (now, later) = std::mem::take(&mut rest).split_at_mut(length);
            rest = later;
            read_or_zero(file, now, offset)
        })
    }

    fn write_at(&mut self, buffers: &mut [IoSlice<'_>], offset: u64) -> io::Result<()> {
        let mut begin = offset;
        for buffer in buffers {
            let mut rest = &buffer[..];
            self.each_part(begin, rest.len(), &mut |file, length, offset| {
                let (now, later) = rest.split_at(length);
                rest = later;
                file.write_all_at(now, offset)
            })?;
            begin += buffer.len() as u64;
        }
        Ok(())
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

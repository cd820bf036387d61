//! Datasets: what their messages say, and their raw data in contiguous and compact storage (specification IV.A.2.i,
//! "The Data Layout Message"), and in chunks, which are read here; their indexes are in [`chunk`](crate::chunk).

mod allocate;
mod blocks;
mod called;
mod called_extent;
mod called_parts;
mod chunk_cache;
mod chunked;
#[cfg(test)]
mod chunked_tests;
mod chunks;
mod contiguous;
mod copy;
mod create;
mod cut;
mod direct;
mod edges;
mod elsewhere;
mod extent;
mod extents;
mod external;
mod face;
mod filled;
mod implicit;
mod mapped;
mod parallel_read;
mod parallel_write;
mod parts;
mod pieces;
mod refusable;
mod relocate;
mod selection;
mod shrink;
mod sources;
mod sweep;
#[cfg(test)]
mod tests;
mod transfer;
mod values;
mod virtual_write;
mod virtuals;

pub(super) use called_extent::Remade;
pub use chunk_cache::CacheFigures;
pub(super) use copy::{CopiedData, READ_BY_18};
pub use create::{plan, DatasetOptions, NewFilter, NewLayout, Plan, MAX_COMPACT};
pub use direct::ChunkInfo;
pub(super) use filled::HeapObjects;
pub use selection::Selection;
pub(super) use virtuals::Way;

use crate::chunk::Chunks;
use crate::datatype::{Conversion, Datatype};
use crate::error::{Error, ErrorKind, Result};
use crate::format::message::dataspace::Dataspace;
use crate::format::message::fill::{Fill, FillValue};
use crate::format::message::kind;
use crate::format::message::layout::{Chunked, Layout, LayoutClass};
use crate::format::UNDEFINED;
use crate::object::header::ObjectHeader;
use crate::store::Store;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;

use chunked::ChunkWork;
use selection::Slab;
use values::{open_datatype, open_fill};

/// Where a compact layout's data begin in the message.
const COMPACT_DATA: usize = 4;

/// One open dataset. Its raw data are not cached here.
#[derive(Debug, Clone)]
pub struct DatasetState {
    datatype: Datatype,
    /// The object header of the committed datatype that it shares.
    committed: Option<u64>,
    dataspace: Dataspace,
    storage: Storage,
    fill: FillValue,
    /// Bytes of all elements.
    size: u64,
    /// Of chunked data: what is kept while the dataset is open.
    work: Option<Box<ChunkWork>>,
    /// Chunks were taken out of the index, which is a version 2 B-tree, since it was last swept.
    is_thinned: bool,
    /// Grows before raw data that are in the file are overwritten, or their space is given back: what was read meanwhile
    /// without the lock is read again.
    changes: Arc<AtomicU64>,
    /// Grows when elements cease to exist.
    shape: u64,
    /// The first dimension is larger than the dataspace message says.
    has_grown: bool,
    /// Chunks that a sample shows to be incompressible are stored without their optional filters.
    skips_noise: bool,
    /// Filters of the user's are called with the file's lock held: while it is copied or deleted.
    calls_under_lock: bool,
    /// Of a virtual dataset: what was taken from its sources.
    followed: Option<Box<sources::Followed>>,
}

/// Where the raw data are.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Storage {
    /// In the layout message, with this size.
    Compact { size: u64 },
    /// In one extent, undefined before the first write, of this size (the elements', or more).
    Contiguous { address: u64, size: u64 },
    /// In chunks.
    Chunked(Box<Chunked>),
    /// In files of their own.
    External,
    /// In other datasets.
    Virtual,
}

/// The kind of a dataset's storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayoutKind {
    /// In the object header.
    Compact,
    /// In one extent of the file.
    Contiguous,
    /// In chunks.
    Chunked,
    /// In files of their own.
    External,
    /// In other datasets.
    Virtual,
}

/// What is known of a dataset without its raw data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetInfo {
    /// The type of the elements.
    pub datatype: Datatype,
    /// The dimensions; none for a scalar.
    pub dims: Vec<u64>,
    /// How far they can grow; `u64::MAX` without bound.
    pub max_dims: Vec<u64>,
    /// No elements at all.
    pub is_null: bool,
    /// Where the raw data are.
    pub layout: LayoutKind,
    /// What unwritten elements read as.
    pub fill: Fill,
    /// Bytes of raw data in the file, after filters.
    pub storage_size: u64,
}

impl DatasetState {
    /// The dataset with this object header.
    pub fn open(store: &mut Store, header: &ObjectHeader) -> Result<Self> {
        let sizes = store.sizes();
        let dataspace = Dataspace::decode(own_body(store, header, kind::DATASPACE, "dataspace")?, sizes)?;
        let layout = Layout::decode(own_body(store, header, kind::LAYOUT, "data layout")?, sizes)?;
        let fill = open_fill(store, header)?;
        let (datatype, committed) = open_datatype(store, header)?;
        let size = dataspace.elements().and_then(|elements| elements.checked_mul(datatype.size() as u64));
        let Some(size) = size.filter(|&size| size < i64::MAX as u64) else {
            let detail = format_args!("{:?} elements of {} bytes", dataspace.dims(), datatype.size());
            return Err(Error::corrupt("dataspace message", header.address(), detail));
        };
        let storage = match layout.class {
            _ if header.find(kind::EXTERNAL_FILES).is_some() => Storage::External,
            LayoutClass::Compact { data } => Storage::Compact { size: data.len() as u64 },
            LayoutClass::Contiguous { address, size: stored } => {
                if address != UNDEFINED && stored.is_some_and(|stored| stored < size) {
                    let detail = format_args!("{} bytes for a dataset of {size}", stored.unwrap_or(0));
                    return Err(Error::corrupt("data layout message", header.address(), detail));
                }
                Storage::Contiguous { address, size: stored.unwrap_or(size) }
            }
            LayoutClass::Chunked(chunked) => Storage::Chunked(Box::new(chunked)),
            LayoutClass::Virtual { .. } => Storage::Virtual,
        };
        Ok(DatasetState {
            datatype,
            committed,
            dataspace,
            storage,
            fill,
            size,
            work: None,
            is_thinned: false,
            changes: Arc::default(),
            shape: 0,
            has_grown: false,
            skips_noise: false,
            calls_under_lock: false,
            followed: None,
        })
    }

    /// The type of the elements.
    pub fn datatype(&self) -> &Datatype {
        &self.datatype
    }

    /// The dimensions, none for a null dataspace.
    pub fn dims(&self) -> Option<Vec<u64>> {
        (self.dataspace != Dataspace::Null).then(|| self.dataspace.dims().to_vec())
    }

    /// Describes the dataset.
    pub fn info(&self, store: &mut Store) -> Result<DatasetInfo> {
        let dims = self.dataspace.dims().to_vec();
        let storage_size = match &self.storage {
            Storage::Compact { size } => *size,
            Storage::Contiguous { address: UNDEFINED, .. } | Storage::External | Storage::Virtual => 0,
            Storage::Contiguous { size, .. } => *size,
            Storage::Chunked(chunked) => {
                let mut bytes = 0;
                self.with_chunks(chunked, |chunks| {
                    chunks.for_each(store, |chunk| {
                        bytes += chunk.size;
                        Ok(())
                    })
                })?;
                bytes
            }
        };
        Ok(DatasetInfo {
            datatype: self.datatype.clone(),
            max_dims: self.max_dims().to_vec(),
            dims,
            is_null: self.dataspace == Dataspace::Null,
            layout: self.storage.kind(),
            fill: self.fill.fill.clone(),
            storage_size,
        })
    }

    /// Reads the selected elements (all, without a selection) into `out`, converted to the type `memory`.
    pub fn read(
        &mut self,
        store: &mut Store,
        header: &ObjectHeader,
        memory: &Datatype,
        selection: Option<&Selection<'_>>,
        out: &mut [u8],
    ) -> Result<()> {
        if selection.is_none() && self.is_small() {
            return self.read_small(store, memory, out);
        }
        let slab = Slab::new(selection, self.dataspace.dims())?;
        let conversion = Conversion::between(&self.datatype, memory)?;
        let elements = self.check_transfer(&slab, memory, out.len())?;
        if elements == 0 {
            return Ok(());
        }
        match self.storage {
            Storage::Compact { .. } => {
                let sizes = store.sizes();
                let layout = Layout::decode(own_body(store, header, kind::LAYOUT, "data layout")?, sizes)?;
                let LayoutClass::Compact { data } = layout.class else { return Err(self.changed(header)) };
                self.check_compact(header, data.len())?;
                transfer::read_compact(&data, &slab, conversion, out)
            }
            Storage::Contiguous { address: UNDEFINED, .. } => self.read_fill(conversion, memory, out),
            Storage::Contiguous { address, .. } => {
                store.check_extent(address, self.size, "contiguous raw data")?;
                if let Some(id) = self.small_block(store, address) {
                    return transfer::read_compact(store.bytes(id), &slab, conversion, out);
                }
                let fetch = |address, buffer: &mut [u8]| store.read_near(address, buffer, transfer::RAW_DATA);
                transfer::read(fetch, address, &slab, conversion, out)
            }
            Storage::Chunked(_) => {
                let mut fill = vec![0; memory.size()];
                conversion.run(&self.fill_element()?, &mut fill)?;
                let slab = Slab::with_all_dimensions(selection, self.dataspace.dims())?;
                self.chunk_io(store, header)?.read(store, &slab, conversion, &fill, out)
            }
            _ => Err(self.no_access("reading")),
        }
    }

    /// Writes the selected elements (all, without a selection) from `data`, whose elements are of type `memory`.
    pub fn write(
        &mut self,
        store: &mut Store,
        header: &mut ObjectHeader,
        memory: &Datatype,
        selection: Option<&Selection<'_>>,
        data: &[u8],
    ) -> Result<()> {
        store.check_writable()?;
        if selection.is_none() && self.is_small() {
            return self.write_small(store, header, memory, data);
        }
        let slab = Slab::new(selection, self.dataspace.dims())?;
        let conversion = Conversion::between(memory, &self.datatype)?;
        let elements = self.check_transfer(&slab, memory, data.len())?;
        if elements == 0 {
            return Ok(());
        }
        match self.storage {
            Storage::Compact { .. } => self.write_compact(store, header, &slab, conversion, data),
            Storage::Contiguous { address, .. } => {
                let is_whole = elements == self.dataspace.elements().unwrap_or(0);
                let address = self.place_to_write(store, header, address, is_whole)?;
                if let Some(id) = self.small_block(store, address) {
                    return transfer::write_compact(store.bytes_mut(id), &slab, conversion, data);
                }
                transfer::write(store, address, &slab, conversion, data)
            }
            Storage::Chunked(_) => {
                let slab = Slab::with_all_dimensions(selection, self.dataspace.dims())?;
                self.change_chunks(store, header, |io, store| io.write(store, &slab, conversion, data))
            }
            _ => Err(self.no_access("writing")),
        }
    }

    /// Gives the space of the raw data back, with all that finds them. What is in the object header is not freed here,
    /// nor are other files touched.
    pub fn free_storage(&mut self, store: &mut Store) -> Result<()> {
        store.check_writable()?;
        (self.work, self.has_grown, self.is_thinned) = (None, false, false);
        self.shape += 1;
        self.changes.fetch_add(1, Ordering::SeqCst);
        match std::mem::replace(&mut self.storage, Storage::Contiguous { address: UNDEFINED, size: 0 }) {
            Storage::Contiguous { address: UNDEFINED, .. } => Ok(()),
            Storage::Contiguous { address, size } if size > 0 => {
                store.check_extent(address, size, "contiguous raw data")?;
                if !store.space_mut().confirm_used(address, size) {
                    return Err(Error::corrupt("contiguous raw data", address, "its space is free"));
                }
                store.free(address, size);
                Ok(())
            }
            Storage::Chunked(chunked) => self.with_chunks(&chunked, |chunks| chunks.free_all(store).map(|_| ())),
            _ => Ok(()),
        }
    }

    fn max_dims(&self) -> &[u64] {
        max_dims(&self.dataspace)
    }

    fn with_chunks<R>(&self, chunked: &Chunked, run: impl FnOnce(Chunks<'_>) -> Result<R>) -> Result<R> {
        run(Chunks { layout: chunked, dims: self.dataspace.dims(), max_dims: self.max_dims() })
    }

    /// The number of elements to transfer, whose bytes in memory must be all of the buffer.
    fn check_transfer(&self, slab: &Slab, memory: &Datatype, length: usize) -> Result<u64> {
        self.check_count(if self.dataspace == Dataspace::Null { 0 } else { slab.elements() }, memory, length)
    }

    fn check_count(&self, elements: u64, memory: &Datatype, length: usize) -> Result<u64> {
        match elements.checked_mul(memory.size() as u64) {
            Some(needed) if needed == length as u64 => Ok(elements),
            _ => {
                let kind =
                    if elements > (length / memory.size()) as u64 { ErrorKind::TooSmall } else { ErrorKind::Argument };
                let message =
                    format!("{elements} elements of {} bytes do not match a buffer of {length}", memory.size());
                Err(Error::new(kind, message))
            }
        }
    }

    fn write_compact(
        &self,
        store: &mut Store,
        header: &mut ObjectHeader,
        slab: &Slab,
        conversion: Conversion,
        data: &[u8],
    ) -> Result<()> {
        let sizes = store.sizes();
        let Some(index) = header.find(kind::LAYOUT) else { return Err(self.changed(header)) };
        let layout = Layout::decode(header.body(store, index)?, sizes)?;
        let LayoutClass::Compact { data: mut raw } = layout.class else { return Err(self.changed(header)) };
        self.check_compact(header, raw.len())?;
        transfer::write_compact(&mut raw, slab, conversion, data)?;
        if layout.version >= 3 {
            return header.overwrite(store, index, COMPACT_DATA, &raw);
        }
        header.replace(store, index, &Layout::compact(raw).encode(sizes)?)
    }

    fn check_compact(&self, header: &ObjectHeader, length: usize) -> Result<()> {
        if (length as u64) < self.size {
            let detail = format_args!("{length} bytes of compact data for a dataset of {}", self.size);
            return Err(Error::corrupt("data layout message", header.address(), detail));
        }
        Ok(())
    }

    /// What one unwritten element reads as, in the dataset's type.
    fn fill_element(&self) -> Result<Vec<u8>> {
        match &self.fill.fill {
            Fill::Value(value) if value.len() == self.datatype.size() => Ok(value.clone()),
            Fill::Value(value) => {
                let message = format!("fill value of {} bytes for elements of {}", value.len(), self.datatype.size());
                Err(Error::new(ErrorKind::Corrupt, message))
            }
            Fill::Undefined | Fill::Default => Ok(vec![0; self.datatype.size()]),
        }
    }

    /// Fills a buffer of whole elements.
    fn fill_buffer(&self, buffer: &mut [u8]) -> Result<()> {
        self.fill_element().map(|element| transfer::repeat(&element, buffer))
    }

    /// The header no longer has the layout message that the dataset was opened with.
    #[cold]
    fn changed(&self, header: &ObjectHeader) -> Error {
        Error::internal(format_args!("the layout message of the dataset at {:#x} is gone", header.address()))
    }
}

impl Storage {
    fn kind(&self) -> LayoutKind {
        match self {
            Storage::Compact { .. } => LayoutKind::Compact,
            Storage::Contiguous { .. } => LayoutKind::Contiguous,
            Storage::Chunked(_) => LayoutKind::Chunked,
            Storage::External => LayoutKind::External,
            Storage::Virtual => LayoutKind::Virtual,
        }
    }
}

fn max_dims(dataspace: &Dataspace) -> &[u64] {
    match dataspace {
        Dataspace::Simple { max_dims: Some(max_dims), .. } => max_dims,
        dataspace => dataspace.dims(),
    }
}

/// The body of a message that a dataset must have, its own or one in the shared message heap.
fn own_body<'a>(store: &'a mut Store, header: &'a ObjectHeader, kind: u8, what: &str) -> Result<&'a [u8]> {
    let missing = || Error::corrupt("dataset", header.address(), format_args!("it has no {what} message"));
    let index = header.find(kind).ok_or_else(missing)?;
    if header.shared_object(store, index)?.is_some() {
        return Err(Error::unsupported(format_args!("a {what} message in another object header")));
    }
    header.body(store, index)
}

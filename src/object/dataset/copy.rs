//! What a copy of a dataset needs of it, and what is done to the new one.

use super::chunked::EDGES_UNFILTERED;
use super::chunks::MAX_BYTES;
use super::create::MAX_COMPACT;
use super::{own_body, DatasetState, Storage};
use crate::chunk::{self, Place};
use crate::error::{Error, Result};
use crate::format::message::kind;
use crate::format::message::layout::{ChunkIndex, Layout, LayoutClass};
use crate::format::UNDEFINED;
use crate::object::header::ObjectHeader;
use crate::store::Store;

/// Layout flag: the only chunk is filtered.
const SINGLE_FILTERED: u8 = 2;

/// The raw data that a copy gets.
pub(in crate::object) enum CopiedData {
    /// In the layout message, or none.
    Message,
    /// All elements, which no flush has written yet.
    Cached(Vec<u8>),
    /// One extent.
    Extent {
        address: u64,
        /// Bytes of the elements.
        size: u64,
    },
    /// One extent of all chunks.
    ImplicitChunks { address: u64, size: u64 },
    /// The stored chunks.
    Chunks(Vec<(Vec<u64>, Place)>),
}

/// The superblock of files that libhdf5 1.8 shall read. Those with an older one are of libhdf5's default, and get the newest format
/// that something needs.
pub(in crate::object) const READ_BY_18: u8 = 2;

impl DatasetState {
    /// The heap object of a virtual dataset's mappings; none where it is not virtual, or has none.
    pub(in crate::object) fn virtual_mappings(
        &self,
        store: &mut Store,
        header: &ObjectHeader,
    ) -> Result<Option<(u64, u32)>> {
        if self.storage != Storage::Virtual {
            return Ok(None);
        }
        let sizes = store.sizes();
        match Layout::decode(own_body(store, header, kind::LAYOUT, "data layout")?, sizes)?.class {
            LayoutClass::Virtual { heap, index } if heap != UNDEFINED => Ok(Some((heap, index))),
            _ => Err(Error::unsupported("copying a virtual dataset without mappings")),
        }
    }

    /// The layout of a copy, without raw data but compact ones, with elements of so many bytes. `is_one`: in the same file;
    /// `version`: of its file's superblock; `plain`: with the stored bytes.
    pub(in crate::object) fn layout_of_copy(
        &self,
        store: &mut Store,
        header: &ObjectHeader,
        (is_one, version, plain): (bool, u8, bool),
        element_size: u64,
    ) -> Result<Layout> {
        let size = || {
            let elements = self.dataspace.elements().unwrap_or(0);
            let size = elements.checked_mul(element_size).filter(|&size| size < i64::MAX as u64);
            size.ok_or_else(|| Error::range("elements of a copy", elements, "what a file can hold"))
        };
        let chunked = match &self.storage {
            Storage::Compact { .. } => {
                let sizes = store.sizes();
                let layout = Layout::decode(own_body(store, header, kind::LAYOUT, "data layout")?, sizes)?;
                let LayoutClass::Compact { data } = layout.class else { return Err(self.changed(header)) };
                self.check_compact(header, data.len())?;
                let size = size()?;
                if size > MAX_COMPACT {
                    let most = format_args!("0..{MAX_COMPACT} bytes in the target file");
                    return Err(Error::range("size of compact dataset", size, most));
                }
                return Ok(Layout::compact(if plain { data } else { vec![0; size as usize] }));
            }
            Storage::Contiguous { .. } | Storage::External => return Ok(Layout::contiguous(UNDEFINED, size()?)),
            Storage::Chunked(chunked) => chunked,
            Storage::Virtual => return Err(Error::internal("the layout of a virtual dataset")),
        };
        let mut layout = chunked.as_ref().clone();
        (layout.address, layout.element_size) = (UNDEFINED, element_size);
        if layout.chunk_bytes().is_none_or(|bytes| bytes > MAX_BYTES && layout.element_size != chunked.element_size) {
            let chunk = format_args!("{:?} elements of {element_size} bytes", layout.dims);
            return Err(Error::range(
                "size of a chunk",
                chunk,
                format_args!("1..{MAX_BYTES} bytes in the target file"),
            ));
        }
        let is_filtered = header.find(kind::FILTER_PIPELINE).is_some();
        let edges = layout.flags & EDGES_UNFILTERED;
        let needs_new = version < READ_BY_18 && is_filtered && edges != 0;
        if version <= READ_BY_18 && layout.index != ChunkIndex::BTree1 && !needs_new {
            (layout.index, layout.flags) = (ChunkIndex::BTree1, 0);
        } else if layout.index == ChunkIndex::Implicit && !plain {
            // Such chunks are written all at once only.
            layout.index = chunk::choose(self.dataspace.dims(), self.max_dims(), &layout.dims, is_filtered, false);
            let single = matches!(layout.index, ChunkIndex::Single { filtered: Some(_) });
            layout.flags = edges | if single { SINGLE_FILTERED } else { 0 };
        }
        if !is_one && layout.version > 4 {
            // Which versions of libhdf5 read a file does not change by what is copied to it.
            layout.version = 4;
        }
        if let ChunkIndex::Single { filtered: Some(filtered) } = &mut layout.index {
            *filtered = (0, 0);
        }
        Ok(Layout::chunked(layout))
    }

    /// Whether chunks that reach out of the dataset are stored without its filters.
    pub(in crate::object) fn has_unfiltered_edges(&self) -> bool {
        matches!(&self.storage, Storage::Chunked(chunked) if chunked.flags & EDGES_UNFILTERED != 0)
    }

    /// Whether a chunk reaches out of the dataset.
    pub(in crate::object) fn is_edge(&self, scaled: &[u64]) -> bool {
        let chunk = self.chunk_dims().unwrap_or_default();
        let ends = scaled.iter().zip(&chunk).map(|(at, chunk)| at.saturating_add(1).saturating_mul(*chunk));
        ends.zip(self.dataspace.dims()).any(|(end, dim)| end > *dim)
    }

    /// Whether chunks stand one after the other in one extent.
    pub(in crate::object) fn has_implicit_index(&self) -> bool {
        matches!(&self.storage, Storage::Chunked(chunked) if chunked.index == ChunkIndex::Implicit)
    }

    /// The raw data to be copied, to a dataset with an index of chunks that is `implicit` or not. All that was changed in
    /// memory has been written.
    pub(in crate::object) fn copied_data(
        &mut self,
        store: &mut Store,
        header: &ObjectHeader,
        implicit: bool,
    ) -> Result<CopiedData> {
        match &self.storage {
            Storage::Contiguous { address, size } if *address != UNDEFINED && self.size > 0 => {
                let (address, stored) = (*address, *size);
                store.check_extent(address, stored.max(self.size), "contiguous raw data")?;
                Ok(match self.small_block(store, address) {
                    Some(id) => CopiedData::Cached(store.bytes(id).to_vec()),
                    None => CopiedData::Extent { address, size: self.size },
                })
            }
            Storage::Chunked(chunked) if chunked.address != UNDEFINED => {
                let io = self.chunk_io(store, header)?;
                if implicit {
                    let (address, size) = io.extent(store)?;
                    return Ok(CopiedData::ImplicitChunks { address, size });
                }
                let mut all = Vec::new();
                io.chunks().for_each(store, |chunk| {
                    let place = Place { address: chunk.address, size: chunk.size, filter_mask: chunk.filter_mask };
                    all.push((chunk.scaled.to_vec(), place));
                    Ok(())
                })?;
                Ok(CopiedData::Chunks(all))
            }
            _ => Ok(CopiedData::Message),
        }
    }

    /// The dimensions of a chunk; none where there are no chunks.
    pub(in crate::object) fn chunk_dims(&self) -> Option<Vec<u64>> {
        match &self.storage {
            Storage::Chunked(chunked) => Some(chunked.dims.clone()),
            _ => None,
        }
    }

    /// Takes space for contiguous raw data, all of which are about to be written; its address.
    pub(in crate::object) fn begin_contiguous(&mut self, store: &mut Store, header: &mut ObjectHeader) -> Result<u64> {
        let address = store.allocate(self.size)?;
        self.place(store, header, address)?;
        Ok(address)
    }

    /// Says where the chunks are that an implicit index finds.
    pub(in crate::object) fn place_implicit_chunks(
        &mut self,
        store: &mut Store,
        header: &mut ObjectHeader,
        address: u64,
    ) -> Result<()> {
        self.change_chunks(store, header, |io, _| {
            io.layout.address = address;
            Ok(())
        })
    }

    /// Enters a chunk that was written to the file.
    pub(in crate::object) fn enter_chunk(
        &mut self,
        store: &mut Store,
        header: &mut ObjectHeader,
        scaled: &[u64],
        place: Place,
    ) -> Result<()> {
        self.change_chunks(store, header, |io, store| {
            let most = io.chunks().most_stored()?;
            if place.size > most {
                return Err(Error::range("length of a chunk", place.size, format_args!("1..{most} bytes")));
            }
            io.enter(store, scaled, place)
        })
    }
}

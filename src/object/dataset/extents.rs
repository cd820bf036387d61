//! What a dataset's raw data take in the file.

use super::external::external_names;
use super::{DatasetState, Storage};
use crate::btree::Tree;
use crate::chunk::Part;
use crate::error::Result;
use crate::format::local_heap::LocalHeap;
use crate::format::message::kind;
use crate::format::message::layout::ChunkIndex;
use crate::format::UNDEFINED;
use crate::object::extents::Purpose;
use crate::object::header::ObjectHeader;
use crate::store::Store;

impl DatasetState {
    /// The address of what finds the raw data, or of the data themselves where nothing else does; none without storage.
    pub(in crate::object) fn storage_address(&self) -> Option<u64> {
        let address = match &self.storage {
            Storage::Contiguous { address, size } if *size > 0 => *address,
            Storage::Chunked(chunked) => chunked.address,
            _ => UNDEFINED,
        };
        (address != UNDEFINED).then_some(address)
    }

    /// Calls `visit` with the address and the bytes of every chunk, block of a chunk index, and other extent of the raw
    /// data. The mapping of a virtual dataset is in the global heap and is not reported.
    pub(in crate::object) fn each_extent(
        &self,
        store: &mut Store,
        header: &ObjectHeader,
        visit: &mut dyn FnMut(Purpose, u64, u64) -> Result<()>,
    ) -> Result<()> {
        match &self.storage {
            Storage::Contiguous { address, size } if *size > 0 && *address != UNDEFINED => {
                visit(Purpose::RawData, *address, *size)
            }
            Storage::Chunked(chunked) if chunked.address != UNDEFINED => {
                if matches!(chunked.index, ChunkIndex::BTree2 { .. }) {
                    let tree = Tree::open(store, chunked.address)?;
                    tree.each_extent(store, &mut |address, size| visit(Purpose::ChunkIndex, address, size))?;
                }
                self.with_chunks(chunked, |chunks| {
                    chunks.walk(store, &mut |part| match part {
                        Part::Chunk(chunk) => visit(Purpose::RawData, chunk.address, chunk.size),
                        Part::Index { address, size } => visit(Purpose::ChunkIndex, address, size),
                    })
                })
            }
            Storage::External => {
                let (files, names) = external_names(store, header)?;
                visit(Purpose::LocalHeap, files.heap, LocalHeap::length(store.sizes()))?;
                visit(Purpose::LocalHeap, names.data, names.size)
            }
            _ => Ok(()),
        }
    }
}

impl DatasetState {
    /// Checks what the raw data's extents do not tell: the chunk index. `flushed` asks for the floors of B-tree nodes.
    pub(in crate::object) fn check(&self, store: &mut Store, header: &ObjectHeader, flushed: bool) -> Result<()> {
        let Storage::Chunked(chunked) = &self.storage else { return Ok(()) };
        let filtered = header.find(kind::FILTER_PIPELINE).is_some();
        self.with_chunks(chunked, |chunks| chunks.check(store, flushed, filtered))
    }
}

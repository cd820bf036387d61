//! What a heap takes in the file.

use super::Heap;
use crate::error::{Error, Result};
use crate::format::UNDEFINED;
use crate::store::Store;

/// What an extent of a heap is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The header, or a direct or indirect block.
    Block,
    /// The free-space manager's header or its section list.
    FreeSpace,
    /// The header or a node of the B-tree of huge objects.
    Tree,
    /// A huge object.
    Huge,
}

impl Heap {
    /// Calls `visit` with the address and the bytes of everything that the heap has in the file.
    pub fn each_extent(
        &mut self,
        store: &mut Store,
        visit: &mut dyn FnMut(Part, u64, u64) -> Result<()>,
    ) -> Result<()> {
        visit(Part::Block, self.address, self.header.length() as u64)?;
        self.load_table(store)?;
        for block in self.table.indirect.values() {
            visit(Part::Block, block.address, block.length)?;
        }
        for block in self.table.blocks.iter().filter(|block| block.address != UNDEFINED) {
            let length = self.table.filtered.get(&block.offset).map_or(block.size.into(), |filtered| filtered.0);
            visit(Part::Block, block.address, length)?;
        }
        if !self.holes_loaded {
            self.load_free_space(store)?;
        }
        if self.free_space_damaged {
            return Err(Error::corrupt("free-space manager", self.header.free_space, "of the fractal heap"));
        }
        for (address, length) in self.free_space.extents().into_iter().filter(|&(_, length)| length > 0) {
            visit(Part::FreeSpace, address, length)?;
        }
        self.each_huge(store, visit)
    }
}

//! Checking a chunk index beyond what every walk of it verifies: order, sizes, places and counts.

use super::{Chunks, Part};
use crate::btree::Tree;
use crate::error::{Damage, Error, Result};
use crate::format::extensible_array::Header;
use crate::format::message::layout::ChunkIndex;
use crate::format::UNDEFINED;
use crate::store::{Seal, Store};

impl Chunks<'_> {
    /// Checks the index and every chunk's entry, not the chunks' bytes. `flushed` asks for the floors of B-tree nodes;
    /// `filtered` says that chunks have sizes of their own.
    pub fn check(&self, store: &mut Store, flushed: bool, filtered: bool) -> Result<()> {
        let address = self.layout.address;
        let fail = |damage, detail: String| Err(Error::corrupt("chunk index", address, detail).because(damage));
        let sorted = matches!(self.layout.index, ChunkIndex::BTree1 | ChunkIndex::BTree2 { .. });
        let whole = self.layout.chunk_bytes();
        let mut previous: Vec<u64> = Vec::new();
        let (mut blocks, mut block_bytes) = (0, 0);
        self.walk(store, &mut |part| {
            let chunk = match part {
                Part::Chunk(chunk) => chunk,
                Part::Index { size, .. } => {
                    blocks += 1;
                    block_bytes += size;
                    return Ok(());
                }
            };
            if !filtered && Some(chunk.size) != whole {
                return fail(Damage::Count, format!("a chunk of {} bytes where all have {whole:?}", chunk.size));
            }
            let outside = |(d, &scaled): (usize, &u64)| self.max_chunks(d).is_some_and(|chunks| scaled >= chunks);
            if chunk.scaled.iter().enumerate().any(outside) {
                return fail(Damage::Bound, format!("chunk {:?} is outside the dataspace", chunk.scaled));
            }
            if sorted {
                if !previous.is_empty() && previous[..] >= *chunk.scaled {
                    return fail(Damage::Order, format!("chunk {:?} follows {previous:?}", chunk.scaled));
                }
                previous.clear();
                previous.extend(chunk.scaled);
            }
            Ok(())
        })?;
        match self.layout.index {
            _ if address == UNDEFINED => Ok(()),
            ChunkIndex::BTree2 { .. } => Tree::open(store, address)?.check(store, flushed, |_, _, _| Ok(true)),
            ChunkIndex::ExtensibleArray { .. } => self.check_counts(store, blocks, block_bytes),
            _ => Ok(()),
        }
    }

    /// The blocks and bytes that an extensible array's header counts are those that a walk has met.
    fn check_counts(&self, store: &mut Store, blocks: u64, bytes: u64) -> Result<()> {
        const WHAT: &str = "extensible array header";
        let (sizes, address) = (store.sizes(), self.layout.address);
        let size = Header::size(sizes);
        let header = {
            let id = store.block(address, size, Seal::At((size - 4) as u32), WHAT)?;
            Header::parse(store.bytes(id), sizes)?
        };
        let [secondaries, secondary_bytes, data_blocks, data_bytes, ..] = header.counts;
        let own = if header.index_block == UNDEFINED { (1, size) } else { (2, size + header.index_block_size(sizes)) };
        let counted = (secondaries.saturating_add(data_blocks), secondary_bytes.saturating_add(data_bytes));
        if counted != (blocks - own.0, bytes - own.1) {
            let detail =
                format_args!("{counted:?} blocks and bytes counted, {:?} found", (blocks - own.0, bytes - own.1));
            return Err(Error::corrupt(WHAT, address, detail).because(Damage::Count));
        }
        Ok(())
    }
}

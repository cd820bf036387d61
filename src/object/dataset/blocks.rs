//! All that a dataset has stored, block by block, as the file has it.

use super::{CopiedData, DatasetState, Selection};
use crate::error::{Error, Result};
use crate::object::header::ObjectHeader;
use crate::object::value;
use crate::store::Store;

/// Bytes of elements that are read at once where they are not in chunks.
const PIECE: u64 = 1 << 20;

/// A block has no more bytes.
const MOST_BYTES: u64 = 256 << 20;

/// The first element of a block, and its extent; empty where the dataset is scalar.
pub(in crate::object) type Block = (Vec<u64>, Vec<u64>);

impl DatasetState {
    /// The blocks that together hold all elements in the file: chunks, or rows of other layouts. All that was changed in
    /// memory has been written.
    pub(in crate::object) fn stored_blocks(&mut self, store: &mut Store, header: &ObjectHeader) -> Result<Vec<Block>> {
        let Some(dims) = self.dims().filter(|_| self.has_storage()) else { return Ok(Vec::new()) };
        let data = self.copied_data(store, header, false)?;
        let Some(chunk) = self.chunk_dims() else {
            let row = value::elements(dims.get(1..).unwrap_or_default())?.saturating_mul(self.datatype.size() as u64);
            let step = (PIECE / row.max(1)).max(1);
            let Some(&rows) = dims.first() else { return Ok(vec![(Vec::new(), Vec::new())]) };
            let block = |at: u64| {
                let (mut start, mut block) = (vec![0; dims.len()], dims.clone());
                (start[0], block[0]) = (at, step.min(rows - at));
                (start, block)
            };
            return Ok((0..rows.div_ceil(step)).map(|number| block(number * step)).collect());
        };
        let CopiedData::Chunks(stored) = data else { return Ok(Vec::new()) };
        let mut blocks = Vec::with_capacity(stored.len());
        for (scaled, _) in stored {
            let start: Vec<u64> = scaled.iter().zip(&chunk).map(|(at, dim)| at.saturating_mul(*dim)).collect();
            if start.iter().zip(&dims).all(|(start, dim)| start < dim) {
                let ends = start.iter().zip(&chunk).zip(&dims);
                let block = ends.map(|((start, chunk), dim)| (*chunk).min(dim - start)).collect();
                blocks.push((start, block));
            }
        }
        Ok(blocks)
    }

    /// The elements of a block.
    pub(in crate::object) fn read_block(
        &mut self,
        store: &mut Store,
        header: &ObjectHeader,
        (start, block): &Block,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let ones = vec![1; start.len()];
        let (start, count, block) = (Some(start.as_slice()), Some(ones.as_slice()), Some(block.as_slice()));
        let selection = Selection { start, count, block, ..Selection::default() };
        let selection = (!ones.is_empty()).then_some(&selection);
        let datatype = self.datatype.clone();
        let bytes = value::value_size(self.selected(selection)?, &datatype)?;
        if bytes as u64 > MOST_BYTES {
            return Err(Error::unsupported(format_args!("looking through {bytes} bytes of elements at once")));
        }
        out.clear();
        out.resize(bytes, 0);
        self.read(store, header, &datatype, selection, out)
    }
}

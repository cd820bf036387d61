//! The fractal heap's doubling table: which heap offset is in which block (specification III.G "Fractal Heap").

use super::fractal_heap::HeapParams;
use crate::error::{Error, Result};

/// Direct blocks larger than this are refused as damage.
const MAX_DIRECT_LIMIT: u64 = 1 << 30;

/// The position of a direct block in the heap's address space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// Heap offset of its first byte.
    pub offset: u64,
    /// Its size in bytes.
    pub size: u64,
}

/// The doubling table's geometry. The first two rows have blocks of the start size, every further row doubles it; rows
/// past the largest direct block hold indirect blocks with tables of the same geometry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DoublingTable {
    /// Blocks in a row.
    pub width: u32,
    /// Size of the smallest block.
    pub start: u64,
    /// log2 of the start block size.
    pub start_bits: u32,
    /// log2 of the bytes of the first row.
    pub first_row_bits: u32,
    /// Rows that hold direct blocks.
    pub direct_rows: u32,
    /// Rows that a root indirect block can have.
    pub max_rows: u32,
}

impl DoublingTable {
    /// The geometry of `params`, which may come from a hostile file.
    pub fn new(params: &HeapParams) -> Result<Self> {
        let bad =
            |what: &str, value: u64| Err(Error::corrupt("fractal heap header", 0, format_args!("{what} {value}")));
        if !params.width.is_power_of_two() {
            return bad("table width", params.width.into());
        }
        if !params.start_block.is_power_of_two() || params.start_block < 64 {
            return bad("starting block size", params.start_block);
        }
        if !params.max_direct.is_power_of_two()
            || params.max_direct < params.start_block
            || params.max_direct > MAX_DIRECT_LIMIT
        {
            return bad("maximum direct block size", params.max_direct);
        }
        let start_bits = params.start_block.trailing_zeros();
        let first_row_bits = start_bits + params.width.trailing_zeros();
        let max_bits = u32::from(params.max_bits);
        if max_bits < first_row_bits || max_bits > 62 {
            return bad("maximum heap size in bits", params.max_bits.into());
        }
        let direct_rows = params.max_direct.trailing_zeros() - start_bits + 2;
        let max_rows = max_bits - first_row_bits + 1;
        if max_rows > direct_rows && params.max_direct.trailing_zeros() + 1 < first_row_bits {
            return bad("table width", params.width.into());
        }
        if u32::from(params.start_rows) > max_rows {
            return bad("starting rows", params.start_rows.into());
        }
        Ok(DoublingTable {
            width: params.width.into(),
            start: params.start_block,
            start_bits,
            first_row_bits,
            direct_rows,
            max_rows,
        })
    }

    /// Size of each block of `row`.
    #[inline]
    pub fn row_size(&self, row: u32) -> u64 {
        self.start << row.saturating_sub(1)
    }

    /// Heap offset of `row` from its indirect block's, which is also what all rows before it span.
    #[inline]
    pub fn row_offset(&self, row: u32) -> u64 {
        if row == 0 {
            0
        } else {
            1 << (self.first_row_bits + row - 1)
        }
    }

    /// Row and column of `offset` within an indirect block.
    #[inline]
    pub fn locate(&self, offset: u64) -> (u32, u32) {
        let high = 63 - (offset | 1).leading_zeros();
        if high < self.first_row_bits {
            return (0, (offset >> self.start_bits) as u32);
        }
        let row = high - self.first_row_bits + 1;
        (row, ((offset - (1 << high)) >> (self.start_bits + row - 1)) as u32)
    }

    /// Heap offset of `entry` from its indirect block's.
    pub fn entry_offset(&self, entry: u32) -> u64 {
        let row = entry / self.width;
        self.row_offset(row) + self.row_size(row) * u64::from(entry % self.width)
    }

    /// Rows of an indirect block that stands in `row` of its parent.
    pub fn child_rows(&self, row: u32) -> u32 {
        self.row_size(row).trailing_zeros() - self.first_row_bits + 1
    }

    /// The direct block that holds heap offset `offset`.
    pub fn slot(&self, offset: u64) -> Slot {
        let mut base = 0;
        loop {
            let (row, column) = self.locate(offset - base);
            base += self.entry_offset(row * self.width + column);
            if row < self.direct_rows {
                return Slot { offset: base, size: self.row_size(row) };
            }
        }
    }

    /// End of the heap's address space.
    pub fn limit(&self) -> u64 {
        self.row_offset(self.max_rows)
    }

    /// Free bytes of all direct blocks below an indirect block of `rows` rows, when each has `overhead`.
    pub fn capacity(&self, rows: u32, overhead: u64) -> u64 {
        let mut total = 0u64;
        let mut per_row = Vec::with_capacity(rows as usize);
        for row in 0..rows {
            let each = if row < self.direct_rows {
                self.row_size(row) - overhead
            } else {
                per_row.iter().take(self.child_rows(row) as usize).sum()
            };
            let all = each.saturating_mul(self.width.into());
            per_row.push(all);
            total = total.saturating_add(all);
        }
        total
    }
}

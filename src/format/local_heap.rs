//! The local heap (specification, "Disk Format: Level 1D - Local Heaps"): the names of an old group's links, or of
//! external files. It carries no checksum.

use super::codec::{Reader, Writer};
use super::Sizes;
use crate::error::{Error, Result};

const WHAT: &str = "local heap";

/// What stands for the end of the list of free blocks.
const END: u64 = 1;

/// Everything in a heap stands at a multiple of this, and takes one.
pub const ALIGNMENT: u64 = 8;

/// A local heap's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalHeap {
    /// Bytes of the data segment.
    pub size: u64,
    /// Where the list of free blocks begins in it.
    pub free: Option<u64>,
    /// The address of the data segment.
    pub data: u64,
}

impl LocalHeap {
    /// Bytes of the header in the file.
    pub fn length(sizes: Sizes) -> u64 {
        (8 + 2 * u64::from(sizes.length) + u64::from(sizes.offset)).next_multiple_of(ALIGNMENT)
    }

    /// Reads the header.
    pub fn parse(bytes: &[u8], sizes: Sizes) -> Result<Self> {
        let mut reader = Reader::new(bytes, WHAT);
        reader.signature(b"HEAP")?;
        let version = reader.u8()?;
        if version != 0 {
            return Err(reader.error(format_args!("version {version}")));
        }
        reader.skip(3)?;
        let (size, free) = (reader.length(sizes)?, reader.length(sizes)?);
        Ok(LocalHeap { size, free: Some(free).filter(|&free| free != END), data: reader.address(sizes)? })
    }

    /// Writes the header's bytes.
    pub fn put(&self, bytes: &mut [u8], sizes: Sizes) {
        let mut writer = Writer::new();
        writer.bytes(b"HEAP").u32(0).length(self.size, sizes).length(self.free.unwrap_or(END), sizes);
        writer.address(self.data, sizes);
        bytes[..writer.len()].copy_from_slice(writer.as_slice());
    }
}

/// Bytes of the smallest free block that can be in the list.
pub fn least_free(sizes: Sizes) -> u64 {
    (2 * u64::from(sizes.length)).next_multiple_of(ALIGNMENT)
}

/// The free blocks of a data segment, offset and length, in the order of their offsets.
pub fn free_blocks(data: &[u8], first: Option<u64>, sizes: Sizes) -> Result<Vec<(u64, u64)>> {
    let damaged = |at: u64, what: &str| {
        Error::new(crate::error::ErrorKind::Corrupt, format!("{WHAT} is damaged: the free block at {at} {what}"))
    };
    let mut blocks = Vec::new();
    let mut next = first;
    while let Some(at) = next {
        let from = usize::try_from(at).ok().and_then(|at| data.get(at..));
        let mut reader = Reader::new(from.ok_or_else(|| damaged(at, "lies outside"))?, WHAT);
        let (following, size) = (reader.length(sizes)?, reader.length(sizes)?);
        // Longer than there can be blocks: a cycle.
        let too_many = blocks.len() as u64 * least_free(sizes) > data.len() as u64;
        if size == 0 || at.checked_add(size).is_none_or(|end| end > data.len() as u64) || too_many {
            return Err(damaged(at, "has an impossible size, or is in the list twice"));
        }
        blocks.push((at, size));
        next = Some(following).filter(|&following| following != END);
    }
    blocks.sort_unstable();
    match blocks.windows(2).find(|pair| pair[0].0 + pair[0].1 > pair[1].0) {
        Some(pair) => Err(damaged(pair[1].0, "overlaps another")),
        None => Ok(blocks),
    }
}

/// Writes the list of free blocks into a data segment; where it begins. Blocks that are too small for it are left out.
pub fn put_free_blocks(data: &mut [u8], blocks: &[(u64, u64)], sizes: Sizes) -> Option<u64> {
    let mut next = None;
    for &(at, size) in blocks.iter().rev().filter(|block| block.1 >= least_free(sizes)) {
        let mut writer = Writer::new();
        writer.length(next.unwrap_or(END), sizes).length(size, sizes);
        data[at as usize..at as usize + writer.len()].copy_from_slice(writer.as_slice());
        next = Some(at);
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn headers_and_lists_are_read_as_written() {
        for sizes in [Sizes::EIGHT, Sizes { offset: 4, length: 4 }, Sizes { offset: 2, length: 2 }] {
            let mut data = vec![0; 200];
            let blocks = [(8, 16), (64, 32), (160, 40)];
            let free = put_free_blocks(&mut data, &blocks, sizes);
            assert_eq!(free, Some(8));
            assert_eq!(free_blocks(&data, free, sizes).unwrap(), blocks);
            let heap = LocalHeap { size: 200, free, data: 320 };
            let mut bytes = vec![0; LocalHeap::length(sizes) as usize];
            heap.put(&mut bytes, sizes);
            assert_eq!(LocalHeap::parse(&bytes, sizes).unwrap(), heap);
        }
        assert_eq!(free_blocks(&[], None, Sizes::EIGHT).unwrap(), []);
        assert_eq!(put_free_blocks(&mut [], &[(8, 8)], Sizes::EIGHT), None);
    }

    #[test]
    fn damaged_lists_are_refused() {
        let sizes = Sizes::EIGHT;
        let mut data = vec![0; 64];
        put_free_blocks(&mut data, &[(8, 16), (32, 16)], sizes);
        for (at, value) in [(8, 8), (8, 60), (8, 64), (16, 0), (16, 57), (16, 32), (8, 0)] {
            let mut damaged = data.clone();
            damaged[at] = value;
            assert!(free_blocks(&damaged, Some(8), sizes).is_err(), "{value} at {at}");
        }
        assert!(free_blocks(&data, Some(u64::MAX), sizes).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), free: u64) {
            let _ = LocalHeap::parse(&bytes, Sizes::EIGHT);
            let _ = free_blocks(&bytes, Some(free % 256), Sizes::EIGHT);
        }
    }
}

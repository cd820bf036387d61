//! Dataspace selections as the file has them (specification, "Appendix D: Encoding for Dataspace and Reference", and the
//! mappings of virtual datasets): which elements of an array.

use super::codec::Reader;
use crate::error::{Error, ErrorKind, Result};

/// A count or a block without bound.
pub const UNLIMITED: u64 = u64::MAX;

/// The most dimensions that the format allows.
const MAX_RANK: usize = 32;

/// The most numbers that a list of points or blocks may have.
const MAX_NUMBERS: u64 = 1 << 24;

/// The most numbers that regular blocks are listed as: as they are encoded they take no more for being many.
const MAX_LISTED: u64 = 1 << 20;

/// A selection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selected {
    /// No element.
    None,
    /// Every element.
    All,
    /// These elements, in this order: coordinates one point after the other.
    Points {
        /// The number of dimensions.
        rank: usize,
        /// Their coordinates.
        coordinates: Vec<u64>,
    },
    /// Blocks at regular distances: one entry per dimension. A count or block may be [`UNLIMITED`].
    Regular {
        /// The first element.
        start: Vec<u64>,
        /// The distance between the beginnings of blocks.
        stride: Vec<u64>,
        /// The number of blocks.
        count: Vec<u64>,
        /// The elements of a block.
        block: Vec<u64>,
    },
    /// Blocks: the first and the last element of each, one coordinate per dimension.
    Blocks(Vec<(Vec<u64>, Vec<u64>)>),
}

impl Selected {
    /// Reads a selection in any of its encodings.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let (kind, version) = (reader.u32()?, reader.u32()?);
        match kind {
            0 | 3 => {
                reader.skip(8)?;
                Ok(if kind == 0 { Selected::None } else { Selected::All })
            }
            1 => Self::read_points(reader, version),
            2 => Self::read_blocks(reader, version),
            _ => Err(reader.error(format_args!("selection type {kind}"))),
        }
    }

    fn read_points(reader: &mut Reader<'_>, version: u32) -> Result<Self> {
        let width = match version {
            1 => {
                reader.skip(8)?;
                4
            }
            2 => usize::from(reader.u8()?),
            _ => return Err(reader.error(format_args!("version {version} of a point selection"))),
        };
        let rank = Self::rank(reader)?;
        let count = reader.uint(Self::width(reader, width)?)?;
        let numbers = count.saturating_mul(rank as u64);
        let coordinates = Self::numbers(reader, numbers, width)?;
        Ok(Selected::Points { rank, coordinates })
    }

    fn read_blocks(reader: &mut Reader<'_>, version: u32) -> Result<Self> {
        let (regular, width) = match version {
            1 => {
                reader.skip(8)?;
                (false, 4)
            }
            2 => {
                let flags = reader.u8()?;
                reader.skip(4)?;
                (flags & 1 != 0, 8)
            }
            3 => {
                let flags = reader.u8()?;
                (flags & 1 != 0, usize::from(reader.u8()?))
            }
            _ => return Err(reader.error(format_args!("version {version} of a hyperslab selection"))),
        };
        let (rank, width) = (Self::rank(reader)?, Self::width(reader, width)?);
        if regular {
            let all = Self::numbers(reader, 4 * rank as u64, width)?;
            let field = |which: usize| (0..rank).map(|dimension| all[4 * dimension + which]).collect::<Vec<_>>();
            let unlimited = if width < 8 { (1u64 << (8 * width)) - 1 } else { u64::MAX };
            let bound =
                |field: Vec<u64>| field.into_iter().map(|n| if n == unlimited { UNLIMITED } else { n }).collect();
            return Ok(Selected::Regular {
                start: field(0),
                stride: field(1),
                count: bound(field(2)),
                block: bound(field(3)),
            });
        }
        let count = reader.uint(width)?;
        let all = Self::numbers(reader, count.saturating_mul(2 * rank as u64), width)?;
        let blocks = all.chunks_exact(2 * rank).map(|block| (block[..rank].to_vec(), block[rank..].to_vec()));
        Ok(Selected::Blocks(blocks.collect()))
    }

    fn rank(reader: &mut Reader<'_>) -> Result<usize> {
        match reader.u32()? as usize {
            rank @ 1..=MAX_RANK => Ok(rank),
            rank => Err(reader.error(format_args!("{rank} dimensions"))),
        }
    }

    fn width(reader: &Reader<'_>, width: usize) -> Result<usize> {
        match width {
            2 | 4 | 8 => Ok(width),
            _ => Err(reader.error(format_args!("numbers of {width} bytes"))),
        }
    }

    fn numbers(reader: &mut Reader<'_>, count: u64, width: usize) -> Result<Vec<u64>> {
        if count > MAX_NUMBERS || count * width as u64 > reader.remaining() as u64 {
            return Err(reader.error(format_args!("{count} numbers in {} bytes", reader.remaining())));
        }
        (0..count).map(|_| reader.uint(width)).collect()
    }

    /// Encodes the selection for an array of `rank` dimensions: in version 1, which every libhdf5 reads, and where its numbers
    /// need more than 32 bits in version 2, which has regular blocks only.
    pub fn encode(&self, rank: usize) -> Result<Vec<u8>> {
        const MOST: u64 = u32::MAX as u64;
        let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
        let listed = |kind: u32, count: usize, numbers: &[u64]| {
            if let Some(large) = numbers.iter().find(|&&number| number > MOST) {
                return Err(Error::range("coordinate of a point or of a block in a list", large, "0..4294967295"));
            }
            if numbers.len() as u64 > MAX_NUMBERS {
                let accepted = format_args!("0..{MAX_NUMBERS}");
                return Err(Error::range("numbers of a selection", numbers.len(), accepted));
            }
            let mut bytes = words(&[kind, 1, 0, 8 + 4 * numbers.len() as u32, rank as u32, count as u32]);
            bytes.extend(numbers.iter().flat_map(|&number| (number as u32).to_le_bytes()));
            Ok(bytes)
        };
        match self {
            Selected::None => Ok(words(&[0, 1, 0, 0])),
            Selected::All => Ok(words(&[3, 1, 0, 0])),
            Selected::Points { coordinates, .. } => listed(1, coordinates.len() / rank.max(1), coordinates),
            Selected::Regular { start, stride, count, block } => match self.blocks() {
                Ok(blocks) if blocks.iter().all(|&number| number <= MOST) => {
                    listed(2, blocks.len() / (2 * rank).max(1), &blocks)
                }
                _ => {
                    let mut bytes = words(&[2, 2]);
                    bytes.push(1);
                    bytes.extend(words(&[4 + 32 * rank as u32, rank as u32]));
                    for dimension in 0..rank {
                        for field in [start, stride, count, block] {
                            bytes.extend(field[dimension].to_le_bytes());
                        }
                    }
                    Ok(bytes)
                }
            },
            Selected::Blocks(blocks) => {
                let numbers: Vec<u64> =
                    blocks.iter().flat_map(|(first, last)| first.iter().chain(last)).copied().collect();
                listed(2, blocks.len(), &numbers)
            }
        }
    }

    /// The blocks of a selection, one after the other: the coordinates of the first element of each, and of the last.
    pub fn blocks(&self) -> Result<Vec<u64>> {
        let Selected::Regular { start, stride, count, block } = self else {
            return match self {
                Selected::Blocks(blocks) => {
                    Ok(blocks.iter().flat_map(|(first, last)| first.iter().chain(last)).copied().collect())
                }
                _ => Ok(Vec::new()),
            };
        };
        let (rank, total) = (start.len(), count.iter().try_fold(1u64, |total, &count| total.checked_mul(count)));
        let numbers = total.and_then(|total| total.checked_mul(2 * rank as u64)).filter(|&n| n <= MAX_LISTED);
        let many = || {
            let message =
                format!("more blocks than can be listed: their corners have more than {MAX_LISTED} coordinates");
            Error::new(ErrorKind::Limit, message)
        };
        let mut out = Vec::with_capacity(numbers.ok_or_else(many)? as usize);
        for number in 0..total.unwrap_or(0) {
            let (mut rest, mut first) = (number, vec![0; rank]);
            for dimension in (0..rank).rev() {
                let at = (rest % count[dimension]).checked_mul(stride[dimension]);
                first[dimension] = at.and_then(|at| at.checked_add(start[dimension])).ok_or_else(outside)?;
                rest /= count[dimension];
            }
            out.extend_from_slice(&first);
            for (first, block) in first.iter().zip(block) {
                out.push(first.checked_add(block.saturating_sub(1)).ok_or_else(outside)?);
            }
        }
        Ok(out)
    }

    /// The dimension in which it grows with the array; an error where there are several.
    pub fn unlimited_dimension(&self) -> Result<Option<usize>> {
        let Selected::Regular { count, block, .. } = self else { return Ok(None) };
        let mut all = (0..count.len()).filter(|&d| count[d] == UNLIMITED || block[d] == UNLIMITED);
        let first = all.next();
        let is_one = first.is_none_or(|d| block[d] != UNLIMITED || count[d] == 1);
        match all.next().is_none() && is_one {
            true => Ok(first),
            false => Err(Error::new(ErrorKind::Corrupt, "a selection is unlimited more than once")),
        }
    }

    /// Whether there are blocks without number in a dimension.
    pub fn has_unlimited_count(&self, dimension: usize) -> bool {
        matches!(self, Selected::Regular { count, .. } if count.get(dimension) == Some(&UNLIMITED))
    }

    /// The same with blocks that are at regular distances told so.
    pub fn regular(self) -> Self {
        let Selected::Blocks(blocks) = &self else { return self };
        let rank = blocks.first().map_or(0, |block| block.0.len());
        let (mut start, mut stride, mut count, mut size) = (vec![], vec![], vec![], vec![]);
        for d in 0..rank {
            let mut sides: Vec<(u64, u64)> = blocks.iter().map(|(first, last)| (first[d], last[d])).collect();
            sides.sort_unstable();
            sides.dedup();
            let length = sides[0].1.wrapping_sub(sides[0].0);
            let step = sides.get(1).map_or(length.saturating_add(1), |next| next.0 - sides[0].0);
            let is_even = |pair: &[(u64, u64)]| pair[1].0 - pair[0].0 == step;
            if length >= step
                || !sides.windows(2).all(is_even)
                || !sides.iter().all(|&(first, last)| last.wrapping_sub(first) == length)
            {
                return self;
            }
            start.push(sides[0].0);
            stride.push(step);
            count.push(sides.len() as u64);
            size.push(length + 1);
        }
        let product = count.iter().try_fold(1u64, |all, &count| all.checked_mul(count));
        let mut distinct: Vec<_> = blocks.iter().collect();
        distinct.sort_unstable();
        distinct.dedup();
        match rank > 0 && product == Some(blocks.len() as u64) && distinct.len() == blocks.len() {
            true => Selected::Regular { start, stride, count, block: size },
            false => self,
        }
    }

    /// The selection as runs along the last dimension, in the order of its elements: the coordinates of a run's first
    /// element, and its length. No more than `most` runs.
    pub fn runs(&self, dims: &[u64], most: usize) -> Result<Vec<(Vec<u64>, u64)>> {
        let mut runs = match self {
            Selected::None => Vec::new(),
            Selected::All => block_runs(&vec![0; dims.len()], dims, most)?,
            Selected::Points { rank, coordinates } => {
                check_rank(*rank, dims)?;
                coordinates.chunks_exact(*rank).map(|point| (point.to_vec(), 1)).collect()
            }
            Selected::Regular { start, stride, count, block } => {
                check_rank(start.len(), dims)?;
                regular_runs(start, stride, count, block, most)?
            }
            Selected::Blocks(blocks) => {
                let mut runs = Vec::new();
                for (first, last) in blocks {
                    check_rank(first.len(), dims)?;
                    let lengths = first.iter().zip(last).map(|(first, last)| last.checked_sub(*first)?.checked_add(1));
                    let lengths = lengths.collect::<Option<Vec<u64>>>().ok_or_else(outside)?;
                    runs.extend(block_runs(first, &lengths, most)?);
                }
                // The elements of a union are in the order of the array.
                runs.sort_unstable();
                runs
            }
        };
        let fits = |(at, length): &(Vec<u64>, u64)| {
            let (last, before) =
                at.split_last().zip(dims.split_last()).map_or((0, true), |((last, rest), (_, most))| {
                    (*last, rest.iter().zip(most).all(|(at, dim)| at < dim))
                });
            before && last.checked_add(*length).is_some_and(|end| dims.last().is_none_or(|&dim| end <= dim))
        };
        match runs.len() <= most && runs.iter().all(fits) {
            true => {
                runs.retain(|(_, length)| *length > 0);
                Ok(runs)
            }
            false => Err(outside()),
        }
    }
}

fn outside() -> Error {
    Error::new(ErrorKind::Corrupt, "a selection reaches out of its array, or has too many pieces")
}

fn check_rank(rank: usize, dims: &[u64]) -> Result<()> {
    if rank == dims.len() {
        return Ok(());
    }
    let message = format!("a selection of {rank} dimensions in an array of {}", dims.len());
    Err(Error::new(ErrorKind::Corrupt, message))
}

fn block_runs(start: &[u64], lengths: &[u64], most: usize) -> Result<Vec<(Vec<u64>, u64)>> {
    let ones = vec![1; start.len()];
    regular_runs(start, &ones, &ones, lengths, most)
}

fn regular_runs(
    start: &[u64],
    stride: &[u64],
    count: &[u64],
    block: &[u64],
    most: usize,
) -> Result<Vec<(Vec<u64>, u64)>> {
    let mut runs: Vec<(Vec<u64>, u64)> = vec![(Vec::new(), 1)];
    let last = start.len().saturating_sub(1);
    for dimension in 0..start.len() {
        let (start, stride) = (start[dimension], stride[dimension]);
        let (mut count, mut block) = (count[dimension], block[dimension]);
        if stride == block && dimension == last && count > 0 {
            // Blocks without gaps are one.
            (count, block) = (1, count.checked_mul(block).ok_or_else(outside)?);
        }
        let pieces = if dimension == last { count } else { count.checked_mul(block).ok_or_else(outside)? };
        if pieces.checked_mul(runs.len() as u64).is_none_or(|pieces| pieces > most as u64) {
            return Err(outside());
        }
        let mut next = Vec::with_capacity(runs.len() * pieces as usize);
        for (at, _) in &runs {
            for piece in 0..pieces {
                let (number, within) = if dimension == last { (piece, 0) } else { (piece / block, piece % block) };
                let at_piece = number.checked_mul(stride).and_then(|n| n.checked_add(start)?.checked_add(within));
                let mut place = at.clone();
                place.push(at_piece.ok_or_else(outside)?);
                next.push((place, if dimension == last { block } else { 1 }));
            }
        }
        runs = next;
    }
    Ok(runs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Selected> {
        Selected::read(&mut Reader::new(bytes, "test"))
    }

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    #[test]
    fn every_encoding() {
        assert_eq!(read(&words(&[3, 1, 0, 0])).unwrap(), Selected::All);
        assert_eq!(read(&words(&[0, 1, 0, 0])).unwrap(), Selected::None);
        let points = read(&words(&[1, 1, 0, 24, 2, 2, 0, 1, 2, 3])).unwrap();
        assert_eq!(points, Selected::Points { rank: 2, coordinates: vec![0, 1, 2, 3] });
        let blocks = read(&words(&[2, 1, 0, 24, 1, 2, 0, 1, 4, 5])).unwrap();
        assert_eq!(blocks, Selected::Blocks(vec![(vec![0], vec![1]), (vec![4], vec![5])]));
        let mut regular = words(&[2, 3]);
        regular.extend([1, 2, 2, 0, 0, 0]);
        for number in [0u16, 3, 2, 1, 5, 1, u16::MAX, 1] {
            regular.extend(number.to_le_bytes());
        }
        let regular = read(&regular).unwrap();
        assert_eq!(regular.unlimited_dimension().unwrap(), Some(1));
        assert!(regular.has_unlimited_count(1));
        let Selected::Regular { start, stride, count, block } = regular else { panic!() };
        assert_eq!((start, stride, count, block), (vec![0, 5], vec![3, 1], vec![2, u64::MAX], vec![1, 1]));
        assert!(read(&words(&[1, 1, 0, 24, 2, u32::MAX])).is_err());
        assert!(read(&words(&[2, 4, 0, 24, 2, 1])).is_err());
    }

    #[test]
    fn what_is_encoded_is_read() {
        let regular = |start: u64| Selected::Regular {
            start: vec![start, 1],
            stride: vec![4, 9],
            count: vec![2, 1],
            block: vec![2, 3],
        };
        let points = Selected::Points { rank: 2, coordinates: vec![0, 1, 2, 3] };
        for selected in [Selected::None, Selected::All, points, regular(u64::from(u32::MAX))] {
            assert_eq!(read(&selected.encode(2).unwrap()).unwrap(), selected);
        }
        let blocks = vec![(vec![3, 1], vec![4, 3]), (vec![7, 1], vec![8, 3])];
        assert_eq!(read(&regular(3).encode(2).unwrap()).unwrap(), Selected::Blocks(blocks.clone()));
        assert_eq!(Selected::Blocks(blocks).blocks().unwrap(), regular(3).blocks().unwrap());
        let far = Selected::Points { rank: 1, coordinates: vec![1 << 32] };
        assert!(far.encode(1).unwrap_err().message().contains("4294967296"));
        assert!(regular(u64::MAX - 3).blocks().is_err());
        let (start, stride, block) = (vec![0, 0], vec![2, 2], vec![1, 1]);
        let many = Selected::Regular { start, stride, count: vec![1000, 1000], block };
        assert_eq!(many.blocks().unwrap_err().kind(), ErrorKind::Limit);
        assert_eq!(read(&many.encode(2).unwrap()).unwrap(), many);
    }

    #[test]
    fn runs_are_in_the_order_of_the_array() {
        let dims = [4, 6];
        let all = Selected::All.runs(&dims, 100).unwrap();
        assert_eq!(all, (0..4).map(|row| (vec![row, 0], 6)).collect::<Vec<_>>());
        let regular = Selected::Regular { start: vec![1, 0], stride: vec![2, 3], count: vec![2, 2], block: vec![1, 2] };
        let expected = [([1, 0], 2), ([1, 3], 2), ([3, 0], 2), ([3, 3], 2)].map(|(at, n)| (at.to_vec(), n));
        assert_eq!(regular.runs(&dims, 100).unwrap(), expected);
        let blocks = Selected::Blocks(vec![(vec![0, 4], vec![1, 5]), (vec![0, 0], vec![1, 1])]);
        let expected = [([0, 0], 2), ([0, 4], 2), ([1, 0], 2), ([1, 4], 2)].map(|(at, n)| (at.to_vec(), n));
        assert_eq!(blocks.runs(&dims, 100).unwrap(), expected);
        assert!(Selected::All.runs(&dims, 3).is_err());
        assert!(Selected::Blocks(vec![(vec![0, 4], vec![1, 6])]).runs(&dims, 100).is_err());
        assert!(Selected::Blocks(vec![(vec![0, 4], vec![4, 5])]).runs(&dims, 100).is_err());
    }
}

//! A mapping of a virtual dataset, dimension by dimension: which of the elements asked for are which of the source.
//!
//! The n-th element of the one selection is the n-th of the other. Where both have as many elements in each dimension (but for
//! dimensions of one), that holds in each dimension by itself, and what is asked for is read without anything else.

use super::selection::{Dimension, Slab};
use super::Selection;
use crate::error::{Error, ErrorKind, Result};
use crate::format::selection::{Selected, UNLIMITED};

/// Bytes of a source that are read at once.
const AT_ONCE: u64 = 16 << 20;

/// So many elements between two that are asked for are read along.
const GAP: u64 = 8;

/// The coordinates that are selected in one dimension, by their ordinals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Axis {
    start: u64,
    stride: u64,
    /// No more than the stride.
    block: u64,
    elements: u64,
}

impl Axis {
    fn new(start: u64, stride: u64, count: u64, block: u64) -> Result<Self> {
        let wrong = || {
            let what = format!("a selection of start {start}, stride {stride}, count {count}, block {block}");
            Error::new(ErrorKind::Corrupt, what)
        };
        if count == 0 || block == 0 {
            return Ok(Axis { start, stride: 1, block: 1, elements: 0 });
        }
        if count > 1 && (stride < block || stride == 0) {
            return Err(wrong());
        }
        let is_endless = count == UNLIMITED || block == UNLIMITED;
        let elements = if is_endless { UNLIMITED } else { count.checked_mul(block).ok_or_else(wrong)? };
        // Blocks without gaps are one.
        let (stride, block) = if count == 1 || stride == block { (elements, elements) } else { (stride, block) };
        let axis = Axis { start, stride, block, elements };
        let last = (elements - 1) / block;
        let end = last.checked_mul(stride).and_then(|at| at.checked_add(start)?.checked_add(block));
        match is_endless || end.is_some() {
            true => Ok(axis),
            false => Err(wrong()),
        }
    }

    /// The let ranges = self.ranges(); of selected coordinates before one.
    pub fn before(self, coordinate: u64) -> u64 {
        let distance = coordinate.saturating_sub(self.start);
        let whole = (distance / self.stride).saturating_mul(self.block);
        whole.saturating_add((distance % self.stride).min(self.block)).min(self.elements)
    }

    /// The selected coordinate with an ordinal, which there is.
    fn coordinate(self, ordinal: u64) -> u64 {
        self.start + ordinal / self.block * self.stride + ordinal % self.block
    }

    /// The least extent that has so many selected coordinates, or all there are; none where no extent has.
    pub fn extent_of(self, elements: u64) -> Option<u64> {
        let Some(last) = elements.min(self.elements).checked_sub(1) else { return Some(0) };
        let at = (last / self.block).checked_mul(self.stride)?.checked_add(self.start)?;
        at.checked_add(last % self.block)?.checked_add(1)
    }

    /// Whether it goes on with the array.
    pub fn is_endless(self) -> bool {
        self.elements == UNLIMITED
    }

    /// The first so many.
    pub fn cut(self, elements: u64) -> Self {
        Axis { elements: self.elements.min(elements), ..self }
    }

    /// The dimension of a selection whose blocks are sources of their own.
    pub fn numbered(selected: &Selected, dimension: usize) -> Result<Self> {
        match selected {
            Selected::Regular { start, stride, block, .. }
                if block[dimension] > 0 && stride[dimension] >= block[dimension] =>
            {
                let [start, stride, block] = [start, stride, block].map(|field| field[dimension]);
                Ok(Axis { start, stride, block, elements: UNLIMITED })
            }
            _ => Err(Error::new(ErrorKind::Corrupt, "numbered sources whose blocks overlap")),
        }
    }

    /// The block with a number.
    pub fn only_block(self, number: u64) -> Option<Self> {
        let start = number.checked_mul(self.stride)?.checked_add(self.start)?;
        start.checked_add(self.block)?;
        Some(Axis { start, stride: self.block, block: self.block, elements: self.block })
    }

    /// The blocks that begin before a coordinate; and the number of the one that has the coordinate, or comes after it.
    pub fn blocks(self, coordinate: u64) -> (u64, u64) {
        let distance = coordinate.saturating_sub(self.start);
        let whole = distance / self.stride;
        (distance.div_ceil(self.stride), whole + u64::from(distance % self.stride >= self.block))
    }

    /// Cuts ordinals into ranges of at most `most` that are blocks at regular distances.
    fn ranges(self, (mut begin, end): (u64, u64), most: u64, out: &mut Vec<(u64, u64)>) {
        while begin < end {
            let (within, left) = (begin % self.block, (end - begin).min(most));
            let length = match self.block {
                1 => left,
                block if within == 0 && left >= block => left - left % block,
                block => left.min(block - within),
            };
            out.push((begin, begin + length));
            begin += length;
        }
    }

    /// Start, stride, count and block of a range that [`Axis::ranges`] made.
    fn regular(self, (begin, end): (u64, u64)) -> [u64; 4] {
        let (start, length) = (self.coordinate(begin), end - begin);
        match begin % self.block + length <= self.block {
            true => [start, length, 1, length],
            false => [start, self.stride, length / self.block, self.block],
        }
    }
}

/// The dimensions of a selection in an array; none where they are not independent of each other.
pub(super) fn axes(selected: &Selected, dims: &[u64]) -> Result<Option<Vec<Axis>>> {
    let axes: Vec<Axis> = match selected {
        Selected::All => dims.iter().map(|&dim| Axis::new(0, 1, 1, dim)).collect::<Result<_>>()?,
        Selected::None => vec![Axis::new(0, 1, 0, 0)?; dims.len()],
        Selected::Regular { start, stride, count, block } if start.len() == dims.len() => {
            let axis = |d: usize| Axis::new(start[d], stride[d], count[d], block[d]);
            (0..dims.len()).map(axis).collect::<Result<_>>()?
        }
        Selected::Regular { start, .. } => {
            let message = format!("a selection of {} dimensions in an array of {}", start.len(), dims.len());
            return Err(Error::new(ErrorKind::Corrupt, message));
        }
        _ => return Ok(None),
    };
    Ok(Some(axes))
}

/// The number of elements that axes select.
pub(super) fn elements(axes: &[Axis]) -> Result<u64> {
    let product = axes.iter().try_fold(1u64, |product, axis| product.checked_mul(axis.elements));
    product.ok_or_else(|| Error::new(ErrorKind::Corrupt, "a selection of more than 2^64 elements"))
}

/// Whether a selection lies in its array.
pub(super) fn is_inside(axes: &[Axis], dims: &[u64]) -> Result<bool> {
    let fits = |(axis, &dim): (&Axis, &u64)| axis.extent_of(axis.elements).is_some_and(|extent| extent <= dim);
    Ok(elements(axes)? == 0 || axes.iter().zip(dims).all(fits))
}

/// Fails where a selection reaches out of its array.
pub(super) fn check_inside(axes: &[Axis], dims: &[u64]) -> Result<()> {
    if is_inside(axes, dims)? {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Corrupt, format!("a selection reaches out of an array of {dims:?}")))
}

/// Neighbours in the source that are neighbours among the elements asked for.
#[derive(Debug, Clone, Copy)]
struct Piece {
    /// The ordinal of the first in the mapping.
    ordinal: u64,
    /// Its place among the elements asked for.
    index: u64,
    length: u64,
}

/// A dimension of both selections.
struct Pair {
    source: Axis,
    /// The source's dimension.
    dimension: usize,
    /// Those asked for, ascending.
    pieces: Vec<Piece>,
    /// Elements from one place among those asked for to the next.
    pitch: u64,
}

/// A mapping as far as it meets the elements asked for.
pub(super) struct Projection {
    pairs: Vec<Pair>,
    source: Vec<Axis>,
    /// Of the first element in dimensions of one.
    base: u64,
    /// Bytes of an element in memory.
    size: usize,
}

/// What of the elements asked for lies in a dimension of a mapping.
fn pieces(asked: Dimension, target: Axis) -> Vec<Piece> {
    let mut all: Vec<Piece> = Vec::new();
    let mut index = 0;
    while index < asked.elements() {
        let (first, length) = (asked.coordinate(index), asked.block());
        let (mut ordinal, end) = (target.before(first), target.before(first + length));
        while ordinal < end {
            let count = (target.block - ordinal % target.block).min(end - ordinal);
            all.push(Piece { ordinal, index: index + (target.coordinate(ordinal) - first), length: count });
            ordinal += count;
        }
        index += length;
    }
    all
}

/// Whether a mapping selects any of the elements asked for.
pub(super) fn meets(asked: &Slab, target: &[Axis]) -> bool {
    target.iter().enumerate().all(|(d, &axis)| is_met(asked.dimension(d), axis))
}

fn is_met(asked: Dimension, target: Axis) -> bool {
    let mut index = 0;
    while index < asked.elements() {
        let first = asked.coordinate(index);
        let end = first + asked.block();
        if target.before(first) < target.before(end) {
            return true;
        }
        index += asked.block();
    }
    false
}

impl Projection {
    /// The elements asked for that `target` selects, which are those that `source` selects; none where there are none, an
    /// error where the selections have different numbers of elements. `None` inside: the dimensions are not alike.
    pub fn new(asked: &Slab, target: &[Axis], source: &[Axis], size: usize) -> Result<Option<Option<Projection>>> {
        let (found, needed) = (elements(source)?, elements(target)?);
        if found != needed {
            let message = format!("a mapping of {found} source elements to {needed}");
            return Err(Error::new(ErrorKind::Corrupt, message));
        }
        if needed == 0 {
            return Ok(None);
        }
        let mut pitches = vec![1u64; target.len()];
        for d in (1..target.len()).rev() {
            pitches[d - 1] = pitches[d].saturating_mul(asked.dimension(d).elements());
        }
        let mut others = source.iter().enumerate().filter(|(_, axis)| axis.elements > 1);
        let (mut pairs, mut base, mut is_alike) = (Vec::new(), 0, true);
        for (d, &axis) in target.iter().enumerate() {
            let pieces = pieces(asked.dimension(d), axis);
            match (pieces.first(), axis.elements) {
                (None, _) => return Ok(None),
                (Some(piece), 1) => base += piece.index * pitches[d],
                _ => match others.next() {
                    Some((dimension, &source)) if source.elements == axis.elements => {
                        pairs.push(Pair { source, dimension, pieces, pitch: pitches[d] });
                    }
                    _ => is_alike = false,
                },
            }
        }
        let projection = Projection { pairs, source: source.to_vec(), base, size };
        Ok(Some((is_alike && others.next().is_none()).then_some(projection)))
    }

    /// Reads what is asked for by `read`, and puts it in its places in `out`.
    pub fn read(
        &self,
        out: &mut [u8],
        mut read: impl FnMut(&Selection<'_>, &mut Vec<u8>, u64) -> Result<()>,
    ) -> Result<()> {
        let ranges = self.ranges();
        let rank = self.source.len();
        let [mut start, mut stride, mut count, mut block] = [(); 4].map(|()| vec![1; rank]);
        for (d, axis) in self.source.iter().enumerate() {
            start[d] = axis.coordinate(0);
        }
        let (mut number, mut data) = (vec![0; self.pairs.len()], Vec::new());
        loop {
            let now: Vec<(u64, u64)> = ranges.iter().zip(&number).map(|(ranges, &number)| ranges[number]).collect();
            for (pair, &range) in self.pairs.iter().zip(&now) {
                let d = pair.dimension;
                [start[d], stride[d], count[d], block[d]] = pair.source.regular(range);
            }
            let selection =
                Selection { start: Some(&start), stride: Some(&stride), count: Some(&count), block: Some(&block) };
            read(&selection, &mut data, now.iter().map(|(begin, end)| end - begin).product())?;
            self.visit(&now, 0, 0, self.base, &mut |from, to, count| {
                let [from, to, length] = [from, to, count].map(|elements| elements as usize * self.size);
                out[to..to + length].copy_from_slice(&data[from..from + length]);
            });
            let Some(next) = (0..number.len()).rev().find(|&n| number[n] + 1 < ranges[n].len()) else { return Ok(()) };
            number[next] += 1;
            number[next + 1..].fill(0);
        }
    }

    /// The ranges of ordinals that are read together, per dimension: so few that they are bounded in memory. What is not asked
    /// for is read along where it is little, and between what is asked for of rows.
    fn ranges(&self) -> Vec<Vec<(u64, u64)>> {
        let mut inner = self.size as u64;
        let mut all: Vec<Vec<(u64, u64)>> = Vec::with_capacity(self.pairs.len());
        for (number, pair) in self.pairs.iter().enumerate().rev() {
            let (Some(first), Some(last)) = (pair.pieces.first(), pair.pieces.last()) else { return Vec::new() };
            let end = last.ordinal + last.length;
            let most = (AT_ONCE / inner.max(1)).max(1);
            let gap = if number > 0 && end - first.ordinal <= most { UNLIMITED } else { GAP };
            let (mut ranges, mut group) = (Vec::new(), (first.ordinal, first.ordinal));
            for piece in &pair.pieces {
                if piece.ordinal - group.1 > gap {
                    pair.source.ranges(group, most, &mut ranges);
                    group.0 = piece.ordinal;
                }
                group.1 = piece.ordinal + piece.length;
            }
            pair.source.ranges(group, most, &mut ranges);
            let longest = ranges.iter().map(|(begin, end)| end - begin).max();
            inner = inner.saturating_mul(longest.unwrap_or(1));
            all.push(ranges);
        }
        all.reverse();
        all
    }

    /// Gives what is asked for a value, and goes on with what of it lies in a source of these dimensions; false if nothing does.
    pub fn fill_and_clip(&mut self, dims: &[u64], element: &[u8], out: &mut [u8]) -> bool {
        let all: Vec<(u64, u64)> = self.pairs.iter().map(|pair| (0, pair.source.elements)).collect();
        self.visit(&all, 0, 0, self.base, &mut |_, to, count| {
            let place = to as usize * self.size..(to + count) as usize * self.size;
            super::transfer::repeat(element, &mut out[place]);
        });
        for pair in &mut self.pairs {
            let inside = pair.source.before(dims[pair.dimension]);
            pair.pieces.retain(|piece| piece.ordinal < inside);
            pair.pieces.iter_mut().for_each(|piece| piece.length = piece.length.min(inside - piece.ordinal));
        }
        let is_inside = |(axis, &dim): (&Axis, &u64)| axis.coordinate(0) < dim;
        self.source.iter().zip(dims).all(is_inside) && self.pairs.iter().all(|pair| !pair.pieces.is_empty())
    }

    /// Calls `visit` for what lies in the ranges of the dimensions from `level`: `from` counts the elements before in these ranges,
    /// `to` those before in what is asked for, and the last number those that follow each other in both.
    fn visit(&self, ranges: &[(u64, u64)], level: usize, from: u64, to: u64, visit: &mut dyn FnMut(u64, u64, u64)) {
        let Some(pair) = self.pairs.get(level) else { return visit(from, to, 1) };
        let (begin, end) = ranges[level];
        let inner = ranges[level + 1..].iter().map(|(begin, end)| end - begin).fold(1, u64::saturating_mul);
        let first = pair.pieces.partition_point(|piece| piece.ordinal + piece.length <= begin);
        for piece in pair.pieces[first..].iter().take_while(|piece| piece.ordinal < end) {
            let (low, high) = (piece.ordinal.max(begin), (piece.ordinal + piece.length).min(end));
            let (from, to) = (
                from.wrapping_add((low - begin).wrapping_mul(inner)),
                to + (piece.index + low - piece.ordinal) * pair.pitch,
            );
            if level + 1 == self.pairs.len() && pair.pitch == 1 {
                visit(from, to, high - low);
                continue;
            }
            for n in 0..high - low {
                let from = from.wrapping_add(n.wrapping_mul(inner));
                self.visit(ranges, level + 1, from, to + n * pair.pitch, visit);
            }
        }
    }
}

/// The selection as runs along the last dimension, in the order of its elements: the coordinates of a run's first element, and
/// its length. No more than `most` runs.
pub(super) fn runs(axes: &[Axis], most: usize) -> Result<Vec<(Vec<u64>, u64)>> {
    let mut runs: Vec<(Vec<u64>, u64)> = vec![(Vec::with_capacity(axes.len()), 1)];
    for (d, &axis) in axes.iter().enumerate() {
        let is_last = d + 1 == axes.len();
        let step = if is_last { axis.block } else { 1 };
        let pieces = axis.elements.div_ceil(step);
        if pieces.checked_mul(runs.len() as u64).is_none_or(|pieces| pieces > most as u64) {
            return Err(Error::new(ErrorKind::Limit, format!("a mapping of more than {most} pieces")));
        }
        let mut next = Vec::with_capacity(runs.len() * pieces as usize);
        for (at, _) in &runs {
            for piece in 0..pieces {
                let mut at = at.clone();
                at.push(axis.coordinate(piece * step));
                next.push((at, if is_last { step.min(axis.elements - piece * step) } else { 1 }));
            }
        }
        runs = next;
    }
    Ok(runs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// All elements that axes select, in their order.
    fn all(axes: &[Axis]) -> Vec<Vec<u64>> {
        let runs = runs(axes, 1 << 20).unwrap();
        let one = |(at, length): (Vec<u64>, u64)| {
            (0..length).map(move |n| {
                let mut at = at.clone();
                *at.last_mut().unwrap() += n;
                at
            })
        };
        runs.into_iter().flat_map(one).collect()
    }

    fn linear(at: &[u64], dims: &[u64]) -> u64 {
        at.iter().zip(dims).fold(0, |sum, (at, dim)| sum * dim + at)
    }

    /// An axis of so many elements, cut out of one that goes on.
    fn axis(elements: u64, (start, gap, block): (u64, u64, u64)) -> Axis {
        Axis::new(start, block + gap, UNLIMITED, block).unwrap().cut(elements)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]
        /// What is read is what the mapping says, element by element, and no more than it says.
        #[test]
        fn what_is_asked_for_is_read(
            shape in prop::collection::vec((1u64..9, (0u64..4, 0u64..3, 1u64..4), (0u64..4, 0u64..3, 1u64..4), 0u64..30, 1u64..12, 1u64..4), 1..4),
            single: u8,
        ) {
            let lengths = shape.iter().enumerate().map(|(d, s)| if single & 1 << d != 0 { 1 } else { s.0 });
            let target: Vec<Axis> = lengths.clone().zip(&shape).map(|(n, s)| axis(n, s.1)).collect();
            let mut source: Vec<Axis> = lengths.zip(&shape).filter(|(n, _)| *n > 1).map(|(n, s)| axis(n, s.2)).collect();
            source.insert(source.len() / 2, axis(1, (3, 1, 1)));
            let extents = |axes: &[Axis]| axes.iter().map(|axis| axis.extent_of(u64::MAX).unwrap() + 2).collect::<Vec<_>>();
            let (dims, source_dims) = (extents(&target), extents(&source));
            let start: Vec<u64> = shape.iter().zip(&dims).map(|(s, dim)| s.3 % dim).collect();
            let stride: Vec<u64> = shape.iter().map(|s| s.4.max(s.5)).collect();
            let block: Vec<u64> = shape.iter().zip(start.iter().zip(&dims)).map(|(s, (start, dim))| s.5.min(dim - start)).collect();
            let selection = Selection { start: Some(&start), stride: Some(&stride), count: None, block: Some(&block) };
            let slab = Slab::with_all_dimensions(Some(&selection), &dims).unwrap();

            let mut expected = vec![u32::MAX; slab.elements() as usize];
            let mut asked = Vec::new();
            slab.for_each_run(|first, length| {
                asked.extend(first..first + length);
                Ok(())
            }).unwrap();
            let pairs: Vec<(Vec<u64>, Vec<u64>)> = all(&target).into_iter().zip(all(&source)).collect();
            for (place, first) in asked.into_iter().enumerate() {
                if let Some((_, from)) = pairs.iter().find(|(to, _)| linear(to, &dims) == first) {
                    expected[place] = linear(from, &source_dims) as u32;
                }
            }

            let mut out = vec![0xff; expected.len() * 4];
            prop_assert_eq!(meets(&slab, &target), expected.iter().any(|&n| n != u32::MAX));
            if let Some(projection) = Projection::new(&slab, &target, &source, 4).unwrap() {
                let projection = projection.expect("they are alike");
                projection.read(&mut out, |selection, data, elements| {
                    data.clear();
                    Slab::new(Some(selection), &source_dims)?.for_each_run(|first, length| {
                        data.extend((first..first + length).flat_map(|n| (n as u32).to_le_bytes()));
                        Ok(())
                    })?;
                    assert_eq!(data.len() as u64, elements * 4);
                    Ok(())
                }).unwrap();
            }
            let out: Vec<u32> = out.chunks(4).map(|n| u32::from_le_bytes(n.try_into().unwrap())).collect();
            prop_assert_eq!(out, expected);
        }
    }

    #[test]
    fn little_is_read_of_much() {
        let whole = [Axis::new(0, 1, UNLIMITED, 1).unwrap().cut(1 << 20), Axis::new(0, 1, 1, 1 << 20).unwrap()];
        let dims = [1 << 20; 2];
        let (start, stride, count) = ([5, 7], [1 << 18, 1 << 19], [3, 2]);
        let selection = Selection { start: Some(&start), stride: Some(&stride), count: Some(&count), block: None };
        let slab = Slab::with_all_dimensions(Some(&selection), &dims).unwrap();
        let projection = Projection::new(&slab, &whole, &whole, 64).unwrap().unwrap().unwrap();
        let mut read = 0;
        let mut out = vec![0; 6 * 64];
        projection
            .read(&mut out, |_, data, elements| {
                data.resize(elements as usize * 64, 1);
                read += elements;
                Ok(())
            })
            .unwrap();
        assert_eq!((read, out), (6, vec![1; 6 * 64]));
    }

    #[test]
    fn hostile_selections_are_refused() {
        for (start, stride, count, block) in
            [(0, 0, 2, 1), (0, 1, 2, 2), (5, 1 << 40, 1 << 40, 1), (0, 2, u64::MAX - 1, 2), (u64::MAX, 1, 1, 1)]
        {
            assert!(Axis::new(start, stride, count, block).is_err(), "{start} {stride} {count} {block}");
        }
        let endless = Axis::new(u64::MAX - 1, u64::MAX, UNLIMITED, 3).unwrap();
        assert_eq!((endless.extent_of(1), endless.extent_of(2), endless.extent_of(4)), (Some(u64::MAX), None, None));
        assert_eq!(endless.before(u64::MAX), 1);
        let empty = Axis::new(7, 0, 0, 5).unwrap();
        assert_eq!((empty.before(100), empty.extent_of(u64::MAX)), (0, Some(0)));
        let far = Axis { start: u64::MAX - 4, stride: 4, block: 2, elements: UNLIMITED };
        assert_eq!(far.only_block(0).map(|block| block.start), Some(u64::MAX - 4));
        assert_eq!(far.only_block(1), None);
        let square = Slab::with_all_dimensions(None, &[4, 4]).unwrap();
        let [four, sixteen] = [4, 16].map(|n| Axis::new(0, 1, 1, n).unwrap());
        assert!(Projection::new(&square, &[four, four], &[four, sixteen], 1).is_err());
        assert!(matches!(Projection::new(&square, &[four, four], &[sixteen], 1), Ok(Some(None))));
    }
}

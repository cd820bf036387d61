//! A selection cut along the chunks of a dataset.

use super::selection::{Dimension, Slab};
use crate::error::Result;
use crate::format::message::dataspace::MAX_RANK;

/// What of a selection lies in one chunk: in every dimension, a range of the selected coordinates.
#[derive(Debug, Clone)]
pub(super) struct Cut<'a> {
    slab: &'a Slab,
    chunk: &'a [u64],
    scaled: [u64; MAX_RANK],
    /// The first of the selected coordinates that lie in the chunk, by their numbers, and the end of them.
    ranges: [(u64, u64); MAX_RANK],
}

/// The chunks that have selected elements, one after the other in row-major order.
pub(super) struct Cuts<'a> {
    next: Option<Cut<'a>>,
}

impl<'a> Cuts<'a> {
    /// Those of chunks of these dimensions. The slab must have all dimensions of the dataset, and there must be one at least.
    pub fn new(slab: &'a Slab, chunk: &'a [u64]) -> Self {
        let rank = slab.rank().min(chunk.len());
        if slab.elements() == 0 || rank == 0 {
            return Cuts { next: None };
        }
        let mut cut = Cut { slab, chunk, scaled: [0; MAX_RANK], ranges: [(0, 0); MAX_RANK] };
        (0..rank).for_each(|dimension| cut.enter(dimension, 0));
        Cuts { next: Some(cut) }
    }
}

impl<'a> Iterator for Cuts<'a> {
    type Item = Cut<'a>;

    fn next(&mut self) -> Option<Cut<'a>> {
        let cut = self.next.take()?;
        let rank = cut.rank();
        let unfinished = |&d: &usize| cut.ranges[d].1 < cut.dimension(d).elements();
        self.next = (0..rank).rev().find(unfinished).map(|advanced| {
            let mut next = cut.clone();
            next.enter(advanced, cut.ranges[advanced].1);
            (advanced + 1..rank).for_each(|dimension| next.enter(dimension, 0));
            next
        });
        Some(cut)
    }
}

impl Slab {
    /// Calls `visit` for every chunk of these dimensions that has selected elements, in row-major order.
    pub fn for_each_cut(&self, chunk: &[u64], visit: impl FnMut(Cut<'_>) -> Result<()>) -> Result<()> {
        Cuts::new(self, chunk).try_for_each(visit)
    }
}

impl Cut<'_> {
    /// Takes the chunk that the selected coordinate `number` of a dimension lies in.
    fn enter(&mut self, dimension: usize, number: u64) {
        let selected = self.slab.dimension(dimension);
        let scaled = selected.coordinate(number) / self.chunk[dimension];
        let end = scaled.saturating_add(1).saturating_mul(self.chunk[dimension]);
        self.scaled[dimension] = scaled;
        self.ranges[dimension] = (number, selected.before(end));
    }

    fn rank(&self) -> usize {
        self.chunk.len()
    }

    /// The chunk's place, in chunks.
    pub fn scaled(&self) -> &[u64] {
        &self.scaled[..self.rank()]
    }

    /// Whether the chunk reaches beyond the dataset's extent.
    pub fn is_partial(&self, extent: &[u64]) -> bool {
        self.scaled().iter().zip(self.chunk).zip(extent).any(|((at, chunk), extent)| extent - at * chunk < *chunk)
    }

    /// Whether every element of the chunk is selected that the dataset has, or can come to have.
    pub fn is_whole(&self, extent: &[u64], max: &[u64]) -> bool {
        let grows = |d: usize| max[d] > extent[d] && extent[d] - self.scaled[d] * self.chunk[d] < self.chunk[d];
        self.elements() == self.elements_inside(extent) && !(0..self.rank()).any(grows)
    }

    /// The number of selected elements in the chunk.
    pub fn elements(&self) -> u64 {
        self.ranges[..self.rank()].iter().map(|(first, end)| end - first).product()
    }

    /// The number of the chunk's elements that lie in the dataset's extent.
    pub fn elements_inside(&self, extent: &[u64]) -> u64 {
        let inside = self.scaled().iter().zip(self.chunk).zip(extent);
        inside.map(|((at, chunk), extent)| (extent - at * chunk).min(*chunk)).product()
    }

    /// Where the selected elements begin and end among all that are selected, with those of other chunks in between, counted in
    /// elements of the selection's rows below the first dimension.
    pub fn band(&self) -> (u64, u64) {
        let below: u64 = (1..self.rank()).map(|d| self.dimension(d).elements()).product();
        (self.ranges[0].0 * below, self.ranges[0].1 * below)
    }

    fn dimension(&self, dimension: usize) -> Dimension {
        self.slab.dimension(dimension)
    }

    /// Calls `visit` for every run of elements that are neighbours in the chunk and in the selection: where it begins in
    /// the chunk, where in the selection, and its length.
    pub fn for_each_run(&self, mut visit: impl FnMut(u64, u64, u64) -> Result<()>) -> Result<()> {
        let mut in_chunk = [1u64; MAX_RANK];
        let mut in_memory = [1u64; MAX_RANK];
        for d in (1..self.rank()).rev() {
            in_chunk[d - 1] = in_chunk[d] * self.chunk[d];
            in_memory[d - 1] = in_memory[d].saturating_mul(self.dimension(d).elements());
        }
        // Rows that are whole in both are one run with the dimension above them.
        let mut inner = self.rank() - 1;
        while inner > 0 && self.is_row(inner) {
            inner -= 1;
        }
        let mut numbers = [0; MAX_RANK];
        for (number, range) in numbers.iter_mut().zip(&self.ranges) {
            *number = range.0;
        }
        loop {
            let (mut from, mut to) = (0, 0);
            for d in 0..inner {
                from += self.position(d, numbers[d]) * in_chunk[d];
                to += numbers[d] * in_memory[d];
            }
            let (selected, (mut number, end)) = (self.dimension(inner), self.ranges[inner]);
            while number < end {
                let length = (selected.block() - number % selected.block()).min(end - number);
                let from = from + self.position(inner, number) * in_chunk[inner];
                visit(from, to + number * in_memory[inner], length * in_chunk[inner])?;
                number += length;
            }
            let next = |&d: &usize| numbers[d] + 1 < self.ranges[d].1;
            let Some(advanced) = (0..inner).rev().find(next) else { return Ok(()) };
            numbers[advanced] += 1;
            for (number, range) in numbers.iter_mut().zip(&self.ranges).take(inner).skip(advanced + 1) {
                *number = range.0;
            }
        }
    }

    /// Where the selected coordinate lies in the chunk.
    fn position(&self, dimension: usize, number: u64) -> u64 {
        self.dimension(dimension).coordinate(number) - self.scaled[dimension] * self.chunk[dimension]
    }

    /// Whether all of the dimension is selected, and lies in this chunk.
    fn is_row(&self, dimension: usize) -> bool {
        let selected = self.dimension(dimension);
        let (first, end) = self.ranges[dimension];
        first == 0 && end == selected.elements() && end == self.chunk[dimension] && selected.block() >= end
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::dataset::Selection;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]
        /// Every selected element is met once, in the chunk where it lies, and leads to its place in the selection.
        #[test]
        fn cuts_cover_the_selection(
            shape in prop::collection::vec((1u64..9, 0u64..8, 1u64..4, 1u64..4, 0u64..5, 1u64..5), 1..5),
        ) {
            let (mut dims, mut chunk) = (vec![], vec![]);
            let (mut start, mut stride, mut count, mut block) = (vec![], vec![], vec![], vec![]);
            for (extent, s, b, extra, c, size) in shape {
                let s = s.min(extent - 1);
                let b = b.min(extent - s);
                let st = b + extra - 1;
                dims.push(extent);
                chunk.push(size);
                start.push(s);
                block.push(b);
                stride.push(st);
                count.push(c.min((extent - s - b) / st + 1));
            }
            let selection =
                Selection { start: Some(&start), stride: Some(&stride), count: Some(&count), block: Some(&block) };
            let mut expected = Vec::new();
            Slab::new(Some(&selection), &dims).unwrap().for_each_run(|first, length| {
                expected.extend(first..first + length);
                Ok(())
            }).unwrap();
            let mut found = vec![u64::MAX; expected.len()];
            let slab = Slab::with_all_dimensions(Some(&selection), &dims).unwrap();
            slab.for_each_cut(&chunk, |cut| {
                let mut elements = 0;
                cut.for_each_run(|from, to, length| {
                    for i in 0..length {
                        let (mut rest, mut linear, mut pitch) = (from + i, 0, 1);
                        for d in (0..dims.len()).rev() {
                            linear += (cut.scaled()[d] * chunk[d] + rest % chunk[d]) * pitch;
                            rest /= chunk[d];
                            pitch *= dims[d];
                        }
                        assert_eq!(std::mem::replace(&mut found[(to + i) as usize], linear), u64::MAX);
                    }
                    elements += length;
                    Ok(())
                })?;
                assert_eq!(elements, cut.elements());
                assert!(elements > 0 && elements <= cut.elements_inside(&dims));
                Ok(())
            }).unwrap();
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn whole_rows_are_one_run() {
        let runs = |dims: &[u64], chunk: &[u64]| {
            let mut runs = Vec::new();
            let slab = Slab::with_all_dimensions(None, dims).unwrap();
            slab.for_each_cut(chunk, |cut| {
                cut.for_each_run(|from, to, length| {
                    runs.push((from, to, length));
                    Ok(())
                })
            })
            .unwrap();
            runs
        };
        assert_eq!(runs(&[4, 3, 5], &[2, 3, 5]), [(0, 0, 30), (0, 30, 30)]);
        assert_eq!(runs(&[2, 5], &[2, 6]), [(0, 0, 5), (6, 5, 5)]);
    }
}

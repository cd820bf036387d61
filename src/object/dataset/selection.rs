//! A regular part of an array (a hyperslab) as runs of neighbouring elements.

use crate::error::{Error, ErrorKind, Result};
use crate::format::message::dataspace::MAX_RANK;

/// Blocks of elements at regular distances. `None` stands for the obvious: from the first element, without gaps, as
/// many blocks as fit, blocks of one element.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Selection<'a> {
    /// The first element, per dimension.
    pub start: Option<&'a [u64]>,
    /// The distance between the beginnings of blocks.
    pub stride: Option<&'a [u64]>,
    /// The number of blocks.
    pub count: Option<&'a [u64]>,
    /// The elements of a block.
    pub block: Option<&'a [u64]>,
}

impl Selection<'_> {
    /// The number of elements selected in an array of these dimensions; an error when they do not lie in it.
    pub fn elements(&self, dims: &[u64]) -> Result<u64> {
        Ok(Slab::new(Some(self), dims)?.elements())
    }

    /// The entry of one of the arrays.
    fn entry(field: &str, array: Option<&[u64]>, rank: usize, dimension: usize, default: u64) -> Result<u64> {
        match array {
            None => Ok(default),
            Some(array) if array.len() == rank => Ok(array[dimension]),
            Some(array) => Err(Error::new(
                ErrorKind::Argument,
                format!("selection {field} has {} dimensions, the dataset has {rank}", array.len()),
            )),
        }
    }
}

/// One dimension of a selection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dimension {
    start: u64,
    stride: u64,
    count: u64,
    block: u64,
}

impl Dimension {
    pub fn elements(self) -> u64 {
        self.count * self.block
    }

    /// The elements of a block.
    pub fn block(self) -> u64 {
        self.block
    }

    /// The number of selected elements before a coordinate.
    pub fn before(self, coordinate: u64) -> u64 {
        let distance = coordinate.saturating_sub(self.start);
        if self.count == 1 {
            return distance.min(self.block);
        }
        let whole = (distance / self.stride).min(self.count);
        let part = if whole < self.count { (distance % self.stride).min(self.block) } else { 0 };
        whole * self.block + part
    }

    /// The coordinate of the selected element `index`.
    pub fn coordinate(self, index: u64) -> u64 {
        self.start + index / self.block * self.stride + index % self.block
    }
}

/// A selection that lies in its array, in as few and as long runs as can be.
#[derive(Debug, Clone)]
pub(super) struct Slab {
    rank: usize,
    dims: [Dimension; MAX_RANK],
    /// Elements from one coordinate to the next.
    pitch: [u64; MAX_RANK],
    elements: u64,
}

impl Slab {
    /// The selection, or all, of an array, whose number of elements is below 2^64.
    pub fn new(selection: Option<&Selection<'_>>, extent: &[u64]) -> Result<Self> {
        let mut slab = Slab::with_all_dimensions(selection, extent)?;
        slab.join_dimensions(extent);
        Ok(slab)
    }

    /// The same with each of the array's dimensions, as [`Slab::for_each_cut`] needs it.
    pub fn with_all_dimensions(selection: Option<&Selection<'_>>, extent: &[u64]) -> Result<Self> {
        let rank = extent.len();
        let mut dims = [Dimension { start: 0, stride: 1, count: 1, block: 1 }; MAX_RANK];
        let mut elements = 1u64;
        for (index, (dim, &extent)) in dims.iter_mut().zip(extent).enumerate() {
            *dim = match selection {
                None => Dimension { start: 0, stride: 1, count: 1, block: extent },
                Some(selection) => resolve(selection, rank, index, extent)?,
            };
            // At most the array's, dimension by dimension.
            elements = elements.saturating_mul(dim.elements());
        }
        let mut slab = Slab { rank, dims, pitch: [1; MAX_RANK], elements };
        for index in (1..rank).rev() {
            slab.pitch[index - 1] = slab.pitch[index].saturating_mul(extent[index]);
        }
        Ok(slab)
    }

    /// The number of elements.
    pub fn elements(&self) -> u64 {
        self.elements
    }

    /// The number of dimensions.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// One dimension.
    pub fn dimension(&self, dimension: usize) -> Dimension {
        self.dims[dimension]
    }

    /// The first element of the only run; none if there are more.
    pub fn only_run(&self) -> Option<u64> {
        match self.rank {
            0 => Some(0),
            1 if self.dims[0].count == 1 => Some(self.dims[0].start * self.pitch[0]),
            _ => None,
        }
    }

    /// At most so many chunks of these dimensions have selected elements.
    pub fn chunks_touched(&self, chunk: &[u64]) -> u64 {
        let touched = |(dim, &chunk): (&Dimension, &u64)| match dim.elements() {
            0 => 0,
            elements => elements.min(dim.coordinate(elements - 1) / chunk - dim.start / chunk + 1),
        };
        self.dims[..self.rank].iter().zip(chunk).map(touched).fold(1, u64::saturating_mul)
    }

    /// Whole rows are one run with the dimension above them.
    fn join_dimensions(&mut self, extent: &[u64]) {
        while self.rank > 1 {
            let last = self.dims[self.rank - 1];
            if last.count != 1 || last.block != extent[self.rank - 1] {
                return;
            }
            self.rank -= 1;
        }
    }

    /// Calls `visit` with the first element and the length of every run, in row-major order.
    pub fn for_each_run(&self, mut visit: impl FnMut(u64, u64) -> Result<()>) -> Result<()> {
        if self.elements == 0 {
            return Ok(());
        }
        if self.rank == 0 {
            return visit(0, 1);
        }
        let outer = self.rank - 1;
        let (inner, pitch) = (self.dims[outer], self.pitch[outer]);
        let mut index = [0u64; MAX_RANK];
        loop {
            let row: u64 = (0..outer).map(|d| self.dims[d].coordinate(index[d]) * self.pitch[d]).sum();
            for block in 0..inner.count {
                visit(row + (inner.start + block * inner.stride) * pitch, inner.block * pitch)?;
            }
            let Some(advanced) = (0..outer).rev().find(|&d| index[d] + 1 < self.dims[d].elements()) else {
                return Ok(());
            };
            index[advanced] += 1;
            index[advanced + 1..outer].fill(0);
        }
    }
}

/// One dimension of a selection, checked against the array's extent; blocks without gaps between them are one.
fn resolve(selection: &Selection<'_>, rank: usize, dimension: usize, extent: u64) -> Result<Dimension> {
    let entry = |field, array, default| Selection::entry(field, array, rank, dimension, default);
    let start = entry("start", selection.start, 0)?;
    let block = entry("block", selection.block, 1)?;
    let stride = entry("stride", selection.stride, block.max(1))?;
    if stride == 0 {
        return Err(Error::range(&format!("selection stride of dimension {dimension}"), 0, "1.."));
    }
    let fitting =
        extent.checked_sub(start).and_then(|room| room.checked_sub(block)).map_or(0, |room| room / stride + 1);
    let count = entry("count", selection.count, fitting)?;
    if count == 0 || block == 0 {
        return Ok(Dimension { start: 0, stride: 1, count: 0, block: 1 });
    }
    if stride < block && count > 1 {
        let message = format!("selection stride {stride} of dimension {dimension} is less than its block {block}");
        return Err(Error::new(ErrorKind::Range, message));
    }
    let end = (count - 1).checked_mul(stride).and_then(|n| n.checked_add(start)).and_then(|n| n.checked_add(block));
    if end.is_none_or(|end| end > extent) {
        return Err(Error::new(
            ErrorKind::Range,
            format!(
                "selection of dimension {dimension} (start {start}, stride {stride}, count {count}, block {block}) \
                 goes beyond the dataset's {extent}"
            ),
        ));
    }
    if count == 1 || stride == block {
        return Ok(Dimension { start, stride: 1, count: 1, block: count * block });
    }
    Ok(Dimension { start, stride, count, block })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn runs(slab: &Slab) -> Vec<(u64, u64)> {
        let mut runs = Vec::new();
        slab.for_each_run(|first, length| {
            runs.push((first, length));
            Ok(())
        })
        .unwrap();
        runs
    }

    /// All elements of the array, one by one.
    fn model(dims: &[u64], chosen: impl Fn(usize, u64) -> bool) -> Vec<u64> {
        let total: u64 = dims.iter().product();
        let is_selected = |&element: &u64| {
            let mut rest = element;
            (0..dims.len()).rev().all(|d| {
                let coordinate = rest % dims[d];
                rest /= dims[d];
                chosen(d, coordinate)
            })
        };
        (0..total).filter(is_selected).collect()
    }

    #[test]
    fn runs_are_as_long_as_can_be() {
        assert_eq!(runs(&Slab::new(None, &[3, 4, 5]).unwrap()), [(0, 60)]);
        assert_eq!(runs(&Slab::new(None, &[]).unwrap()), [(0, 1)]);
        assert_eq!(runs(&Slab::new(None, &[3, 0, 5]).unwrap()), []);
        let rows = Selection { start: Some(&[1, 0]), count: Some(&[2, 5]), ..Selection::default() };
        assert_eq!(runs(&Slab::new(Some(&rows), &[4, 5]).unwrap()), [(5, 10)]);
        let columns = Selection { start: Some(&[0, 1]), count: Some(&[2, 3]), ..Selection::default() };
        assert_eq!(runs(&Slab::new(Some(&columns), &[2, 5]).unwrap()), [(1, 3), (6, 3)]);
        let odd = Selection { start: Some(&[1]), stride: Some(&[2]), ..Selection::default() };
        assert_eq!(runs(&Slab::new(Some(&odd), &[6]).unwrap()), [(1, 1), (3, 1), (5, 1)]);
        let all = Selection::default();
        assert_eq!(runs(&Slab::new(Some(&all), &[7, 3]).unwrap()), [(0, 21)]);
    }

    #[test]
    fn what_is_not_in_the_array_is_refused() {
        let kind = |selection: Selection<'_>| Slab::new(Some(&selection), &[4, 5]).unwrap_err().kind();
        let base = Selection::default();
        assert_eq!(kind(Selection { start: Some(&[1]), ..base }), ErrorKind::Argument);
        assert_eq!(kind(Selection { count: Some(&[5, 1]), ..base }), ErrorKind::Range);
        assert_eq!(kind(Selection { start: Some(&[u64::MAX, 0]), count: Some(&[2, 1]), ..base }), ErrorKind::Range);
        assert_eq!(kind(Selection { stride: Some(&[0, 1]), ..base }), ErrorKind::Range);
        let overlapping = Selection { stride: Some(&[1, 1]), block: Some(&[2, 1]), count: Some(&[2, 1]), ..base };
        assert_eq!(kind(overlapping), ErrorKind::Range);
        let huge = Selection { count: Some(&[u64::MAX, 1]), stride: Some(&[u64::MAX, 1]), ..base };
        assert_eq!(kind(huge), ErrorKind::Range);
        let none = Selection { count: Some(&[0, 1]), ..base };
        assert_eq!(none.elements(&[4, 5]).unwrap(), 0);
        assert_eq!(Selection { start: Some(&[9, 0]), ..base }.elements(&[4, 5]).unwrap(), 0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn runs_cover_what_the_model_selects(
            shape in prop::collection::vec((1u64..7, 0u64..6, 1u64..4, 1u64..4, 0u64..4), 0..5),
        ) {
            let mut dims = Vec::new();
            let (mut start, mut stride, mut count, mut block) = (vec![], vec![], vec![], vec![]);
            for (extent, s, b, extra, c) in shape {
                let s = s.min(extent - 1);
                let b = b.min(extent - s);
                let st = b + extra - 1;
                dims.push(extent);
                start.push(s);
                block.push(b);
                stride.push(st);
                count.push(c.min((extent - s - b) / st + 1));
            }
            let selection =
                Selection { start: Some(&start), stride: Some(&stride), count: Some(&count), block: Some(&block) };
            let expected = model(&dims, |d, x| {
                x >= start[d] && (x - start[d]) % stride[d] < block[d] && (x - start[d]) / stride[d] < count[d]
            });
            let slab = Slab::new(Some(&selection), &dims).unwrap();
            let found: Vec<u64> = runs(&slab).into_iter().flat_map(|(first, length)| first..first + length).collect();
            prop_assert_eq!(slab.elements(), expected.len() as u64);
            prop_assert_eq!(found, expected);
        }
    }
}

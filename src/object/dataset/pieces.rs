//! What is selected of one chunk, between the chunk's elements and the caller's.

use super::cut::Cut;
use super::transfer::repeat;
use crate::chunk::Place;
use crate::datatype::Conversion;
use crate::error::{Error, Result};

/// What is read at once of an unfiltered chunk at least, if the selection is spread over it.
const SPAN: u64 = 1 << 20;

/// A part of the caller's buffer.
pub(super) struct Window<'a> {
    pub data: &'a mut [u8],
    /// The selected elements that stand before it.
    pub begin: u64,
}

impl Window<'_> {
    /// A run's place.
    pub fn run(&mut self, to: u64, length: u64, size: usize) -> &mut [u8] {
        let to = to - self.begin;
        &mut self.data[to as usize * size..(to + length) as usize * size]
    }
}

/// A run's elements.
pub(super) fn source(data: &[u8], from: u64, length: u64, size: usize) -> &[u8] {
    &data[from as usize * size..(from + length) as usize * size]
}

/// The cut's only run: where it begins in the chunk, where in the selection, and its length; none if there are more.
pub(super) fn single_run(cut: &Cut<'_>) -> Result<Option<(u64, u64, u64)>> {
    let mut first = None;
    cut.for_each_run(|from, to, length| {
        first.get_or_insert((from, to, length));
        Ok(())
    })?;
    Ok(first.filter(|run| run.2 == cut.elements()))
}

/// Converts what is selected of a chunk, of which `data` are the elements from `begin` on.
pub(super) fn gather(
    cut: &Cut<'_>,
    data: &[u8],
    begin: u64,
    conversion: Conversion,
    out: &mut Window<'_>,
) -> Result<()> {
    let (element, size) = (conversion.source_size(), conversion.target_size());
    cut.for_each_run(|from, to, length| {
        conversion.run(source(data, from - begin, length, element), out.run(to, length, size))
    })
}

/// Converts what is selected into a chunk.
pub(super) fn scatter(cut: &Cut<'_>, chunk: &mut [u8], conversion: Conversion, data: &[u8]) -> Result<()> {
    let (element, size) = (conversion.target_size(), conversion.source_size());
    let mut chunk = Window { data: chunk, begin: 0 };
    cut.for_each_run(|from, to, length| {
        conversion.run(source(data, to, length, size), chunk.run(from, length, element))
    })
}

/// What is selected of an absent chunk: `fill` is one element.
pub(super) fn fill_cut(cut: &Cut<'_>, fill: &[u8], out: &mut Window<'_>) -> Result<()> {
    cut.for_each_run(|_, to, length| {
        repeat(fill, out.run(to, length, fill.len()));
        Ok(())
    })
}

/// How an unfiltered chunk is read.
struct Spread {
    /// The elements from the first that is selected to the last.
    begin: u64,
    end: u64,
    runs: u64,
    /// Most of those in between are not selected.
    is_sparse: bool,
}

impl Spread {
    fn of(cut: &Cut<'_>, element: u64) -> Result<Self> {
        let (mut runs, mut begin, mut end) = (0u64, u64::MAX, 0);
        cut.for_each_run(|from, _, length| {
            (runs, begin, end) = (runs + 1, begin.min(from), from + length);
            Ok(())
        })?;
        let is_sparse = (end - begin) * element > SPAN.max(4 * cut.elements() * element);
        Ok(Spread { begin, end, runs, is_sparse })
    }
}

/// Fails when an unfiltered chunk does not have its size.
pub(super) fn check_unfiltered(place: Place, size: u64) -> Result<()> {
    if place.size != size {
        let detail = format_args!("{} bytes without filters, not {size}", place.size);
        return Err(Error::corrupt(super::chunked::CHUNK, place.address, detail));
    }
    Ok(())
}

/// Reads runs of a chunk whose bytes are the elements, with `read`: straight into the buffer where that is possible, otherwise
/// all between the first and the last at once, unless that is much more than what is selected.
pub(super) fn read_unfiltered(
    mut read: impl FnMut(u64, &mut [u8]) -> Result<()>,
    place: Place,
    size: u64,
    cut: &Cut<'_>,
    conversion: Conversion,
    out: &mut Window<'_>,
) -> Result<()> {
    check_unfiltered(place, size)?;
    let (element, width) = (conversion.source_size() as u64, conversion.target_size());
    let spread = Spread::of(cut, element)?;
    let direct = conversion.is_copy() && (spread.runs == 1 || spread.is_sparse);
    let mut buffer = Vec::new();
    if !direct && !spread.is_sparse {
        buffer.resize(((spread.end - spread.begin) * element) as usize, 0);
        read(place.address + spread.begin * element, &mut buffer)?;
        return gather(cut, &buffer, spread.begin, conversion, out);
    }
    cut.for_each_run(|from, to, length| {
        let address = place.address + from * element;
        if direct {
            return read(address, out.run(to, length, width));
        }
        buffer.resize((length * element) as usize, 0);
        read(address, &mut buffer)?;
        conversion.run(&buffer, out.run(to, length, width))
    })
}

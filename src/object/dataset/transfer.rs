//! Raw data between a caller's buffer and a contiguous extent of the file or a compact message.
//!
//! Long runs of elements that need no conversion go straight between the two. All else goes through a buffer of bounded
//! size: neighbouring runs are read or written together with the small gaps between them.

use super::selection::Slab;
use crate::datatype::Conversion;
use crate::error::Result;
use crate::store::Store;

/// What the buffer holds at most, unless one element is larger.
const BUFFER: u64 = 1 << 20;

/// A run of at least this many bytes goes without the buffer where it can.
const DIRECT: u64 = 16 << 10;

/// Gaps up to this many bytes are carried along.
const GAP: u64 = 4 << 10;

/// Runs in one batch.
const MAX_PIECES: usize = 4096;

pub(super) const RAW_DATA: &str = "contiguous raw data";

/// A part of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece {
    /// Bytes from the beginning of the raw data.
    offset: u64,
    /// Elements.
    count: u64,
}

/// Calls `transfer` with batches of pieces, which span no more than the buffer holds, or are one direct piece.
fn for_each_batch(
    slab: &Slab,
    element: u64,
    direct: bool,
    mut transfer: impl FnMut(&[Piece]) -> Result<()>,
) -> Result<()> {
    let mut batch: Vec<Piece> = Vec::new();
    let mut end = 0;
    slab.for_each_run(|first, length| {
        let (mut offset, mut left) = (first * element, length);
        let whole = direct && length.saturating_mul(element) >= DIRECT;
        while left > 0 {
            let count = if whole { left } else { left.min((BUFFER / element).max(1)) };
            if let Some(first) = batch.first() {
                let span = offset + count * element - first.offset;
                if whole || span > BUFFER || offset - end > GAP || batch.len() == MAX_PIECES {
                    transfer(&batch)?;
                    batch.clear();
                }
            }
            batch.push(Piece { offset, count });
            end = offset + count * element;
            if whole {
                transfer(&batch)?;
                batch.clear();
            }
            offset = end;
            left -= count;
        }
        Ok(())
    })?;
    if batch.is_empty() {
        return Ok(());
    }
    transfer(&batch)
}

/// The bytes that a batch spans in the file.
fn span(batch: &[Piece], element: u64) -> (u64, usize) {
    match (batch.first(), batch.last()) {
        (Some(first), Some(last)) => (first.offset, (last.offset + last.count * element - first.offset) as usize),
        _ => (0, 0),
    }
}

/// Cuts the next `count` elements of `size` bytes off a buffer whose length was checked against the selection.
fn take<'a>(buffer: &mut &'a [u8], count: u64, size: usize) -> &'a [u8] {
    let (taken, rest) = buffer.split_at(count as usize * size);
    *buffer = rest;
    taken
}

fn take_mut<'a>(buffer: &mut &'a mut [u8], count: u64, size: usize) -> &'a mut [u8] {
    let (taken, rest) = std::mem::take(buffer).split_at_mut(count as usize * size);
    *buffer = rest;
    taken
}

/// Reads the slab's elements, with `fetch`, from the extent at `address` into `out`, which has their exact size.
pub(super) fn read(
    mut fetch: impl FnMut(u64, &mut [u8]) -> Result<()>,
    address: u64,
    slab: &Slab,
    conversion: Conversion,
    out: &mut [u8],
) -> Result<()> {
    let (element, size) = (conversion.source_size() as u64, conversion.target_size());
    let mut buffer = Vec::new();
    let mut out = out;
    for_each_batch(slab, element, conversion.is_copy(), |batch| {
        let (begin, length) = span(batch, element);
        if let ([piece], true) = (batch, conversion.is_copy()) {
            return fetch(address + begin, take_mut(&mut out, piece.count, size));
        }
        grow(&mut buffer, length);
        fetch(address + begin, &mut buffer[..length])?;
        for piece in batch {
            let at = (piece.offset - begin) as usize;
            let elements = &buffer[at..at + (piece.count * element) as usize];
            conversion.run(elements, take_mut(&mut out, piece.count, size))?;
        }
        Ok(())
    })
}

/// Writes `data`, which has the slab's exact size, into the extent at `address`, which has been written before where the
/// slab leaves gaps.
pub(super) fn write(store: &mut Store, address: u64, slab: &Slab, conversion: Conversion, data: &[u8]) -> Result<()> {
    let (element, size) = (conversion.target_size() as u64, conversion.source_size());
    let mut buffer = Vec::new();
    let mut data = data;
    for_each_batch(slab, element, conversion.is_copy(), |batch| {
        let (begin, length) = span(batch, element);
        if let ([piece], true) = (batch, conversion.is_copy()) {
            return store.write_raw(address + begin, take(&mut data, piece.count, size));
        }
        grow(&mut buffer, length);
        let elements: u64 = batch.iter().map(|piece| piece.count).sum();
        if elements * element < length as u64 {
            store.read_raw(address + begin, &mut buffer[..length], RAW_DATA)?;
        }
        for piece in batch {
            let at = (piece.offset - begin) as usize;
            let place = &mut buffer[at..at + (piece.count * element) as usize];
            conversion.run(take(&mut data, piece.count, size), place)?;
        }
        store.write_raw(address + begin, &buffer[..length])
    })
}

fn grow(buffer: &mut Vec<u8>, length: usize) {
    if buffer.len() < length {
        buffer.resize(length, 0);
    }
}

/// Copies an extent of the file into another one.
pub(super) fn copy(store: &mut Store, from: u64, to: u64, size: u64) -> Result<()> {
    let mut buffer = vec![0; BUFFER.min(size) as usize];
    let mut done = 0;
    while done < size {
        let length = (size - done).min(buffer.len() as u64) as usize;
        store.read_raw(from + done, &mut buffer[..length], RAW_DATA)?;
        store.write_raw(to + done, &buffer[..length])?;
        done += length as u64;
    }
    Ok(())
}

/// Reads the slab's elements from raw data in memory.
pub(super) fn read_compact(raw: &[u8], slab: &Slab, conversion: Conversion, out: &mut [u8]) -> Result<()> {
    let (element, size) = (conversion.source_size(), conversion.target_size());
    let mut out = out;
    slab.for_each_run(|first, length| {
        let from = &raw[first as usize * element..(first + length) as usize * element];
        conversion.run(from, take_mut(&mut out, length, size))
    })
}

/// Writes the slab's elements into raw data in memory.
pub(super) fn write_compact(raw: &mut [u8], slab: &Slab, conversion: Conversion, data: &[u8]) -> Result<()> {
    let (element, size) = (conversion.target_size(), conversion.source_size());
    let mut data = data;
    slab.for_each_run(|first, length| {
        let to = &mut raw[first as usize * element..(first + length) as usize * element];
        conversion.run(take(&mut data, length, size), to)
    })
}

/// Repeats an element over a buffer that holds a whole number of them.
pub(super) fn repeat(element: &[u8], out: &mut [u8]) {
    if out.is_empty() {
        return;
    }
    let mut filled = element.len().min(out.len());
    out[..filled].copy_from_slice(&element[..filled]);
    while filled < out.len() {
        let more = filled.min(out.len() - filled);
        out.copy_within(..more, filled);
        filled += more;
    }
}

/// Fills an extent of the file with an element.
pub(super) fn fill(store: &mut Store, address: u64, size: u64, element: &[u8]) -> Result<()> {
    let whole = (BUFFER / element.len() as u64).max(1) * element.len() as u64;
    let mut buffer = vec![0; whole.min(size) as usize];
    repeat(element, &mut buffer);
    let mut done = 0;
    while done < size {
        let length = (size - done).min(buffer.len() as u64);
        store.write_raw(address + done, &buffer[..length as usize])?;
        done += length;
    }
    Ok(())
}

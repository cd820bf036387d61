//! Running a pipeline, with buffers and compressors that are used again for the next chunk.

use std::borrow::Cow;

use libdeflater::{Compressor, Decompressor};

use super::{applied, check_known, check_writable, deflate, fletcher32, largest, lzf, name, shuffle, shuffle_width};
use super::{is_foreign, nbit, noise, scale_offset, szip, user};
use super::{BITSHUFFLE, BLOSC, DEFLATE, FLETCHER32, LZ4, LZF, NBIT, OPTIONAL, SCALE_OFFSET, SHUFFLE, SZIP, ZSTD};
use crate::error::{Error, ErrorKind, Result};
use crate::format::message::filter_pipeline::Filter;

/// What a filter does, or what is wrong with the data.
type Outcome<T> = std::result::Result<T, Cow<'static, str>>;

/// A chunk as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoded<'a> {
    /// What came out.
    pub bytes: &'a [u8],
    /// The filters that were skipped, by their numbers.
    pub mask: u32,
}

/// Which filters are skipped beside optional ones that fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Skip {
    /// Those that fail, optional or not.
    pub failing: bool,
    /// All optional ones but checksums, where a sample of what is to be compressed shows that it cannot be.
    pub noise: bool,
}

/// The filters that have bytes to make smaller, and are not made for numbers alone.
const COMPRESSORS: [u16; 6] = [DEFLATE, LZF, BLOSC, LZ4, BITSHUFFLE, ZSTD];

/// The mask of all optional filters but checksums.
fn all_optional(filters: &[Filter]) -> u32 {
    let numbered = filters.iter().enumerate().take(32);
    let is_skipped = |filter: &Filter| filter.flags & OPTIONAL != 0 && filter.id != FLETCHER32;
    numbered.filter(|(_, filter)| is_skipped(filter)).fold(0, |mask, (number, _)| mask | 1 << number)
}

/// What one thread needs to run pipelines.
#[derive(Default)]
pub struct Codec {
    /// The data between two filters, and where the next one puts them.
    buffers: [Vec<u8>; 2],
    compressor: Option<(u32, Compressor)>,
    decompressor: Option<Decompressor>,
    calls_back: bool,
}

impl Codec {
    /// One that calls the user's filters too: where that is done with a file's lock held, the user was told.
    pub fn with_callbacks() -> Codec {
        Codec { calls_back: true, ..Codec::default() }
    }

    /// Bytes that are kept for the next chunk.
    pub fn buffered(&self) -> usize {
        self.buffers.iter().map(Vec::capacity).sum()
    }

    /// Undoes the filters that `mask` does not say were skipped, the last one first. Exactly as many bytes must come out as
    /// `out` has. `what` and `address` name the source in errors.
    pub fn decode(
        &mut self,
        filters: &[Filter],
        mask: u32,
        stored: &[u8],
        out: &mut [u8],
        what: &'static str,
        address: u64,
    ) -> Result<()> {
        check_known(filters, mask, self.calls_back)?;
        let steps: Vec<&Filter> = applied(filters, mask).map(|(_, filter)| filter).rev().collect();
        let mut buffers = std::mem::take(&mut self.buffers);
        let undone = self.undo_all(&steps, stored, out, &mut buffers);
        self.buffers = buffers;
        match undone {
            Ok(length) if length == out.len() => Ok(()),
            Ok(length) => {
                let detail = format_args!("{length} bytes after its filters, not {}", out.len());
                Err(Error::corrupt(what, address, detail))
            }
            Err((filter, detail)) if is_foreign(filter) => {
                let name = name(filter);
                let message = format!("{what} at address {address:#x}: the filter {} ({name}): {detail}", filter.id);
                Err(Error::new(ErrorKind::Callback, message))
            }
            Err((filter, detail)) => Err(Error::corrupt(what, address, format_args!("{}: {detail}", name(filter)))),
        }
    }

    /// Undoes the steps; how many bytes came out, at most as many as `out` has.
    fn undo_all<'a>(
        &mut self,
        steps: &[&'a Filter],
        stored: &[u8],
        out: &mut [u8],
        [front, back]: &mut [Vec<u8>; 2],
    ) -> std::result::Result<usize, (&'a Filter, Cow<'static, str>)> {
        let mut length = None;
        for (number, &filter) in steps.iter().enumerate() {
            let input = length.map_or(stored, |length| &front[..length]);
            let rest = &steps[number + 1..];
            if rest.is_empty() {
                return self.undo(filter, input, out).map_err(|detail| (filter, detail));
            }
            let most = most(rest, out.len()).min(largest(steps.iter().copied(), stored.len()));
            if back.len() < most {
                back.resize(most, 0);
            }
            length = Some(self.undo(filter, input, &mut back[..most]).map_err(|detail| (filter, detail))?);
            std::mem::swap(front, back);
        }
        // No filter at all.
        if stored.len() == out.len() {
            out.copy_from_slice(stored);
        }
        Ok(stored.len())
    }

    /// Undoes a filter; how many bytes came out, at most as many as `out` has.
    fn undo(&mut self, filter: &Filter, data: &[u8], out: &mut [u8]) -> Outcome<usize> {
        let undone = match filter.id {
            DEFLATE => deflate::decode(self.decompressor.get_or_insert_with(Decompressor::new), data, out),
            SHUFFLE => {
                let out = out.get_mut(..data.len()).ok_or("more data than expected")?;
                shuffle::decode(data, shuffle_width(filter), out);
                Ok(data.len())
            }
            FLETCHER32 => {
                let data = fletcher32::decode(data)?;
                out.get_mut(..data.len()).ok_or("more data than expected")?.copy_from_slice(data);
                Ok(data.len())
            }
            LZF => lzf::decode(data, out),
            NBIT => nbit::decode(&filter.client_data, data, out),
            SCALE_OFFSET => scale_offset::decode(&filter.client_data, data, out),
            SZIP => szip::decode(&filter.client_data, data, out),
            #[cfg(feature = "blosc")]
            BLOSC => super::blosc::decode(data, out),
            #[cfg(feature = "bitshuffle")]
            BITSHUFFLE => super::bitshuffle::decode(&filter.client_data, data, out),
            #[cfg(feature = "lz4")]
            LZ4 => super::lz4::decode(data, out),
            #[cfg(feature = "zstd")]
            ZSTD => zstd::bulk::decompress_to_buffer(data, out).map_err(|_| "the compressed data are damaged"),
            id => return user::decode(id, &filter.client_data, data, out),
        };
        undone.map_err(Cow::Borrowed)
    }

    /// Applies the filters, the first one first. One that cannot keep the data is skipped when it is optional, and else its
    /// error is this call's, unless `skip` says more. None is skipped because it enlarges the data: libhdf5 (2.0.0) forgets
    /// to change a chunk's filter mask when it overwrites it with as many bytes, so a mask that is not 0 is a trap.
    pub fn encode<'a>(&'a mut self, filters: &[Filter], data: &'a [u8], skip: Skip) -> Result<Encoded<'a>> {
        check_writable(filters, self.calls_back)?;
        let mut mask = self.apply_all(filters, data, skip, 0)?;
        let is_applied = |mask| applied(filters, mask).next().is_some();
        if is_applied(mask) && data.len() > largest(filters, self.buffers[0].len()) {
            mask = self.apply_all(&deflating_once(filters), data, skip, mask)?;
        }
        Ok(Encoded { bytes: if is_applied(mask) { &self.buffers[0] } else { data }, mask })
    }

    /// Applies the filters that `mask` does not skip; the result is in the first buffer, unless all were skipped. Which were.
    fn apply_all(&mut self, filters: &[Filter], data: &[u8], skip: Skip, mut mask: u32) -> Result<u32> {
        let [mut front, mut back] = std::mem::take(&mut self.buffers);
        let (mut is_first, mut result) = (true, Ok(()));
        for (number, filter) in applied(filters, mask) {
            let input = if is_first { data } else { &front };
            let is_optional = filter.flags & OPTIONAL != 0;
            if skip.noise && is_optional && COMPRESSORS.contains(&filter.id) && noise::fills(input) {
                self.buffers = [front, back];
                return self.apply_all(filters, data, Skip { noise: false, ..skip }, mask | all_optional(filters));
            }
            match self.apply(filter, input, &mut back) {
                Ok(()) => {
                    std::mem::swap(&mut front, &mut back);
                    is_first = false;
                }
                Err(_) if (skip.failing || is_optional) && number < 32 => mask |= 1 << number,
                Err(detail) => {
                    let kind = if is_foreign(filter) { ErrorKind::Callback } else { ErrorKind::Range };
                    let what = format!("the filter {} ({}), which is not optional: {detail}", filter.id, name(filter));
                    result = Err(Error::new(kind, what));
                    break;
                }
            }
        }
        self.buffers = [front, back];
        result.map(|()| mask)
    }

    /// Applies a filter; `out` becomes the result.
    fn apply(&mut self, filter: &Filter, data: &[u8], out: &mut Vec<u8>) -> Outcome<()> {
        let applied = match filter.id {
            DEFLATE => {
                let level = filter.client_data.first().copied().unwrap_or(6);
                let compressor = match &mut self.compressor {
                    Some((made, compressor)) if *made == level => compressor,
                    other => &mut other.insert((level, deflate::compressor(level))).1,
                };
                deflate::encode(compressor, data, out)
            }
            SHUFFLE if filter.client_data.is_empty() => Err("the size of an element is not known"),
            SHUFFLE => {
                out.resize(data.len(), 0);
                shuffle::encode(data, shuffle_width(filter), out);
                Ok(())
            }
            FLETCHER32 => {
                out.clear();
                out.extend_from_slice(data);
                out.extend_from_slice(&fletcher32::encode(data));
                Ok(())
            }
            LZF => {
                lzf::encode(data, out);
                Ok(())
            }
            NBIT => nbit::encode(&filter.client_data, data, out),
            SCALE_OFFSET => scale_offset::encode(&filter.client_data, data, out),
            SZIP => szip::encode(&filter.client_data, data, out),
            #[cfg(feature = "blosc")]
            BLOSC => super::blosc::encode(&filter.client_data, data, out),
            #[cfg(feature = "bitshuffle")]
            BITSHUFFLE => super::bitshuffle::encode(&filter.client_data, data, out),
            #[cfg(feature = "lz4")]
            LZ4 => super::lz4::encode(data, filter.client_data.first().copied().unwrap_or(0), out),
            #[cfg(feature = "zstd")]
            ZSTD => {
                let level = filter.client_data.first().map_or(zstd::DEFAULT_COMPRESSION_LEVEL, |&level| level as i32);
                out.resize(zstd::zstd_safe::compress_bound(data.len()), 0);
                let length = zstd::bulk::compress_to_buffer(data, out, level);
                length.map(|length| out.truncate(length)).map_err(|_| "more bytes than the largest that data become")
            }
            id => return user::encode(id, &filter.client_data, data, out),
        };
        applied.map_err(Cow::Borrowed)
    }
}

/// The same filters, of which only the first that makes data smaller does so, if the others are deflate; those store what they
/// are given, in streams that are as valid. So no chunk becomes smaller than what is taken for possible when it is read.
fn deflating_once(filters: &[Filter]) -> Vec<Filter> {
    let first = filters.iter().position(|filter| [DEFLATE, NBIT, SCALE_OFFSET].contains(&filter.id));
    let mut filters = filters.to_vec();
    for filter in filters.iter_mut().skip(first.map_or(0, |first| first + 1)).filter(|filter| filter.id == DEFLATE) {
        filter.client_data = vec![0];
    }
    filters
}

/// The most bytes that stand before these filters, which are still to be undone and make `size` bytes of them. Data that do
/// not compress become a little larger.
fn most(rest: &[&Filter], size: usize) -> usize {
    let grows_little = |ids: &[u16]| rest.iter().all(|filter| ids.contains(&filter.id));
    let more = match () {
        _ if grows_little(&[SHUFFLE, FLETCHER32]) => 4 * rest.len(),
        _ if grows_little(&[SHUFFLE, FLETCHER32, DEFLATE, SZIP, NBIT, SCALE_OFFSET, LZF, BLOSC, LZ4, ZSTD]) => {
            size / 8 + 4096
        }
        // Small blocks, and what is not known.
        _ => size.saturating_mul(3).saturating_add(4096),
    };
    size.saturating_add(more)
}

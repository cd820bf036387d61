//! Blosc (32001): a chunk in blocks, each shuffled by bytes or bits and compressed. Its parameters are the versions of the filter
//! and of the format, the bytes of an element and of a chunk, the level, the shuffle (0 none, 1 bytes, 2 bits) and the compressor.
//!
//! A chunk begins with the versions of the format and of the compressor, flags, the bytes of an element (1 each), those of all
//! data, of a block, and of the whole (4 each, least significant first), and where each block begins (4). A block is one
//! stream, or one for each byte of an element: its length (4), and that many bytes, which are stored if they are as many as
//! they become.

use libdeflater::Decompressor;

use super::{bitshuffle, deflate, lzf, shuffle};

const SHORT: &str = "the compressed data end early";
const DAMAGED: &str = "the compressed data are damaged";
const LARGE: &str = "the data become larger than what was stored";
const PARAMETERS: &str =
    "its parameters name a level beyond 9, a shuffle beyond 2, or a compressor that is not known: \
                          0 BloscLZ, 1 LZ4, 2 LZ4HC, 4 zlib, 5 Zstandard";

/// The version of the chunk's format, and of every compressor's.
pub(super) const FORMAT: u32 = 2;
const COMPRESSOR_VERSION: u8 = 1;

const HEADER: usize = 16;

const SHUFFLED: u8 = 1;
const STORED: u8 = 2;
const BITS_SHUFFLED: u8 = 4;
const NOT_SPLIT: u8 = 16;

/// Elements of so many bytes at most have a stream for each byte, in blocks of so many elements at least.
const MOST_STREAMS: usize = 16;
const LEAST_ELEMENTS: usize = 128;

/// Bytes of a block that is written, about.
const BLOCK: usize = 256 << 10;

/// Compressors by the number that a chunk has for them; 2 is Snappy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compressor {
    BloscLz = 0,
    Lz4 = 1,
    Zlib = 3,
    Zstd = 4,
}

/// What the parameters say.
struct Plan {
    element: usize,
    level: u32,
    shuffle: u32,
    compressor: Compressor,
}

impl Plan {
    fn of(parameters: &[u32]) -> Result<Plan, &'static str> {
        let value = |number: usize, default| parameters.get(number).copied().unwrap_or(default);
        let compressor = match value(6, 0) {
            0 => Compressor::BloscLz,
            1 | 2 => Compressor::Lz4,
            4 => Compressor::Zlib,
            5 => Compressor::Zstd,
            _ => return Err(PARAMETERS),
        };
        let (level, shuffle) = (value(4, 5), value(5, 1));
        if level > 9 || shuffle > 2 {
            return Err(PARAMETERS);
        }
        // Blosc has one byte for the size; larger elements are bytes to it.
        let element = Some(value(2, 1) as usize).filter(|size| (1..256).contains(size)).unwrap_or(1);
        Ok(Plan { element, level, shuffle, compressor })
    }
}

/// Whether chunks can be written with these parameters.
pub(super) fn check(parameters: &[u32]) -> Result<(), &'static str> {
    Plan::of(parameters).map(|_| ())
}

/// Streams of a block of so many bytes, where blocks have `whole`.
fn streams(flags: u8, element: usize, bytes: usize, whole: usize) -> usize {
    let is_split = flags & NOT_SPLIT == 0
        && element <= MOST_STREAMS
        && whole / element >= LEAST_ELEMENTS
        && bytes == whole
        && bytes.is_multiple_of(element);
    if is_split {
        element
    } else {
        1
    }
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let four = bytes.get(at..)?.first_chunk::<4>()?;
    usize::try_from(u32::from_le_bytes(*four)).ok()
}

/// Decodes data that become at most as many bytes as `out` has; how many they became.
pub(super) fn decode(data: &[u8], out: &mut [u8]) -> Result<usize, &'static str> {
    let &[_, _, flags, element, ..] = data else { return Err(SHORT) };
    let element = usize::from(element.max(1));
    let (Some(size), Some(block)) = (number(data, 4), number(data, 8)) else { return Err(SHORT) };
    let out = out.get_mut(..size).ok_or(LARGE)?;
    if flags & STORED != 0 {
        out.copy_from_slice(data.get(HEADER..HEADER + size).ok_or(SHORT)?);
        return Ok(size);
    }
    let compressor = match flags >> 5 {
        0 => Compressor::BloscLz,
        1 => Compressor::Lz4,
        3 => Compressor::Zlib,
        4 => Compressor::Zstd,
        2 => return Err("compressed with Snappy, which is not known"),
        _ => return Err("compressed with something that is not known"),
    };
    if block == 0 || data.len() < HEADER {
        return Err(DAMAGED);
    }
    let (mut shuffled, mut decompressor) = (Vec::new(), Decompressor::new());
    for (number_of, target) in out.chunks_mut(block).enumerate() {
        let begin = number(data, HEADER + 4 * number_of).ok_or(SHORT)?;
        let mut rest = data.get(begin..).ok_or(SHORT)?;
        shuffled.resize(target.len(), 0);
        let part = target.len() / streams(flags, element, target.len(), block);
        for stream in shuffled.chunks_mut(part) {
            let (length, after) = rest.split_first_chunk::<4>().ok_or(SHORT)?;
            let (stored, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize).ok_or(SHORT)?;
            undo(compressor, &mut decompressor, stored, stream)?;
            rest = after;
        }
        if flags & SHUFFLED != 0 {
            shuffle::decode(&shuffled, element, target);
        } else if flags & BITS_SHUFFLED != 0 && (target.len() / element).is_multiple_of(8) {
            let whole = target.len() / element * element;
            bitshuffle::unshuffle(&shuffled[..whole], element, &mut target[..whole]);
            target[whole..].copy_from_slice(&shuffled[whole..]);
        } else {
            target.copy_from_slice(&shuffled);
        }
    }
    Ok(size)
}

fn undo(
    compressor: Compressor,
    decompressor: &mut Decompressor,
    stored: &[u8],
    out: &mut [u8],
) -> Result<(), &'static str> {
    if stored.len() == out.len() {
        out.copy_from_slice(stored);
        return Ok(());
    }
    let length = match compressor {
        Compressor::BloscLz => decode_blosclz(stored, out)?,
        Compressor::Lz4 => lz4_flex::block::decompress_into(stored, out).map_err(|_| DAMAGED)?,
        Compressor::Zlib => deflate::decode(decompressor, stored, out)?,
        Compressor::Zstd => zstd::bulk::decompress_to_buffer(stored, out).map_err(|_| DAMAGED)?,
    };
    if length == out.len() {
        Ok(())
    } else {
        Err(DAMAGED)
    }
}

/// BloscLZ: as LZF, but for lengths that go on with bytes of 255, and distances beyond 13 bits in two more bytes.
fn decode_blosclz(data: &[u8], out: &mut [u8]) -> Result<usize, &'static str> {
    let (mut at, mut done) = (0, 0);
    let next = |at: &mut usize| {
        let byte = data.get(*at).copied().map(usize::from).ok_or(SHORT);
        *at += 1;
        byte
    };
    while at < data.len() {
        let is_first = at == 0;
        // The first one is always literals.
        let control = next(&mut at)? & if is_first { 31 } else { 255 };
        if control < 32 {
            let literals = data.get(at..at + control + 1).ok_or(SHORT)?;
            out.get_mut(done..done + literals.len()).ok_or(LARGE)?.copy_from_slice(literals);
            (at, done) = (at + literals.len(), done + literals.len());
            continue;
        }
        let mut length = (control >> 5) + 2;
        if control >> 5 == 7 {
            loop {
                let more = next(&mut at)?;
                length += more;
                if more < 255 {
                    break;
                }
            }
        }
        let mut distance = ((control & 31) << 8) + next(&mut at)?;
        if distance == 0x1fff {
            distance += (next(&mut at)? << 8) + next(&mut at)?;
        }
        let from = done.checked_sub(distance + 1).ok_or("a copy from before the beginning")?;
        let end = done.checked_add(length).filter(|&end| end <= out.len()).ok_or(LARGE)?;
        for target in done..end {
            out[target] = out[from + target - done];
        }
        done = end;
    }
    Ok(done)
}

/// Encodes.
pub(super) fn encode(parameters: &[u32], data: &[u8], out: &mut Vec<u8>) -> Result<(), &'static str> {
    let plan = Plan::of(parameters)?;
    let size = u32::try_from(data.len()).map_err(|_| "data of 4 GiB or more")?;
    let block = (BLOCK / plan.element * plan.element).min(data.len()).max(1);
    let is_shuffled = plan.element > 1 && plan.shuffle == 1;
    let mut flags = (plan.compressor as u8) << 5;
    flags |= if is_shuffled { SHUFFLED } else { 0 } | if plan.shuffle == 2 { BITS_SHUFFLED } else { 0 };
    out.clear();
    out.extend_from_slice(&[FORMAT as u8, COMPRESSOR_VERSION, flags, plan.element as u8]);
    out.extend_from_slice(&size.to_le_bytes());
    out.extend_from_slice(&(block as u32).to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    out.resize(HEADER + 4 * data.len().div_ceil(block), 0);
    let mut tools = Tools { plan: &plan, shuffled: Vec::new(), packed: Vec::new(), zlib: None };
    for (number, source) in data.chunks(block).enumerate() {
        // What does not become smaller is stored as a whole, and larger: libhdf5, which stores such a chunk without the filter,
        // forgets its mask where it has as many bytes as before.
        if plan.level == 0 || out.len() >= data.len() {
            break;
        }
        let begin = out.len() as u32;
        out[HEADER + 4 * number..][..4].copy_from_slice(&begin.to_le_bytes());
        tools.encode_block(flags, source, block, out)?;
    }
    if plan.level == 0 || out.len() >= data.len() {
        out.truncate(HEADER);
        out[2] |= STORED;
        out.extend_from_slice(data);
    }
    let length = u32::try_from(out.len()).map_err(|_| "data of 4 GiB or more")?;
    out[12..16].copy_from_slice(&length.to_le_bytes());
    Ok(())
}

/// What is used for all blocks.
struct Tools<'a> {
    plan: &'a Plan,
    shuffled: Vec<u8>,
    packed: Vec<u8>,
    zlib: Option<libdeflater::Compressor>,
}

impl Tools<'_> {
    fn encode_block(&mut self, flags: u8, source: &[u8], block: usize, out: &mut Vec<u8>) -> Result<(), &'static str> {
        let element = self.plan.element;
        let mut shuffled = std::mem::take(&mut self.shuffled);
        shuffled.clear();
        shuffled.extend_from_slice(source);
        if flags & SHUFFLED != 0 {
            shuffle::encode(source, element, &mut shuffled);
        } else if flags & BITS_SHUFFLED != 0 && (source.len() / element).is_multiple_of(8) {
            let whole = source.len() / element * element;
            bitshuffle::shuffle(&source[..whole], element, &mut shuffled[..whole]);
        }
        for stream in shuffled.chunks(source.len() / streams(flags, element, source.len(), block)) {
            self.pack(stream)?;
            let stored = if self.packed.len() < stream.len() { &self.packed[..] } else { stream };
            out.extend_from_slice(&(stored.len() as u32).to_le_bytes());
            out.extend_from_slice(stored);
        }
        self.shuffled = shuffled;
        Ok(())
    }

    fn pack(&mut self, stream: &[u8]) -> Result<(), &'static str> {
        const TOO_LONG: &str = "more bytes than the largest that data become";
        let (packed, level) = (&mut self.packed, self.plan.level);
        let length = match self.plan.compressor {
            Compressor::BloscLz => {
                lzf::encode_blosclz(stream, packed);
                return Ok(());
            }
            Compressor::Lz4 => {
                packed.resize(lz4_flex::block::get_maximum_output_size(stream.len()), 0);
                lz4_flex::block::compress_into(stream, packed).map_err(|_| TOO_LONG)?
            }
            Compressor::Zlib => {
                let zlib = self.zlib.get_or_insert_with(|| deflate::compressor(level));
                packed.resize(zlib.zlib_compress_bound(stream.len()), 0);
                zlib.zlib_compress(stream, packed).map_err(|_| TOO_LONG)?
            }
            Compressor::Zstd => {
                // As Blosc has its levels.
                let level = if level < 9 { 2 * level as i32 - 1 } else { 22 };
                packed.resize(zstd::zstd_safe::compress_bound(stream.len()), 0);
                zstd::bulk::compress_to_buffer(stream, packed, level).map_err(|_| TOO_LONG)?
            }
        };
        packed.truncate(length);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn what_is_encoded_is_decoded() {
        let mut random = Random::new(1);
        for length in [0usize, 1, 24, 1000, 4096, 700_001] {
            for spread in [1, 9, 65_536] {
                let values: Vec<u32> =
                    (0..length / 4 + 1).map(|i| i as u32 / 5 * 3 + random.below(spread) as u32).collect();
                let data: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).take(length).collect();
                for compressor in [0, 1, 2, 4, 5] {
                    for (element, level, shuffle) in
                        [(4, 5, 1), (1, 1, 0), (4, 4, 2), (300, 5, 1), (7, 3, 2), (4, 0, 1)]
                    {
                        let parameters = [2, 2, element, length as u32, level, shuffle, compressor];
                        let (mut packed, mut out) = (Vec::new(), vec![0; length]);
                        encode(&parameters, &data, &mut packed).unwrap();
                        assert!(packed.len() <= length + HEADER);
                        assert!(length < 4000 || spread > 1 || level == 0 || element > 4 || packed.len() < length / 2);
                        assert_eq!(number(&packed, 12), Some(packed.len()));
                        assert_eq!(decode(&packed, &mut out), Ok(length), "{length} {spread} {parameters:?}");
                        assert!(out == data, "{length} {spread} {parameters:?}");
                        for cut in (0..packed.len()).step_by(packed.len() / 7 + 1) {
                            assert!(decode(&packed[..cut], &mut out).is_err());
                        }
                        assert!(length == 0 || decode(&packed, &mut out[1..]).is_err());
                    }
                }
            }
        }
        assert!(check(&[2, 2, 4, 0, 5, 1, 3]).unwrap_err().contains("compressor"));
    }

    #[test]
    fn blosclz_copies() {
        // Two literals and a long copy of them; then one from far.
        let mut out = vec![0; 20_000];
        assert_eq!(decode_blosclz(&[1, b'a', b'b', 0xe0, 255, 3, 1], &mut out), Ok(2 + 9 + 258));
        assert_eq!(&out[..6], b"ababab");
        let mut stream = vec![0, b'x', 0xe0];
        stream.extend([255; 40]);
        stream.extend([0, 0, 0x3f, 0xff, 0x02, 0x01]);
        let run = 1 + 9 + 255 * 40;
        assert_eq!(decode_blosclz(&stream, &mut out), Ok(run + 3));
        assert!(decode_blosclz(&[0x40, b'a', 0x20, 5], &mut out).is_err());
        // What is written ends with a literal: Blosc's decoder does not make a copy that ends the data.
        let mut packed = Vec::new();
        lzf::encode_blosclz(&[7; 1000], &mut packed);
        assert_eq!((packed.len(), &packed[packed.len() - 2..]), (16, &[0, 7][..]));
        assert!(decode_blosclz(&[0, b'a', 0xe0, 255], &mut out).is_err());
    }
}

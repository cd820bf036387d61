//! Deflate, in zlib's format.

use super::noise;
use libdeflater::{CompressionLvl, Compressor, DecompressionError, Decompressor};

/// The highest level of compression.
pub const MAX_LEVEL: u32 = 9;

/// No stream becomes more than so many times its size.
pub(super) const MAX_RATIO: usize = 1032;

/// What a zlib stream begins with: deflate with a window of 32 KiB, the default level.
const HEADER: [u8; 2] = [0x78, 0x9c];

/// Decodes a stream that becomes at most as many bytes as `out` has; how many it became.
pub(super) fn decode(decompressor: &mut Decompressor, data: &[u8], out: &mut [u8]) -> Result<usize, &'static str> {
    decompressor.zlib_decompress(data, out).map_err(|error| match error {
        DecompressionError::BadData => "the compressed data are damaged",
        DecompressionError::InsufficientSpace => "the data become larger than what was stored",
    })
}

/// Libdeflate's level for each of zlib's: the fastest that makes data no larger (docs/design.md).
const LEVELS: [i32; MAX_LEVEL as usize + 1] = [0, 2, 2, 3, 3, 5, 6, 7, 8, 9];

/// A compressor for a level of zlib's.
pub(super) fn compressor(level: u32) -> Compressor {
    Compressor::new(CompressionLvl::new(LEVELS[level.min(MAX_LEVEL) as usize]).unwrap_or_default())
}

/// Encodes. What cannot be compressed at the beginning is stored, and the rest compressed.
pub(super) fn encode(compressor: &mut Compressor, data: &[u8], out: &mut Vec<u8>) -> Result<(), &'static str> {
    const TOO_LONG: &str = "more bytes than the largest that data become";
    let noise = noise::prefix(data);
    if noise == 0 {
        out.resize(compressor.zlib_compress_bound(data.len()), 0);
        let length = compressor.zlib_compress(data, out).map_err(|_| TOO_LONG)?;
        out.truncate(length);
        return Ok(());
    }
    let (noise, rest) = data.split_at(noise);
    out.clear();
    out.extend_from_slice(&HEADER);
    for stored in noise.chunks(usize::from(u16::MAX)) {
        let length = stored.len() as u16;
        // Not the last block, and stored; its length, and the same with its bits exchanged.
        out.push(0);
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(!length).to_le_bytes());
        out.extend_from_slice(stored);
    }
    let begin = out.len();
    out.resize(begin + compressor.deflate_compress_bound(rest.len()), 0);
    let length = compressor.deflate_compress(rest, &mut out[begin..]).map_err(|_| TOO_LONG)?;
    out.truncate(begin + length);
    out.extend_from_slice(&libdeflater::adler32(data).to_be_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn floats_are_compressed_at_every_level() {
        let floats = (0..1 << 16).flat_map(|i| ((300.0 + 20.0 * (f64::from(i) * 1e-4).sin()) as f32).to_le_bytes());
        let floats: Vec<u8> = floats.collect();
        // Level and zlib's size, which one per cent more may pass.
        for (level, most) in [(1, 110_037), (2, 110_446), (4, 110_373), (6, 109_898), (9, 109_606)] {
            let mut stream = Vec::new();
            encode(&mut compressor(level), &floats, &mut stream).unwrap();
            assert!(stream.len() <= most + most / 100, "level {level}: {}", stream.len());
        }
    }

    #[test]
    fn stored_and_compressed_parts_are_one_stream() {
        let mut noise = Random::new(7);
        for (random, smooth) in [(0, 1000), (70_000, 0), (131_070, 0), (131_070, 70_000), (200_000, 300_000)] {
            let data: Vec<u8> = noise.bytes(random).into_iter().chain((0..smooth).map(|i| (i / 500) as u8)).collect();
            let mut stream = Vec::new();
            encode(&mut compressor(4), &data, &mut stream).unwrap();
            assert!(stream.len() < random + 100 + smooth / 20, "{random} and {smooth}: {}", stream.len());
            let mut out = vec![0; data.len()];
            assert_eq!(decode(&mut Decompressor::new(), &stream, &mut out), Ok(data.len()));
            assert!(out == data);
        }
    }
}

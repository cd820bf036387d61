//! Deflate, in zlib's format.

use libdeflater::{CompressionLvl, Compressor, DecompressionError, Decompressor};

/// The highest level of compression.
pub const MAX_LEVEL: u32 = 9;

/// No stream becomes more than so many times its size.
pub(super) const MAX_RATIO: usize = 1032;

/// Decodes a stream that becomes at most `most` bytes.
pub(super) fn decode(data: &[u8], most: usize) -> Result<Vec<u8>, &'static str> {
    let mut out = vec![0; most.min(data.len().saturating_mul(MAX_RATIO))];
    match Decompressor::new().zlib_decompress(data, &mut out) {
        Ok(length) => {
            out.truncate(length);
            Ok(out)
        }
        Err(DecompressionError::BadData) => Err("the compressed data are damaged"),
        Err(DecompressionError::InsufficientSpace) => Err("the data become larger than what was stored"),
    }
}

/// Encodes.
pub(super) fn encode(data: &[u8], level: u32) -> Vec<u8> {
    let level = CompressionLvl::new(level.min(MAX_LEVEL) as i32).unwrap_or_default();
    let mut compressor = Compressor::new(level);
    let mut out = vec![0; compressor.zlib_compress_bound(data.len())];
    // The bound is enough for any data.
    let length = compressor.zlib_compress(data, &mut out).unwrap_or(0);
    out.truncate(length);
    out
}

//! Deflate, in zlib's format.

use libdeflater::{CompressionLvl, Compressor, DecompressionError, Decompressor};

/// The highest level of compression.
pub const MAX_LEVEL: u32 = 9;

/// No stream becomes more than so many times its size.
pub(super) const MAX_RATIO: usize = 1032;

/// Decodes a stream that becomes at most as many bytes as `out` has; how many it became.
pub(super) fn decode(decompressor: &mut Decompressor, data: &[u8], out: &mut [u8]) -> Result<usize, &'static str> {
    decompressor.zlib_decompress(data, out).map_err(|error| match error {
        DecompressionError::BadData => "the compressed data are damaged",
        DecompressionError::InsufficientSpace => "the data become larger than what was stored",
    })
}

/// A compressor of this level.
pub(super) fn compressor(level: u32) -> Compressor {
    Compressor::new(CompressionLvl::new(level.min(MAX_LEVEL) as i32).unwrap_or_default())
}

/// Encodes.
pub(super) fn encode(compressor: &mut Compressor, data: &[u8], out: &mut Vec<u8>) -> Result<(), &'static str> {
    out.resize(compressor.zlib_compress_bound(data.len()), 0);
    let length = compressor.zlib_compress(data, out).map_err(|_| "more bytes than the largest that data become")?;
    out.truncate(length);
    Ok(())
}

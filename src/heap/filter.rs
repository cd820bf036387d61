//! Filtered heaps, for reading: deflate, shuffle and fletcher32 undone.

use std::io::Read;

use crate::error::{Error, Result};
use crate::format::message::filter_pipeline;

const DEFLATE: u16 = 1;
const SHUFFLE: u16 = 2;
const FLETCHER32: u16 = 3;

/// Undoes the filters of `pipeline` that `mask` does not say were skipped; `size` bytes are to come out.
pub(super) fn decode(pipeline: &[u8], mask: u32, bytes: &[u8], size: u64, address: u64) -> Result<Vec<u8>> {
    let bad = |detail: &str| Error::corrupt("filtered fractal heap block", address, detail);
    let mut data = bytes.to_vec();
    for (index, filter) in filter_pipeline::decode(pipeline)?.iter().enumerate().rev() {
        if mask & (1 << index) != 0 {
            continue;
        }
        data = match filter.id {
            DEFLATE => {
                let mut out = Vec::new();
                // A little more than is expected, for the filters below; not what a hostile stream could make of it.
                let decoder = flate2::read::ZlibDecoder::new(&data[..]);
                decoder.take(size.saturating_add(1024)).read_to_end(&mut out).map_err(|_| bad("deflate"))?;
                out
            }
            SHUFFLE => unshuffle(&data, filter.client_data.first().map_or(1, |&n| n as usize)),
            FLETCHER32 => {
                let at = data.len().checked_sub(4).ok_or_else(|| bad("fletcher32"))?;
                let stored = u32::from_le_bytes([data[at], data[at + 1], data[at + 2], data[at + 3]]);
                data.truncate(at);
                if fletcher32(&data) != stored {
                    return Err(bad("its fletcher32 checksum does not hold"));
                }
                data
            }
            id => return Err(Error::unsupported(format_args!("filter {id} in a fractal heap"))),
        };
    }
    if data.len() as u64 != size {
        return Err(bad("its size after its filters"));
    }
    Ok(data)
}

fn unshuffle(data: &[u8], width: usize) -> Vec<u8> {
    if width <= 1 {
        return data.to_vec();
    }
    let count = data.len() / width;
    let mut out = data.to_vec();
    for byte in 0..width {
        for element in 0..count {
            out[element * width + byte] = data[byte * count + element];
        }
    }
    out
}

/// The format's fletcher32: 16-bit words, most significant byte first, an odd last byte as the high one.
fn fletcher32(data: &[u8]) -> u32 {
    let (mut low, mut high) = (0u32, 0u32);
    for block in data.chunks(720) {
        for pair in block.chunks(2) {
            low += u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0));
            high += low;
        }
        low = (low & 0xffff) + (low >> 16);
        high = (high & 0xffff) + (high >> 16);
    }
    low = (low & 0xffff) + (low >> 16);
    high = (high & 0xffff) + (high >> 16);
    high << 16 | low
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::message::filter_pipeline::{encode, Filter};
    use std::io::Write;

    #[test]
    fn filters_are_undone() {
        let object: Vec<u8> = (0..1000u32).flat_map(|i| (i / 3).to_le_bytes()).collect();
        let mut shuffled = vec![0; object.len()];
        for (i, &byte) in object.iter().enumerate() {
            shuffled[(i % 4) * 1000 + i / 4] = byte;
        }
        let mut stored = shuffled.clone();
        stored.extend_from_slice(&fletcher32(&shuffled).to_le_bytes());
        let mut deflate = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        deflate.write_all(&stored).unwrap();
        let stored = deflate.finish().unwrap();
        let filter = |id, client_data| Filter { id, flags: 0, name: Vec::new(), client_data };
        let pipeline = encode(&[filter(SHUFFLE, vec![4]), filter(FLETCHER32, vec![]), filter(DEFLATE, vec![6])]);
        assert_eq!(decode(&pipeline, 0, &stored, 4000, 0).unwrap(), object);
        assert!(decode(&pipeline, 0, &stored, 3999, 0).is_err());
        assert!(decode(&pipeline, 0, &stored[..100], 4000, 0).is_err());
        assert!(decode(&pipeline, 4, &stored, 4000, 0).is_err());
    }
}

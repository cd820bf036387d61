//! LZ4 in the format of the filter 32004: the size of all data and of a block (8 and 4 bytes, most significant first), then each
//! block with the bytes that it takes (4 bytes); a block that takes as many as it has is stored.

/// Bytes of a block where the filter's first parameter does not say.
const BLOCK: usize = 1 << 30;

/// Decodes data that become at most as many bytes as `out` has; how many they became.
pub(super) fn decode(data: &[u8], out: &mut [u8]) -> Result<usize, &'static str> {
    const SHORT: &str = "the compressed data end early";
    let (size, rest) = data.split_first_chunk::<8>().ok_or(SHORT)?;
    let (block, mut rest) = rest.split_first_chunk::<4>().ok_or(SHORT)?;
    let size = usize::try_from(u64::from_be_bytes(*size)).ok().filter(|&size| size <= out.len());
    let size = size.ok_or("the data become larger than what was stored")?;
    // A block is at most all data, whatever its size says.
    let block = (u32::from_be_bytes(*block) as usize).min(size).max(1);
    for target in out[..size].chunks_mut(block) {
        let (length, after) = rest.split_first_chunk::<4>().ok_or(SHORT)?;
        let (stored, after) = after.split_at_checked(u32::from_be_bytes(*length) as usize).ok_or(SHORT)?;
        if stored.len() == target.len() {
            target.copy_from_slice(stored);
        } else if lz4_flex::block::decompress_into(stored, target).ok() != Some(target.len()) {
            return Err("the compressed data are damaged");
        }
        rest = after;
    }
    Ok(size)
}

/// The least bytes of a block that are written: less would make the data much larger.
const LEAST: usize = 64;

/// Encodes in blocks of so many bytes; 0: one block.
pub(super) fn encode(data: &[u8], block: u32, out: &mut Vec<u8>) -> Result<(), &'static str> {
    let block = if block == 0 { BLOCK } else { block as usize }.min(data.len()).clamp(LEAST, BLOCK);
    out.clear();
    out.extend_from_slice(&(data.len() as u64).to_be_bytes());
    out.extend_from_slice(&(block as u32).to_be_bytes());
    for part in data.chunks(block) {
        let begin = out.len();
        out.resize(begin + 4 + lz4_flex::block::get_maximum_output_size(part.len()), 0);
        let packed = lz4_flex::block::compress_into(part, &mut out[begin + 4..]);
        let mut length = packed.map_err(|_| "more bytes than the largest that data become")?;
        if length >= part.len() {
            length = part.len();
            out[begin + 4..begin + 4 + length].copy_from_slice(part);
        }
        out[begin..begin + 4].copy_from_slice(&(length as u32).to_be_bytes());
        out.truncate(begin + 4 + length);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn blocks_are_stored_or_compressed() {
        let mut data = Random::new(1).bytes(5000);
        for smooth in [1000..2000, 3000..4000] {
            data[smooth].fill(7);
        }
        for block in [0, 1, 100, 1000, 4999, 5000, 1 << 20] {
            let (mut encoded, mut out) = (Vec::new(), vec![0; 5000]);
            encode(&data, block, &mut encoded).unwrap();
            assert!(block == 1 || encoded.len() < 4000, "{block}: {}", encoded.len());
            assert_eq!(decode(&encoded, &mut out), Ok(5000));
            assert!(out == data);
            assert!(decode(&encoded, &mut out[..4999]).is_err());
            (0..encoded.len().min(500)).for_each(|length| assert!(decode(&encoded[..length], &mut out).is_err()));
            encoded[0] = 0xff;
            assert!(decode(&encoded, &mut out).is_err());
        }
    }
}

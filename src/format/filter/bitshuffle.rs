//! Bitshuffle (32008): the first bits of all elements of a block, then the second ones, and so on, and then LZ4 or Zstandard.
//! Its parameters are its version (two numbers), the bytes of an element, the elements of a block (0: about 8 KiB), the
//! compression and its level. Compressed data begin with their bytes (8) and those of a block (4), and each block with those
//! that it takes (4), all most significant first. Elements beyond the last multiple of eight stand at the end as they are.

/// How the blocks are compressed.
#[derive(Clone, Copy)]
enum Compression {
    None,
    Lz4,
    Zstd(i32),
}

struct Plan {
    element: usize,
    /// Elements of a block.
    block: usize,
    compression: Compression,
}

/// What the parameters are completed with: the version of the filter.
pub(super) const VERSION: [u32; 2] = [0, 4];

const SHORT: &str = "the compressed data end early";
const DAMAGED: &str = "the compressed data are damaged";
const LARGE: &str = "the data become larger than what was stored";

impl Plan {
    fn of(parameters: &[u32]) -> Result<Plan, &'static str> {
        let value = |number: usize| parameters.get(number).copied().unwrap_or(0);
        let element = value(2) as usize;
        if element == 0 {
            return Err("its parameters name no size of an element");
        }
        let compression = match (value(4), value(5)) {
            (0, _) => Compression::None,
            (2, _) => Compression::Lz4,
            (3, 0) => Compression::Zstd(zstd::DEFAULT_COMPRESSION_LEVEL),
            (3, level) => Compression::Zstd(level as i32),
            _ => return Err("its parameters name a compression that is not known: 0 none, 2 LZ4, 3 Zstandard"),
        };
        let block = match value(3) as usize {
            0 => (8192 / element / 8 * 8).max(128),
            block if block.is_multiple_of(8) => block,
            _ => return Err("its parameters name a block that is no multiple of 8 elements"),
        };
        Ok(Plan { element, block, compression })
    }
}

/// Whether chunks can be written with these parameters.
pub(super) fn check(parameters: &[u32]) -> Result<(), &'static str> {
    Plan::of(parameters).map(|_| ())
}

/// Decodes data that become at most as many bytes as `out` has; how many they became.
pub(super) fn decode(parameters: &[u32], data: &[u8], out: &mut [u8]) -> Result<usize, &'static str> {
    let plan = Plan::of(parameters)?;
    let mut rest = data;
    let (mut size, mut block) = (data.len(), plan.block.saturating_mul(plan.element));
    if !matches!(plan.compression, Compression::None) {
        let (total, after) = data.split_first_chunk::<8>().ok_or(SHORT)?;
        let (bytes, after) = after.split_first_chunk::<4>().ok_or(SHORT)?;
        size = usize::try_from(u64::from_be_bytes(*total)).map_err(|_| LARGE)?;
        block = u32::from_be_bytes(*bytes) as usize;
        rest = after;
    }
    let unit = plan.element.checked_mul(8).filter(|unit| block >= *unit && block.is_multiple_of(*unit));
    let unit = unit.ok_or("a block that is no multiple of 8 elements")?;
    let out = out.get_mut(..size).ok_or(LARGE)?;
    let whole = size / unit * unit;
    let mut shuffled = Vec::new();
    for target in out[..whole].chunks_mut(block) {
        if matches!(plan.compression, Compression::None) {
            let (stored, after) = rest.split_at_checked(target.len()).ok_or(SHORT)?;
            unshuffle(stored, plan.element, target);
            rest = after;
            continue;
        }
        let (length, after) = rest.split_first_chunk::<4>().ok_or(SHORT)?;
        let (stored, after) = after.split_at_checked(u32::from_be_bytes(*length) as usize).ok_or(SHORT)?;
        shuffled.resize(target.len(), 0);
        let length = match plan.compression {
            Compression::Lz4 => lz4_flex::block::decompress_into(stored, &mut shuffled).ok(),
            _ => zstd::bulk::decompress_to_buffer(stored, &mut shuffled).ok(),
        };
        if length != Some(target.len()) {
            return Err(DAMAGED);
        }
        unshuffle(&shuffled, plan.element, target);
        rest = after;
    }
    let tail = &mut out[whole..];
    tail.copy_from_slice(rest.get(..tail.len()).ok_or(SHORT)?);
    Ok(size)
}

/// Encodes whole elements.
pub(super) fn encode(parameters: &[u32], data: &[u8], out: &mut Vec<u8>) -> Result<(), &'static str> {
    let plan = Plan::of(parameters)?;
    let block = plan.block.checked_mul(plan.element).and_then(|bytes| u32::try_from(bytes).ok());
    let block = block.ok_or("its parameters name a block of 4 GiB or more")?;
    if !data.len().is_multiple_of(plan.element) {
        return Err("the data are no whole elements");
    }
    out.clear();
    if !matches!(plan.compression, Compression::None) {
        out.extend_from_slice(&(data.len() as u64).to_be_bytes());
        out.extend_from_slice(&block.to_be_bytes());
    }
    let (whole, tail) = data.split_at(data.len() / (8 * plan.element) * 8 * plan.element);
    let mut shuffled = Vec::new();
    for source in whole.chunks(block as usize) {
        shuffled.resize(source.len(), 0);
        shuffle(source, plan.element, &mut shuffled);
        let begin = out.len();
        let length = match plan.compression {
            Compression::None => {
                out.extend_from_slice(&shuffled);
                continue;
            }
            Compression::Lz4 => {
                out.resize(begin + 4 + lz4_flex::block::get_maximum_output_size(shuffled.len()), 0);
                lz4_flex::block::compress_into(&shuffled, &mut out[begin + 4..]).ok()
            }
            Compression::Zstd(level) => {
                out.resize(begin + 4 + zstd::zstd_safe::compress_bound(shuffled.len()), 0);
                zstd::bulk::compress_to_buffer(&shuffled, &mut out[begin + 4..], level).ok()
            }
        };
        let length = length.ok_or("more bytes than the largest that data become")?;
        out[begin..begin + 4].copy_from_slice(&(length as u32).to_be_bytes());
        out.truncate(begin + 4 + length);
    }
    out.extend_from_slice(tail);
    Ok(())
}

/// The bits of a multiple of eight elements, plane by plane.
pub(super) fn shuffle(data: &[u8], element: usize, out: &mut [u8]) {
    let count = data.len() / element;
    for (group, eight) in data.chunks_exact(8 * element).enumerate() {
        for byte in 0..element {
            let rows = std::array::from_fn(|row| eight[row * element + byte]);
            for (bit, plane) in transposed(rows).into_iter().enumerate() {
                out[(8 * byte + bit) * (count / 8) + group] = plane;
            }
        }
    }
}

/// The opposite.
pub(super) fn unshuffle(data: &[u8], element: usize, out: &mut [u8]) {
    let count = data.len() / element;
    for (group, eight) in out.chunks_exact_mut(8 * element).enumerate() {
        for byte in 0..element {
            let planes = std::array::from_fn(|bit| data[(8 * byte + bit) * (count / 8) + group]);
            for (row, value) in transposed(planes).into_iter().enumerate() {
                eight[row * element + byte] = value;
            }
        }
    }
}

/// Rows become columns, in a square of bits: blocks of one, two and four bits change places with their mirror images.
fn transposed(rows: [u8; 8]) -> [u8; 8] {
    let mut square = u64::from_le_bytes(rows);
    for (distance, above) in [(7, 0x00aa_00aa_00aa_00aau64), (14, 0x0000_cccc_0000_cccc), (28, 0x0000_0000_f0f0_f0f0)] {
        let changed = (square ^ square >> distance) & above;
        square ^= changed ^ changed << distance;
    }
    square.to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_of_bits() {
        let data: Vec<u8> = (0..96u32).map(|i| (i * 151 + i / 3) as u8).collect();
        for element in [1, 2, 3, 4] {
            let (mut planes, mut back) = (vec![0; 96], vec![0; 96]);
            shuffle(&data, element, &mut planes);
            let count = 96 / element;
            for at in 0..count {
                for bit in 0..8 * element {
                    let wanted = data[at * element + bit / 8] >> (bit % 8) & 1;
                    assert_eq!(planes[bit * count / 8 + at / 8] >> (at % 8) & 1, wanted);
                }
            }
            unshuffle(&planes, element, &mut back);
            assert_eq!(back, data);
        }
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        for length in [0usize, 4, 28, 32, 1000, 4 * 5003] {
            let data: Vec<u8> = (0..length / 4).flat_map(|i| (i as u32 / 3 * 7).to_le_bytes()).collect();
            for (block, compression) in [(0, 0), (0, 2), (64, 2), (8, 2), (0, 3), (2048, 3)] {
                let parameters = [0, 5, 4, block, compression];
                let (mut packed, mut out) = (Vec::new(), vec![0; length]);
                encode(&parameters, &data, &mut packed).unwrap();
                assert_eq!(decode(&parameters, &packed, &mut out), Ok(length), "{length} {block} {compression}");
                assert!(out == data);
                assert!(compression == 0 || length < 4000 || block == 8 || packed.len() < length / 2);
                for cut in (0..packed.len()).step_by(packed.len() / 50 + 1) {
                    assert!(compression == 0 || decode(&parameters, &packed[..cut], &mut out).is_err());
                }
                assert!(length == 0 || decode(&parameters, &packed, &mut out[1..]).is_err());
            }
        }
        assert!(encode(&[0, 5, 4, 12, 2], &[0; 400], &mut Vec::new()).is_err());
        assert!(encode(&[0, 5, 4, 0, 2], &[0; 401], &mut Vec::new()).is_err());
    }
}

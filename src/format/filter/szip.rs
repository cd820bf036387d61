//! Szip, through libsz: a chunk is the bytes that it becomes (4, least significant first), and the coded data. The parameters
//! are options, the values of a block, the bits of a value, and the values of a line. The library does not notice all damage,
//! as libhdf5 with it does not: that is what fletcher32 is for.

use super::libsz::{Library, Parameters};
use crate::format::message::datatype::{Bits, ByteOrder, Class, Datatype};

const ALLOW_K13: u32 = 1;
const CHIP: u32 = 2;
const ENTROPY_CODING: u32 = 4;
const LITTLE: u32 = 8;
const BIG: u32 = 16;
const NEAREST_NEIGHBOUR: u32 = 32;
const RAW: u32 = 128;

const MOST_IN_BLOCK: u32 = 32;
const MOST_BLOCKS_OF_LINE: u32 = 128;
const MOST_IN_LINE: u32 = 4096;

/// What is said where the library is missing.
pub(super) const MISSING: &str = "which needs libsz.so.2 of libaec (Debian: libsz2), and that was not found";

/// Whether the library is there.
pub(super) fn is_available() -> bool {
    Library::get().is_some()
}

/// Bytes that the library takes for a value of so many bits.
fn bytes_of_value(bits: u32) -> usize {
    match bits {
        0..=8 => 1,
        9..=16 => 2,
        17..=32 => 4,
        _ => 8,
    }
}

/// What the library is given for so many bytes of values. Of parts of values it writes beyond its memory.
fn checked_for(parameters: &[u32], bytes: usize) -> Result<Parameters, &'static str> {
    let checked = checked(parameters)?;
    if !bytes.is_multiple_of(bytes_of_value(checked.bits_per_pixel as u32)) {
        return Err("the data are no whole values of as many bits as its parameters say");
    }
    Ok(checked)
}

/// What the library is given; it is not asked with what its own limits exclude.
fn checked(parameters: &[u32]) -> Result<Parameters, &'static str> {
    let &[options, block, bits, line] = parameters else { return Err("it has not four parameters") };
    let is_known = options & !(ALLOW_K13 | CHIP | ENTROPY_CODING | LITTLE | BIG | NEAREST_NEIGHBOUR | RAW) == 0;
    let has_block = (2..=MOST_IN_BLOCK).contains(&block) && block % 2 == 0;
    let has_line = (1..=MOST_IN_LINE).contains(&line) && line.div_ceil(MOST_BLOCKS_OF_LINE) <= block;
    if !is_known || !has_block || !has_line || !matches!(bits, 1..=24 | 32 | 64) {
        return Err("its parameters are none that libsz accepts");
    }
    Ok(Parameters {
        options_mask: options as i32,
        bits_per_pixel: bits as i32,
        pixels_per_block: block as i32,
        pixels_per_scanline: line as i32,
    })
}

/// Whether chunks can be written with these parameters.
pub(super) fn check(parameters: &[u32]) -> Result<(), &'static str> {
    checked(parameters).map(|_| ())
}

/// Decodes data that become at most as many bytes as `out` has; how many they became.
pub(super) fn decode(parameters: &[u32], data: &[u8], out: &mut [u8]) -> Result<usize, &'static str> {
    let library = Library::get().ok_or(MISSING)?;
    let (size, coded) = data.split_first_chunk::<4>().ok_or("the compressed data end early")?;
    let size = u32::from_le_bytes(*size) as usize;
    let mut parameters = checked_for(parameters, size)?;
    let out = out.get_mut(..size).ok_or("the data become larger than what was stored")?;
    match library.decompress(&mut parameters, coded, out) {
        Some(length) if length == size => Ok(size),
        _ => Err("the compressed data are damaged"),
    }
}

/// Encodes.
pub(super) fn encode(parameters: &[u32], data: &[u8], out: &mut Vec<u8>) -> Result<(), &'static str> {
    let library = Library::get().ok_or(MISSING)?;
    let mut parameters = checked_for(parameters, data.len())?;
    let size = u32::try_from(data.len()).map_err(|_| "data of 4 GiB or more")?;
    out.clear();
    out.extend_from_slice(&size.to_le_bytes());
    out.resize(4 + data.len(), 0);
    // As libhdf5 has it: no room to become larger.
    let length = library.compress(&mut parameters, data, &mut out[4..]).ok_or("data that do not become smaller")?;
    out.truncate(4 + length);
    // Of values of other sizes it drops the bits beyond without a word, or makes something that it does not read.
    if !matches!(parameters.bits_per_pixel, 8 | 16 | 32 | 64) {
        let mut again = vec![0; data.len()];
        if library.decompress(&mut parameters, &out[4..], &mut again) != Some(data.len()) || again != data {
            return Err("values with more bits than its parameters say");
        }
    }
    Ok(())
}

/// The parameters for a type and the dimensions of a chunk; given are the options (4 entropy coding, 32 nearest neighbour) and
/// the values of a block.
pub(super) fn parameters(given: &[u32], datatype: &Datatype, chunk: &[u64]) -> Result<Vec<u32>, String> {
    let (options, block) = match given {
        [] => (NEAREST_NEIGHBOUR, 8),
        [options @ (ENTROPY_CODING | NEAREST_NEIGHBOUR), block]
            if (2..=MOST_IN_BLOCK).contains(block) && block % 2 == 0 =>
        {
            (*options, *block)
        }
        _ => return Err(
            "other parameters than 4 (entropy coding) or 32 (nearest neighbour), and an even number of values of a \
                        block up to 32"
                .into(),
        ),
    };
    let bits: &Bits = match &datatype.class {
        Class::FixedPoint { bits, .. } | Class::BitField(bits) => bits,
        Class::FloatingPoint(float) => &float.bits,
        _ => return Err("types other than integers, floats and bit fields".into()),
    };
    let size = 8 * datatype.size;
    if size > 32 && size != 64 {
        return Err(format!("numbers of {size} bits; it takes up to 32, and 64"));
    }
    let precision = if bits.offset != 0 { size } else { u32::from(bits.precision) };
    let precision = match precision {
        25..=32 => 32,
        33..=64 => 64,
        precision => precision,
    };
    let order = match bits.order {
        ByteOrder::Little => LITTLE,
        ByteOrder::Big => BIG,
        ByteOrder::Vax => return Err("numbers in VAX byte order".into()),
    };
    let most = u64::from(block * MOST_BLOCKS_OF_LINE);
    let count = chunk.iter().fold(1u64, |count, &dim| count.saturating_mul(dim));
    let line = match chunk.last().copied().unwrap_or(1) {
        line if line < u64::from(block) => {
            if count < u64::from(block) {
                return Err(format!("chunks of {count} values in blocks of {block}"));
            }
            most.min(count)
        }
        line if line <= u64::from(MOST_IN_LINE) => most.min(line),
        _ => most,
    };
    Ok(vec![options | ALLOW_K13 | RAW | order, block, precision, line as u32])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn what_is_encoded_is_decoded() {
        if !is_available() {
            assert_eq!(encode(&[169, 8, 32, 100], &[0; 400], &mut Vec::new()), Err(MISSING));
            return;
        }
        let data: Vec<u8> = (0..1000u32).flat_map(|i| (i / 4).to_le_bytes()).collect();
        for (options, block, bits) in [(32, 8, 32), (4, 16, 32), (32, 32, 16), (32, 2, 8), (4, 8, 64)] {
            let parameters = [options | ALLOW_K13 | RAW | LITTLE, block, bits, 100];
            let (mut packed, mut out) = (Vec::new(), vec![0; data.len()]);
            encode(&parameters, &data, &mut packed).unwrap();
            assert!(packed.len() < data.len());
            assert_eq!(decode(&parameters, &packed, &mut out), Ok(data.len()));
            assert!(out == data, "{parameters:?}");
            assert!(decode(&parameters, &packed, &mut out[1..]).is_err());
            assert!(decode(&parameters, &packed[..3], &mut out).is_err());
            // The library does not notice all damage.
            let _ = decode(&parameters, &packed[..packed.len() / 2], &mut out);
        }
        let noise = Random::new(1).bytes(4000);
        assert!(encode(&[169, 8, 32, 100], &noise, &mut Vec::new()).unwrap_err().contains("smaller"));
        // Parts of values, of which the library would write beyond its memory.
        for (bits, bytes) in [(16, 561), (24, 3), (32, 402), (64, 404)] {
            let parameters = [ENTROPY_CODING, 8, bits, 100];
            assert!(encode(&parameters, &noise[..bytes], &mut Vec::new()).unwrap_err().contains("whole values"));
            let packed = [&(bytes as u32).to_le_bytes(), &noise[..100]].concat();
            assert!(decode(&parameters, &packed, &mut vec![0; bytes]).unwrap_err().contains("whole values"));
        }
        let parameters = [ENTROPY_CODING | ALLOW_K13 | RAW | LITTLE, 8, 12, 100];
        let (mut packed, mut out) = (Vec::new(), vec![0; 2000]);
        let twelve: Vec<u8> = (0..1000u16).flat_map(|i| (i * 4).to_le_bytes()).collect();
        encode(&parameters, &twelve, &mut packed).unwrap();
        assert_eq!(decode(&parameters, &packed, &mut out), Ok(2000));
        assert!(out == twelve);
        let thirteen: Vec<u8> = (0..1000u16).flat_map(|i| (i * 8).to_le_bytes()).collect();
        assert!(encode(&parameters, &thirteen, &mut packed).unwrap_err().contains("more bits"));
        for damaged in [[169, 7, 32, 100], [169, 8, 33, 100], [169, 8, 32, 0], [1 << 20, 8, 32, 100]] {
            assert!(check(&damaged).is_err());
        }
    }
}

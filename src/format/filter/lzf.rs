//! LZF: runs of literal bytes, and copies of what came before.

/// Decodes data that become at most as many bytes as `out` has; how many they became.
pub(super) fn decode(data: &[u8], out: &mut [u8]) -> Result<usize, &'static str> {
    const SHORT: &str = "the compressed data end early";
    const LARGE: &str = "the data become larger than what was stored";
    let (mut input, mut done) = (data, 0);
    while let Some((&control, rest)) = input.split_first() {
        let control = usize::from(control);
        if control < 32 {
            let (literals, rest) = rest.split_at_checked(control + 1).ok_or(SHORT)?;
            out.get_mut(done..done + literals.len()).ok_or(LARGE)?.copy_from_slice(literals);
            done += literals.len();
            input = rest;
        } else {
            let (more, rest) = if control >> 5 == 7 { rest.split_first().ok_or(SHORT)? } else { (&0, rest) };
            let (&low, rest) = rest.split_first().ok_or(SHORT)?;
            let (length, distance) = ((control >> 5) + 2 + usize::from(*more), (control & 31) << 8 | usize::from(low));
            let from = done.checked_sub(distance + 1).ok_or("a copy from before the beginning")?;
            let target = out.get_mut(from..done + length).ok_or(LARGE)?;
            if distance + 1 >= length {
                target.copy_within(..length, distance + 1);
            } else {
                // What is copied is in part what the copy makes.
                (0..length).for_each(|at| target[distance + 1 + at] = target[at]);
            }
            done += length;
            input = rest;
        }
    }
    Ok(done)
}

const TABLE_BITS: u32 = 14;

/// The longest copy, and the farthest that it may come from.
const MAX_LENGTH: usize = 264;
const MAX_DISTANCE: usize = 8192;

/// Literals that one control byte announces.
const MAX_LITERALS: usize = 32;

/// Encodes. What does not compress becomes a 32nd larger, which the decoder takes.
pub(super) fn encode(data: &[u8], out: &mut Vec<u8>) {
    encode_within(data, MAX_LENGTH, MAX_DISTANCE, 0, out);
}

/// Encodes for Blosc: with copies as long, and from as far, as both formats say in the same way.
/// Its decoder wants a literal at the end.
#[cfg(feature = "blosc")]
pub(super) fn encode_blosclz(data: &[u8], out: &mut Vec<u8>) {
    encode_within(data, MAX_LENGTH - 1, MAX_DISTANCE - 1, 1, out);
}

fn encode_within(data: &[u8], max_length: usize, max_distance: usize, literals_at_end: usize, out: &mut Vec<u8>) {
    out.clear();
    let copied = data.len().saturating_sub(literals_at_end);
    let mut table = vec![u32::MAX; 1 << TABLE_BITS];
    let word = |at: usize| u32::from(data[at]) << 16 | u32::from(data[at + 1]) << 8 | u32::from(data[at + 2]);
    let slot = |word: u32| (word.wrapping_mul(0x9e37_79b1) >> (32 - TABLE_BITS)) as usize;
    let (mut literals, mut at) = (0, 0);
    while at + 2 < copied {
        let wanted = word(at);
        let before = std::mem::replace(&mut table[slot(wanted)], at as u32) as usize;
        if before >= at || at - before > max_distance || word(before) != wanted {
            at += 1;
            continue;
        }
        let most = max_length.min(copied - at);
        let length = (3..most).find(|&n| data[before + n] != data[at + n]).unwrap_or(most);
        data[literals..at].chunks(MAX_LITERALS).for_each(|run| put_literals(out, run));
        let (distance, rest) = (at - before - 1, length - 2);
        match rest {
            0..7 => out.push((rest as u8) << 5 | (distance >> 8) as u8),
            _ => out.extend_from_slice(&[7 << 5 | (distance >> 8) as u8, (rest - 7) as u8]),
        }
        out.push(distance as u8);
        at += length;
        literals = at;
    }
    data[literals..].chunks(MAX_LITERALS).for_each(|run| put_literals(out, run));
}

fn put_literals(out: &mut Vec<u8>, run: &[u8]) {
    out.push((run.len() - 1) as u8);
    out.extend_from_slice(run);
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};
    use crate::random::Random;

    #[test]
    fn what_is_encoded_is_decoded() {
        let mut random = Random::new(1);
        for length in [0, 1, 2, 3, 4, 33, 1000, 70_000] {
            for spread in [1, 3, 40, 65_536] {
                let data: Vec<u8> = (0..length).map(|_| random.below(spread) as u8).collect();
                let (mut encoded, mut out) = (Vec::new(), vec![0; length]);
                encode(&data, &mut encoded);
                assert!(encoded.len() <= length + length / 32 + 1);
                assert!(spread > 1 || length < 100 || encoded.len() < length / 50);
                assert_eq!(decode(&encoded, &mut out), Ok(length), "{length} bytes of {spread} values");
                assert!(out == data);
            }
        }
    }

    #[test]
    fn literals_and_overlapping_copies() {
        // Three literals, then 9 bytes from a distance of 3 (long form: 9 + 0), then 3 from a distance of 1.
        let data = [2, b'a', b'b', b'c', 0xe0, 0, 2, 0x20, 0];
        let mut out = [0; 100];
        assert_eq!(decode(&data, &mut out), Ok(15));
        assert_eq!(&out[..15], b"abcabcabcabcccc");
        assert!(decode(&data, &mut out[..14]).is_err());
        assert!(decode(&data[..8], &mut out).is_err());
        assert!(decode(&[0x20, 5], &mut out).is_err());
    }
}

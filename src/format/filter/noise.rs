//! Telling bytes that no compressor makes smaller: the low bytes of measured numbers, which shuffling puts in front.
//!
//! A compressor spends half of its time on them to find out. They are stored as they are when neither the frequencies of their
//! values nor repetitions would gain anything to speak of, so the result is as small as without looking.

/// Bytes that are looked at together; a stored block of deflate holds one byte less than 64 KiB.
const BLOCK: usize = 65_535;

/// A first look, to let data that compress go on at once.
const GLANCE: usize = 4096;

/// The values' frequencies may differ from equal ones by so much: a code for them would save less than a byte in 500.
const MAX_DEVIATION: u64 = 256 * (255 + 1450);

/// So many of the places that are looked up may repeat what came before; by chance not even one does.
const MAX_REPEATS: usize = 4;

const TABLE_BITS: u32 = 13;

/// The length of what does not compress at the beginning of the data, in whole blocks.
pub(super) fn prefix(data: &[u8]) -> usize {
    let mut table = vec![0u16; 1 << TABLE_BITS];
    data.as_chunks::<BLOCK>().0.iter().take_while(|block| is_noise(block, &mut table)).count() * BLOCK
}

/// Places of a chunk that a sample is taken from.
const PLACES: usize = 8;

/// Whether a sample shows that no compressor makes the data smaller. Never, where there is little of them.
pub(super) fn fills(data: &[u8]) -> bool {
    let Some(distance) = data.len().checked_sub(GLANCE).map(|rest| rest / (PLACES - 1)).filter(|&way| way > 0) else {
        return false;
    };
    // Equally frequent values deviate by the number of bytes; so little more is half a per cent that could be saved.
    let is_even = |place: usize| deviation(&data[place * distance..][..GLANCE]) < 2 * GLANCE as u64;
    if !(0..PLACES).all(is_even) {
        return false;
    }
    let length = data.len().min(BLOCK);
    !repeats(&data[(data.len() - length) / 2..][..length], &mut vec![0; 1 << TABLE_BITS])
}

fn is_noise(block: &[u8; BLOCK], table: &mut [u16]) -> bool {
    // In few bytes chance makes larger differences.
    deviation(&block[..GLANCE]) < 4 * MAX_DEVIATION / 16 && deviation(block) < MAX_DEVIATION && !repeats(block, table)
}

/// The sum over all values of the squares of (their number - the mean).
fn deviation(bytes: &[u8]) -> u64 {
    // Four tables, so that equal neighbours need not wait for each other.
    let mut counts = [[0u32; 256]; 4];
    let (fours, rest) = bytes.as_chunks::<4>();
    for four in fours {
        for (count, &byte) in counts.iter_mut().zip(four) {
            count[byte as usize] += 1;
        }
    }
    rest.iter().for_each(|&byte| counts[0][byte as usize] += 1);
    let mean = bytes.len() as i64 / 256;
    let difference = |value: usize| counts.iter().map(|count| i64::from(count[value])).sum::<i64>() - mean;
    (0..256).map(|value| difference(value).unsigned_abs().pow(2)).sum()
}

/// Whether four bytes repeat more often than by chance. Every fourth place is entered and every fifth looked up: any
/// repetition of 23 or more bytes is seen, and one in five of seven bytes.
fn repeats(block: &[u8], table: &mut [u16]) -> bool {
    const PERIOD: usize = 20;
    let word = |at: usize| u32::from_le_bytes(std::array::from_fn(|byte| block[at + byte]));
    let slot = |word: u32| (word.wrapping_mul(0x9e37_79b1) >> (32 - TABLE_BITS)) as usize;
    table.fill(0);
    let mut found = 0;
    for first in (0..block.len().saturating_sub(PERIOD)).step_by(PERIOD) {
        for at in (first..first + PERIOD).step_by(5) {
            let wanted = word(at);
            let before = table[slot(wanted)] as usize;
            found += usize::from(before < at && word(before) == wanted);
        }
        for at in (first..first + PERIOD).step_by(4) {
            table[slot(word(at))] = at as u16;
        }
    }
    found > MAX_REPEATS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn noise(length: usize) -> Vec<u8> {
        Random::new(1).bytes(length)
    }

    #[test]
    fn a_sample_tells_noise() {
        let whole = noise(1 << 20);
        for length in [8192, 50_000, 1 << 20] {
            assert!(fills(&whole[..length]), "{length}");
        }
        assert!(!fills(&whole[..GLANCE]) && !fills(&[]));
        let seven: Vec<u8> = whole.iter().map(|byte| byte & 0x7f).collect();
        assert!(!fills(&seven));
        let counting: Vec<u8> = (0..1 << 20).map(|i| i as u8).collect();
        assert!(!fills(&counting));
        let periodic: Vec<u8> = noise(30_001).into_iter().cycle().take(1 << 20).collect();
        assert!(!fills(&periodic));
        let mut part = whole.clone();
        part[600_000..].fill(0);
        assert!(!fills(&part));
    }

    #[test]
    fn only_what_does_not_compress_is_noise() {
        let whole = noise(5 * BLOCK + 100);
        assert_eq!(prefix(&whole), 5 * BLOCK);
        assert_eq!(prefix(&whole[..BLOCK - 1]), 0);
        // Values that are all equally frequent, but repeat.
        let counting: Vec<u8> = (0..4 * BLOCK).map(|i| i as u8).collect();
        assert_eq!(prefix(&counting), 0);
        let periodic: Vec<u8> = noise(30_001).into_iter().cycle().take(4 * BLOCK).collect();
        assert_eq!(prefix(&periodic), 0);
        // No repetitions, but seven bits in eight.
        let seven: Vec<u8> = noise(4 * BLOCK).into_iter().map(|byte| byte & 0x7f).collect();
        assert_eq!(prefix(&seven), 0);
        // A repetition of 25 bytes in every 1,000.
        let mut some = whole[..4 * BLOCK].to_vec();
        (1000..some.len()).step_by(1000).for_each(|at| some.copy_within(at - 300..at - 275, at));
        assert_eq!(prefix(&some), 0);
        let mut half = whole;
        half[3 * BLOCK + 5000..].fill(7);
        assert_eq!(prefix(&half), 3 * BLOCK);
    }
}

//! Bob Jenkins' lookup3, the checksum of all version 2 metadata and the hash of the name indexes (specification,
//! "Disk Format: Level 0", checksums; `H5_checksum_lookup3`).

#[cfg(target_arch = "x86_64")]
mod vectors;

use vectors::Vectors;

/// For other processors none are known yet.
#[cfg(not(target_arch = "x86_64"))]
mod vectors {
    use super::Lane;

    pub(super) const LANES: usize = super::LANES;
    pub(super) const LEAST: usize = 1;
    pub(super) const BLOCKS: usize = 1;

    #[derive(Clone, Copy, Debug)]
    pub(super) enum Vectors {}

    impl Vectors {
        pub(super) fn best() -> Option<Self> {
            None
        }

        #[cfg(test)]
        pub(super) fn all() -> Vec<Self> {
            Vec::new()
        }

        pub(super) fn mix_all(self, _: &mut [Lane<'_>]) {
            match self {}
        }
    }
}

/// The metadata checksum of `bytes`.
#[inline]
pub fn checksum(bytes: &[u8]) -> u32 {
    lookup3(bytes, 0)
}

/// The hash of a link or attribute name, the key of the version 2 B-tree name indexes (types 5 and 8).
#[inline]
pub fn name_hash(name: &[u8]) -> u32 {
    lookup3(name, 0)
}

/// lookup3's `hashlittle` of `bytes` with `seed`.
#[inline]
pub fn lookup3(bytes: &[u8], seed: u32) -> u32 {
    Hash::new(bytes, seed).complete()
}

/// Bytes that are mixed in at once.
const BLOCK: usize = 12;
/// Checksums that are computed side by side, without vectors: each step of one waits for the step before, not for the
/// others.
const LANES: usize = 4;

/// A hash that is being computed.
#[derive(Clone, Copy)]
#[cfg_attr(test, derive(Debug, PartialEq))]
struct Hash<'a> {
    a: u32,
    b: u32,
    c: u32,
    rest: &'a [u8],
}

impl<'a> Hash<'a> {
    #[inline(always)]
    fn new(bytes: &'a [u8], seed: u32) -> Self {
        let start = 0xdead_beef_u32.wrapping_add(bytes.len() as u32).wrapping_add(seed);
        Hash { a: start, b: start, c: start, rest: bytes }
    }

    /// Blocks to be mixed in. The last one, full or not, is for the final step: a length divisible by 12 leaves a
    /// whole one for it.
    #[inline(always)]
    fn blocks(&self) -> usize {
        self.rest.len().saturating_sub(1) / BLOCK
    }

    #[inline(always)]
    fn mix(&mut self, block: &[u8]) {
        let Hash { mut a, mut b, mut c, rest } = *self;
        a = a.wrapping_add(word(block, 0));
        b = b.wrapping_add(word(block, 4));
        c = c.wrapping_add(word(block, 8));
        a = a.wrapping_sub(c) ^ c.rotate_left(4);
        c = c.wrapping_add(b);
        b = b.wrapping_sub(a) ^ a.rotate_left(6);
        a = a.wrapping_add(c);
        c = c.wrapping_sub(b) ^ b.rotate_left(8);
        b = b.wrapping_add(a);
        a = a.wrapping_sub(c) ^ c.rotate_left(16);
        c = c.wrapping_add(b);
        b = b.wrapping_sub(a) ^ a.rotate_left(19);
        a = a.wrapping_add(c);
        c = c.wrapping_sub(b) ^ b.rotate_left(4);
        b = b.wrapping_add(a);
        *self = Hash { a, b, c, rest };
    }

    /// Mixes in what is left.
    #[inline(always)]
    fn complete(mut self) -> u32 {
        // Most names have a block or two: counting them first would take as long as mixing one in.
        while let Some((block, rest)) = self.rest.split_first_chunk::<BLOCK>().filter(|(_, rest)| !rest.is_empty()) {
            self.mix(block);
            self.rest = rest;
        }
        self.finish()
    }

    /// Mixes in the last block.
    #[inline(always)]
    fn finish(self) -> u32 {
        let Hash { mut a, mut b, mut c, rest } = self;
        if rest.is_empty() {
            return c;
        }
        let last = last_words(rest);
        a = a.wrapping_add(last[0]);
        b = b.wrapping_add(last[1]);
        c = c.wrapping_add(last[2]);
        c = (c ^ b).wrapping_sub(b.rotate_left(14));
        a = (a ^ c).wrapping_sub(c.rotate_left(11));
        b = (b ^ a).wrapping_sub(a.rotate_left(25));
        c = (c ^ b).wrapping_sub(b.rotate_left(16));
        a = (a ^ c).wrapping_sub(c.rotate_left(4));
        b = (b ^ a).wrapping_sub(a.rotate_left(14));
        (c ^ b).wrapping_sub(b.rotate_left(24))
    }
}

/// A piece's place among the pieces, and its hash.
type Lane<'a> = (usize, Hash<'a>);

/// The checksums of many pieces, as [`checksum`] gives them, in a fraction of the time.
pub fn checksums(pieces: &[&[u8]]) -> Vec<u32> {
    checksums_by(Vectors::best(), pieces)
}

/// [`checksums`] with these vector instructions, or with none.
fn checksums_by(vectors: Option<Vectors>, pieces: &[&[u8]]) -> Vec<u32> {
    let mut sums = vec![0; pieces.len()];
    // The longest first, so that none is left alone at the end.
    let mut waiting: Vec<(usize, &[u8])> = pieces.iter().copied().enumerate().collect();
    waiting.sort_by_key(|(_, piece)| std::cmp::Reverse(piece.len()));
    let long = waiting.partition_point(|(_, piece)| piece.len() > vectors::BLOCKS * BLOCK);
    let mut waiting = waiting.into_iter().map(|(index, piece)| (index, Hash::new(piece, 0)));
    let mut lanes = Vec::with_capacity(vectors::LANES);
    if let Some(vectors) = vectors {
        let mut long = waiting.by_ref().take(long);
        while fill(&mut lanes, &mut long, vectors::LANES) >= vectors::LEAST {
            vectors.mix_all(&mut lanes);
            retire(&mut lanes, vectors::BLOCKS, &mut sums);
        }
    }
    while fill(&mut lanes, &mut waiting, LANES) >= LANES {
        mix_all(&mut lanes);
        retire(&mut lanes, 1, &mut sums);
    }
    retire(&mut lanes, usize::MAX, &mut sums);
    sums
}

/// Gives free lanes to the next pieces. How many lanes are taken then.
#[inline]
fn fill<'a>(lanes: &mut Vec<Lane<'a>>, waiting: &mut impl Iterator<Item = Lane<'a>>, most: usize) -> usize {
    lanes.extend(waiting.take(most - lanes.len()));
    lanes.len()
}

/// Takes away lanes with fewer than `least` blocks before the last, and enters their sums.
#[inline]
fn retire(lanes: &mut Vec<Lane<'_>>, least: usize, sums: &mut [u32]) {
    lanes.retain(|&(index, hash)| {
        let going_on = hash.blocks() >= least;
        if !going_on {
            sums[index] = hash.complete();
        }
        going_on
    });
}

/// Mixes into every lane as many blocks as the shortest has. Nothing where they are not [`LANES`].
#[inline]
fn mix_all(lanes: &mut [Lane<'_>]) {
    let Ok(lanes) = <&mut [Lane<'_>; LANES]>::try_from(lanes) else { return };
    let length = lanes.iter().map(|(_, hash)| hash.blocks()).min().unwrap_or(0) * BLOCK;
    let [mut p, mut q, mut r, mut s] = lanes.map(|(_, hash)| hash);
    let [i, j, k, l] = [p, q, r, s].map(|hash| hash.rest[..length].chunks_exact(BLOCK));
    for (((i, j), k), l) in i.zip(j).zip(k).zip(l) {
        p.mix(i);
        q.mix(j);
        r.mix(k);
        s.mix(l);
    }
    for ((_, lane), mut hash) in lanes.iter_mut().zip([p, q, r, s]) {
        hash.rest = &hash.rest[length..];
        *lane = hash;
    }
}

/// One to twelve bytes as three words, with zeros behind them; by loads that overlap, for names are short.
#[inline(always)]
fn last_words(rest: &[u8]) -> [u32; 3] {
    let length = rest.len();
    let end = rest.last_chunk::<4>().map_or(0, |end| u32::from_le_bytes(*end));
    // The bytes behind the last full word: the highest of the last four.
    let part = |full: usize| end >> (8 * (full + 4 - length));
    match length {
        9.. => [word(rest, 0), word(rest, 4), part(8)],
        5..=8 => [word(rest, 0), part(4), 0],
        4 => [end, 0, 0],
        _ => [rest.iter().rev().fold(0, |word, &byte| word << 8 | u32::from(byte)), 0, 0],
    }
}

#[inline(always)]
fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn known_values() {
        // From lookup3.c's own driver.
        assert_eq!(lookup3(b"", 0), 0xdead_beef);
        assert_eq!(lookup3(b"Four score and seven years ago", 0), 0x1777_0551);
        assert_eq!(lookup3(b"Four score and seven years ago", 1), 0xcd62_8161);
    }

    #[test]
    fn the_last_bytes_count_as_if_zeros_stood_behind_them() {
        let bytes: Vec<u8> = (1..=12).map(|i| 0x11 * i).collect();
        for length in 1..=12 {
            let mut padded = [0; 12];
            padded[..length].copy_from_slice(&bytes[..length]);
            assert_eq!(last_words(&bytes[..length]), [0, 4, 8].map(|at| word(&padded, at)), "{length} bytes");
        }
    }

    /// Without vectors, and with all vectors that there are.
    fn ways() -> impl Iterator<Item = Option<Vectors>> {
        [None].into_iter().chain(Vectors::all().into_iter().map(Some))
    }

    #[test]
    fn side_by_side_as_one_by_one() {
        let mut random = Random::new(1);
        let bytes = random.bytes(6000);
        for round in 0..10 {
            for count in 0..=40 {
                // Many of the same length, all of them short, or everything.
                let bound = [5001, 100, 13][round % 3];
                let length = random.index(bound);
                let lengths: Vec<usize> =
                    (0..count).map(|_| if random.one_in(2) { length } else { random.index(bound) }).collect();
                let pieces: Vec<&[u8]> = lengths.iter().map(|&length| &bytes[random.index(1000)..][..length]).collect();
                let expected: Vec<u32> = pieces.iter().map(|piece| lookup3(piece, 0)).collect();
                for way in ways() {
                    assert_eq!(checksums_by(way, &pieces), expected, "{way:?}, {lengths:?}");
                }
                assert_eq!(checksums(&pieces), expected);
            }
        }
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn vectors_are_used_where_there_are_some() {
        // What x86-64-v3 has beside what every processor with AVX2 has.
        let v3 = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("f16c")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("lzcnt")
            && is_x86_feature_detected!("movbe");
        assert_eq!(Vectors::best().is_some(), v3);
    }

    #[test]
    fn vectors_mix_what_the_shortest_has() {
        let bytes = Random::new(2).bytes(2000);
        for vectors in Vectors::all() {
            for count in 1..=vectors::LANES {
                for shortest in [0, 1, 12, 13, 48, 49, 60, 97, 900] {
                    let before: Vec<Lane<'_>> =
                        (0..count).map(|i| (i, Hash::new(&bytes[i..][..shortest + (count - i - 1) * 7], 0))).collect();
                    let mut after = before.clone();
                    vectors.mix_all(&mut after);
                    let mixed = (shortest.saturating_sub(1) / BLOCK / vectors::BLOCKS) * vectors::BLOCKS * BLOCK;
                    for ((i, mut before), (index, after)) in before.into_iter().zip(after) {
                        before.rest[..mixed].chunks_exact(BLOCK).for_each(|block| before.mix(block));
                        before.rest = &before.rest[mixed..];
                        assert_eq!((i, before), (index, after), "{vectors:?}, {count} lanes, {shortest} bytes");
                    }
                }
            }
        }
    }

    #[test]
    fn names_of_equal_hash() {
        assert_eq!(name_hash(b"k061111"), name_hash(b"k094631"));
    }
}

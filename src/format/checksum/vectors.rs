//! lookup3 of many pieces in the vector registers of x86-64, a piece to each 32-bit element, so that one instruction
//! does a step of eight. What ends a piece, a [`Group`] or less, is left to scalar code.
//!
//! What is done per group is inlined into the one function that [`Simd::vectorize`] compiles for these instructions. So
//! there are loops where `map` would be shorter: a closure in it is a function that is compiled for every processor.

use super::{Hash, Lane, BLOCK};
use core::arch::x86_64::{
    __m256i, _mm256_set_m128i, _mm256_unpackhi_epi32, _mm256_unpackhi_epi64, _mm256_unpacklo_epi32,
    _mm256_unpacklo_epi64, _mm_set_epi64x,
};
use fearless_simd::prelude::*;
use fearless_simd::x86::{Avx2, Avx512};
use fearless_simd::{u32x8, Level};

/// Pieces of a vector.
const WIDTH: usize = 8;
/// Pieces at a time: two vectors, because with one the processor mostly waits for the result of the step before.
pub(super) const LANES: usize = 2 * WIDTH;
/// From so many on they are faster than one by one.
pub(super) const LEAST: usize = 2;
/// Blocks that are mixed in at once.
pub(super) const BLOCKS: usize = 4;

/// Four blocks: three loads of sixteen bytes, of which transposing leaves nothing over.
type Group = [[u8; 8]; BLOCKS * BLOCK / 8];
/// a, b and c of the pieces of a vector.
type State = [[u32; WIDTH]; 3];

/// Vector instructions that this processor has.
#[derive(Clone, Copy, Debug)]
pub(super) enum Vectors {
    Avx2(Avx2),
    /// With instructions that rotate, and more registers.
    Avx512(Avx512, Avx2),
}

impl Vectors {
    /// The best of this processor.
    pub(super) fn best() -> Option<Self> {
        let level = Level::new();
        let avx2 = level.as_avx2()?;
        Some(level.as_avx512().map_or(Vectors::Avx2(avx2), |avx512| Vectors::Avx512(avx512, avx2)))
    }

    /// All that this processor has.
    #[cfg(test)]
    pub(super) fn all() -> Vec<Self> {
        let avx2 = Level::new().as_avx2().map(Vectors::Avx2);
        let avx512 = Vectors::best().filter(|best| matches!(best, Vectors::Avx512(..)));
        avx2.into_iter().chain(avx512).collect()
    }

    /// Mixes into every lane, of which there are at most [`LANES`], as many times [`BLOCKS`] blocks as the shortest
    /// has.
    pub(super) fn mix_all(self, lanes: &mut [Lane<'_>]) {
        // Half of the work, where it does.
        let one = lanes.len() <= WIDTH;
        match self {
            Vectors::Avx2(avx2) if one => mix_lanes::<_, 1>(avx2, avx2, lanes),
            Vectors::Avx2(avx2) => mix_lanes::<_, 2>(avx2, avx2, lanes),
            Vectors::Avx512(avx512, avx2) if one => mix_lanes::<_, 1>(avx512, avx2, lanes),
            Vectors::Avx512(avx512, avx2) => mix_lanes::<_, 2>(avx512, avx2, lanes),
        }
    }
}

/// [`Vectors::mix_all`] in `VECTORS` vectors. Elements without a lane do as the first one.
fn mix_lanes<S: Simd, const VECTORS: usize>(simd: S, avx2: Avx2, lanes: &mut [Lane<'_>]) {
    let groups = lanes.iter().map(|(_, hash)| hash.blocks() / BLOCKS).min().unwrap_or(0);
    if groups == 0 {
        return;
    }
    let mut states = [[[0; WIDTH]; 3]; VECTORS];
    let mut pieces: [[&[Group]; WIDTH]; VECTORS] = [[&[]; WIDTH]; VECTORS];
    for vector in 0..VECTORS {
        for element in 0..WIDTH {
            let (_, Hash { a, b, c, rest }) = lanes.get(vector * WIDTH + element).unwrap_or(&lanes[0]);
            pieces[vector][element] = &rest.as_chunks().0.as_chunks().0[..groups];
            [states[vector][0][element], states[vector][1][element], states[vector][2][element]] = [*a, *b, *c];
        }
    }
    simd.vectorize(
        #[inline(always)]
        || mix_groups(simd, avx2, &mut states, pieces, groups),
    );
    let states = states.iter().flat_map(|[a, b, c]| a.iter().zip(b).zip(c));
    for ((_, hash), ((&a, &b), &c)) in lanes.iter_mut().zip(states) {
        *hash = Hash { a, b, c, rest: &hash.rest[groups * size_of::<Group>()..] };
    }
}

/// Mixes in so many groups of every piece.
#[inline(always)]
fn mix_groups<S: Simd, const VECTORS: usize>(
    simd: S,
    avx2: Avx2,
    states: &mut [State; VECTORS],
    pieces: [[&[Group]; WIDTH]; VECTORS],
    groups: usize,
) {
    // The same length for all, as the compiler can see.
    let pieces = pieces.map(|pieces| pieces.map(|piece| &piece[..groups]));
    let mut abc = [[u32x8::splat(simd, 0); 3]; VECTORS];
    for (abc, state) in abc.iter_mut().zip(&*states) {
        *abc = [state[0].simd_into(simd), state[1].simd_into(simd), state[2].simd_into(simd)];
    }
    for group in 0..groups {
        let mut blocks = [[[u32x8::splat(simd, 0); 3]; BLOCKS]; VECTORS];
        for (blocks, [p, q, r, s, t, u, v, w]) in blocks.iter_mut().zip(pieces) {
            let groups = [&p[group], &q[group], &r[group], &s[group], &t[group], &u[group], &v[group], &w[group]];
            *blocks = transposed_blocks(simd, avx2, groups);
        }
        // Written out, because a loop would keep more than the registers hold in memory.
        mix_block(&mut abc, &blocks, 0);
        mix_block(&mut abc, &blocks, 1);
        mix_block(&mut abc, &blocks, 2);
        mix_block(&mut abc, &blocks, 3);
    }
    for (state, [a, b, c]) in states.iter_mut().zip(abc) {
        *state = [a.into(), b.into(), c.into()];
    }
}

/// Mixes in one block of every piece. The vectors take turns, because they do not wait for each other.
#[inline(always)]
fn mix_block<S: Simd, const VECTORS: usize>(
    abc: &mut [[u32x8<S>; 3]; VECTORS],
    blocks: &[[[u32x8<S>; 3]; BLOCKS]; VECTORS],
    block: usize,
) {
    for (abc, blocks) in abc.iter_mut().zip(blocks) {
        *abc = mix(*abc, blocks[block]);
    }
}

/// [`Hash::mix`] for all elements.
#[inline(always)]
fn mix<S: Simd>([mut a, mut b, mut c]: [u32x8<S>; 3], block: [u32x8<S>; 3]) -> [u32x8<S>; 3] {
    a += block[0];
    b += block[1];
    c += block[2];
    a = (a - c) ^ rotate_left(c, 4);
    c += b;
    b = (b - a) ^ rotate_left(a, 6);
    a += c;
    c = (c - b) ^ rotate_left(b, 8);
    b += a;
    a = (a - c) ^ rotate_left(c, 16);
    c += b;
    b = (b - a) ^ rotate_left(a, 19);
    a += c;
    c = (c - b) ^ rotate_left(b, 4);
    b += a;
    [a, b, c]
}

#[inline(always)]
fn rotate_left<S: Simd>(x: u32x8<S>, bits: u32) -> u32x8<S> {
    (x << bits) | (x >> (u32::BITS - bits))
}

/// The blocks of a group of every piece, each as its three words.
#[inline(always)]
fn transposed_blocks<S: Simd>(simd: S, avx2: Avx2, groups: [&Group; WIDTH]) -> [[u32x8<S>; 3]; BLOCKS] {
    let [w0, w1, w2, w3] = transposed_words(avx2, groups, 0);
    let [w4, w5, w6, w7] = transposed_words(avx2, groups, 2);
    let [w8, w9, w10, w11] = transposed_words(avx2, groups, 4);
    [
        [w0.simd_into(simd), w1.simd_into(simd), w2.simd_into(simd)],
        [w3.simd_into(simd), w4.simd_into(simd), w5.simd_into(simd)],
        [w6.simd_into(simd), w7.simd_into(simd), w8.simd_into(simd)],
        [w9.simd_into(simd), w10.simd_into(simd), w11.simd_into(simd)],
    ]
}

fearless_simd::kernel!(
    /// Four words of each group, from the pair of words `at` on.
    #[inline(always)]
    fn transposed_words(avx2: Avx2, groups: [&Group; WIDTH], at: usize) -> [__m256i; 4] {
        let load = |piece: usize| {
            let [low, high] = [groups[piece][at], groups[piece][at + 1]].map(i64::from_le_bytes);
            _mm_set_epi64x(high, low)
        };
        // The unpacking works within halves of 128 bits, so pieces 4 to 7 take the upper ones.
        let row = |piece: usize| _mm256_set_m128i(load(piece + 4), load(piece));
        let [p, q, r, s] = [row(0), row(1), row(2), row(3)];
        let [pq_low, pq_high] = [_mm256_unpacklo_epi32(p, q), _mm256_unpackhi_epi32(p, q)];
        let [rs_low, rs_high] = [_mm256_unpacklo_epi32(r, s), _mm256_unpackhi_epi32(r, s)];
        [
            _mm256_unpacklo_epi64(pq_low, rs_low),
            _mm256_unpackhi_epi64(pq_low, rs_low),
            _mm256_unpacklo_epi64(pq_high, rs_high),
            _mm256_unpackhi_epi64(pq_high, rs_high),
        ]
    }
);

//! Shuffle: the first bytes of all elements, then the second ones, and so on. What is left of an incomplete element stays
//! at the end as it is.

/// Elements that are brought together at once, so that each of them is still in the cache when its last byte comes.
const BLOCK: usize = 64;

/// Undoes it for elements of `width` bytes; `out` is as long as the data.
pub(super) fn decode(data: &[u8], width: usize, out: &mut [u8]) {
    let count = data.len() / width.max(1);
    let whole = whole(count, width);
    match width {
        _ if whole == 0 => {}
        2 => unshuffle::<2>(data, count, out),
        4 => unshuffle::<4>(data, count, out),
        8 => transpose_eights(data, count, out, Way::Undo),
        _ => {
            for (byte, plane) in data.chunks_exact(count).take(width).enumerate() {
                for (element, &value) in out.chunks_exact_mut(width).zip(plane) {
                    element[byte] = value;
                }
            }
        }
    }
    out[whole..].copy_from_slice(&data[whole..]);
}

/// Shuffles elements of `width` bytes; `out` is as long as the data.
pub(super) fn encode(data: &[u8], width: usize, out: &mut [u8]) {
    let count = data.len() / width.max(1);
    let whole = whole(count, width);
    match width {
        _ if whole == 0 => {}
        2 => shuffle::<2>(data, count, out),
        4 => shuffle_fours(data, count, out),
        8 => transpose_eights(data, count, out, Way::Do),
        _ => {
            for (byte, plane) in out.chunks_exact_mut(count).take(width).enumerate() {
                for (value, element) in plane.iter_mut().zip(data.chunks_exact(width)) {
                    *value = element[byte];
                }
            }
        }
    }
    out[whole..].copy_from_slice(&data[whole..]);
}

/// The bytes that change places.
fn whole(count: usize, width: usize) -> usize {
    if count < 2 || width < 2 {
        0
    } else {
        count * width
    }
}

/// For a width that the compiler knows.
fn shuffle<const WIDTH: usize>(data: &[u8], count: usize, out: &mut [u8]) {
    let elements = data[..count * WIDTH].as_chunks::<WIDTH>().0;
    for (byte, plane) in out[..count * WIDTH].chunks_exact_mut(count).enumerate() {
        for (value, element) in plane.iter_mut().zip(elements) {
            *value = element[byte];
        }
    }
}

/// For a width that the compiler knows.
fn unshuffle<const WIDTH: usize>(data: &[u8], count: usize, out: &mut [u8]) {
    let mut first = 0;
    for block in out[..count * WIDTH].chunks_mut(BLOCK * WIDTH) {
        let elements = block.len() / WIDTH;
        let planes: [&[u8]; WIDTH] =
            std::array::from_fn(|byte| &data[byte * count + first..byte * count + first + elements]);
        for (number, element) in block.as_chunks_mut::<WIDTH>().0.iter_mut().enumerate() {
            *element = std::array::from_fn(|byte| planes[byte][number]);
        }
        first += elements;
    }
}

/// Sixteen elements of four bytes at a time: the compiler makes vectors of it.
fn shuffle_fours(data: &[u8], count: usize, out: &mut [u8]) {
    const AT_ONCE: usize = 16;
    let elements = data[..count * 4].as_chunks::<4>().0;
    let (blocks, rest) = elements.as_chunks::<AT_ONCE>();
    for (byte, plane) in out[..count * 4].chunks_exact_mut(count).enumerate() {
        for (value, element) in plane[count - rest.len()..].iter_mut().zip(rest) {
            *value = element[byte];
        }
    }
    for (number, block) in blocks.iter().enumerate() {
        let values = block.map(u32::from_le_bytes);
        for byte in 0..4 {
            let plane: [u8; AT_ONCE] = values.map(|value| (value >> (8 * byte)) as u8);
            let at = byte * count + number * AT_ONCE;
            out[at..at + AT_ONCE].copy_from_slice(&plane);
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Way {
    Do,
    Undo,
}

/// Elements of eight bytes, eight at a time: a square of bytes whose rows become its columns, which is its own reverse.
fn transpose_eights(data: &[u8], count: usize, out: &mut [u8], way: Way) {
    for block in 0..count / 8 {
        let (elements, plane) = (|row: usize| block * 64 + row * 8, |row: usize| row * count + block * 8);
        let rows = std::array::from_fn(|row| {
            let at = if way == Way::Do { elements(row) } else { plane(row) };
            u64::from_le_bytes(std::array::from_fn(|byte| data[at + byte]))
        });
        for (row, value) in transposed(rows).into_iter().enumerate() {
            let at = if way == Way::Do { plane(row) } else { elements(row) };
            out[at..at + 8].copy_from_slice(&value.to_le_bytes());
        }
    }
    for element in count / 8 * 8..count {
        for byte in 0..8 {
            let (whole, apart) = (element * 8 + byte, byte * count + element);
            let (from, to) = if way == Way::Do { (whole, apart) } else { (apart, whole) };
            out[to] = data[from];
        }
    }
}

/// Exchanges the halves of the square, then those of its quarters, then those of theirs.
fn transposed(mut rows: [u64; 8]) -> [u64; 8] {
    for (distance, low) in [(4, 0x0000_0000_ffff_ffffu64), (2, 0x0000_ffff_0000_ffff), (1, 0x00ff_00ff_00ff_00ff)] {
        let shift = 8 * distance;
        for row in (0..8).filter(|row| row & distance == 0) {
            let (a, b) = (rows[row], rows[row + distance]);
            rows[row] = a & low | (b & low) << shift;
            rows[row + distance] = a >> shift & low | b & !low;
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn bytes_come_back_together() {
        for width in [1, 2, 3, 4, 8, 16, 300] {
            for length in [0usize, 1, 7, 64, 1000, 4099] {
                let data: Vec<u8> = (0..length).map(|i| (i * 7 + i / 256) as u8).collect();
                let count = length / width;
                let mut shuffled = data.clone();
                for i in 0..count * width {
                    shuffled[i % width * count + i / width] = data[i];
                }
                let mut out = vec![0; length];
                encode(&data, width, &mut out);
                assert_eq!(out, shuffled, "{length} bytes in elements of {width}");
                decode(&shuffled, width, &mut out);
                assert_eq!(out, data, "{length} bytes in elements of {width}");
            }
        }
        let mut out = [0; 2];
        decode(&[1, 2], 0, &mut out);
        assert_eq!(out, [1, 2]);
    }
}

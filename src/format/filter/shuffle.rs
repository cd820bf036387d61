//! Shuffle: the first bytes of all elements, then the second ones, and so on. What is left of an incomplete element stays
//! at the end as it is.

/// Elements that are brought together at once, so that each of them is still in the cache when its last byte comes.
const BLOCK: usize = 64;

/// Undoes it for elements of `width` bytes.
pub(super) fn decode(data: &[u8], width: usize) -> Vec<u8> {
    let count = data.len() / width.max(1);
    let mut out = data.to_vec();
    match width {
        _ if count < 2 => {}
        0 | 1 => {}
        2 => unshuffle::<2>(data, count, &mut out),
        4 => unshuffle::<4>(data, count, &mut out),
        8 => unshuffle::<8>(data, count, &mut out),
        _ => {
            for (byte, plane) in data.chunks_exact(count).take(width).enumerate() {
                for (element, &value) in out.chunks_exact_mut(width).zip(plane) {
                    element[byte] = value;
                }
            }
        }
    }
    out
}

/// Shuffles elements of `width` bytes.
pub(super) fn encode(data: &[u8], width: usize) -> Vec<u8> {
    let count = data.len() / width.max(1);
    let mut out = data.to_vec();
    match width {
        _ if count < 2 => {}
        0 | 1 => {}
        2 => shuffle::<2>(data, count, &mut out),
        4 => shuffle::<4>(data, count, &mut out),
        8 => shuffle::<8>(data, count, &mut out),
        _ => {
            for (byte, plane) in out.chunks_exact_mut(count).take(width).enumerate() {
                for (value, element) in plane.iter_mut().zip(data.chunks_exact(width)) {
                    *value = element[byte];
                }
            }
        }
    }
    out
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

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn bytes_come_back_together() {
        for width in [1, 2, 3, 4, 8, 16, 300] {
            for length in [0, 1, 7, 64, 1000, 4099] {
                let data: Vec<u8> = (0..length).map(|i| (i * 7 + i / 256) as u8).collect();
                let count = length / width;
                let mut shuffled = data.clone();
                for i in 0..count * width {
                    shuffled[i % width * count + i / width] = data[i];
                }
                assert_eq!(encode(&data, width), shuffled, "{length} bytes in elements of {width}");
                assert_eq!(decode(&shuffled, width), data, "{length} bytes in elements of {width}");
            }
        }
        assert_eq!(decode(&[1, 2], 0), [1, 2]);
    }
}

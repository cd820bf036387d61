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

#[cfg(test)]
mod tests {
    use super::decode;

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

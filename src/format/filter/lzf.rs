//! LZF: runs of literal bytes, and copies of what came before.

/// Decodes data that become at most `most` bytes.
pub(super) fn decode(data: &[u8], most: usize) -> Result<Vec<u8>, &'static str> {
    const SHORT: &str = "the compressed data end early";
    let mut out = Vec::with_capacity(most.min(data.len().saturating_mul(4)));
    let mut input = data;
    while let Some((&control, rest)) = input.split_first() {
        let control = usize::from(control);
        if control < 32 {
            let (literals, rest) = rest.split_at_checked(control + 1).ok_or(SHORT)?;
            out.extend_from_slice(literals);
            input = rest;
        } else {
            let (more, rest) = if control >> 5 == 7 { rest.split_first().ok_or(SHORT)? } else { (&0, rest) };
            let (&low, rest) = rest.split_first().ok_or(SHORT)?;
            let (length, distance) = ((control >> 5) + 2 + usize::from(*more), (control & 31) << 8 | usize::from(low));
            let from = out.len().checked_sub(distance + 1).ok_or("a copy from before the beginning")?;
            for at in from..from + length {
                out.push(out[at]);
            }
            input = rest;
        }
        if out.len() > most {
            return Err("the data become larger than what was stored");
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn literals_and_overlapping_copies() {
        // Three literals, then 9 bytes from a distance of 3 (long form: 9 + 0), then 3 from a distance of 1.
        let data = [2, b'a', b'b', b'c', 0xe0, 0, 2, 0x20, 0];
        assert_eq!(decode(&data, 100).unwrap(), b"abcabcabcabcccc");
        assert!(decode(&data, 14).is_err());
        assert!(decode(&data[..8], 100).is_err());
        assert!(decode(&[0x20, 5], 100).is_err());
    }
}

//! Numbers packed bit by bit, the most significant bit first.

/// Appends bits to bytes.
pub(super) struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    held: u64,
    /// Bits that are held, below 32.
    count: u32,
}

impl<'a> BitWriter<'a> {
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        BitWriter { out, held: 0, count: 0 }
    }

    /// Appends the lowest `bits` bits of `value`, at most 64.
    pub fn put(&mut self, value: u64, bits: u32) {
        let low = bits.min(32);
        if bits > low {
            self.put_few(value >> 32, bits - low);
        }
        self.put_few(value, low);
    }

    fn put_few(&mut self, value: u64, bits: u32) {
        self.held = self.held << bits | value & ((1 << bits) - 1);
        self.count += bits;
        if self.count >= 32 {
            self.count -= 32;
            self.out.extend_from_slice(&((self.held >> self.count) as u32).to_be_bytes());
        }
    }

    /// The last bits with zeros behind them: one byte more than is full, also where no bit is left, as libhdf5 does it.
    pub fn finish(self) {
        let last = (self.held << (32 - self.count)) as u32;
        self.out.extend_from_slice(&last.to_be_bytes()[..self.count as usize / 8 + 1]);
    }
}

/// Takes bits from bytes; zeros where there are none left.
pub(super) struct BitReader<'a> {
    data: &'a [u8],
    held: u64,
    count: u32,
}

impl<'a> BitReader<'a> {
    pub fn new(data: &'a [u8]) -> Self {
        BitReader { data, held: 0, count: 0 }
    }

    /// The next bits, at most 64.
    pub fn take(&mut self, bits: u32) -> u64 {
        let low = bits.min(32);
        let high = if bits > low { self.take_few(bits - low) << 32 } else { 0 };
        high | self.take_few(low)
    }

    fn take_few(&mut self, bits: u32) -> u64 {
        if self.count < bits {
            let (four, rest) = match self.data.split_first_chunk::<4>() {
                Some((&four, rest)) => (four, rest),
                None => {
                    let mut four = [0; 4];
                    four[..self.data.len()].copy_from_slice(self.data);
                    (four, &[][..])
                }
            };
            self.held = self.held << 32 | u64::from(u32::from_be_bytes(four));
            self.count += 32;
            self.data = rest;
        }
        self.count -= bits;
        (self.held >> self.count) & ((1 << bits) - 1)
    }
}

/// Whether so many values of so many bits are in so many bytes.
pub(super) fn holds(bytes: usize, values: u64, bits: u64) -> bool {
    values.checked_mul(bits).is_some_and(|bits| bits.div_ceil(8) <= bytes as u64)
}

/// An element of 1 to 8 bytes as a number.
pub(super) fn load(element: &[u8], is_big: bool) -> u64 {
    let append = |value: u64, &byte: &u8| value << 8 | u64::from(byte);
    match *element {
        [a] => u64::from(a),
        [a, b] if is_big => u64::from(u16::from_be_bytes([a, b])),
        [a, b] => u64::from(u16::from_le_bytes([a, b])),
        [a, b, c, d] if is_big => u64::from(u32::from_be_bytes([a, b, c, d])),
        [a, b, c, d] => u64::from(u32::from_le_bytes([a, b, c, d])),
        _ if is_big => element.iter().fold(0, append),
        _ => element.iter().rev().fold(0, append),
    }
}

/// Makes a number an element of 1 to 8 bytes.
pub(super) fn store(value: u64, is_big: bool, element: &mut [u8]) {
    let size = element.len();
    if is_big {
        element.copy_from_slice(&value.to_be_bytes()[8 - size..]);
    } else {
        element.copy_from_slice(&value.to_le_bytes()[..size]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_put_is_taken(values in proptest::collection::vec((any::<u64>(), 0..=64u32), 0..50)) {
            let mut bytes = Vec::new();
            let mut writer = BitWriter::new(&mut bytes);
            values.iter().for_each(|&(value, bits)| writer.put(value, bits));
            writer.finish();
            let total: u32 = values.iter().map(|value| value.1).sum();
            prop_assert_eq!(bytes.len(), total as usize / 8 + 1);
            let mut text = String::new();
            for &(value, bits) in &values {
                (0..bits).rev().for_each(|bit| text.push(if value >> bit & 1 == 1 { '1' } else { '0' }));
            }
            let whole: String = bytes.iter().map(|byte| format!("{byte:08b}")).collect();
            prop_assert_eq!(&whole[..text.len()], &text);
            let mut reader = BitReader::new(&bytes);
            for (value, bits) in values {
                prop_assert_eq!(reader.take(bits), if bits == 64 { value } else { value & ((1 << bits) - 1) });
            }
            (0..3).for_each(|_| { reader.take(40); });
            prop_assert_eq!(reader.take(64), 0);
        }

        #[test]
        fn elements_are_numbers(value: u64, size in 1..=8usize, is_big: bool) {
            let mut element = vec![0; size];
            store(value, is_big, &mut element);
            prop_assert_eq!(load(&element, is_big), value & (u64::MAX >> (64 - 8 * size)));
            prop_assert_eq!(element[if is_big { size - 1 } else { 0 }], value as u8);
        }
    }
}

//! Messages of a few plain fields: continuation, reference count, modification time, comment, B-tree K values, driver
//! info and shared message table (specification, IV.A.2.n, o, p, q, s, t, u, w).

use crate::error::Result;
use crate::format::btree1::DEFAULT_CHUNK_K;
use crate::format::codec::{Reader, Writer};
use crate::format::group_tree::DEFAULT_INTERNAL_K;
use crate::format::symbol_table::DEFAULT_LEAF_K;
use crate::format::Sizes;

/// Where the header goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Continuation {
    /// The address of the continuation chunk.
    pub address: u64,
    /// Its length, with signature and checksum.
    pub length: u64,
}

impl Continuation {
    /// Bytes of the message's body.
    pub fn encoded_len(sizes: Sizes) -> usize {
        sizes.offset as usize + sizes.length as usize
    }

    /// Decodes it.
    pub fn decode(bytes: &[u8], sizes: Sizes) -> Result<Self> {
        let mut reader = Reader::new(bytes, "continuation message");
        Ok(Continuation { address: reader.address(sizes)?, length: reader.length(sizes)? })
    }

    /// Encodes it.
    pub fn encode(&self, sizes: Sizes) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.address(self.address, sizes).length(self.length, sizes);
        writer.finish()
    }
}

/// Decodes the Object Reference Count message: how many hard links lead to the object; without it, one.
pub fn reference_count(bytes: &[u8]) -> Result<u32> {
    let mut reader = Reader::new(bytes, "reference count message");
    match reader.u8()? {
        0 => reader.u32(),
        version => Err(reader.error(format_args!("version {version}"))),
    }
}

/// Encodes the Object Reference Count message.
pub fn encode_reference_count(count: u32) -> [u8; 5] {
    let [a, b, c, d] = count.to_le_bytes();
    [0, a, b, c, d]
}

/// Decodes the Object Modification Time message: seconds since 1970.
pub fn modification_time(bytes: &[u8]) -> Result<u32> {
    let mut reader = Reader::new(bytes, "modification time message");
    match reader.u8()? {
        1 => {
            reader.skip(3)?;
            reader.u32()
        }
        version => Err(reader.error(format_args!("version {version}"))),
    }
}

/// Encodes the Object Modification Time message.
pub fn encode_modification_time(seconds: u32) -> [u8; 8] {
    let [a, b, c, d] = seconds.to_le_bytes();
    [1, 0, 0, 0, a, b, c, d]
}

/// Decodes the old Object Modification Time message: `YYYYMMDDhhmmss` in UTC, as seconds since 1970.
pub fn modification_time_old(bytes: &[u8]) -> Result<i64> {
    let mut reader = Reader::new(bytes, "old modification time message");
    let mut number = |digits: usize| -> Result<i64> {
        let text = reader.take(digits)?;
        if !text.iter().all(u8::is_ascii_digit) {
            return Err(reader.error("it is not a date of digits"));
        }
        Ok(text.iter().fold(0, |value, &digit| 10 * value + i64::from(digit - b'0')))
    };
    let (year, month, day) = (number(4)?, number(2)?, number(2)?);
    let (hour, minute, second) = (number(2)?, number(2)?, number(2)?);
    // Days of the proleptic Gregorian calendar, with the year beginning in March.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * y + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400) + (153 * m + 2) / 5 + day - 719_469;
    Ok(((days * 24 + hour) * 60 + minute) * 60 + second)
}

/// Encodes the old Object Modification Time message.
pub fn encode_modification_time_old(seconds: u32) -> [u8; 16] {
    let (days, time) = (i64::from(seconds / 86_400), seconds % 86_400);
    // The inverse of the above: days since 1 March of the year 0.
    let days = days + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let m = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * m + 2) / 5 + 1;
    let (month, next) = if m < 10 { (m + 3, 0) } else { (m - 9, 1) };
    let year = 400 * era + year_of_era + next;
    let text = format!("{year:04}{month:02}{day:02}{:02}{:02}{:02}", time / 3600, time / 60 % 60, time % 60);
    let mut body = [0; 16];
    body[..14].copy_from_slice(&text.as_bytes()[..14]);
    body
}

/// Decodes the Object Comment message: the text before the NUL.
pub fn comment(bytes: &[u8]) -> &[u8] {
    bytes.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// The Version 1 B-tree 'K' Values message of the superblock extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BTreeK {
    /// For chunk indexes.
    pub chunk: u16,
    /// For internal nodes of old groups.
    pub group_internal: u16,
    /// For leaf nodes of old groups.
    pub group_leaf: u16,
}

impl BTreeK {
    /// Where neither superblock nor extension says anything.
    pub const DEFAULT: BTreeK =
        BTreeK { chunk: DEFAULT_CHUNK_K, group_internal: DEFAULT_INTERNAL_K, group_leaf: DEFAULT_LEAF_K };

    /// Decodes version 0.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes, "B-tree 'K' values message");
        let version = reader.u8()?;
        let k = BTreeK { chunk: reader.u16()?, group_internal: reader.u16()?, group_leaf: reader.u16()? };
        if version != 0 || [k.chunk, k.group_internal, k.group_leaf].contains(&0) {
            return Err(reader.error(format_args!("version {version}, {k:?}")));
        }
        Ok(k)
    }
}

/// The Driver Info message of the superblock extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriverInfo {
    /// The driver, for example `NCSAmulti`.
    pub name: [u8; 8],
    /// Its data.
    pub data: Vec<u8>,
}

impl DriverInfo {
    /// Decodes version 0.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes, "driver info message");
        let version = reader.u8()?;
        if version != 0 {
            return Err(reader.error(format_args!("version {version}")));
        }
        let mut name = [0; 8];
        name.copy_from_slice(reader.take(8)?);
        let length = reader.u16()? as usize;
        Ok(DriverInfo { name, data: reader.take(length)?.to_vec() })
    }
}

/// The Shared Message Table message of the superblock extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SharedMessageTable {
    /// The address of the table.
    pub address: u64,
    /// How many indexes it has.
    pub indexes: u8,
}

impl SharedMessageTable {
    /// Decodes version 0.
    pub fn decode(bytes: &[u8], sizes: Sizes) -> Result<Self> {
        let mut reader = Reader::new(bytes, "shared message table message");
        match reader.u8()? {
            0 => Ok(SharedMessageTable { address: reader.address(sizes)?, indexes: reader.u8()? }),
            version => Err(reader.error(format_args!("version {version}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_fields() {
        let continuation = Continuation { address: 0x1234, length: 500 };
        let sizes = Sizes { offset: 8, length: 4 };
        assert_eq!(Continuation::decode(&continuation.encode(sizes), sizes).unwrap(), continuation);
        assert_eq!(continuation.encode(sizes).len(), Continuation::encoded_len(sizes));
        assert_eq!(reference_count(&encode_reference_count(70_000)).unwrap(), 70_000);
        assert_eq!(modification_time(&encode_modification_time(1_700_000_000)).unwrap(), 1_700_000_000);
        assert_eq!(modification_time_old(b"19700101000000\0\0").unwrap(), 0);
        assert_eq!(modification_time_old(b"20240229123456\0\0").unwrap(), 1_709_210_096);
        assert_eq!(modification_time_old(b"20000301000000").unwrap(), 951_868_800);
        for text in [b"19700101000000\0\0", b"20240229123456\0\0", b"20000301000000\0\0", b"21000228235959\0\0"] {
            assert_eq!(encode_modification_time_old(modification_time_old(text).unwrap() as u32), *text);
        }
        assert_eq!(comment(b"text\0\0\0"), b"text");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn never_panics(mut bytes in proptest::collection::vec(any::<u8>(), 0..40), zero: bool, digits: bool) {
            if zero && !bytes.is_empty() {
                bytes[0] = 0;
            }
            if digits {
                bytes.iter_mut().for_each(|b| *b = b'0' + *b % 10);
            }
            let _ = Continuation::decode(&bytes, Sizes::EIGHT);
            let _ = (reference_count(&bytes), modification_time(&bytes), modification_time_old(&bytes));
            let _ = (BTreeK::decode(&bytes), DriverInfo::decode(&bytes), comment(&bytes));
            let _ = SharedMessageTable::decode(&bytes, Sizes::EIGHT);
        }
    }
}

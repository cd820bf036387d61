//! The Filter Pipeline message (specification, IV.A.2.l), versions 1 and 2.

use crate::error::Result;
use crate::format::codec::{Reader, Writer};

/// The most filters of a pipeline.
pub const MAX_FILTERS: usize = 32;

/// Filters below this number are the library's own: version 2 does not store their names.
pub const FIRST_NAMED: u16 = 256;

/// One filter of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The registered number: 1 deflate, 2 shuffle, 3 Fletcher32, 4 szip, 5 nbit, 6 scale-offset.
    pub id: u16,
    /// Bit 0: the filter is optional, a chunk that it fails on is stored without it.
    pub flags: u16,
    /// Its name, without the NUL; often empty.
    pub name: Vec<u8>,
    /// Its parameters.
    pub client_data: Vec<u32>,
}

/// Decodes either version: the filters in the order in which they are applied when writing.
pub fn decode(bytes: &[u8]) -> Result<Vec<Filter>> {
    let mut reader = Reader::new(bytes, "filter pipeline message");
    let (version, count) = (reader.u8()?, reader.u8()? as usize);
    if !(1..=2).contains(&version) || count > MAX_FILTERS {
        return Err(reader.error(format_args!("version {version} with {count} filters")));
    }
    if version == 1 {
        reader.skip(6)?;
    }
    (0..count).map(|_| decode_filter(&mut reader, version)).collect()
}

fn decode_filter(reader: &mut Reader<'_>, version: u8) -> Result<Filter> {
    let id = reader.u16()?;
    let name_length = if version == 1 || id >= FIRST_NAMED { reader.u16()? as usize } else { 0 };
    let (flags, values) = (reader.u16()?, reader.u16()? as usize);
    if version == 1 && name_length % 8 != 0 {
        return Err(reader.error(format_args!("a filter name of {name_length} bytes")));
    }
    let name = reader.take(name_length)?;
    let name = name.split(|&byte| byte == 0).next().unwrap_or_default().to_vec();
    let mut packed = Reader::new(reader.take(4 * values)?, "filter pipeline message");
    let client_data = (0..values).map(|_| packed.u32()).collect::<Result<Vec<_>>>()?;
    if version == 1 && values % 2 == 1 {
        reader.skip(4)?;
    }
    Ok(Filter { id, flags, name, client_data })
}

/// Encodes version 2, which libhdf5 reads since 1.8.
pub fn encode(filters: &[Filter]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.u8(2).u8(filters.len() as u8);
    for filter in filters {
        writer.u16(filter.id);
        let named = filter.id >= FIRST_NAMED && !filter.name.is_empty();
        if filter.id >= FIRST_NAMED {
            writer.u16(if named { filter.name.len() as u16 + 1 } else { 0 });
        }
        writer.u16(filter.flags).u16(filter.client_data.len() as u16);
        if named {
            writer.bytes(&filter.name).u8(0);
        }
        for &value in &filter.client_data {
            writer.u32(value);
        }
    }
    writer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn version_1_is_padded_and_version_2_is_not() {
        let mut old = vec![1, 2, 0, 0, 0, 0, 0, 0];
        old.extend([2, 0, 8, 0, 1, 0, 1, 0]);
        old.extend(b"shuffle\0");
        old.extend([4, 0, 0, 0, 0, 0, 0, 0]);
        old.extend([1, 0, 8, 0, 1, 0, 1, 0]);
        old.extend(b"deflate\0");
        old.extend([6, 0, 0, 0, 0, 0, 0, 0]);
        let filters = decode(&old).unwrap();
        assert_eq!(filters[1], Filter { id: 1, flags: 1, name: b"deflate".to_vec(), client_data: vec![6] });
        // Written by libhdf5 1.10.8 with libver='latest'.
        let new = [2, 2, 2, 0, 1, 0, 1, 0, 4, 0, 0, 0, 1, 0, 1, 0, 1, 0, 6, 0, 0, 0];
        assert_eq!(encode(&filters), new);
        assert_eq!(decode(&new).unwrap()[1].client_data, [6]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn round_trip(
            id in 256u16..,
            flags: u16,
            name in proptest::collection::vec(1u8.., 0..20),
            client_data in proptest::collection::vec(any::<u32>(), 0..5),
        ) {
            let filters = vec![Filter { id, flags, name, client_data }; 2];
            prop_assert_eq!(decode(&encode(&filters)).unwrap(), filters);
        }

        #[test]
        fn never_panics(version in 1u8..3, bytes in proptest::collection::vec(0..20u8, 0..80)) {
            let mut message = vec![version];
            message.extend(&bytes);
            let _ = decode(&message);
        }
    }
}

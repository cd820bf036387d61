//! The filters of a pipeline (specification IV.A.2.l, "The Data Storage - Filter Pipeline Message"): what chunks and the
//! blocks of filtered heaps go through on their way to the file and back.
//!
//! Sizes come from the file and are not trusted: no filter allocates more than what it is given can make, nor more than
//! what is expected.

#[cfg(feature = "bitshuffle")]
mod bitshuffle;
#[cfg(feature = "blosc")]
mod blosc;
mod codec;
mod deflate;
mod fletcher32;
mod libsz;
#[cfg(feature = "lz4")]
mod lz4;
mod lzf;
mod nbit;
mod noise;
mod packing;
mod parameters;
mod scale_offset;
mod shuffle;
mod szip;
mod user;

pub use codec::{Codec, Encoded, Skip};
pub use deflate::MAX_LEVEL;
pub use parameters::{complete, resize, Elements};
pub use user::{is_running, register, unregister, UserFilter};

use crate::error::{Error, Result};
use crate::format::message::filter_pipeline::{Filter, FIRST_NAMED};

/// zlib's format; its parameter is the level.
pub const DEFLATE: u16 = 1;
/// The first bytes of all elements, then the second ones, and so on; its parameter is the size of an element.
pub const SHUFFLE: u16 = 2;
/// Four bytes of checksum behind the data.
pub const FLETCHER32: u16 = 3;
/// Differences of neighbouring numbers, through libsz; its parameters are options, the values of a block, and then the type.
pub const SZIP: u16 = 4;
/// Numbers without the bits that mean nothing; its parameters describe the type.
pub const NBIT: u16 = 5;
/// Numbers less their least, in as few bits as they need; its parameters are the kind of scaling and the digits or bits, and
/// then the type.
pub const SCALE_OFFSET: u16 = 6;
/// LZF, as h5py registers it.
pub const LZF: u16 = 32000;

/// Blosc; its parameters are four that are filled in, the level, the shuffle and the compressor.
pub const BLOSC: u16 = 32001;
/// Bitshuffle; its parameters are three that are filled in, the elements of a block, the compression and its level.
pub const BITSHUFFLE: u16 = 32008;
/// LZ4 in blocks; its parameter is the bytes of a block, 0 or none: one block.
pub const LZ4: u16 = 32004;
/// Zstandard; its parameter is the level.
pub const ZSTD: u16 = 32015;

/// The filters that data are written and read through.
pub const KNOWN: &[u16] = &[
    DEFLATE,
    SHUFFLE,
    FLETCHER32,
    SZIP,
    NBIT,
    SCALE_OFFSET,
    LZF,
    #[cfg(feature = "blosc")]
    BLOSC,
    #[cfg(feature = "lz4")]
    LZ4,
    #[cfg(feature = "bitshuffle")]
    BITSHUFFLE,
    #[cfg(feature = "zstd")]
    ZSTD,
];

/// A filter's flag: a chunk that it fails on is stored without it.
pub const OPTIONAL: u16 = 1;

/// Bytes that any stored bytes may become.
const MOST_FROM_FEW: usize = 64 << 20;

/// The filters that are known by name, but not all of them here.
const NAMES: [(u16, &str); 18] = [
    (DEFLATE, "deflate"),
    (SHUFFLE, "shuffle"),
    (FLETCHER32, "fletcher32"),
    (SZIP, "szip"),
    (NBIT, "n-bit"),
    (SCALE_OFFSET, "scale-offset"),
    (305, "lzo"),
    (307, "bzip2"),
    (LZF, "lzf"),
    (BLOSC, "blosc"),
    (LZ4, "lz4"),
    (BITSHUFFLE, "bitshuffle"),
    (32013, "zfp"),
    (ZSTD, "zstd"),
    (32017, "sz"),
    (32019, "jpeg"),
    (32024, "sz3"),
    (32026, "blosc2"),
];

/// Undoes the filters that `mask` does not say were skipped, the last one first. `size` bytes must come out. `what` and
/// `address` name the source in errors.
pub fn decode(
    filters: &[Filter],
    mask: u32,
    bytes: &[u8],
    size: usize,
    what: &'static str,
    address: u64,
) -> Result<Vec<u8>> {
    decode_with(&mut Codec::default(), filters, mask, bytes, size, (what, address))
}

/// The same with a codec that may call back; `what` and the address of the data are for errors.
pub fn decode_with(
    codec: &mut Codec,
    filters: &[Filter],
    mask: u32,
    bytes: &[u8],
    size: usize,
    (what, address): (&'static str, u64),
) -> Result<Vec<u8>> {
    // No more than what can come out, whatever the size that the file claims.
    if size > largest(filters, bytes.len()) {
        let detail = format_args!("{} bytes cannot have become {size}", bytes.len());
        return Err(Error::corrupt(what, address, detail));
    }
    let mut out = vec![0; size];
    codec.decode(filters, mask, bytes, &mut out, what, address)?;
    Ok(out)
}

/// What stored bytes may become: what one of the filters can make of them, and what several make of few. Without a limit
/// several in a row would make gigabytes of a small file.
fn largest<'a>(filters: impl IntoIterator<Item = &'a Filter>, stored: usize) -> usize {
    let ratio = |filter: &Filter| match filter.id {
        DEFLATE => deflate::MAX_RATIO,
        LZF | LZ4 => 256,
        NBIT => nbit::ratio(&filter.client_data).min(1 << 16),
        SCALE_OFFSET => scale_offset::MAX_RATIO,
        // A block of 128 KiB that is one byte repeated.
        ZSTD | BLOSC | BITSHUFFLE | SZIP => 1 << 16,
        id if id >= FIRST_NAMED && !KNOWN.contains(&id) => 1 << 16,
        _ => 1,
    };
    let ratio = filters.into_iter().map(ratio).max().unwrap_or(1);
    stored.saturating_mul(ratio).max(MOST_FROM_FEW)
}

/// Fails when data cannot be written through these filters; says which. `calls_back`: the user's are as good as h5r's own.
pub fn check_writable(filters: &[Filter], calls_back: bool) -> Result<()> {
    // libhdf5 stores this where it cannot shuffle, as with values of variable length, and then skips it in every chunk.
    let cannot = |filter: &Filter| filter.id == SHUFFLE && filter.client_data.is_empty();
    if filters.iter().any(|filter| cannot(filter) && filter.flags & OPTIONAL == 0) {
        return Err(Error::unsupported("writing through the filter shuffle without the size of an element"));
    }
    for filter in filters {
        let checked = match filter.id {
            NBIT => nbit::check(&filter.client_data),
            SCALE_OFFSET => scale_offset::check(&filter.client_data),
            SZIP => szip::check(&filter.client_data),
            #[cfg(feature = "blosc")]
            BLOSC => blosc::check(&filter.client_data),
            #[cfg(feature = "bitshuffle")]
            BITSHUFFLE => bitshuffle::check(&filter.client_data),
            id if user::directions(id) == Some((false, true)) => {
                Err("it was registered without a callback that encodes")
            }
            _ => Ok(()),
        };
        checked.map_err(|detail| {
            Error::unsupported(format_args!("writing through the filter {} ({}): {detail}", filter.id, name(filter)))
        })?;
    }
    check_known(filters, 0, calls_back)
}

/// Whether a filter that may not be skipped can refuse data: what a call writes is then encoded in the call.
pub fn may_refuse(filters: &[Filter]) -> bool {
    filters.iter().any(|filter| filter.flags & OPTIONAL == 0 && [SCALE_OFFSET, SZIP].contains(&filter.id))
}

/// Whether it is no filter of this library's: one of the user's, if any.
fn is_foreign(filter: &Filter) -> bool {
    !KNOWN.contains(&filter.id)
}

/// Whether one of them is registered by the user: it is not called with the file's lock held.
pub fn calls_back(filters: &[Filter]) -> bool {
    filters.iter().any(|filter| is_foreign(filter) && user::directions(filter.id).is_some())
}

/// Fails when a filter that has to be undone is not known here, or, unless this `calls_back`, is the user's; says which.
fn check_known(filters: &[Filter], mask: u32, calls_back: bool) -> Result<()> {
    if applied(filters, mask).any(|(_, filter)| filter.id == SZIP) && !szip::is_available() {
        return Err(Error::unsupported(format_args!("the raw data's filter {SZIP} (szip), {}", szip::MISSING)));
    }
    for (_, filter) in applied(filters, mask).filter(|(_, filter)| is_foreign(filter)) {
        let (id, name) = (filter.id, name(filter));
        if user::directions(id).is_none() {
            let known = KNOWN.iter().map(|&id| known_name(id)).collect::<Vec<_>>().join(", ");
            let what =
                format_args!("the raw data's filter {id} ({name}), which no one has registered; known are {known}");
            return Err(Error::unsupported(what));
        }
        if !calls_back {
            let what = format_args!("the filter {id} ({name}), a callback, in this call, which locks the file");
            return Err(Error::unsupported(what));
        }
    }
    Ok(())
}

/// The filters that the mask does not say were skipped, with their numbers.
fn applied(filters: &[Filter], mask: u32) -> impl DoubleEndedIterator<Item = (usize, &Filter)> {
    filters.iter().enumerate().filter(move |(number, _)| *number >= 32 || mask & (1 << number) == 0)
}

/// The filter's name: what the file says, or what it is known as.
pub fn name(filter: &Filter) -> String {
    if !filter.name.is_empty() {
        return String::from_utf8_lossy(&filter.name).into_owned();
    }
    known_name(filter.id).to_string()
}

/// The name that is stored with a new filter.
pub fn new_name(id: u16) -> String {
    user::registered_name(id).unwrap_or_else(|| known_name(id).to_string())
}

/// What a filter is known as.
pub fn known_name(id: u16) -> &'static str {
    NAMES.iter().find(|(known, _)| *known == id).map_or("no name is recorded", |(_, name)| name)
}

fn shuffle_width(filter: &Filter) -> usize {
    filter.client_data.first().map_or(1, |&width| width as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn filter(id: u16, client_data: Vec<u32>) -> Filter {
        Filter { id, flags: 0, name: Vec::new(), client_data }
    }

    fn encode(filters: &[Filter], data: &[u8]) -> Result<Vec<u8>> {
        Ok(Codec::default().encode(filters, data, Skip::default())?.bytes.to_vec())
    }

    #[test]
    fn optional_filters_are_skipped_where_they_fail() {
        // Two-byte integers in three bits, then deflate.
        let mut parameters = vec![2, 3, 4, 0, 2, 0, 0, 0];
        parameters.resize(20, 0);
        let mut filters = [filter(SHUFFLE, vec![1]), filter(SCALE_OFFSET, parameters), filter(DEFLATE, vec![4])];
        let (fits, large) = ([5, 0, 9, 0, 12, 0, 5, 0], [5, 0, 9, 0, 13, 0, 5, 0]);
        let mut codec = Codec::default();
        assert_eq!(codec.encode(&filters, &fits, Skip::default()).unwrap().mask, 0);
        let error = codec.encode(&filters, &large, Skip::default()).unwrap_err();
        assert!(error.message().contains("the filter 6 (scale-offset), which is not optional: values"), "{error}");
        assert!(may_refuse(&filters) && !may_refuse(&filters[..1]));
        let all = codec
            .encode(&filters, &large, Skip { failing: true, ..Skip::default() })
            .map(|encoded| (encoded.bytes.to_vec(), encoded.mask))
            .unwrap();
        filters[1].flags = OPTIONAL;
        assert!(!may_refuse(&filters));
        let encoded = codec.encode(&filters, &large, Skip::default()).unwrap();
        assert_eq!((encoded.bytes.to_vec(), encoded.mask), all);
        assert_eq!(all.1, 2);
        assert_eq!(decode(&filters, 2, &all.0, 8, "chunk", 0).unwrap(), large);
        let encoded = codec.encode(&filters[1..2], &large, Skip::default()).unwrap();
        assert_eq!((encoded.bytes, encoded.mask), (&large[..], 1));
    }

    #[test]
    fn a_shuffle_without_the_size_of_an_element_is_skipped() {
        let data: Vec<u8> = (0..100).collect();
        let mut filters = [filter(SHUFFLE, vec![]), filter(DEFLATE, vec![4])];
        assert!(check_writable(&filters, false).unwrap_err().message().contains("without the size of an element"));
        filters[0].flags = OPTIONAL;
        check_writable(&filters, false).unwrap();
        let mut codec = Codec::default();
        let encoded = codec.encode(&filters, &data, Skip::default()).unwrap();
        assert_eq!(encoded.mask, 1);
        assert_eq!(decode(&filters, 1, encoded.bytes, 100, "chunk", 0).unwrap(), data);
    }

    #[test]
    fn what_is_not_known_is_refused_by_name() {
        let mut zfp = filter(32013, vec![3]);
        let error = |filters: &[Filter], mask| decode(filters, mask, &[1], 1, "chunk", 7).unwrap_err().to_string();
        assert!(error(&[zfp.clone()], 0).contains("filter 32013 (zfp)"));
        zfp.name = b"my own".to_vec();
        assert!(error(&[zfp.clone()], 0).contains("filter 32013 (my own)"));
        assert!(error(&[filter(999, vec![])], 2).contains("filter 999 (no name is recorded)"));
        assert_eq!(decode(&[zfp], 1, &[9], 1, "chunk", 7).unwrap(), [9]);
    }

    #[test]
    fn noise_is_stored_unfiltered_where_that_is_asked_for() {
        let noise = crate::random::Random::new(1).bytes(40_000);
        let smooth: Vec<u8> = (0..10_000u32).flat_map(|i| (i / 9).to_le_bytes()).collect();
        let mut filters = [filter(SHUFFLE, vec![4]), filter(DEFLATE, vec![4]), filter(FLETCHER32, vec![])];
        (filters[0].flags, filters[1].flags, filters[2].flags) = (OPTIONAL, OPTIONAL, OPTIONAL);
        let (mut codec, skip) = (Codec::default(), Skip { noise: true, ..Skip::default() });
        let encoded = codec.encode(&filters, &noise, skip).unwrap();
        assert_eq!((encoded.mask, encoded.bytes.len()), (3, noise.len() + 4));
        assert_eq!(decode(&filters, 3, encoded.bytes, noise.len(), "chunk", 0).unwrap(), noise);
        assert_eq!(codec.encode(&filters, &smooth, skip).unwrap().mask, 0);
        assert_eq!(codec.encode(&filters, &noise, Skip::default()).unwrap().mask, 0);
        filters[1].flags = 0;
        assert_eq!(codec.encode(&filters, &noise, skip).unwrap().mask, 0);
    }

    #[test]
    fn filters_of_the_users() {
        /// Every byte is changed by a number; what is written begins with its length.
        struct Adding;
        impl UserFilter for Adding {
            fn directions(&self) -> (bool, bool) {
                (true, true)
            }
            fn encode(&self, parameters: &[u32], data: &[u8], out: &mut Vec<u8>) -> std::result::Result<(), String> {
                assert!(is_running());
                if data.first() == Some(&0) {
                    return Err("it takes no zeros".into());
                }
                out.clear();
                out.extend((data.len() as u32).to_le_bytes());
                out.extend(data.iter().map(|byte| byte.wrapping_add(parameters[0] as u8)));
                Ok(())
            }
            fn decode(&self, parameters: &[u32], data: &[u8], out: &mut [u8]) -> std::result::Result<usize, String> {
                let data = data.get(4..).filter(|data| data.len() <= out.len()).ok_or("damaged")?;
                out.iter_mut().zip(data).for_each(|(out, byte)| *out = byte.wrapping_sub(parameters[0] as u8));
                Ok(data.len())
            }
        }
        let mut filters = [filter(SHUFFLE, vec![2]), filter(40_001, vec![7]), filter(DEFLATE, vec![1])];
        let data = [5, 1, 6, 2, 7, 3];
        let encode = |filters: &[Filter], data: &[u8]| -> Result<Vec<u8>> {
            Ok(Codec::with_callbacks().encode(filters, data, Skip::default())?.bytes.to_vec())
        };
        let decode = |filters: &[Filter], stored: &[u8], size: usize| -> Result<Vec<u8>> {
            let mut out = vec![0; size];
            Codec::with_callbacks().decode(filters, 0, stored, &mut out, "chunk", 0).map(|()| out)
        };
        assert!(encode(&filters, &data)
            .unwrap_err()
            .message()
            .contains("filter 40001 (no name is recorded), which no one"));
        assert!(
            register(DEFLATE, "mine", Box::new(Adding)).is_err() && register(LZF, "mine", Box::new(Adding)).is_err()
        );
        register(40_001, "adding", Box::new(Adding)).unwrap();
        assert!(register(40_001, "adding", Box::new(Adding)).unwrap_err().message().contains("registered already"));
        assert_eq!(new_name(40_001), "adding");
        let stored = encode(&filters, &data).unwrap();
        assert_eq!(decode(&filters, &stored, 6).unwrap(), data);
        assert_eq!(decode(&filters[1..2], &[1, 2], 6).unwrap_err().kind(), crate::error::ErrorKind::Callback);
        assert!(calls_back(&filters) && !is_running());
        // Who may hold a lock cannot call them.
        let mut locked = Codec::default();
        let error = locked.decode(&filters, 0, &stored, &mut [0; 6], "chunk", 0).unwrap_err();
        assert!(error.message().contains("40001 (no name is recorded), a callback, in this call"), "{error}");
        assert!(locked.encode(&filters, &data, Skip { failing: true, noise: false }).is_err());
        let error = encode(&filters, &[0; 6]).unwrap_err();
        assert!(error.kind() == crate::error::ErrorKind::Callback && error.message().contains("it takes no zeros"));
        filters[1].flags = OPTIONAL;
        assert_eq!(Codec::with_callbacks().encode(&filters, &[0; 6], Skip::default()).unwrap().mask, 2);
        unregister(40_001).unwrap();
        assert!(unregister(40_001).is_err());
        assert!(decode(&filters, &stored, 6).is_err());
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        let data: Vec<u8> = (0..1000u32).flat_map(|i| (i / 3).to_le_bytes()).collect();
        let filters = [filter(SHUFFLE, vec![4]), filter(FLETCHER32, vec![]), filter(DEFLATE, vec![6])];
        let stored = encode(&filters, &data).unwrap();
        assert!(stored.len() < 1000);
        let decode = |bytes: &[u8], mask, size| decode(&filters, mask, bytes, size, "chunk", 0);
        assert_eq!(decode(&stored, 0, 4000).unwrap(), data);
        assert!(decode(&stored, 0, 3999).is_err());
        assert!(decode(&stored[..100], 0, 4000).is_err());
        assert!(decode(&stored, 4, 4000).is_err());
        let noise: Vec<u8> = (0..64u64).map(|i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as u8).collect();
        let stored_noise = encode(&filters, &noise).unwrap();
        assert!(stored_noise.len() > 64);
        assert_eq!(decode(&stored_noise, 0, 64).unwrap(), noise);
        // Without deflate, the checksum is what finds damage.
        let mut stored = encode(&filters[..2], &data).unwrap();
        assert_eq!(decode(&stored, 4, 4000).unwrap(), data);
        stored[17] ^= 1;
        assert!(decode(&stored, 4, 4000).unwrap_err().to_string().contains("fletcher32"));
    }

    #[test]
    fn every_filter_gives_back_what_it_took() {
        for size in [0usize, 1, 1000, 200_000] {
            let data: Vec<u8> = (0..size).map(|i| (i / 7 * i) as u8).collect();
            // Those that need parameters have tests of their own.
            for &id in KNOWN.iter().filter(|&&id| ![SZIP, NBIT, SCALE_OFFSET, 32008].contains(&id)) {
                // Without the size of an element a shuffle is skipped.
                for parameters in [vec![], vec![4]].into_iter().skip(usize::from(id == SHUFFLE)) {
                    let filters = [filter(id, parameters), filter(SHUFFLE, vec![2])];
                    let stored = encode(&filters, &data).unwrap();
                    assert!(
                        decode(&filters, 0, &stored, size, "chunk", 0).unwrap() == data,
                        "{size} bytes, filter {id}"
                    );
                }
            }
        }
    }

    #[test]
    fn bombs_are_bounded() {
        let filters = [filter(DEFLATE, vec![9]), filter(DEFLATE, vec![9])];
        let deflate = |data: &[u8]| encode(&filters[..1], data).unwrap();
        let bomb = |size: usize| deflate(&deflate(&vec![0; size]));
        let (small, large) = (bomb(1 << 20), bomb(80 << 20));
        assert!(large.len() < 2000, "{} bytes", large.len());
        assert_eq!(decode(&filters, 0, &small, 1 << 20, "chunk", 0).unwrap(), vec![0; 1 << 20]);
        let error = decode(&filters, 0, &large, 80 << 20, "chunk", 0).unwrap_err();
        assert!(error.message().contains("cannot have become"), "{error}");
        // What is written here can be read, whatever the filters make of it.
        let zeros = vec![0; 80 << 20];
        let written = encode(&filters, &zeros).unwrap();
        assert!(written.len() < 100_000, "{} bytes", written.len());
        assert!(decode(&filters, 0, &written, zeros.len(), "chunk", 0).unwrap() == zeros);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn nothing_panics_and_nothing_grows(
            ids in proptest::collection::vec(proptest::sample::select(KNOWN), 0..4),
            parameter: u32, mask in 0..8u32, bytes in proptest::collection::vec(any::<u8>(), 0..100), size in 0..1000usize,
        ) {
            let filters: Vec<Filter> = ids.into_iter().map(|id| filter(id, vec![parameter; 3])).collect();
            if let Ok(data) = decode(&filters, mask, &bytes, size, "chunk", 0) {
                prop_assert_eq!(data.len(), size);
            }
        }
    }
}

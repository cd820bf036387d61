//! The Dataspace message (specification, IV.A.2.b), versions 1 and 2.

use crate::error::Result;
use crate::format::codec::{Reader, Writer};
use crate::format::Sizes;

/// A dimension without an upper bound.
pub const UNLIMITED: u64 = u64::MAX;

/// The most dimensions that a dataspace can have.
pub const MAX_RANK: usize = 32;

/// The shape of a dataset or an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dataspace {
    /// No elements.
    Null,
    /// One element.
    Scalar,
    /// An array.
    Simple {
        /// The current size of each dimension.
        dims: Vec<u64>,
        /// The largest size of each dimension, [`UNLIMITED`] for any; absent: the current sizes.
        max_dims: Option<Vec<u64>>,
    },
}

impl Dataspace {
    /// The array of `dims`; a scalar if there are none.
    pub fn simple(dims: &[u64]) -> Self {
        match dims {
            [] => Dataspace::Scalar,
            _ => Dataspace::Simple { dims: dims.to_vec(), max_dims: None },
        }
    }

    /// The current size of each dimension; empty for null and scalar.
    pub fn dims(&self) -> &[u64] {
        match self {
            Dataspace::Simple { dims, .. } => dims,
            _ => &[],
        }
    }

    /// The number of elements, unless it is 2^64 or more.
    pub fn elements(&self) -> Option<u64> {
        match self {
            Dataspace::Null => Some(0),
            Dataspace::Scalar => Some(1),
            // A zero anywhere makes it empty, whatever the others multiply to.
            Dataspace::Simple { dims, .. } if dims.contains(&0) => Some(0),
            Dataspace::Simple { dims, .. } => dims.iter().try_fold(1u64, |n, &dim| n.checked_mul(dim)),
        }
    }

    /// Decodes either version.
    pub fn decode(bytes: &[u8], sizes: Sizes) -> Result<Self> {
        let mut reader = Reader::new(bytes, "dataspace message");
        let version = reader.u8()?;
        let rank = reader.u8()? as usize;
        let flags = reader.u8()?;
        if rank > MAX_RANK {
            return Err(reader.error(format_args!("{rank} dimensions")));
        }
        let class = match version {
            1 => {
                reader.skip(5)?;
                u8::from(rank > 0)
            }
            2 => reader.u8()?,
            _ => return Err(reader.error(format_args!("version {version}"))),
        };
        match class {
            0 | 2 if rank > 0 => Err(reader.error(format_args!("class {class} with {rank} dimensions"))),
            0 => Ok(Dataspace::Scalar),
            1 => Self::decode_simple(&mut reader, rank, flags & 1 != 0, sizes),
            2 => Ok(Dataspace::Null),
            _ => Err(reader.error(format_args!("class {class}"))),
        }
    }

    fn decode_simple(reader: &mut Reader<'_>, rank: usize, bounded: bool, sizes: Sizes) -> Result<Self> {
        let dims = (0..rank).map(|_| reader.length(sizes)).collect::<Result<Vec<_>>>()?;
        let mut max_dims = None;
        if bounded {
            let unlimited = if sizes.length < 8 { (1u64 << (8 * sizes.length)) - 1 } else { UNLIMITED };
            let read = (0..rank).map(|_| reader.length(sizes).map(|m| if m == unlimited { UNLIMITED } else { m }));
            let max = read.collect::<Result<Vec<_>>>()?;
            if let Some((dim, max)) = dims.iter().zip(&max).find(|(dim, max)| dim > max) {
                return Err(reader.error(format_args!("a dimension of {dim} with the bound {max}")));
            }
            max_dims = Some(max);
        }
        Ok(Dataspace::Simple { dims, max_dims })
    }

    /// Encodes version 2, which libhdf5 reads since 1.8.
    pub fn encode(&self, sizes: Sizes) -> Vec<u8> {
        let mut writer = Writer::new();
        self.put(&mut writer, sizes);
        writer.finish()
    }

    /// Appends version 2.
    pub fn put(&self, writer: &mut Writer, sizes: Sizes) {
        match self {
            Dataspace::Null => _ = writer.bytes(&[2, 0, 0, 2]),
            Dataspace::Scalar => _ = writer.bytes(&[2, 0, 0, 0]),
            Dataspace::Simple { dims, max_dims } => {
                writer.bytes(&[2, dims.len() as u8, u8::from(max_dims.is_some()), 1]);
                for &dim in dims.iter().chain(max_dims.iter().flatten()) {
                    writer.bytes(&dim.to_le_bytes()[..sizes.length as usize]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn versions_and_classes() {
        let v1 = [1, 1, 1, 0, 0, 0, 0, 0, 3, 0, 0, 0, 255, 255, 255, 255];
        let sizes = Sizes { offset: 4, length: 4 };
        let expected = Dataspace::Simple { dims: vec![3], max_dims: Some(vec![UNLIMITED]) };
        assert_eq!(Dataspace::decode(&v1, sizes).unwrap(), expected);
        assert_eq!(Dataspace::decode(&expected.encode(sizes), sizes).unwrap(), expected);
        assert_eq!(Dataspace::decode(&[1, 0, 0, 0, 0, 0, 0, 0], sizes).unwrap(), Dataspace::Scalar);
        assert!(Dataspace::decode(&[2, 33, 0, 1], sizes).is_err());
        assert!(Dataspace::decode(&[2, 1, 0, 0, 1, 0, 0, 0], sizes).is_err());
        assert_eq!(Dataspace::simple(&[1 << 40, 1 << 40]).elements(), None);
        assert_eq!(Dataspace::simple(&[1 << 40, 1 << 40, 0]).elements(), Some(0));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn round_trip(dims in proptest::collection::vec(0..u64::MAX / 2, 1..33), bounded: bool, null: bool) {
            let max_dims = bounded.then(|| dims.iter().map(|d| d * 2).collect());
            let spaces = [Dataspace::Simple { dims, max_dims }, if null { Dataspace::Null } else { Dataspace::Scalar }];
            for space in spaces {
                prop_assert_eq!(Dataspace::decode(&space.encode(Sizes::EIGHT), Sizes::EIGHT).unwrap(), space);
            }
        }

        #[test]
        fn never_panics(version in 1u8..3, bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = Dataspace::decode(&bytes, Sizes::EIGHT);
            let mut message = vec![version];
            message.extend(bytes);
            let _ = Dataspace::decode(&message, Sizes { offset: 8, length: 2 });
        }
    }
}

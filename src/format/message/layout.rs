//! The Data Layout message (specification, IV.A.2.i), versions 1 to 5: where a dataset's raw data are.

use crate::error::{Error, ErrorKind, Result};
use crate::format::codec::{Reader, Writer};
use crate::format::message::dataspace::MAX_RANK;
use crate::format::Sizes;

/// A dataset's layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The message's version.
    pub version: u8,
    /// The layout class and its properties.
    pub class: LayoutClass,
}

/// How raw data are laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LayoutClass {
    /// In the message itself.
    Compact {
        /// The raw data.
        data: Vec<u8>,
    },
    /// In one block.
    Contiguous {
        /// The block's address, undefined while there is none.
        address: u64,
        /// Its bytes; versions 1 and 2 do not say, the dataspace and the datatype do.
        size: Option<u64>,
    },
    /// In chunks.
    Chunked(Chunked),
    /// In other datasets.
    Virtual {
        /// The global heap collection of the mapping, or undefined.
        heap: u64,
        /// The object in the collection.
        index: u32,
    },
}

/// The chunks of a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunked {
    /// The message's version: from 5 on, indexes have room for any size of a filtered chunk.
    pub version: u8,
    /// Flags of version 4 and later: bit 0, partial edge chunks are not filtered.
    pub flags: u8,
    /// The size of a chunk in each dimension, in elements.
    pub dims: Vec<u64>,
    /// The size of an element in bytes.
    pub element_size: u64,
    /// How the chunks are found.
    pub index: ChunkIndex,
    /// The address of the index, or of the data, undefined while there are none.
    pub address: u64,
}

impl Chunked {
    /// Bytes of an unfiltered chunk, unless they are 2^64 or more.
    pub fn chunk_bytes(&self) -> Option<u64> {
        self.dims.iter().try_fold(self.element_size, |bytes, &dim| bytes.checked_mul(dim))
    }
}

impl Chunked {
    fn encode(&self, w: &mut Writer, version: u8, sizes: Sizes) -> Result<()> {
        let dims = || self.dims.iter().chain([&self.element_size]);
        let largest = dims().copied().max().unwrap_or(1).max(1);
        let rank = self.dims.len() as u8 + 1;
        if self.index == ChunkIndex::BTree1 {
            if largest > u64::from(u32::MAX) {
                return Err(Error::range("chunk dimension", largest, format_args!("1..{}", u32::MAX)));
            }
            w.u8(3).u8(2).u8(rank).address(self.address, sizes);
            dims().for_each(|&dim| {
                w.u32(dim as u32);
            });
            return Ok(());
        }
        let width = largest.ilog2() as usize / 8 + 1;
        w.u8(version.max(4)).u8(2).u8(self.flags).u8(rank).u8(width as u8);
        dims().for_each(|&dim| {
            w.uint(dim, width);
        });
        match self.index {
            ChunkIndex::BTree1 => {}
            ChunkIndex::Single { filtered } => {
                w.u8(1);
                if let Some((size, mask)) = filtered {
                    w.length(size, sizes).u32(mask);
                }
            }
            ChunkIndex::Implicit => {
                w.u8(2);
            }
            ChunkIndex::FixedArray { page_bits } => {
                w.u8(3).u8(page_bits);
            }
            ChunkIndex::ExtensibleArray { max_bits, index_elements, min_pointers, min_elements, page_bits } => {
                w.u8(4).u8(max_bits).u8(index_elements).u8(min_pointers).u8(min_elements).u8(page_bits);
            }
            ChunkIndex::BTree2 { node_size, split, merge } => {
                w.u8(5).u32(node_size).u8(split).u8(merge);
            }
        }
        w.address(self.address, sizes);
        Ok(())
    }
}

/// The index of a dataset's chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChunkIndex {
    /// A version 1 B-tree (all versions before 4).
    BTree1,
    /// One chunk at the address; its filtered size and filter mask if there are filters.
    Single {
        /// Size after the filters, and which filters were skipped.
        filtered: Option<(u64, u32)>,
    },
    /// All chunks one after the other at the address.
    Implicit,
    /// A fixed array.
    FixedArray {
        /// Bits of the number of elements in a data block page.
        page_bits: u8,
    },
    /// An extensible array.
    ExtensibleArray {
        /// Bits of the largest number of elements.
        max_bits: u8,
        /// Elements in the index block.
        index_elements: u8,
        /// The fewest data block pointers in a secondary block.
        min_pointers: u8,
        /// The fewest elements in a data block.
        min_elements: u8,
        /// Bits of the number of elements in a data block page.
        page_bits: u8,
    },
    /// A version 2 B-tree.
    BTree2 {
        /// Bytes of a node.
        node_size: u32,
        /// Split at this percentage.
        split: u8,
        /// Merge at this percentage.
        merge: u8,
    },
}

impl Layout {
    /// A contiguous layout, version 3.
    pub fn contiguous(address: u64, size: u64) -> Self {
        Layout { version: 3, class: LayoutClass::Contiguous { address, size: Some(size) } }
    }

    /// A compact layout, version 3.
    pub fn compact(data: Vec<u8>) -> Self {
        Layout { version: 3, class: LayoutClass::Compact { data } }
    }

    /// Decodes any version.
    pub fn decode(bytes: &[u8], sizes: Sizes) -> Result<Self> {
        let mut reader = Reader::new(bytes, "data layout message");
        let version = reader.u8()?;
        let mut class = match version {
            1 | 2 => Self::decode_old(&mut reader, sizes)?,
            3..=5 => Self::decode_class(&mut reader, version, sizes)?,
            _ => return Err(reader.error(format_args!("version {version}"))),
        };
        if let LayoutClass::Chunked(chunked) = &mut class {
            chunked.version = version;
        }
        Ok(Layout { version, class })
    }

    fn decode_old(reader: &mut Reader<'_>, sizes: Sizes) -> Result<LayoutClass> {
        let (rank, class) = (reader.u8()? as usize, reader.u8()?);
        reader.skip(5)?;
        if rank == 0 || rank > MAX_RANK + 1 {
            return Err(reader.error(format_args!("{rank} dimensions")));
        }
        let address = if class == 0 { 0 } else { reader.address(sizes)? };
        let dims = (0..rank).map(|_| reader.u32().map(u64::from)).collect::<Result<Vec<_>>>()?;
        match class {
            0 => {
                let size = reader.u32()? as usize;
                Ok(LayoutClass::Compact { data: reader.take(size)?.to_vec() })
            }
            1 => Ok(LayoutClass::Contiguous { address, size: None }),
            2 => Ok(LayoutClass::Chunked(Self::chunks(reader, 0, dims, ChunkIndex::BTree1, address)?)),
            _ => Err(reader.error(format_args!("class {class}"))),
        }
    }

    fn decode_class(reader: &mut Reader<'_>, version: u8, sizes: Sizes) -> Result<LayoutClass> {
        match reader.u8()? {
            0 => {
                let size = reader.u16()? as usize;
                Ok(LayoutClass::Compact { data: reader.take(size)?.to_vec() })
            }
            1 => Ok(LayoutClass::Contiguous { address: reader.address(sizes)?, size: Some(reader.length(sizes)?) }),
            2 if version == 3 => {
                let rank = reader.u8()? as usize;
                let address = reader.address(sizes)?;
                let dims = Self::dims(reader, rank, 4)?;
                Ok(LayoutClass::Chunked(Self::chunks(reader, 0, dims, ChunkIndex::BTree1, address)?))
            }
            2 => Self::decode_chunked(reader, sizes),
            3 if version > 3 => Ok(LayoutClass::Virtual { heap: reader.address(sizes)?, index: reader.u32()? }),
            class => Err(reader.error(format_args!("class {class}"))),
        }
    }

    fn decode_chunked(reader: &mut Reader<'_>, sizes: Sizes) -> Result<LayoutClass> {
        let (flags, rank, width) = (reader.u8()?, reader.u8()? as usize, reader.u8()? as usize);
        if flags & !3 != 0 || !(1..=8).contains(&width) {
            return Err(reader.error(format_args!("flags {flags:#04x}, dimensions of {width} bytes")));
        }
        let dims = Self::dims(reader, rank, width)?;
        let index = match reader.u8()? {
            1 => {
                let filtered = if flags & 2 != 0 { Some((reader.length(sizes)?, reader.u32()?)) } else { None };
                ChunkIndex::Single { filtered }
            }
            2 => ChunkIndex::Implicit,
            3 => ChunkIndex::FixedArray { page_bits: Self::parameter(reader)? },
            4 => ChunkIndex::ExtensibleArray {
                max_bits: Self::parameter(reader)?,
                index_elements: Self::parameter(reader)?,
                min_pointers: Self::parameter(reader)?,
                min_elements: Self::parameter(reader)?,
                page_bits: Self::parameter(reader)?,
            },
            5 => ChunkIndex::BTree2 {
                node_size: reader.u32()?,
                split: Self::parameter(reader)?,
                merge: Self::parameter(reader)?,
            },
            kind => return Err(reader.error(format_args!("chunk index type {kind}"))),
        };
        let address = reader.address(sizes)?;
        Ok(LayoutClass::Chunked(Self::chunks(reader, flags, dims, index, address)?))
    }

    fn parameter(reader: &mut Reader<'_>) -> Result<u8> {
        match reader.u8()? {
            0 => Err(reader.error("a parameter of its chunk index is 0")),
            value => Ok(value),
        }
    }

    fn dims(reader: &mut Reader<'_>, rank: usize, width: usize) -> Result<Vec<u64>> {
        if rank > MAX_RANK + 1 {
            return Err(reader.error(format_args!("{rank} dimensions")));
        }
        (0..rank).map(|_| reader.uint(width)).collect()
    }

    /// The last of the stored dimensions is the size of an element.
    fn chunks(reader: &Reader<'_>, flags: u8, mut dims: Vec<u64>, index: ChunkIndex, address: u64) -> Result<Chunked> {
        if dims.len() < 2 || dims.contains(&0) {
            return Err(reader.error(format_args!("chunk dimensions {dims:?}")));
        }
        let element_size = dims.pop().unwrap_or(0);
        Ok(Chunked { version: 0, flags, dims, element_size, index, address })
    }

    /// A chunked layout: version 3 with a version 1 B-tree, version 4 or 5 with the other indexes.
    pub fn chunked(chunked: Chunked) -> Self {
        let version = if chunked.index == ChunkIndex::BTree1 { 3 } else { chunked.version.max(4) };
        Layout { version, class: LayoutClass::Chunked(chunked) }
    }

    /// Encodes compact and contiguous layouts, and chunks in a version 1 B-tree, as version 3; other chunks as version 4, or
    /// 5 if they were decoded from that. Virtual layouts stay as the raw bytes they were decoded from.
    pub fn encode(&self, sizes: Sizes) -> Result<Vec<u8>> {
        let mut writer = Writer::new();
        self.put(&mut writer, sizes)?;
        Ok(writer.finish())
    }

    /// Appends what [`Layout::encode`] makes.
    pub fn put(&self, writer: &mut Writer, sizes: Sizes) -> Result<()> {
        match &self.class {
            LayoutClass::Compact { data } => {
                let Ok(length) = u16::try_from(data.len()) else {
                    let message = format!("compact data of {} bytes are more than 65535", data.len());
                    return Err(Error::new(ErrorKind::Limit, message));
                };
                writer.u8(3).u8(0).u16(length).bytes(data);
            }
            LayoutClass::Contiguous { address, size } => {
                let size = size.ok_or_else(|| Error::internal("encoding a contiguous layout of unknown size"))?;
                if size > sizes.most_length() {
                    let most = format_args!("0..{} bytes, by the size of the file's lengths", sizes.most_length());
                    return Err(Error::range("size of contiguous data", size, most));
                }
                writer.u8(3).u8(1).address(*address, sizes).length(size, sizes);
            }
            LayoutClass::Chunked(chunked) => chunked.encode(writer, self.version, sizes)?,
            LayoutClass::Virtual { .. } => return Err(Error::unsupported("writing a virtual layout")),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::UNDEFINED;
    use proptest::prelude::*;

    fn decode(bytes: &[u8]) -> LayoutClass {
        Layout::decode(bytes, Sizes::EIGHT).unwrap().class
    }

    #[test]
    fn old_versions() {
        let mut chunked = vec![1, 2, 2, 0, 0, 0, 0, 0];
        chunked.extend(0x800u64.to_le_bytes());
        chunked.extend([100, 0, 0, 0, 8, 0, 0, 0]);
        let LayoutClass::Chunked(chunked) = decode(&chunked) else { panic!() };
        assert_eq!((chunked.dims.as_slice(), chunked.element_size), (&[100u64][..], 8));
        assert_eq!((chunked.index, chunked.address), (ChunkIndex::BTree1, 0x800));
        assert_eq!(chunked.chunk_bytes(), Some(800));
        let compact = [2, 1, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 7, 9];
        assert_eq!(decode(&compact), LayoutClass::Compact { data: vec![7, 9] });
        let mut contiguous = vec![2, 1, 1, 0, 0, 0, 0, 0];
        contiguous.extend([255; 8]);
        contiguous.extend([4, 0, 0, 0]);
        assert_eq!(decode(&contiguous), LayoutClass::Contiguous { address: UNDEFINED, size: None });
    }

    #[test]
    fn index_parameters_of_version_4() {
        let prefix = |index: &[u8]| {
            let mut bytes = vec![4, 2, 0, 3, 1, 4, 6, 8];
            bytes.extend(index);
            bytes.extend(0x900u64.to_le_bytes());
            let LayoutClass::Chunked(chunked) = decode(&bytes) else { panic!() };
            assert_eq!((chunked.dims, chunked.element_size, chunked.address), (vec![4, 6], 8, 0x900));
            chunked.index
        };
        assert_eq!(prefix(&[1]), ChunkIndex::Single { filtered: None });
        assert_eq!(prefix(&[2]), ChunkIndex::Implicit);
        assert_eq!(prefix(&[3, 10]), ChunkIndex::FixedArray { page_bits: 10 });
        let extensible = ChunkIndex::ExtensibleArray {
            max_bits: 32,
            index_elements: 4,
            min_pointers: 4,
            min_elements: 16,
            page_bits: 10,
        };
        assert_eq!(prefix(&[4, 32, 4, 4, 16, 10]), extensible);
        assert_eq!(prefix(&[5, 0, 8, 0, 0, 100, 40]), ChunkIndex::BTree2 { node_size: 2048, split: 100, merge: 40 });
        let mut filtered = vec![4, 2, 2, 2, 1, 4, 8, 1];
        filtered.extend(77u64.to_le_bytes());
        filtered.extend([1, 0, 0, 0]);
        filtered.extend([0; 8]);
        let LayoutClass::Chunked(chunked) = decode(&filtered) else { panic!() };
        assert_eq!(chunked.index, ChunkIndex::Single { filtered: Some((77, 1)) });
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn round_trip(address: u64, size: u64, data in proptest::collection::vec(any::<u8>(), 0..50)) {
            for layout in [Layout::contiguous(address, size), Layout::compact(data)] {
                let bytes = layout.encode(Sizes::EIGHT).unwrap();
                prop_assert_eq!(Layout::decode(&bytes, Sizes::EIGHT).unwrap(), layout);
            }
        }

        #[test]
        fn never_panics(version in 1u8..6, class in 0u8..4, bytes in proptest::collection::vec(0..12u8, 0..60)) {
            let mut message = vec![version, class];
            message.extend(&bytes);
            let _ = Layout::decode(&message, Sizes::EIGHT);
            let _ = Layout::decode(&bytes, Sizes::EIGHT);
        }
    }
}

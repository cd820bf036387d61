//! The Link Info message (specification, IV.A.2.c): where a group's dense links are.

use crate::error::Result;
use crate::format::codec::{Reader, Writer};
use crate::format::{Sizes, UNDEFINED};

/// A group's link storage. Addresses are undefined while the links are compact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkInfo {
    /// One more than the highest creation order given so far, if it is tracked.
    pub max_creation_order: Option<i64>,
    /// The fractal heap of the links.
    pub heap: u64,
    /// The version 2 B-tree of the names.
    pub name_index: u64,
    /// The version 2 B-tree of the creation order, if it is indexed.
    pub order_index: Option<u64>,
}

impl LinkInfo {
    /// For a new group.
    pub fn new(tracked: bool, indexed: bool) -> Self {
        LinkInfo {
            max_creation_order: tracked.then_some(0),
            heap: UNDEFINED,
            name_index: UNDEFINED,
            order_index: indexed.then_some(UNDEFINED),
        }
    }

    /// Decodes version 0.
    pub fn decode(bytes: &[u8], sizes: Sizes) -> Result<Self> {
        let mut reader = Reader::new(bytes, "link info message");
        let (version, flags) = (reader.u8()?, reader.u8()?);
        if version != 0 || flags & !3 != 0 {
            return Err(reader.error(format_args!("version {version} with flags {flags:#04x}")));
        }
        let max_creation_order = if flags & 1 != 0 { Some(reader.u64()? as i64) } else { None };
        if let Some(order) = max_creation_order.filter(|&order| order < 0) {
            return Err(reader.error(format_args!("creation order {order}")));
        }
        let (heap, name_index) = (reader.address(sizes)?, reader.address(sizes)?);
        let order_index = if flags & 2 != 0 { Some(reader.address(sizes)?) } else { None };
        Ok(LinkInfo { max_creation_order, heap, name_index, order_index })
    }

    /// Encodes version 0. The length depends only on what is tracked and indexed.
    pub fn encode(&self, sizes: Sizes) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.u8(0).u8(u8::from(self.max_creation_order.is_some()) | u8::from(self.order_index.is_some()) << 1);
        if let Some(order) = self.max_creation_order {
            writer.u64(order as u64);
        }
        for address in [Some(self.heap), Some(self.name_index), self.order_index].into_iter().flatten() {
            writer.address(address, sizes);
        }
        writer.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_and_no_panic() {
        for (tracked, indexed) in [(false, false), (true, false), (false, true), (true, true)] {
            let mut info = LinkInfo::new(tracked, indexed);
            for sizes in [Sizes::EIGHT, Sizes { offset: 4, length: 4 }] {
                let bytes = info.encode(sizes);
                assert_eq!(LinkInfo::decode(&bytes, sizes).unwrap(), info);
                assert!((0..bytes.len()).all(|end| LinkInfo::decode(&bytes[..end], sizes).is_err()));
                info.heap = 0x1000;
                info.max_creation_order = tracked.then_some(77);
            }
        }
        assert!(LinkInfo::decode(&[0, 4], Sizes::EIGHT).is_err());
    }
}

//! The Fill Value messages (specification, IV.A.2.e and f): versions 1 to 3, and the old one.

use crate::error::Result;
use crate::format::codec::{Reader, Writer};

/// When a dataset's space is allocated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AllocationTime {
    /// When the layout's default says.
    Default = 0,
    /// At creation.
    Early = 1,
    /// At the first write.
    Late = 2,
    /// Chunk by chunk.
    Incremental = 3,
}

/// When the fill value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteTime {
    /// When space is allocated.
    OnAllocation = 0,
    /// Never.
    Never = 1,
    /// When space is allocated, if the user has set a fill value.
    IfSet = 2,
}

/// What unwritten elements read as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fill {
    /// Not defined: anything.
    Undefined,
    /// Zero bytes.
    Default,
    /// This element, in the dataset's datatype.
    Value(Vec<u8>),
}

/// A Fill Value message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FillValue {
    /// When space is allocated.
    pub allocation_time: AllocationTime,
    /// When the value is written.
    pub write_time: WriteTime,
    /// The value.
    pub fill: Fill,
}

impl FillValue {
    fn times(reader: &Reader<'_>, allocation: u8, write: u8) -> Result<(AllocationTime, WriteTime)> {
        let allocation = match allocation {
            0 => AllocationTime::Default,
            1 => AllocationTime::Early,
            2 => AllocationTime::Late,
            3 => AllocationTime::Incremental,
            _ => return Err(reader.error(format_args!("allocation time {allocation}"))),
        };
        let write = match write {
            0 => WriteTime::OnAllocation,
            1 => WriteTime::Never,
            2 => WriteTime::IfSet,
            _ => return Err(reader.error(format_args!("write time {write}"))),
        };
        Ok((allocation, write))
    }

    /// Decodes versions 1 to 3 of the Fill Value message.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes, "fill value message");
        let version = reader.u8()?;
        let (allocation, write, defined, stored);
        match version {
            1 | 2 => {
                (allocation, write, defined) = (reader.u8()?, reader.u8()?, reader.u8()? != 0);
                stored = defined;
            }
            3 => {
                let flags = reader.u8()?;
                if flags & !0x3f != 0 || flags & 0x30 == 0x30 {
                    return Err(reader.error(format_args!("flags {flags:#04x}")));
                }
                (allocation, write, defined) = (flags & 3, flags >> 2 & 3, flags & 0x10 == 0);
                stored = flags & 0x20 != 0;
            }
            _ => return Err(reader.error(format_args!("version {version}"))),
        }
        let (allocation_time, write_time) = Self::times(&reader, allocation, write)?;
        let fill = if stored { Self::value(&mut reader)? } else { Fill::Default };
        Ok(FillValue { allocation_time, write_time, fill: if defined { fill } else { Fill::Undefined } })
    }

    /// Decodes the old message, a bare value.
    pub fn decode_old(bytes: &[u8]) -> Result<Self> {
        let fill = Self::value(&mut Reader::new(bytes, "old fill value message"))?;
        Ok(FillValue { allocation_time: AllocationTime::Late, write_time: WriteTime::IfSet, fill })
    }

    /// Sizes of 0 and −1 stand for the default value.
    fn value(reader: &mut Reader<'_>) -> Result<Fill> {
        let size = reader.u32()? as i32;
        if size <= 0 {
            return Ok(Fill::Default);
        }
        Ok(Fill::Value(reader.take(size as usize)?.to_vec()))
    }

    /// Encodes version 3, which libhdf5 reads since 1.8.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        self.put(&mut writer);
        writer.finish()
    }

    /// Appends version 3.
    pub fn put(&self, writer: &mut Writer) {
        let state = match self.fill {
            Fill::Undefined => 0x10,
            Fill::Default => 0,
            Fill::Value(_) => 0x20,
        };
        writer.u8(3).u8(self.allocation_time as u8 | (self.write_time as u8) << 2 | state);
        if let Fill::Value(value) = &self.fill {
            writer.u32(value.len() as u32).bytes(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn versions() {
        let fill = FillValue::decode(&[2, 2, 2, 1, 4, 0, 0, 0, 1, 2, 3, 4]).unwrap();
        assert_eq!((fill.allocation_time, fill.write_time), (AllocationTime::Late, WriteTime::IfSet));
        assert_eq!(fill.fill, Fill::Value(vec![1, 2, 3, 4]));
        assert_eq!(FillValue::decode(&fill.encode()).unwrap(), fill);
        assert_eq!(FillValue::decode(&[2, 1, 0, 0]).unwrap().fill, Fill::Undefined);
        assert_eq!(FillValue::decode(&[1, 1, 0, 1, 0, 0, 0, 0]).unwrap().fill, Fill::Default);
        // What libhdf5 1.10.8 writes for a contiguous dataset without a fill value.
        assert_eq!(FillValue::decode(&[3, 0x0a]).unwrap().encode(), [3, 0x0a]);
        assert_eq!(FillValue::decode_old(&[1, 0, 0, 0, 9]).unwrap().fill, Fill::Value(vec![9]));
        assert!(FillValue::decode_old(&[2, 0, 0, 0, 9]).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn never_panics(version in 0u8..5, bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
            let mut message = vec![version];
            message.extend(&bytes);
            if let Ok(fill) = FillValue::decode(&message) {
                prop_assert_eq!(FillValue::decode(&fill.encode()).unwrap(), fill);
            }
            let _ = FillValue::decode_old(&bytes);
        }
    }
}

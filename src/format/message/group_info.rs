//! The Group Info message (specification, IV.A.2.k): a group's phase-change values and size estimates.

use crate::error::Result;
use crate::format::codec::{Reader, Writer};

/// A group's constants; absent ones have libhdf5's defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GroupInfo {
    /// The most links stored compactly and the fewest stored densely (default 8 and 6).
    pub phase_change: Option<(u16, u16)>,
    /// The expected number of links and length of their names (default 4 and 8).
    pub estimates: Option<(u16, u16)>,
}

impl GroupInfo {
    /// The most links stored compactly and the fewest stored densely.
    pub fn phase_change_values(&self) -> (u16, u16) {
        self.phase_change.unwrap_or((8, 6))
    }

    /// Decodes version 0.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes, "group info message");
        let (version, flags) = (reader.u8()?, reader.u8()?);
        if version != 0 || flags & !3 != 0 {
            return Err(reader.error(format_args!("version {version} with flags {flags:#04x}")));
        }
        let phase_change = if flags & 1 != 0 { Some((reader.u16()?, reader.u16()?)) } else { None };
        let estimates = if flags & 2 != 0 { Some((reader.u16()?, reader.u16()?)) } else { None };
        Ok(GroupInfo { phase_change, estimates })
    }

    /// Encodes version 0.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.u8(0).u8(u8::from(self.phase_change.is_some()) | u8::from(self.estimates.is_some()) << 1);
        for (first, second) in [self.phase_change, self.estimates].into_iter().flatten() {
            writer.u16(first).u16(second);
        }
        writer.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_and_no_panic() {
        for phase_change in [None, Some((20, 10))] {
            for estimates in [None, Some((4, 30))] {
                let info = GroupInfo { phase_change, estimates };
                let bytes = info.encode();
                assert_eq!(GroupInfo::decode(&bytes).unwrap(), info);
                assert!((0..bytes.len()).all(|end| GroupInfo::decode(&bytes[..end]).is_err()));
            }
        }
    }
}

//! The File Space Info message (specification, IV.A.2.x), versions 0 and 1, in the superblock extension.

use crate::error::Result;
use crate::format::codec::{Reader, Writer};
use crate::format::{Sizes, UNDEFINED};

/// How the file's free space is managed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// Free-space managers, then aggregators.
    FreeSpaceManagers = 0,
    /// Pages, with free-space managers per page type.
    Paged = 1,
    /// Aggregators only.
    Aggregators = 2,
    /// The end of the file only.
    None = 3,
}

/// A File Space Info message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSpaceInfo {
    /// The message's version.
    pub version: u8,
    /// How free space is managed.
    pub strategy: Strategy,
    /// Whether free space is kept in the file.
    pub persist: bool,
    /// The smallest free section that is tracked.
    pub threshold: u64,
    /// Bytes of a page, for [`Strategy::Paged`].
    pub page_size: u64,
    /// The smallest metadata rest of a page that is tracked.
    pub page_end_threshold: u16,
    /// The end of allocation before the free-space managers themselves took space, or undefined.
    pub end_before_managers: u64,
    /// The addresses of the free-space managers, if free space is kept: 6 in version 0, 12 in version 1.
    pub managers: Vec<u64>,
}

impl FileSpaceInfo {
    /// Decodes either version.
    pub fn decode(bytes: &[u8], sizes: Sizes) -> Result<Self> {
        let mut reader = Reader::new(bytes, "file space info message");
        let (version, strategy) = (reader.u8()?, reader.u8()?);
        match version {
            0 => Self::decode_0(&mut reader, strategy, sizes),
            1 => Self::decode_1(&mut reader, strategy, sizes),
            _ => Err(reader.error(format_args!("version {version}"))),
        }
    }

    fn decode_0(reader: &mut Reader<'_>, strategy: u8, sizes: Sizes) -> Result<Self> {
        let threshold = reader.length(sizes)?;
        let (strategy, persist) = match strategy {
            1 => (Strategy::FreeSpaceManagers, true),
            2 => (Strategy::FreeSpaceManagers, false),
            3 => (Strategy::Aggregators, false),
            4 => (Strategy::None, false),
            _ => return Err(reader.error(format_args!("strategy {strategy}"))),
        };
        Ok(FileSpaceInfo {
            version: 0,
            strategy,
            persist,
            threshold,
            page_size: 4096,
            page_end_threshold: 0,
            end_before_managers: UNDEFINED,
            managers: Self::addresses(reader, if persist { 6 } else { 0 }, sizes)?,
        })
    }

    fn decode_1(reader: &mut Reader<'_>, strategy: u8, sizes: Sizes) -> Result<Self> {
        let strategy = match strategy {
            0 => Strategy::FreeSpaceManagers,
            1 => Strategy::Paged,
            2 => Strategy::Aggregators,
            3 => Strategy::None,
            _ => return Err(reader.error(format_args!("strategy {strategy}"))),
        };
        let persist = reader.u8()? != 0;
        let (threshold, page_size) = (reader.length(sizes)?, reader.length(sizes)?);
        if page_size == 0 || page_size > 1 << 30 {
            return Err(reader.error(format_args!("page size {page_size}")));
        }
        Ok(FileSpaceInfo {
            version: 1,
            strategy,
            persist,
            threshold,
            page_size,
            page_end_threshold: reader.u16()?,
            end_before_managers: reader.address(sizes)?,
            managers: Self::addresses(reader, if persist { 12 } else { 0 }, sizes)?,
        })
    }

    fn addresses(reader: &mut Reader<'_>, count: usize, sizes: Sizes) -> Result<Vec<u64>> {
        (0..count).map(|_| reader.address(sizes)).collect()
    }

    /// Encodes version 1, with 12 managers if free space is kept; absent ones are undefined.
    pub fn encode(&self, sizes: Sizes) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.u8(1).u8(self.strategy as u8).u8(u8::from(self.persist));
        writer.length(self.threshold, sizes).length(self.page_size, sizes);
        writer.u16(self.page_end_threshold).address(self.end_before_managers, sizes);
        if self.persist {
            for i in 0..12 {
                writer.address(self.managers.get(i).copied().unwrap_or(UNDEFINED), sizes);
            }
        }
        writer.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest, ProptestConfig};

    #[test]
    fn versions() {
        let info = FileSpaceInfo {
            version: 1,
            strategy: Strategy::Paged,
            persist: true,
            threshold: 1,
            page_size: 8192,
            page_end_threshold: 5,
            end_before_managers: UNDEFINED,
            managers: (0..12).map(|i| i * 100).collect(),
        };
        assert_eq!(FileSpaceInfo::decode(&info.encode(Sizes::EIGHT), Sizes::EIGHT).unwrap(), info);
        let old = [0, 3, 1, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(FileSpaceInfo::decode(&old, Sizes::EIGHT).unwrap().strategy, Strategy::Aggregators);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn never_panics(version in 0u8..3, bytes in proptest::collection::vec(any::<u8>(), 0..140)) {
            let mut message = vec![version];
            message.extend(&bytes);
            if let Ok(info) = FileSpaceInfo::decode(&message, Sizes::EIGHT) {
                let _ = info.encode(Sizes::EIGHT);
            }
        }
    }
}

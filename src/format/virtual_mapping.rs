//! The mappings of a virtual dataset, which stand in the global heap (specification, IV.A.2.i, "Virtual Storage Layout",
//! and "Global Heap Block for Virtual Datasets"), versions 0 and 1.

use super::checksum::checksum;
use super::codec::Reader;
use super::selection::Selected;
use super::Sizes;
use crate::error::Result;

/// Which elements of a virtual dataset are which elements of another dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// The name of the other dataset's file; "." for the same.
    pub file: Vec<u8>,
    /// The path of the other dataset.
    pub dataset: Vec<u8>,
    /// Its elements.
    pub source: Selected,
    /// Theirs in the virtual dataset, in the same order.
    pub target: Selected,
}

/// Where version 1 says that a name stands.
mod flag {
    /// The file is that of an earlier mapping.
    pub const FILE_SHARED: u8 = 1;
    /// The dataset is that of an earlier mapping.
    pub const DATASET_SHARED: u8 = 2;
    /// The file is this one.
    pub const SAME_FILE: u8 = 4;
}

/// Decodes all mappings.
pub fn decode(bytes: &[u8], sizes: Sizes) -> Result<Vec<Mapping>> {
    const WHAT: &str = "list of virtual mappings";
    let mut reader = Reader::new(bytes, WHAT);
    let (version, count) = (reader.u8()?, reader.length(sizes)?);
    if version > 1 {
        return Err(reader.error(format_args!("version {version}")));
    }
    let mut mappings: Vec<Mapping> = Vec::new();
    for _ in 0..count {
        let flags = if version == 1 { reader.u8()? } else { 0 };
        let earlier = |reader: &mut Reader<'_>, name: fn(&Mapping) -> &Vec<u8>| {
            let number = reader.length(sizes)?;
            let mapping = usize::try_from(number).ok().and_then(|number| mappings.get(number));
            mapping.map(|mapping| name(mapping).clone()).ok_or_else(|| reader.error(format_args!("mapping {number}")))
        };
        let file = match flags {
            flags if flags & flag::SAME_FILE != 0 => b".".to_vec(),
            flags if flags & flag::FILE_SHARED != 0 => earlier(&mut reader, |mapping| &mapping.file)?,
            _ => name(&mut reader)?,
        };
        let dataset = match flags & flag::DATASET_SHARED {
            0 => name(&mut reader)?,
            _ => earlier(&mut reader, |mapping| &mapping.dataset)?,
        };
        let (source, target) = (Selected::read(&mut reader)?, Selected::read(&mut reader)?);
        mappings.push(Mapping { file, dataset, source, target });
    }
    let covered = reader.position();
    if reader.u32()? != checksum(&bytes[..covered]) {
        return Err(reader.error("its checksum does not hold"));
    }
    Ok(mappings)
}

fn name(reader: &mut Reader<'_>) -> Result<Vec<u8>> {
    let mut name = Vec::new();
    loop {
        match reader.u8()? {
            0 => return Ok(name),
            byte => name.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shared_in_version_1() {
        let all: Vec<u8> = [3u32, 1, 0, 0].iter().flat_map(|word| word.to_le_bytes()).collect();
        let mut bytes = vec![1, 3, 0, 0, 0, 0, 0, 0, 0];
        bytes.extend([0]);
        bytes.extend(b"source.h5\0/data\0");
        bytes.extend(all.iter().chain(&all));
        bytes.extend([flag::FILE_SHARED | flag::DATASET_SHARED]);
        bytes.extend([0; 16]);
        bytes.extend(all.iter().chain(&all));
        bytes.extend([flag::SAME_FILE]);
        bytes.extend(b"other\0");
        bytes.extend(all.iter().chain(&all));
        let sum = checksum(&bytes);
        bytes.extend(sum.to_le_bytes());
        let mappings = decode(&bytes, Sizes::EIGHT).unwrap();
        let names: Vec<_> = mappings.iter().map(|m| (m.file.as_slice(), m.dataset.as_slice())).collect();
        let source = (b"source.h5".as_slice(), b"/data".as_slice());
        assert_eq!(names, [source, source, (b".", b"other")]);
        assert!((0..bytes.len()).all(|end| decode(&bytes[..end], Sizes::EIGHT).is_err()));
        bytes[12] ^= 1;
        assert!(decode(&bytes, Sizes::EIGHT).is_err());
    }
}

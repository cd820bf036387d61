//! The mappings of a virtual dataset, which stand in the global heap (specification, IV.A.2.i, "Virtual Storage Layout",
//! and "Global Heap Block for Virtual Datasets"), versions 0 and 1.

use super::checksum::checksum;
use super::codec::{Reader, Writer};
use super::selection::Selected;
use super::Sizes;
use crate::error::{Error, ErrorKind, Result};

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

/// How a mapping grows with its sources: the dimensions without bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Growth {
    /// It does not.
    Fixed,
    /// With the other dataset.
    Source {
        /// The other dataset's dimension.
        source: usize,
        /// The virtual dataset's.
        target: usize,
    },
    /// Each block of the virtual dataset is another dataset, which has the block's number in its name.
    Numbered {
        /// The virtual dataset's dimension.
        target: usize,
    },
}

impl Mapping {
    /// How it grows; an error for what libhdf5 does not take for a mapping.
    pub fn growth(&self) -> Result<Growth> {
        let (target, source) = (self.target.unlimited_dimension()?, self.source.unlimited_dimension()?);
        let is_numbered = expand(&self.file, 0)?.1 | expand(&self.dataset, 0)?.1;
        let wrong = |what: &str| Err(Error::new(ErrorKind::Corrupt, format!("a virtual mapping {what}")));
        match (target, source, is_numbered) {
            (None, None, false) => Ok(Growth::Fixed),
            (Some(target), Some(source), false) => Ok(Growth::Source { source, target }),
            (Some(target), None, true) if self.target.has_unlimited_count(target) => Ok(Growth::Numbered { target }),
            (Some(_), None, true) => wrong("of numbered sources to one block"),
            (Some(_), None, false) => wrong("without bound of a source that has one, without '%b' in its name"),
            (None, Some(_), _) => wrong("with a bound of a source without one"),
            (_, _, true) => wrong("with '%b' in a name that is not one of numbered sources"),
        }
    }

    /// The names of the file and the dataset; of the source with this number, where sources are numbered.
    pub fn names(&self, number: u64) -> Result<(Vec<u8>, Vec<u8>)> {
        Ok((expand(&self.file, number)?.0, expand(&self.dataset, number)?.0))
    }
}

/// A name with a number for "%b" and a percent sign for "%%", and whether there was a "%b".
fn expand(name: &[u8], number: u64) -> Result<(Vec<u8>, bool)> {
    let (mut expanded, mut is_numbered) = (Vec::with_capacity(name.len()), false);
    let mut bytes = name.iter();
    while let Some(&byte) = bytes.next() {
        match (byte, if byte == b'%' { bytes.next() } else { None }) {
            (b'%', Some(b'%')) => expanded.push(b'%'),
            (b'%', Some(b'b')) => {
                expanded.extend(number.to_string().bytes());
                is_numbered = true;
            }
            (b'%', _) => {
                let message = format!("'{}' names a source: '%' is followed by 'b' or '%'", name.escape_ascii());
                return Err(Error::new(ErrorKind::Corrupt, message));
            }
            _ => expanded.push(byte),
        }
    }
    Ok((expanded, is_numbered))
}

const WHAT: &str = "list of virtual mappings";

/// Where version 1 says that a name stands.
mod flag {
    /// The file is that of an earlier mapping.
    pub const FILE_SHARED: u8 = 1;
    /// The dataset is that of an earlier mapping.
    pub const DATASET_SHARED: u8 = 2;
    /// The file is this one.
    pub const SAME_FILE: u8 = 4;
}

/// The same mappings for a file whose lengths have another size.
pub fn recode(bytes: &[u8], from: Sizes, to: Sizes) -> Result<Vec<u8>> {
    let mappings = decode(bytes, from)?.len() as u64;
    let most = to.most_length();
    if mappings > most {
        return Err(Error::range("number of virtual mappings", mappings, format_args!("0..{most} in the target file")));
    }
    let mut reader = Reader::new(bytes, WHAT);
    let (mut writer, version) = (Writer::new(), reader.u8()?);
    writer.u8(version).length(reader.length(from)?, to);
    for _ in 0..mappings {
        let flags = if version == 1 { reader.u8()? } else { 0 };
        if version == 1 {
            writer.u8(flags);
        }
        for shared in [flag::FILE_SHARED, flag::DATASET_SHARED] {
            if shared == flag::FILE_SHARED && flags & flag::SAME_FILE != 0 {
                continue;
            }
            match flags & shared {
                0 => writer.bytes(&name(&mut reader)?).u8(0),
                _ => writer.length(reader.length(from)?, to),
            };
        }
        let begin = reader.position();
        Selected::read(&mut reader)?;
        Selected::read(&mut reader)?;
        writer.bytes(bytes.get(begin..reader.position()).unwrap_or_default());
    }
    writer.seal();
    Ok(writer.finish())
}

/// Decodes all mappings.
pub fn decode(bytes: &[u8], sizes: Sizes) -> Result<Vec<Mapping>> {
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
        let (source, target) = (Selected::read(&mut reader)?.regular(), Selected::read(&mut reader)?.regular());
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
        let short = recode(&bytes, Sizes::EIGHT, Sizes { offset: 4, length: 2 }).unwrap();
        assert_eq!((short.len(), short[1]), (bytes.len() - 6 - 2 * 6, 3));
        assert_eq!(decode(&short, Sizes { offset: 4, length: 2 }).unwrap(), mappings);
        assert_eq!(recode(&short, Sizes { offset: 4, length: 2 }, Sizes::EIGHT).unwrap(), bytes);
        assert!((0..bytes.len()).all(|end| decode(&bytes[..end], Sizes::EIGHT).is_err()));
        bytes[12] ^= 1;
        assert!(decode(&bytes, Sizes::EIGHT).is_err());
    }
}

//! The superblock, versions 0 to 3 (specification, "Disk Format: Level 0A - Format Signature and Superblock").

use super::btree1::DEFAULT_CHUNK_K;
use super::codec::{Reader, Writer};
use super::message::plain::BTreeK;
use super::symbol_table::Entry;
use super::{Sizes, UNDEFINED};
use crate::error::{Damage, Error, ErrorKind, Result};

/// The eight bytes that begin every HDF5 file, after its user block.
pub const SIGNATURE: [u8; 8] = *b"\x89HDF\r\n\x1a\n";

/// Bytes of the longest superblock, version 1 with the widest addresses; enough to parse any.
pub const MAX_LENGTH: usize = 100;

/// Consistency flag of version 3: the file is open for writing.
pub const OPEN_FOR_WRITE: u8 = 0x01;

/// Consistency flag of version 3: the file is open for single-writer/multiple-reader access.
pub const OPEN_FOR_SWMR: u8 = 0x04;

/// A flag of ours, set while a flush changes blocks in place. The format defines no such bit, so that every libhdf5
/// refuses the file: it has to be recovered first.
pub const COMMITTING: u8 = 0x80;

/// Where the version stands in every superblock.
const VERSION_AT: usize = 8;

/// Where the flags stand in a superblock of version 2 or 3.
const FLAGS_AT: usize = 11;

/// Where the flags, four bytes, stand in a superblock of version 0 or 1, which has no checksum.
const OLD_FLAGS_AT: usize = 20;

/// Sets flags in the bytes of a superblock.
pub fn set_flags(superblock: &mut [u8], flags: u8) {
    change_flags(superblock, |old| old | flags);
}

/// Clears flags in the bytes of a superblock.
pub fn clear_flags(superblock: &mut [u8], flags: u8) {
    change_flags(superblock, |old| old & !flags);
}

fn change_flags(superblock: &mut [u8], change: impl FnOnce(u8) -> u8) {
    if superblock.get(VERSION_AT).is_some_and(|&version| version < 2) {
        if let Some(flags) = superblock.get_mut(OLD_FLAGS_AT) {
            *flags = change(*flags);
        }
        return;
    }
    let Some((covered, sum)) = superblock.split_last_chunk_mut::<4>() else { return };
    let Some(flags) = covered.get_mut(FLAGS_AT) else { return };
    *flags = change(*flags);
    *sum = super::checksum::checksum(covered).to_le_bytes();
}

/// What only versions 0 and 1 have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OldFields {
    /// The sizes of version 1 B-tree nodes and of symbol table nodes.
    pub k: BTreeK,
    /// The root group as an entry of a symbol table.
    pub root_entry: Entry,
}

/// A superblock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Superblock {
    /// 0 to 3. Version 1 differs from 0 by the K value of chunk indexes; version 3 gives the consistency flags a
    /// meaning, libhdf5 reads it since 1.10.
    pub version: u8,
    /// The file's sizes of offsets and lengths.
    pub sizes: Sizes,
    /// Consistency flags, without meaning before version 3.
    pub flags: u8,
    /// Where the superblock stands in the file, that is the length of the user block. All addresses count from here.
    pub base: u64,
    /// The address of the superblock extension's object header, or undefined.
    pub extension: u64,
    /// The end of allocation, counted from `base` (on disk it counts from the file's beginning).
    pub end: u64,
    /// The address of the root group's object header.
    pub root: u64,
    /// Only of versions 0 and 1, and always of these.
    pub old: Option<OldFields>,
}

impl Superblock {
    /// A superblock for a new file without a user block; `root` and `end` are set when it is written.
    pub fn new(version: u8) -> Self {
        let (sizes, extension, root) = (Sizes::EIGHT, UNDEFINED, UNDEFINED);
        let new = Superblock { version, sizes, flags: 0, base: 0, extension, end: 0, root, old: None };
        Superblock { end: new.len() as u64, ..new }
    }

    /// Its encoded length.
    pub fn len(&self) -> usize {
        let addresses = 4 * self.sizes.offset as usize;
        match self.version {
            0 => 24 + addresses + Entry::len(self.sizes),
            1 => 28 + addresses + Entry::len(self.sizes),
            _ => 12 + addresses + 4,
        }
    }

    /// Never: it has a fixed length.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Looks for the signature at 0, 512, 1024, 2048, … in a file of `length` bytes and parses what stands there.
    /// `read` fills a buffer from a position that, with the buffer, lies inside the file.
    pub fn locate(length: u64, mut read: impl FnMut(u64, &mut [u8]) -> Result<()>) -> Result<Self> {
        let mut at = 0u64;
        while at + 9 <= length {
            let mut bytes = [0u8; MAX_LENGTH];
            let count = (length - at).min(MAX_LENGTH as u64) as usize;
            read(at, &mut bytes[..count])?;
            if bytes[..8] == SIGNATURE {
                return Self::parse(&bytes[..count], at);
            }
            at = if at == 0 { 512 } else { at * 2 };
        }
        Err(Error::new(ErrorKind::NotHdf5, "not an HDF5 file: no signature at 0, 512, 1024, 2048, …"))
    }

    /// Parses the superblock that begins `bytes` and stands at `at` in the file.
    pub fn parse(bytes: &[u8], at: u64) -> Result<Self> {
        let mut reader = Reader::new(bytes, "superblock");
        if reader.take(8)? != SIGNATURE {
            return Err(Error::new(ErrorKind::NotHdf5, "not an HDF5 file: the signature is missing"));
        }
        match reader.u8()? {
            version @ (0 | 1) => Self::parse_old(reader, version, at),
            version @ (2 | 3) => Self::parse_new(reader, bytes, version, at),
            version => Err(Error::unsupported(format_args!("superblock version {version}"))),
        }
    }

    fn parse_new(mut reader: Reader<'_>, bytes: &[u8], version: u8, at: u64) -> Result<Self> {
        let sizes = parse_sizes(&mut reader)?;
        let flags = reader.u8()?;
        let stored_base = reader.address(sizes)?;
        let extension = reader.address(sizes)?;
        let stored_end = reader.address(sizes)?;
        let root = reader.address(sizes)?;
        let covered = reader.position();
        if reader.u32()? != super::checksum::checksum(&bytes[..covered]) {
            return Err(reader.error("its checksum does not hold").because(Damage::Checksum));
        }
        let end = end_of(&reader, stored_base, stored_end)?;
        if root == UNDEFINED {
            return Err(reader.error("it names no root group"));
        }
        Ok(Superblock { version, sizes, flags, base: at, extension, end, root, old: None })
    }

    fn parse_old(mut reader: Reader<'_>, version: u8, at: u64) -> Result<Self> {
        // Versions of the free-space storage and of the root group's entry, a reserved byte, and the version of shared
        // messages.
        let versions = reader.take(4)?;
        if let Some(found) = [versions[0], versions[1], versions[3]].into_iter().find(|&found| found != 0) {
            return Err(Error::unsupported(format_args!("version {found} of a structure that the superblock names")));
        }
        let sizes = parse_sizes(&mut reader)?;
        reader.skip(1)?;
        let (group_leaf, group_internal) = (reader.u16()?, reader.u16()?);
        let flags = reader.u32()?;
        let Ok(flags) = u8::try_from(flags) else { return Err(reader.error(format_args!("flags {flags:#x}"))) };
        let mut chunk = DEFAULT_CHUNK_K;
        if version == 1 {
            chunk = reader.u16()?;
            reader.skip(2)?;
        }
        if group_leaf == 0 || group_internal == 0 || chunk == 0 {
            let ks = format_args!("K values {group_leaf}, {group_internal} and {chunk}");
            return Err(reader.error(ks));
        }
        let (stored_base, free_space) = (reader.address(sizes)?, reader.address(sizes)?);
        let (stored_end, driver) = (reader.address(sizes)?, reader.address(sizes)?);
        if free_space != UNDEFINED {
            return Err(Error::unsupported("a free-space index, which the superblock names"));
        }
        if driver != UNDEFINED {
            return Err(Error::unsupported("a file that is one of several (family or multi driver)"));
        }
        let root_entry = Entry::parse(&mut reader, sizes)?;
        let (base, end, root) = (at, end_of(&reader, stored_base, stored_end)?, root_entry.header);
        if root == UNDEFINED {
            return Err(reader.error("it names no root group"));
        }
        let old = Some(OldFields { k: BTreeK { chunk, group_internal, group_leaf }, root_entry });
        Ok(Superblock { version, sizes, flags, base, extension: UNDEFINED, end, root, old })
    }

    /// The superblock's bytes with the end of allocation at `end` bytes from its base.
    pub fn encode(&self, end: u64) -> Vec<u8> {
        let mut writer = Writer::new();
        if let Some(old) = &self.old {
            self.encode_old(&mut writer, old, end);
            return writer.finish();
        }
        writer.bytes(&SIGNATURE).u8(self.version).u8(self.sizes.offset).u8(self.sizes.length).u8(self.flags);
        writer.address(self.base, self.sizes).address(self.extension, self.sizes);
        writer.address(self.base + end, self.sizes).address(self.root, self.sizes);
        writer.seal();
        writer.finish()
    }

    fn encode_old(&self, writer: &mut Writer, old: &OldFields, end: u64) {
        let sizes = self.sizes;
        writer.bytes(&SIGNATURE).u8(self.version).zeros(4).u8(sizes.offset).u8(sizes.length).u8(0);
        writer.u16(old.k.group_leaf).u16(old.k.group_internal).u32(u32::from(self.flags));
        if self.version == 1 {
            writer.u16(old.k.chunk).u16(0);
        }
        writer.address(self.base, sizes).address(UNDEFINED, sizes);
        writer.address(self.base + end, sizes).address(UNDEFINED, sizes);
        old.root_entry.encode(writer, sizes);
    }
}

fn parse_sizes(reader: &mut Reader<'_>) -> Result<Sizes> {
    let sizes = Sizes { offset: reader.u8()?, length: reader.u8()? };
    match [sizes.offset, sizes.length].into_iter().find(|size| ![2, 4, 8].contains(size)) {
        None => Ok(sizes),
        Some(size @ (16 | 32)) => Err(Error::unsupported(format_args!("addresses or lengths of {size} bytes"))),
        Some(size) => Err(reader.error(format_args!("addresses or lengths of {size} bytes"))),
    }
}

/// The end of allocation, counted from the superblock. A user block may have been put in front afterwards: then the
/// place where the superblock was found counts, and not the stored base.
fn end_of(reader: &Reader<'_>, stored_base: u64, stored_end: u64) -> Result<u64> {
    let end = stored_end.checked_sub(stored_base).filter(|_| stored_end != UNDEFINED && stored_base != UNDEFINED);
    end.ok_or_else(|| reader.error("its end of file lies before its base address"))
}

#[cfg(test)]
mod tests {
    use super::super::symbol_table::Cache;
    use super::*;
    use proptest::prelude::*;

    fn locate(bytes: &[u8]) -> Result<Superblock> {
        Superblock::locate(bytes.len() as u64, |at, buffer| {
            buffer.copy_from_slice(&bytes[at as usize..][..buffer.len()]);
            Ok(())
        })
    }

    /// An empty file of libhdf5 1.10.8 (`libver='latest'`): version 3, root at 48, end at 195.
    const LIBHDF5: &str =
        "894844460d0a1a0a030808000000000000000000ffffffffffffffffc3000000000000003000000000000000061a6137";

    #[test]
    fn libhdf5s_superblock_is_parsed_and_written_back() {
        let bytes: Vec<u8> = (0..48).map(|i| u8::from_str_radix(&LIBHDF5[2 * i..2 * i + 2], 16).unwrap()).collect();
        let superblock = locate(&bytes).unwrap();
        assert_eq!((superblock.version, superblock.root, superblock.end), (3, 48, 195));
        assert_eq!(superblock.extension, UNDEFINED);
        assert_eq!(superblock.encode(superblock.end), bytes);
    }

    #[test]
    fn a_user_block_moves_the_base() {
        let superblock = Superblock { base: 1024, root: 48, ..Superblock::new(2) };
        let mut bytes = vec![7; 1024];
        bytes.extend(superblock.encode(500));
        bytes.resize(1524, 0);
        assert_eq!(locate(&bytes).unwrap(), Superblock { end: 500, ..superblock.clone() });
        // Put in front later, without a change of the stored base address.
        let mut jammed = vec![7; 512];
        jammed.extend(Superblock { base: 0, ..superblock }.encode(500));
        let found = locate(&jammed).unwrap();
        assert_eq!((found.base, found.end), (512, 500));
    }

    /// A file of libhdf5 1.10.8 in the oldest format: the root group's B-tree and heap stand in its entry.
    const OLDEST: &str = "894844460d0a1a0a00000000000808000400100000000000\
        0000000000000000ffffffffffffffff2003000000000000ffffffffffffffff\
        00000000000000006000000000000000010000000000000088000000000000a802000000000000";

    fn oldest() -> Vec<u8> {
        let root_entry = Entry { name: 0, header: 96, cache: Cache::Group { tree: 136, heap: 680 } };
        let k = BTreeK { chunk: DEFAULT_CHUNK_K, group_internal: 16, group_leaf: 4 };
        let old = Some(OldFields { k, root_entry });
        Superblock { root: 96, old, ..Superblock::new(0) }.encode(800)
    }

    #[test]
    fn old_superblocks_are_parsed_and_written_back() {
        let bytes = oldest();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(hex.starts_with(&OLDEST[..2 * 24 + 64]), "{hex}");
        let superblock = locate(&bytes).unwrap();
        assert_eq!((superblock.version, superblock.root, superblock.end, bytes.len()), (0, 96, 800, 96));
        assert_eq!(superblock.encode(superblock.end), bytes);
        let mut flagged = bytes.clone();
        set_flags(&mut flagged, COMMITTING);
        assert_eq!(locate(&flagged).unwrap().flags, COMMITTING);
        clear_flags(&mut flagged, COMMITTING);
        assert_eq!(flagged, bytes);
        for sizes in [Sizes { offset: 4, length: 4 }, Sizes { offset: 2, length: 8 }, Sizes { offset: 4, length: 2 }] {
            let root_entry = Entry { name: 8, header: 200, cache: Cache::Nothing };
            let old = Some(OldFields { root_entry, k: BTreeK { chunk: 7, group_internal: 9, group_leaf: 3 } });
            let written = Superblock { version: 1, sizes, base: 512, root: 200, end: 700, old, ..superblock.clone() };
            let mut bytes = vec![0; 512];
            bytes.extend(written.encode(700));
            assert_eq!(bytes.len(), 512 + written.len());
            bytes.resize(1300, 0);
            assert_eq!(locate(&bytes).unwrap(), written);
        }
    }

    #[test]
    fn what_old_superblocks_cannot_say_is_refused() {
        for (at, value) in [(9, 1), (13, 3), (16, 0), (18, 0), (21, 1), (32, 0), (48, 0), (64, 255)] {
            let mut bytes = oldest();
            bytes[at] = value;
            if at == 64 {
                bytes[64..72].fill(255);
            }
            let error = locate(&bytes).unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::Corrupt), "{at}");
        }
    }

    #[test]
    fn what_is_not_handled_is_named() {
        assert_eq!(locate(b"plain text, long enough").unwrap_err().kind(), ErrorKind::NotHdf5);
        assert_eq!(locate(b"").unwrap_err().kind(), ErrorKind::NotHdf5);
        let mut unknown = SIGNATURE.to_vec();
        unknown.extend([9; 91]);
        let error = locate(&unknown).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.message().contains("superblock version 9"));
        let mut bytes = Superblock { root: 48, ..Superblock::new(3) }.encode(500);
        bytes[20] ^= 1;
        assert_eq!(locate(&bytes).unwrap_err().kind(), ErrorKind::Corrupt);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn never_panics(tail in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut bytes = SIGNATURE.to_vec();
            bytes.extend(tail);
            let _ = locate(&bytes);
        }
    }
}

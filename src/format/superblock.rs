//! The superblock, versions 2 and 3 (specification, "Disk Format: Level 0A - Format Signature and Superblock").

use super::codec::{Reader, Writer};
use super::{Sizes, UNDEFINED};
use crate::error::{Damage, Error, ErrorKind, Result};

/// The eight bytes that begin every HDF5 file, after its user block.
pub const SIGNATURE: [u8; 8] = *b"\x89HDF\r\n\x1a\n";

/// Bytes of a version 2 or 3 superblock with the widest addresses; enough to parse any.
pub const MAX_LENGTH: usize = 48;

/// Consistency flag of version 3: the file is open for writing.
pub const OPEN_FOR_WRITE: u8 = 0x01;

/// Consistency flag of version 3: the file is open for single-writer/multiple-reader access.
pub const OPEN_FOR_SWMR: u8 = 0x04;

/// A flag of ours, set while a flush changes blocks in place. The format defines no such bit, so that every libhdf5
/// refuses the file: it has to be recovered first.
pub const COMMITTING: u8 = 0x80;

/// Where the flags stand in a superblock of version 2 or 3.
const FLAGS_AT: usize = 11;

/// Sets flags in the bytes of a superblock.
pub fn set_flags(superblock: &mut [u8], flags: u8) {
    change_flags(superblock, |old| old | flags);
}

/// Clears flags in the bytes of a superblock.
pub fn clear_flags(superblock: &mut [u8], flags: u8) {
    change_flags(superblock, |old| old & !flags);
}

fn change_flags(superblock: &mut [u8], change: impl FnOnce(u8) -> u8) {
    let Some((covered, sum)) = superblock.split_last_chunk_mut::<4>() else { return };
    let Some(flags) = covered.get_mut(FLAGS_AT) else { return };
    *flags = change(*flags);
    *sum = super::checksum::checksum(covered).to_le_bytes();
}

/// A version 2 or 3 superblock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Superblock {
    /// 2 or 3. Version 3 gives the consistency flags a meaning; libhdf5 reads it since 1.10.
    pub version: u8,
    /// The file's sizes of offsets and lengths.
    pub sizes: Sizes,
    /// Consistency flags, zero in version 2.
    pub flags: u8,
    /// Where the superblock stands in the file, that is the length of the user block. All addresses count from here.
    pub base: u64,
    /// The address of the superblock extension's object header, or undefined.
    pub extension: u64,
    /// The end of allocation, counted from `base` (on disk it counts from the file's beginning).
    pub end: u64,
    /// The address of the root group's object header.
    pub root: u64,
}

impl Superblock {
    /// A superblock for a new file without a user block; `root` and `end` are set when it is written.
    pub fn new(version: u8) -> Self {
        let end = MAX_LENGTH as u64;
        Superblock { version, sizes: Sizes::EIGHT, flags: 0, base: 0, extension: UNDEFINED, end, root: UNDEFINED }
    }

    /// Its encoded length.
    pub fn len(&self) -> usize {
        12 + 4 * self.sizes.offset as usize + 4
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
        let version = reader.u8()?;
        match version {
            0 | 1 => {
                return Err(Error::unsupported(format_args!(
                    "superblock version {version} (files written with libver earliest)"
                )))
            }
            2 | 3 => {}
            _ => return Err(Error::unsupported(format_args!("superblock version {version}"))),
        }
        let sizes = Sizes { offset: reader.u8()?, length: reader.u8()? };
        if let Some(size) = [sizes.offset, sizes.length].into_iter().find(|size| ![2, 4, 8].contains(size)) {
            return Err(match size {
                16 | 32 => Error::unsupported(format_args!("addresses or lengths of {size} bytes")),
                _ => reader.error(format_args!("addresses or lengths of {size} bytes")),
            });
        }
        let flags = reader.u8()?;
        let stored_base = reader.address(sizes)?;
        let extension = reader.address(sizes)?;
        let stored_end = reader.address(sizes)?;
        let root = reader.address(sizes)?;
        let covered = reader.position();
        if reader.u32()? != super::checksum::checksum(&bytes[..covered]) {
            return Err(reader.error("its checksum does not hold").because(Damage::Checksum));
        }
        // A user block may have been put in front afterwards: the place where the superblock was found counts.
        let end = stored_end.checked_sub(stored_base).filter(|_| stored_end != UNDEFINED && stored_base != UNDEFINED);
        let end = end.ok_or_else(|| reader.error("its end of file lies before its base address"))?;
        if root == UNDEFINED {
            return Err(reader.error("it names no root group"));
        }
        Ok(Superblock { version, sizes, flags, base: at, extension, end, root })
    }

    /// The superblock's bytes with the end of allocation at `end` bytes from its base.
    pub fn encode(&self, end: u64) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.bytes(&SIGNATURE).u8(self.version).u8(self.sizes.offset).u8(self.sizes.length).u8(self.flags);
        writer.address(self.base, self.sizes).address(self.extension, self.sizes);
        writer.address(self.base + end, self.sizes).address(self.root, self.sizes);
        writer.seal();
        writer.finish()
    }
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn what_is_not_handled_is_named() {
        assert_eq!(locate(b"plain text, long enough").unwrap_err().kind(), ErrorKind::NotHdf5);
        assert_eq!(locate(b"").unwrap_err().kind(), ErrorKind::NotHdf5);
        let mut old = SIGNATURE.to_vec();
        old.extend([0; 88]);
        let error = locate(&old).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.message().contains("superblock version 0 (files written with libver earliest)"));
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

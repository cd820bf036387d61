//! A bounds-checked reader and a writer for little-endian fields of given widths.

use super::{Sizes, UNDEFINED};
use crate::error::{Error, ErrorKind, Result};

/// Reads fields from a slice; running past the end is an error that names the structure, never a panic.
#[derive(Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
    what: &'static str,
}

impl<'a> Reader<'a> {
    /// A reader over `bytes`; `what` names the structure in errors.
    pub fn new(bytes: &'a [u8], what: &'static str) -> Self {
        Reader { bytes, position: 0, what }
    }

    /// Bytes consumed so far.
    pub fn position(&self) -> usize {
        self.position
    }

    /// Bytes left.
    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.position
    }

    /// The next `count` bytes.
    #[inline]
    pub fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        match self.bytes[self.position..].split_at_checked(count) {
            Some((taken, _)) => {
                self.position += count;
                Ok(taken)
            }
            None => Err(self.too_short(count)),
        }
    }

    #[cold]
    fn too_short(&self, count: usize) -> Error {
        self.error(format_args!("needs {count} bytes at {}, has {}", self.position, self.remaining()))
    }

    /// The next bytes, as many as the caller's array has.
    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// Everything that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        let rest = &self.bytes[self.position..];
        self.position = self.bytes.len();
        rest
    }

    /// Passes over `count` bytes.
    pub fn skip(&mut self, count: usize) -> Result<()> {
        self.take(count).map(|_| ())
    }

    /// An unsigned little-endian integer of `width` bytes, 0 to 8.
    #[inline]
    pub fn uint(&mut self, width: usize) -> Result<u64> {
        match width {
            // What most files have.
            8 => return self.u64(),
            9.. => return Err(self.error(format_args!("integer of {width} bytes"))),
            _ => {}
        }
        let bytes = self.take(width)?.iter().rev();
        Ok(bytes.fold(0, |value, &byte| value << 8 | u64::from(byte)))
    }

    /// One byte.
    #[inline]
    pub fn u8(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    /// Two bytes.
    #[inline]
    pub fn u16(&mut self) -> Result<u16> {
        self.array().map(u16::from_le_bytes)
    }

    /// Four bytes.
    #[inline]
    pub fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    /// Eight bytes.
    #[inline]
    pub fn u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// A file address of the file's size of offsets; all bits set is [`UNDEFINED`].
    #[inline]
    pub fn address(&mut self, sizes: Sizes) -> Result<u64> {
        let value = self.uint(sizes.offset as usize)?;
        let all_set = sizes.offset < 8 && value == (1u64 << (8 * sizes.offset)) - 1;
        Ok(if all_set { UNDEFINED } else { value })
    }

    /// A length of the file's size of lengths.
    #[inline]
    pub fn length(&mut self, sizes: Sizes) -> Result<u64> {
        self.uint(sizes.length as usize)
    }

    /// Checks the four-byte signature.
    pub fn signature(&mut self, expected: &[u8; 4]) -> Result<()> {
        let found = self.take(4)?;
        if found != expected {
            return Err(self.error(format_args!(
                "signature '{}' expected, found {found:02x?}",
                String::from_utf8_lossy(expected)
            )));
        }
        Ok(())
    }

    /// A corrupt-structure error that names this reader's structure.
    pub fn error(&self, detail: impl std::fmt::Display) -> Error {
        Error::new(ErrorKind::Corrupt, format!("{} is damaged: {detail}", self.what))
    }
}

/// Appends fields to a vector.
#[derive(Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// An empty writer.
    pub fn new() -> Self {
        Writer { bytes: Vec::with_capacity(64) }
    }

    /// An empty writer with room for so many bytes.
    pub fn with_room(bytes: usize) -> Self {
        Writer { bytes: Vec::with_capacity(bytes) }
    }

    /// Bytes written so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Raw bytes.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// The low `width` bytes of `value`.
    pub fn uint(&mut self, value: u64, width: usize) -> &mut Self {
        debug_assert!(width == 8 || value == UNDEFINED || value < 1u64 << (8 * width), "{value} in {width} bytes");
        self.bytes.extend_from_slice(&value.to_le_bytes()[..width]);
        self
    }

    /// One byte.
    pub fn u8(&mut self, value: u8) -> &mut Self {
        self.bytes.push(value);
        self
    }

    /// Two bytes.
    pub fn u16(&mut self, value: u16) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    /// Four bytes.
    pub fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    /// Eight bytes.
    pub fn u64(&mut self, value: u64) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    /// A file address.
    pub fn address(&mut self, value: u64, sizes: Sizes) -> &mut Self {
        self.uint(value, sizes.offset as usize)
    }

    /// A length.
    pub fn length(&mut self, value: u64, sizes: Sizes) -> &mut Self {
        self.uint(value, sizes.length as usize)
    }

    /// `count` zero bytes.
    pub fn zeros(&mut self, count: usize) -> &mut Self {
        self.bytes.resize(self.bytes.len() + count, 0);
        self
    }

    /// Appends the checksum of all bytes so far.
    pub fn seal(&mut self) -> &mut Self {
        let sum = super::checksum::checksum(&self.bytes);
        self.u32(sum)
    }

    /// Where to append what brings its own way to do so.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// The finished bytes.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }

    /// What was written so far.
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes
    }
}

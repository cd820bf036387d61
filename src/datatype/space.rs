//! Where values of variable length are: in memory, and in a file's global heap.

use crate::error::{Error, ErrorKind, Result};

/// What pointers in elements in memory lead to.
pub trait Pointers {
    /// The string that a pointer leads to, without its terminator.
    fn string(&mut self, pointer: u64) -> Result<Vec<u8>>;
    /// The bytes that a pointer leads to.
    fn bytes(&mut self, pointer: u64, length: usize) -> Result<Vec<u8>>;
    /// Keeps bytes in memory; the pointer to them.
    fn keep(&mut self, bytes: Vec<u8>) -> Result<u64>;
}

/// Where values of variable length are.
pub trait Space {
    /// The bytes of a heap object.
    fn object(&mut self, address: u64, index: u32) -> Result<Vec<u8>>;
    /// Stores a heap object.
    fn store(&mut self, bytes: &[u8]) -> Result<(u64, u32)>;
    /// What is in memory.
    fn pointers(&mut self) -> &mut dyn Pointers;
}

/// Values that a Rust program reads and writes: a pointer is a value's number, counted from 1.
#[derive(Debug, Default, Clone)]
pub struct Arena(Vec<Vec<u8>>);

impl Arena {
    /// Keeps a value; its pointer.
    pub fn add(&mut self, bytes: impl Into<Vec<u8>>) -> u64 {
        self.0.push(bytes.into());
        self.0.len() as u64
    }

    /// What a pointer leads to; of a string with its terminator.
    pub fn get(&self, pointer: u64) -> Option<&[u8]> {
        usize::try_from(pointer).ok().and_then(|pointer| self.0.get(pointer.checked_sub(1)?)).map(Vec::as_slice)
    }

    fn found(&self, pointer: u64) -> Result<&[u8]> {
        self.get(pointer).ok_or_else(|| Error::range("pointer", pointer, format_args!("1..={}", self.0.len())))
    }
}

impl Pointers for Arena {
    fn string(&mut self, pointer: u64) -> Result<Vec<u8>> {
        let bytes = self.found(pointer)?;
        Ok(bytes.split(|&byte| byte == 0).next().unwrap_or_default().to_vec())
    }

    fn bytes(&mut self, pointer: u64, length: usize) -> Result<Vec<u8>> {
        let bytes = self.found(pointer)?;
        let short =
            || Error::new(ErrorKind::TooSmall, format!("a value of {} bytes, {length} are needed", bytes.len()));
        bytes.get(..length).map(<[u8]>::to_vec).ok_or_else(short)
    }

    fn keep(&mut self, bytes: Vec<u8>) -> Result<u64> {
        Ok(self.add(bytes))
    }
}

/// For types without pointers.
#[derive(Debug, Clone, Copy)]
pub struct NoPointers;

impl NoPointers {
    fn refused<T>() -> Result<T> {
        Err(Error::new(ErrorKind::Type, "the type has parts of variable length, for which no memory was given"))
    }
}

impl Pointers for NoPointers {
    fn string(&mut self, _: u64) -> Result<Vec<u8>> {
        Self::refused()
    }

    fn bytes(&mut self, _: u64, _: usize) -> Result<Vec<u8>> {
        Self::refused()
    }

    fn keep(&mut self, _: Vec<u8>) -> Result<u64> {
        Self::refused()
    }
}

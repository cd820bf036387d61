//! Reading ahead: who opens one object after the other asks for a few hundred bytes at a time, which mostly stand next to
//! each other. Reads that follow each other closely fetch more and more behind them; others fetch no more than they need.

use std::ops::Range;

use super::Store;
use crate::error::{Error, Result};

/// What is fetched when a read follows the one before closely, at first and at most.
const LEAST: u64 = 4 << 10;
const MOST: u64 = 64 << 10;

/// Longer blocks go past the buffer, which keeps its size.
pub(super) const LONG: u64 = 1 << 20;

/// An object's raw data may stand before its header.
const BEFORE: u64 = 1 << 10;

/// The bytes that were read last.
#[derive(Default)]
pub(super) struct Ahead {
    start: u64,
    bytes: Vec<u8>,
    reach: u64,
}

impl Ahead {
    /// The file changed: reads between writes begin anew with little.
    pub fn forget(&mut self) {
        self.bytes.clear();
        self.reach = 0;
    }

    pub fn bytes(&self, part: Range<usize>) -> &[u8] {
        self.bytes.get(part).unwrap_or_default()
    }

    fn find(&self, address: u64, length: u64) -> Option<Range<usize>> {
        let from = usize::try_from(address.checked_sub(self.start)?).ok()?;
        let to = from.checked_add(usize::try_from(length).ok()?)?;
        (to <= self.bytes.len()).then_some(from..to)
    }

    fn is_near(&self, address: u64) -> bool {
        let end = self.start + self.bytes.len() as u64;
        (self.start.saturating_sub(LEAST)..=end + self.reach.max(LEAST)).contains(&address)
    }
}

impl Store {
    /// Fills `buffer` from `address`: raw data of a contiguous dataset, which may be small and have others like it nearby.
    pub fn read_near(&mut self, address: u64, buffer: &mut [u8], what: &'static str) -> Result<()> {
        if buffer.is_empty() || buffer.len() as u64 > LEAST {
            return self.read_raw(address, buffer, what);
        }
        let part = self.fetch(address, buffer.len() as u64, what)?;
        buffer.copy_from_slice(self.ahead.bytes(part));
        Ok(())
    }

    /// Where `length` bytes at `address` stand in what was read ahead. The caller has checked the extent.
    pub(super) fn fetch(&mut self, address: u64, length: u64, what: &'static str) -> Result<Range<usize>> {
        if let Some(found) = self.ahead.find(address, length) {
            return Ok(found);
        }
        self.ahead.reach = match self.ahead.is_near(address) {
            true => (4 * self.ahead.reach).clamp(LEAST, MOST),
            false => 0,
        };
        let (mut start, mut end) = (address, address + length);
        if self.ahead.reach > length {
            start = address.saturating_sub(BEFORE);
            end = end.max((start + self.ahead.reach).min(self.length.saturating_sub(self.base)));
        }
        let mut bytes = std::mem::take(&mut self.ahead.bytes);
        bytes.resize((end - start) as usize, 0);
        self.read_raw(start, &mut bytes, what)?;
        self.ahead.bytes = bytes;
        self.ahead.start = start;
        let missing = || Error::internal("what was read ahead is not what was asked for");
        self.ahead.find(address, length).ok_or_else(missing)
    }
}

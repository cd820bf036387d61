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
    /// The file changed.
    pub fn forget(&mut self) {
        self.bytes.clear();
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
    /// Where `length` bytes of metadata at `address` stand in what was read ahead. The caller has checked the extent.
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

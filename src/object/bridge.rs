//! What elements need on their way between memory and file: the global heap, where their values of variable length are stored
//! and found, and what pointers in memory lead to.

use crate::datatype::{Converter, Pointers, Space};
use crate::error::{Error, ErrorKind, Result};
use crate::heap::GlobalHeap;
use crate::store::Store;

/// Elements may share a heap object (a fill value), so that a small file could fill all memory: what one call reads is at
/// most this, and [`PER_BYTE`] times the file.
const MIN_BUDGET: u64 = 256 << 20;
const PER_BYTE: u64 = 4;

/// A file's global heap, and what pointers lead to.
pub(super) struct Bridge<'a> {
    store: &'a mut Store,
    heap: &'a mut GlobalHeap,
    pointers: &'a mut dyn Pointers,
    budget: u64,
}

impl<'a> Bridge<'a> {
    pub fn new(store: &'a mut Store, heap: &'a mut GlobalHeap, pointers: &'a mut dyn Pointers) -> Self {
        let budget = store.space().end().saturating_mul(PER_BYTE).saturating_add(MIN_BUDGET);
        Bridge { store, heap, pointers, budget }
    }
}

impl Space for Bridge<'_> {
    fn object(&mut self, address: u64, index: u32) -> Result<Vec<u8>> {
        let object = self.heap.get(self.store, address, index)?;
        self.budget = self.budget.checked_sub(object.len() as u64).ok_or_else(|| {
            let message = "the values are many times larger than the file; read fewer elements at once";
            Error::new(ErrorKind::Limit, message)
        })?;
        Ok(object.to_vec())
    }

    fn store(&mut self, bytes: &[u8]) -> Result<(u64, u32)> {
        self.heap.insert(self.store, bytes)
    }

    fn pointers(&mut self) -> &mut dyn Pointers {
        self.pointers
    }
}

/// Converts elements to those that the file has. Where one is refused, the values of those before it are taken back.
pub(super) fn to_file(
    converter: &Converter,
    elements: &[u8],
    to: &mut [u8],
    (store, heap): (&mut Store, &mut GlobalHeap),
    pointers: &mut dyn Pointers,
) -> Result<()> {
    heap.begin(store);
    let converted = converter.run(elements, to, &mut Bridge::new(store, heap, pointers));
    heap.end(store, converted)
}

/// Fails where an element is refused, and stores nothing: before a change that could not be taken back.
pub(super) fn try_to_file(
    converter: &Converter,
    elements: &[u8],
    (store, heap): (&mut Store, &mut GlobalHeap),
    pointers: &mut dyn Pointers,
) -> Result<()> {
    let count = elements.len() / converter.source_size().max(1);
    let size = count.checked_mul(converter.target_size());
    let mut to = vec![0; size.ok_or_else(|| Error::range("elements", count, "what memory holds"))?];
    heap.begin(store);
    let converted = converter.run(elements, &mut to, &mut Bridge::new(store, heap, pointers));
    heap.take_back(store)?;
    converted
}

//! The structure checker: what must hold for every tree, at any time and after a flush.

use super::search::Record;
use super::{Tree, NODE};
use crate::error::{Damage, Error, Result};
use crate::format::btree2::Pointer;
use crate::format::UNDEFINED;
use crate::store::Store;

/// Whether the second record may follow the first.
type Order<'a> = &'a mut dyn FnMut(&mut Store, &[u8], &[u8]) -> Result<bool>;

/// What a walk over a tree has seen.
struct Walk<'a> {
    flushed: bool,
    order: Order<'a>,
    previous: Option<Record>,
    addresses: Vec<u64>,
}

impl Tree {
    /// Checks the whole tree: record counts and totals of every pointer, capacities, that no node is empty or stands
    /// twice, order, and where `flushed` says so the floors that every flushed node keeps. `order` tells whether the
    /// second record may follow the first; checksums are verified by the store as nodes are read.
    pub fn check(
        &self,
        store: &mut Store,
        flushed: bool,
        mut order: impl FnMut(&mut Store, &[u8], &[u8]) -> Result<bool>,
    ) -> Result<()> {
        if self.header.root == UNDEFINED {
            let Tree { header, depth, .. } = self;
            return match header.total == 0 && header.root_nrec == 0 && *depth == 0 {
                true => Ok(()),
                false => Err(self.miscounted()),
            };
        }
        let root = Pointer { address: self.header.root, nrec: self.header.root_nrec, total: self.header.total };
        let mut walk = Walk { flushed, order: &mut order, previous: None, addresses: Vec::new() };
        self.check_node(store, &mut walk, self.depth, root)?;
        let Walk { mut addresses, .. } = walk;
        addresses.sort_unstable();
        let size = self.geometry.node_size() as u64;
        if let Some(pair) = addresses.windows(2).find(|pair| pair[1] - pair[0] < size) {
            return Err(Error::corrupt(NODE, pair[1], "it overlaps another node").because(Damage::Overlap));
        }
        self.check_stats(store)
    }

    fn check_node(&self, store: &mut Store, walk: &mut Walk<'_>, level: usize, node: Pointer) -> Result<()> {
        let limits = self.geometry.level(level);
        let root = level == self.depth;
        let least = match walk.flushed && !root {
            true => limits.floor,
            false => 1,
        };
        if node.nrec < least || node.nrec > limits.max {
            let range = format_args!("{} records at level {level}, {least} to {} expected", node.nrec, limits.max);
            let floor = (1..least).contains(&node.nrec);
            let damage = if floor { Damage::Floor } else { Damage::Count };
            return Err(Error::corrupt(NODE, node.address, range).because(damage));
        }
        self.bound(store, walk.addresses.len())?;
        walk.addresses.push(node.address);
        let block = self.node(store, node.address, level, node.nrec)?;
        if store.bytes(block)[..self.prefix(level).len()] != self.prefix(level) {
            return Err(Error::corrupt(NODE, node.address, "wrong signature, version or type"));
        }
        let nrec = usize::from(node.nrec);
        let mut total = u64::from(node.nrec);
        for index in 0..=nrec {
            if level > 0 {
                let child = self.geometry.pointer(store.bytes(block), level, nrec, index);
                total = total.saturating_add(child.total);
                self.check_node(store, walk, level - 1, child)?;
            }
            if index < nrec {
                let record = Record::from(&store.bytes(block)[self.geometry.record(index)]);
                if let Some(previous) = &walk.previous {
                    if !(walk.order)(store, previous, &record)? {
                        let detail = format_args!("record {index} is out of order");
                        return Err(Error::corrupt(NODE, node.address, detail).because(Damage::Order));
                    }
                }
                walk.previous = Some(record);
            }
        }
        if total != node.total {
            let counts = format_args!("{total} records in it and below, its parent says {}", node.total);
            return Err(Error::corrupt(NODE, node.address, counts).because(Damage::Count));
        }
        Ok(())
    }

    /// Fails when more nodes were visited than the file has room for: some stand twice.
    pub(super) fn bound(&self, store: &Store, visited: usize) -> Result<()> {
        if visited as u64 > store.space().end() / self.geometry.node_size() as u64 {
            return Err(
                Error::corrupt(super::HEADER, self.address, "its nodes point to each other").because(Damage::Overlap)
            );
        }
        Ok(())
    }

    /// Compares the running figures with a fresh count.
    fn check_stats(&self, store: &mut Store) -> Result<()> {
        let Some(stats) = self.known_stats() else { return Ok(()) };
        let mut fresh = self.clone();
        fresh.counts.known = false;
        let counted = fresh.stats(store)?;
        if stats != counted {
            return Err(Error::internal(format_args!("B-tree statistics {stats:?}, counted {counted:?}")));
        }
        Ok(())
    }
}

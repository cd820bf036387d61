//! The one primitive behind splitting, merging, redistributing and packing: a run of siblings gets its records and
//! children anew, in another number of nodes. Everything that can fail happens before the first byte changes.

use super::search::Location;
use super::{Tree, NODE};
use crate::error::{Error, Result};
use crate::format::btree2::{Pointer, PREFIX};
use crate::store::{BlockId, Seal, Store};

/// The contents of a run of siblings in order: children alternate with records, one more of them.
struct Run {
    records: Vec<u8>,
    children: Vec<u8>,
}

impl Tree {
    /// Children `first..first + count` of the node at `level + 1` on `path` become nodes of `targets` records each.
    /// The sum of the targets and the separators between them is what the children and their separators held; the
    /// parent must have room. Steps of `path` at `level` and below are invalid afterwards.
    pub(super) fn reshape(
        &mut self,
        store: &mut Store,
        path: &mut Location,
        level: usize,
        first: usize,
        count: usize,
        targets: &[u16],
    ) -> Result<()> {
        let parent = path.steps[level + 1];
        let mut old = Vec::with_capacity(count);
        for index in first..first + count {
            let pointer = self.child(store, level + 1, parent, index as u16);
            old.push((pointer, self.node(store, pointer.address, level, pointer.nrec)?));
        }
        let above = &path.steps[level + 1..=self.depth];
        if let Some((pointer, _)) = old.iter().find(|(_, id)| above.iter().any(|step| step.block == *id)) {
            return Err(Error::corrupt(NODE, pointer.address, "it stands below itself"));
        }
        let held = old.iter().map(|(pointer, _)| usize::from(pointer.nrec) + 1).sum::<usize>() - 1;
        let wanted = targets.iter().map(|&n| usize::from(n) + 1).sum::<usize>() - 1;
        let most = self.geometry.level(level + 1).max;
        if held != wanted || usize::from(parent.nrec) + targets.len() > usize::from(most) + count {
            return Err(Error::internal(format_args!("reshaping {held} records into {targets:?}")));
        }
        let nodes = self.claim(store, &old, targets.len())?;
        let run = self.gather(store, path, level, first, &old);
        let pointers = self.scatter(store, level, &run, &nodes, targets);
        self.replace_children(store, path, level + 1, first, count, &pointers, &run);
        for (pointer, _) in &old {
            self.counts.nodes[level] = self.counts.nodes[level].wrapping_sub(1);
            self.counts.underfull = self.counts.underfull.wrapping_sub(self.underfull(level, pointer.nrec));
        }
        for &nrec in targets {
            self.counts.nodes[level] = self.counts.nodes[level].wrapping_add(1);
            self.counts.underfull = self.counts.underfull.wrapping_add(self.underfull(level, nrec));
        }
        self.counts.merges += count.saturating_sub(targets.len()) as u64;
        self.counts.splits += targets.len().saturating_sub(count) as u64;
        Ok(())
    }

    /// The nodes that a run will have, by ascending address: the lowest of the old ones stay, the others are freed.
    fn claim(&self, store: &mut Store, old: &[(Pointer, BlockId)], count: usize) -> Result<Vec<(u64, BlockId)>> {
        let mut nodes: Vec<(u64, BlockId)> = old.iter().map(|&(pointer, id)| (pointer.address, id)).collect();
        apart(&mut nodes)?;
        let taken = nodes.len();
        for _ in taken..count {
            match store.create_block(self.geometry.node_size(), Seal::None) {
                Ok((id, address)) => nodes.push((address, id)),
                Err(error) => {
                    let size = self.geometry.node_size() as u64;
                    nodes.drain(taken..).for_each(|(address, _)| store.free(address, size));
                    return Err(error);
                }
            }
        }
        // Space that was said to be free may be a node's, too.
        apart(&mut nodes)?;
        Ok(nodes)
    }

    fn gather(&self, store: &Store, path: &Location, level: usize, first: usize, old: &[(Pointer, BlockId)]) -> Run {
        let geometry = &self.geometry;
        let mut run = Run { records: Vec::with_capacity(old.len() * geometry.node_size()), children: Vec::new() };
        let parent = store.bytes(path.steps[level + 1].block);
        for (i, &(pointer, id)) in old.iter().enumerate() {
            let (page, nrec) = (store.bytes(id), usize::from(pointer.nrec));
            if i > 0 {
                run.records.extend_from_slice(&parent[geometry.record(first + i - 1)]);
            }
            run.records.extend_from_slice(&page[PREFIX..PREFIX + nrec * geometry.record_size()]);
            if level > 0 {
                run.children.extend_from_slice(&page[geometry.pointers(level, nrec, 0, nrec + 1)]);
            }
        }
        run
    }

    /// Writes the run into `nodes`, frees what is left of them, and returns the pointers to those written.
    fn scatter(
        &self,
        store: &mut Store,
        level: usize,
        run: &Run,
        nodes: &[(u64, BlockId)],
        targets: &[u16],
    ) -> Vec<Pointer> {
        let geometry = &self.geometry;
        let (size, pointer_size) = (geometry.record_size(), geometry.level(level).pointer);
        let mut at = 0;
        let mut pointers = Vec::with_capacity(targets.len());
        for (&(address, id), &nrec) in nodes.iter().zip(targets) {
            let count = usize::from(nrec);
            let page = store.bytes_mut(id);
            page[..PREFIX].copy_from_slice(&self.prefix(level));
            page[PREFIX..PREFIX + count * size].copy_from_slice(&run.records[at * size..(at + count) * size]);
            let mut total = u64::from(nrec);
            if level > 0 {
                let children = &run.children[at * pointer_size..(at + count + 1) * pointer_size];
                page[geometry.pointers(level, count, 0, count + 1)].copy_from_slice(children);
                for child in children.chunks_exact(pointer_size) {
                    total = total.wrapping_add(geometry.decode(child).total);
                }
            }
            store.set_seal(id, Seal::At(geometry.used(level, count) as u32));
            pointers.push(Pointer { address, nrec, total });
            at += count + 1;
        }
        for &(address, _) in &nodes[targets.len()..] {
            store.free(address, geometry.node_size() as u64);
        }
        pointers
    }

    /// Puts `pointers` and the separators between them in the place of `count` children of the node at `level`.
    #[allow(clippy::too_many_arguments)]
    fn replace_children(
        &mut self,
        store: &mut Store,
        path: &mut Location,
        level: usize,
        first: usize,
        count: usize,
        pointers: &[Pointer],
        run: &Run,
    ) {
        let geometry = &self.geometry;
        let node = path.steps[level];
        let (size, pointer_size) = (geometry.record_size(), geometry.level(level).pointer);
        let before = usize::from(node.nrec);
        let after = before + pointers.len() - count;
        let page = store.bytes_mut(node.block);
        let mut children = page[geometry.pointers(level, before, 0, before + 1)].to_vec();
        let behind = geometry.record(first + count - 1).start..geometry.record(before).start;
        page.copy_within(behind, geometry.record(first + pointers.len() - 1).start);
        let mut at = 0;
        for (i, pointer) in pointers[..pointers.len() - 1].iter().enumerate() {
            at += usize::from(pointer.nrec);
            page[geometry.record(first + i)].copy_from_slice(&run.records[at * size..(at + 1) * size]);
            at += 1;
        }
        let mut encoded = vec![0; pointers.len() * pointer_size];
        for (bytes, &pointer) in encoded.chunks_exact_mut(pointer_size).zip(pointers) {
            geometry.encode(pointer, bytes);
        }
        children.splice(first * pointer_size..(first + count) * pointer_size, encoded);
        page[geometry.pointers(level, after, 0, after + 1)].copy_from_slice(&children);
        store.set_seal(node.block, Seal::At(geometry.used(level, after) as u32));
        path.steps[level].nrec = after as u16;
        self.recount(level, before as u16, after as u16);
        self.set_nrec(store, path, level, after as u16);
    }

    /// Writes the record count of the node at `level` where it is kept: in its parent, or in the header.
    pub(super) fn set_nrec(&mut self, store: &mut Store, path: &Location, level: usize, nrec: u16) {
        self.changed = true;
        if level == self.depth {
            self.header.root_nrec = nrec;
            return;
        }
        let parent = path.steps[level + 1];
        let (count, _) = self.geometry.counts(level + 1, usize::from(parent.nrec), usize::from(parent.index));
        let bytes = &mut store.bytes_mut(parent.block)[count];
        bytes.copy_from_slice(&nrec.to_le_bytes()[..bytes.len()]);
    }
}

/// Sorts nodes by address, of which each has its own.
fn apart(nodes: &mut [(u64, BlockId)]) -> Result<()> {
    nodes.sort_unstable_by_key(|&(address, _)| address);
    match nodes.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        Some(pair) => Err(Error::corrupt(NODE, pair[0].0, "two parents point to it or to a neighbour")),
        None => Ok(()),
    }
}

/// `records` records without their separators, spread evenly over `count` nodes.
pub(super) fn even(records: usize, count: usize) -> Vec<u16> {
    let rest = records - (count - 1);
    (0..count).map(|i| (rest * (i + 1) / count - rest * i / count) as u16).collect()
}

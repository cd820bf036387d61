//! A tree from a sorted run: nodes are filled one after the other from the leaves upwards.

use super::repair::Mending;
use super::{Tree, TreeParams};
use crate::error::{Error, Result};
use crate::format::btree2::{Level, Pointer, PREFIX};
use crate::store::{Seal, Store};

/// The node of one level that is being filled.
#[derive(Default)]
struct Open {
    records: Vec<u8>,
    children: Vec<Pointer>,
    nrec: u16,
}

impl Tree {
    /// A new tree of `records`, which come in the tree's order. Nodes are filled to 97 %; every node but the root is at
    /// least half full.
    pub fn build<R: AsRef<[u8]>>(
        store: &mut Store,
        params: TreeParams,
        records: impl IntoIterator<Item = R>,
    ) -> Result<Tree> {
        let mut tree = Tree::create(store, params)?;
        let mut open = vec![Open::default()];
        let mut records = records.into_iter().peekable();
        while let Some(record) = records.next() {
            let record = record.as_ref();
            if record.len() != tree.geometry.record_size() {
                return Err(Error::internal(format_args!("a B-tree record of {} bytes", record.len())));
            }
            tree.header.total += 1;
            // The last record never becomes a separator: nothing would follow it.
            if open[0].nrec < tree.geometry.level(0).packed() || records.peek().is_none() {
                open[0].records.extend_from_slice(record);
                open[0].nrec += 1;
            } else {
                let leaf = tree.close(store, &mut open, 0)?;
                tree.separate(store, &mut open, leaf, record)?;
            }
        }
        if tree.header.total > 0 {
            tree.crown(store, open)?;
        }
        Ok(tree)
    }

    /// Puts a finished leaf and the record behind it into the node above, as high as full nodes make it go.
    fn separate(&mut self, store: &mut Store, open: &mut Vec<Open>, leaf: Pointer, record: &[u8]) -> Result<()> {
        let mut child = leaf;
        for level in 1..self.geometry.usable_levels() {
            if open.len() == level {
                open.push(Open::default());
            }
            open[level].children.push(child);
            if open[level].nrec < self.geometry.level(level).packed() {
                open[level].records.extend_from_slice(record);
                open[level].nrec += 1;
                return Ok(());
            }
            child = self.close(store, open, level)?;
        }
        Err(Error::internal("a B-tree too deep for its nodes"))
    }

    /// Writes the open node of `level` out.
    fn close(&mut self, store: &mut Store, open: &mut [Open], level: usize) -> Result<Pointer> {
        let Open { records, children, nrec } = std::mem::take(&mut open[level]);
        let used = self.geometry.used(level, usize::from(nrec));
        let (id, address) = store.create_block(self.geometry.node_size(), Seal::At(used as u32))?;
        let prefix = self.prefix(level);
        let page = store.bytes_mut(id);
        page[..PREFIX].copy_from_slice(&prefix);
        page[PREFIX..PREFIX + records.len()].copy_from_slice(&records);
        for (index, &child) in children.iter().enumerate() {
            let place = self.geometry.pointers(level, usize::from(nrec), index, 1);
            self.geometry.encode(child, &mut page[place]);
        }
        self.counts.nodes[level] += 1;
        let total = u64::from(nrec) + children.iter().map(|child| child.total).sum::<u64>();
        Ok(Pointer { address, nrec, total })
    }

    /// Closes what is open, the last of which is the root, and refills the right edge.
    fn crown(&mut self, store: &mut Store, mut open: Vec<Open>) -> Result<()> {
        self.depth = open.len() - 1;
        let mut node = self.close(store, &mut open, 0)?;
        self.recount(0, self.geometry.level(0).half(), node.nrec);
        for level in 1..=self.depth {
            open[level].children.push(node);
            node = self.close(store, &mut open, level)?;
            self.recount(level, self.geometry.level(level).half(), node.nrec);
        }
        self.header.root = node.address;
        self.header.root_nrec = node.nrec;
        self.mend(store, Mending { least: Level::half, all: true })
    }
}

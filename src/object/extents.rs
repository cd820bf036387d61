//! Used space: what each extent of the file is for, and what the walk of the file says about all of it together.

use std::fmt;

use crate::error::{Error, Result};
use crate::format::global_heap::{self, SIGNATURE};
use crate::object::check::Finding;
use crate::object::state::State;
use crate::object::walk::Walk;
use crate::store::Store;

/// What an extent of the file is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// The superblock.
    Superblock,
    /// A chunk of an object header.
    ObjectHeader,
    /// The header or a node of a B-tree of attributes, links or shared messages, or the table or a list of the last.
    BTree,
    /// The header or a block of a fractal heap, or a free-space manager of one.
    FractalHeap,
    /// An attribute or link too large for its heap's blocks. It has no checksum.
    HugeObject,
    /// A node of an old group's B-tree, or a symbol table node. They have no checksum.
    SymbolTable,
    /// A local heap: the names of an old group's links, or of external files. It has no checksum.
    LocalHeap,
    /// A global heap collection: variable-length values, references. It has no checksum.
    GlobalHeap,
    /// A block of a chunk index. A version 1 B-tree has no checksum.
    ChunkIndex,
    /// Raw data: a contiguous dataset's, or chunks. They have no checksum, unless a filter gives them one.
    RawData,
    /// A free-space manager of the file.
    FreeSpace,
}

impl Purpose {
    /// All purposes, in their order.
    pub const ALL: [Purpose; 11] = [
        Purpose::Superblock,
        Purpose::ObjectHeader,
        Purpose::BTree,
        Purpose::FractalHeap,
        Purpose::HugeObject,
        Purpose::SymbolTable,
        Purpose::LocalHeap,
        Purpose::GlobalHeap,
        Purpose::ChunkIndex,
        Purpose::RawData,
        Purpose::FreeSpace,
    ];

    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Purpose::Superblock => "superblock",
            Purpose::ObjectHeader => "object headers",
            Purpose::BTree => "B-trees",
            Purpose::FractalHeap => "fractal heaps",
            Purpose::HugeObject => "huge objects",
            Purpose::SymbolTable => "symbol tables",
            Purpose::LocalHeap => "local heaps",
            Purpose::GlobalHeap => "global heap",
            Purpose::ChunkIndex => "chunk indexes",
            Purpose::RawData => "raw data",
            Purpose::FreeSpace => "free-space managers",
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A used piece of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Extent {
    pub address: u64,
    pub length: u64,
    pub purpose: Purpose,
    /// The object that uses it, in the numbering of the walk.
    pub owner: u32,
}

impl Extent {
    pub fn end(&self) -> u64 {
        self.address.saturating_add(self.length)
    }
}

/// Everything that the file uses, by address, without overlaps; adjacent pieces of one object and purpose are one, unless
/// they stand in pages. Any damage is an error, and so is a structure that this version does not know: what it uses is not known.
///
/// Global heap collections are found by their signature in what nothing else uses, because only raw data refer to them;
/// one that is no longer used counts as used.
pub(super) fn used_extents(state: &mut State) -> Result<Vec<Extent>> {
    used_within(state, u64::MAX)
}

/// Bytes that are searched for collections in the time of an extent.
const CLAIM_BYTES: u64 = 16 << 10;

/// The same, where these are at most so many, counted as the walk meets them; else an error (unsupported).
pub(super) fn used_within(state: &mut State, most: u64) -> Result<Vec<Extent>> {
    let mut fail = |finding: Finding| Err(finding.into_error());
    let mut walk = Walk::new(state, None, &mut fail);
    walk.most_claims = most;
    walk.run(state)?;
    let mut extents = walk.extents;
    let mut overlap = None;
    sort(&mut extents, |a, b| overlap = overlap.or(Some((a, b))));
    if let Some((a, b)) = overlap {
        let detail = format_args!("{} use it up to {:#x}", a.purpose, a.end());
        return Err(Error::corrupt(b.purpose.name(), b.address, detail));
    }
    let between = gaps(extents.iter().map(|extent| (extent.address, extent.length)), state.store.space().end());
    let unclaimed: u64 = between.iter().map(|gap| gap.1).sum();
    if unclaimed / CLAIM_BYTES > most {
        return Err(Error::unsupported(format_args!("{unclaimed} bytes to be searched for collections")));
    }
    add_collections(&mut state.store, &mut extents, &[])?;
    Ok(extents)
}

/// Sorts by address, and tells every two neighbours that share bytes.
pub(super) fn sort(extents: &mut [Extent], mut overlap: impl FnMut(Extent, Extent)) {
    extents.sort_unstable();
    let mut reaching: Option<Extent> = None;
    for &extent in extents.iter() {
        if let Some(before) = reaching.filter(|before| before.end() > extent.address) {
            overlap(before, extent);
        }
        if reaching.is_none_or(|before| before.end() <= extent.end()) {
            reaching = Some(extent);
        }
    }
}

/// What lies between sorted extents, up to `end`: address and length.
pub(super) fn gaps(extents: impl Iterator<Item = (u64, u64)>, end: u64) -> Vec<(u64, u64)> {
    let mut gaps = Vec::new();
    let mut at = 0;
    for (address, length) in extents {
        if address > at {
            gaps.push((at, address - at));
        }
        at = at.max(address.saturating_add(length));
    }
    if at < end {
        gaps.push((at, end - at));
    }
    gaps
}

/// Adds the global heap collections that stand where neither a sorted extent nor `free` space is.
pub(super) fn add_collections(store: &mut Store, extents: &mut Vec<Extent>, free: &[(u64, u64)]) -> Result<()> {
    let mut taken: Vec<_> = extents.iter().map(|extent| (extent.address, extent.length)).collect();
    taken.extend(free);
    taken.sort_unstable();
    let before = extents.len();
    let collection = |address, length| Extent { address, length, purpose: Purpose::GlobalHeap, owner: 0 };
    // The file does not have these yet.
    let unwritten = store.unwritten_blocks(SIGNATURE);
    for (address, length) in unwritten {
        if let Err(place) = taken.binary_search_by_key(&address, |extent| extent.0) {
            taken.insert(place, (address, length));
            extents.push(collection(address, length));
        }
    }
    for (address, length) in gaps(taken.into_iter(), store.space().end()) {
        find_collections(store, address, length, &mut |address, length| {
            extents.push(collection(address, length));
        })?;
    }
    if extents.len() > before {
        extents.sort_unstable();
    }
    Ok(())
}

/// Tells the global heap collections in a gap; as one those that overlap. libhdf5 leaves the signature where a collection was, and
/// one that is gone may reach into one that is used, or the other way round: both count as used then.
fn find_collections(store: &mut Store, address: u64, length: u64, found: &mut dyn FnMut(u64, u64)) -> Result<()> {
    const PIECE: u64 = 1 << 20;
    let sizes = store.sizes();
    let header = global_heap::header_length(sizes);
    let (mut from, end) = (address, address + length);
    let mut run: Option<(u64, u64)> = None;
    while from + header <= end {
        let bytes = store.read_start(from, PIECE.min(end - from), "global heap collection")?;
        let headers = (from..).zip(bytes.windows(header as usize)).filter(|(_, bytes)| bytes.starts_with(SIGNATURE));
        for (at, bytes) in headers {
            let Some(length) = global_heap::parse_length(bytes, sizes).ok().filter(|&length| length <= end - at) else {
                continue;
            };
            run = match run {
                Some((begin, end)) if at < end => Some((begin, end.max(at + length))),
                before => {
                    before.into_iter().for_each(|(begin, end)| found(begin, end - begin));
                    Some((at, at + length))
                }
            };
        }
        // One may begin in its last bytes; where the file ends, there are no more.
        match (bytes.len() as u64).checked_sub(header - 1) {
            Some(passed @ 1..) => from += passed,
            _ => break,
        }
    }
    run.into_iter().for_each(|(begin, end)| found(begin, end - begin));
    Ok(())
}

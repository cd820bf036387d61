//! The fractal heap: objects of dense attributes and links, by heap ID. Managed objects stand in direct blocks that are
//! edited in place in the store; tiny ones in their ID; huge ones in their own piece of the file.
//!
//! A removed object becomes a hole, at the cost of a push; holes are coalesced when an insert wants them or when
//! [`Heap::prepare`] writes the header and the free-space manager for the flush.

mod blocks;
mod check;
mod evacuate;
mod extents;
mod fill;
mod filter;
mod global;
mod holes;
mod huge;
mod managed;
mod parts;
mod renew;
mod sections;
pub mod shared;
mod slide;
mod table;
#[cfg(test)]
mod tests;

use crate::btree::Tree;
use crate::error::{Error, ErrorKind, Result};
use crate::format::fractal_heap::{id_kind, Header, IdKind};
use crate::format::UNDEFINED;
use crate::store::{Seal, Store};

pub use crate::format::fractal_heap::HeapParams;
pub use evacuate::{Evacuation, Piece};
pub use extents::Part;
pub use global::{GlobalHeap, Leaving};
pub use slide::Slide;

/// What figures of a heap are cut at: a damaged header may claim any, and they are added up.
const MOST_BYTES: u64 = 1 << 48;

/// The longest heap ID that can be made (longer ones can be read).
pub const MAX_ID: usize = 32;

/// A heap ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HeapId {
    bytes: [u8; MAX_ID],
    length: u8,
}

impl HeapId {
    /// An ID from its bytes, [`MAX_ID`] at most.
    pub fn new(bytes: &[u8]) -> Self {
        let mut id = HeapId { bytes: [0; MAX_ID], length: bytes.len() as u8 };
        id.bytes[..bytes.len()].copy_from_slice(bytes);
        id
    }

    /// The ID's bytes, as many as the heap's IDs have.
    #[inline]
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

/// What a heap holds. Exact once the heap was changed or [`Heap::load`]ed; from the header before.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct HeapStats {
    /// Bytes of all objects.
    pub live_bytes: u64,
    /// Free bytes in direct blocks; none where filters keep them from being used.
    pub free_bytes: u64,
    /// Direct blocks.
    pub blocks: u64,
    /// Managed objects.
    pub managed: u64,
    /// Huge objects.
    pub huge: u64,
    /// Tiny objects.
    pub tiny: u64,
    /// Bytes of the file that the heap takes: header, blocks, huge objects, free-space manager as last written.
    pub file_bytes: u64,
}

/// An open fractal heap.
#[derive(Debug)]
pub struct Heap {
    address: u64,
    header: Header,
    table: table::Table,
    /// Whether the table of blocks was read.
    loaded: bool,
    layout: managed::IdLayout,
    /// Whether the holes were read.
    holes_loaded: bool,
    /// Whether the free-space manager of the file could not be read and its holes are unknown.
    free_space_damaged: bool,
    bins: holes::Bins,
    /// Blocks with holes worth having.
    queue: Vec<u32>,
    bump: managed::Bump,
    free_space: sections::FreeSpace,
    /// The B-tree of huge objects, once it is needed.
    huge_tree: Option<Tree>,
    /// In a filtered heap: the block that was decoded last.
    decoded: (u64, Vec<u8>),
    /// Objects are being moved below a heap offset.
    evacuation: Option<evacuate::Evacuating>,
    /// Objects have slid down, and their IDs are being renewed.
    slide: Option<Box<Slide>>,
    /// Objects are taking the places of removed ones.
    fill: Option<Box<fill::Fill>>,
    /// Bytes of living managed objects.
    live: u64,
    changed: bool,
    scratch: Vec<u8>,
}

impl Heap {
    /// Creates an empty heap.
    pub fn create(store: &mut Store, params: HeapParams) -> Result<Heap> {
        store.check_writable()?;
        let header = Header::new(params, store.sizes())?;
        let length = header.length();
        let (id, address) = store.create_block(length, Seal::At(length as u32 - 4))?;
        store.bytes_mut(id).copy_from_slice(&header.encode());
        let mut heap = Heap::with_header(address, header);
        heap.loaded = true;
        heap.holes_loaded = true;
        Ok(heap)
    }

    /// Opens the heap at `address`.
    pub fn open(store: &mut Store, address: u64) -> Result<Heap> {
        const WHAT: &str = "fractal heap header";
        let sizes = store.sizes();
        let length = match store.cached(address) {
            Some(id) => store.bytes(id).len(),
            None => {
                let start = store.read_bytes(address, Header::base_length(sizes) as u64, WHAT)?;
                Header::length_of(&start, sizes)?
            }
        };
        let id = store.block(address, length as u64, Seal::At(length.saturating_sub(4) as u32), WHAT)?;
        let header = Header::parse(store.bytes(id), sizes)?;
        if header.length() != length {
            return Err(Error::corrupt(WHAT, address, "its length"));
        }
        Ok(Heap::with_header(address, header))
    }

    fn with_header(address: u64, header: Header) -> Heap {
        Heap {
            address,
            table: table::Table::new(header.table.start_bits),
            layout: managed::IdLayout::new(&header),
            header,
            loaded: false,
            holes_loaded: false,
            free_space_damaged: false,
            bins: holes::Bins::new(),
            queue: Vec::new(),
            bump: managed::Bump::NONE,
            free_space: sections::FreeSpace::NONE,
            huge_tree: None,
            decoded: (UNDEFINED, Vec::new()),
            evacuation: None,
            slide: None,
            fill: None,
            live: 0,
            changed: false,
            scratch: Vec::new(),
        }
    }

    /// The header's address, by which the heap is named.
    pub fn address(&self) -> u64 {
        self.address
    }

    /// Bytes of an ID.
    pub fn id_length(&self) -> usize {
        self.header.params.id_length.into()
    }

    /// Objects of all kinds.
    pub fn len(&self) -> u64 {
        self.header.managed_count + self.header.huge_count + self.header.tiny_count
    }

    /// Whether the heap has no objects.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the file's free-space manager was damaged, so that old holes are unknown and not reused.
    pub fn free_space_damaged(&self) -> bool {
        self.free_space_damaged
    }

    /// Reads the table of blocks and the holes, if that was not done yet.
    pub fn load(&mut self, store: &mut Store) -> Result<()> {
        self.load_table(store)?;
        if !self.holes_loaded {
            self.read_holes(store)?;
        }
        Ok(())
    }

    /// Every change begins with this.
    #[inline]
    fn begin_change(&mut self, store: &mut Store) -> Result<()> {
        store.check_writable()?;
        if self.changed && self.holes_loaded {
            return Ok(());
        }
        self.first_change(store)
    }

    #[cold]
    fn first_change(&mut self, store: &mut Store) -> Result<()> {
        self.check_changeable()?;
        self.load(store)?;
        self.changed = true;
        Ok(())
    }

    /// Whether the heap has no filters, which it is read through but not written.
    #[inline]
    pub fn is_changeable(&self) -> bool {
        self.header.filters.is_none()
    }

    /// Fails for a heap that can be read but not changed: a caller that has more than the heap to change asks first.
    #[inline]
    pub fn check_changeable(&self) -> Result<()> {
        if !self.is_changeable() {
            return Err(Error::unsupported("changing a fractal heap with filters"));
        }
        Ok(())
    }

    /// Stores an object.
    pub fn insert(&mut self, store: &mut Store, object: &[u8]) -> Result<HeapId> {
        self.begin_change(store)?;
        if object.len() > self.header.params.max_managed as usize {
            return self.insert_huge(store, object);
        }
        if object.len() <= self.header.tiny_limit().0 {
            return self.insert_tiny(object);
        }
        self.insert_managed(store, object)
    }

    /// An object's bytes.
    #[inline(always)]
    pub fn get<'a>(&'a mut self, store: &'a mut Store, id: &[u8]) -> Result<&'a [u8]> {
        match self.kind(id)? {
            IdKind::Managed => self.get_managed(store, id),
            IdKind::Tiny => self.get_tiny(id),
            IdKind::Huge => self.get_huge(store, id),
        }
    }

    #[cold]
    fn get_tiny(&mut self, id: &[u8]) -> Result<&[u8]> {
        let object = self.tiny_object(id)?;
        self.scratch.clear();
        self.scratch.extend_from_slice(object);
        Ok(&self.scratch)
    }

    /// Replaces an object by one of the same length. False where its ID would change (a tiny object, whose bytes are its
    /// ID; a huge one whose ID is its address): nothing was done then, remove it and insert the new one.
    pub fn write(&mut self, store: &mut Store, id: &[u8], object: &[u8]) -> Result<bool> {
        self.begin_change(store)?;
        match self.kind(id)? {
            IdKind::Managed => self.write_managed(store, id, object).map(|()| true),
            IdKind::Tiny => Ok(false),
            IdKind::Huge => self.write_huge(store, id, object),
        }
    }

    /// Removes an object.
    #[inline]
    pub fn remove(&mut self, store: &mut Store, id: &[u8]) -> Result<()> {
        self.begin_change(store)?;
        match self.kind(id)? {
            IdKind::Managed => self.remove_managed(id),
            IdKind::Tiny => self.remove_tiny(id),
            IdKind::Huge => self.remove_huge(store, id),
        }
    }

    #[inline]
    fn kind(&self, id: &[u8]) -> Result<IdKind> {
        if id.len() < self.id_length() {
            return Err(self.bad_id("too short"));
        }
        id_kind(id[0])
    }

    #[cold]
    fn bad_id(&self, detail: impl std::fmt::Display) -> Error {
        Error::corrupt("an ID of the fractal heap", self.address, detail)
    }

    fn insert_tiny(&mut self, object: &[u8]) -> Result<HeapId> {
        let (_, extended) = self.header.tiny_limit();
        let Some(encoded) = object.len().checked_sub(1) else {
            return Err(Error::new(ErrorKind::Argument, "a heap object has at least one byte"));
        };
        let mut bytes = [0; MAX_ID];
        let length = self.id_length();
        if length > MAX_ID {
            return Err(Error::unsupported(format_args!("fractal heap IDs of {length} bytes")));
        }
        bytes[0] = 0x20 | if extended { (encoded >> 8) as u8 } else { encoded as u8 };
        bytes[1] = encoded as u8;
        let at = 1 + usize::from(extended);
        bytes[at..at + object.len()].copy_from_slice(object);
        self.header.tiny_count += 1;
        self.header.tiny_bytes += object.len() as u64;
        Ok(HeapId::new(&bytes[..length]))
    }

    fn tiny_object<'a>(&self, id: &'a [u8]) -> Result<&'a [u8]> {
        let (limit, extended) = self.header.tiny_limit();
        let short = usize::from(id[0] & 0x0f);
        let (length, at) = if extended { ((short << 8 | usize::from(id[1])) + 1, 2) } else { (short + 1, 1) };
        if length > limit {
            return Err(self.bad_id(format_args!("a tiny object of {length} bytes")));
        }
        id.get(at..at + length).ok_or_else(|| self.bad_id("too short"))
    }

    fn remove_tiny(&mut self, id: &[u8]) -> Result<()> {
        let length = self.tiny_object(id)?.len() as u64;
        self.header.tiny_count = self.header.tiny_count.saturating_sub(1);
        self.header.tiny_bytes = self.header.tiny_bytes.saturating_sub(length);
        Ok(())
    }

    /// Puts everything that is kept in memory into the store's blocks. Called before a flush.
    pub fn prepare(&mut self, store: &mut Store) -> Result<()> {
        if !self.changed {
            return Ok(());
        }
        self.settle_holes()?;
        self.free_empty_blocks(store)?;
        self.shrink_root(store)?;
        self.fill_parts(store)?;
        self.write_holes(store)?;
        self.prepare_huge(store)?;
        self.update_header();
        let length = self.header.length();
        let seal = Seal::At(length as u32 - 4);
        let id = store.block(self.address, length as u64, seal, "fractal heap header")?;
        store.bytes_mut(id).copy_from_slice(&self.header.encode());
        self.changed = false;
        Ok(())
    }

    fn update_header(&mut self) {
        let overhead = self.header.direct_overhead();
        let header = &mut self.header;
        header.allocated = self.table.bytes;
        header.iterator = self.table.end;
        let rows = u32::from(header.root_rows);
        let (size, capacity) = if header.root == UNDEFINED {
            (0, 0)
        } else if rows == 0 {
            (header.params.start_block, header.params.start_block - overhead)
        } else {
            (header.table.row_offset(rows), header.table.capacity(rows, overhead))
        };
        header.managed_size = size;
        header.free = capacity.saturating_sub(self.live);
        header.free_space = self.free_space.address;
    }

    /// Frees everything that the heap has in the file.
    pub fn delete(mut self, store: &mut Store) -> Result<()> {
        store.check_writable()?;
        self.load_table(store)?;
        if !self.holes_loaded {
            self.load_free_space(store)?;
        }
        self.free_space.delete(store);
        self.delete_huge(store)?;
        for block in &self.table.blocks {
            if block.address != UNDEFINED {
                let size = self.table.filtered.get(&block.offset).map_or(block.size.into(), |f| f.0);
                store.free(block.address, size);
            }
        }
        for block in self.table.indirect.values() {
            store.free(block.address, block.length);
        }
        store.free(self.address, self.header.length() as u64);
        Ok(())
    }

    /// What the heap holds.
    pub fn stats(&self) -> HeapStats {
        let header = &self.header;
        let (blocks, bytes) = if self.loaded { (self.table.count, self.table.bytes) } else { (0, header.allocated) };
        let overhead = header.direct_overhead();
        let live = if self.holes_loaded {
            self.live
        } else {
            let rows = u32::from(header.root_rows);
            let capacity = match (header.root, rows) {
                (UNDEFINED, _) => 0,
                (_, 0) => header.params.start_block - overhead,
                _ => header.table.capacity(rows, overhead),
            };
            capacity.saturating_sub(header.free)
        };
        let indirect = self.table.indirect_bytes;
        HeapStats {
            live_bytes: live.saturating_add(header.huge_bytes).saturating_add(header.tiny_bytes).min(MOST_BYTES),
            free_bytes: match header.filters {
                None => bytes.saturating_sub(blocks * overhead).saturating_sub(live).min(MOST_BYTES),
                Some(_) => 0,
            },
            blocks,
            managed: header.managed_count,
            huge: header.huge_count,
            tiny: header.tiny_count,
            file_bytes: (header.length() as u64 + bytes + indirect + self.free_space.file_bytes())
                .saturating_add(header.huge_bytes)
                .min(MOST_BYTES),
        }
    }
}

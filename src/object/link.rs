//! A group's links: compact in its object header or dense in a heap with indexes (specification IV.A.2.c "Link Info
//! Message" and IV.A.2.g "Link Message"), or those of an old group in a symbol table. An old group stays one until it
//! gets a link that a symbol table cannot hold.

use crate::btree::Location;
use crate::error::{Error, ErrorKind, Result};
use crate::format::message::link::{self, Link, Target};
use crate::format::message::link_info::LinkInfo;
use crate::format::message::{group_info::GroupInfo, kind};
use crate::format::symbol_table::SymbolTableMessage;
use crate::format::{Sizes, UNDEFINED};
use crate::heap::HeapParams;
use crate::object::dense::{DenseAddresses, DenseKind, DenseStore};
use crate::object::few::Room;
use crate::object::header::{NewMessage, ObjectHeader};
use crate::object::options::{Most, Order, Phase};
use crate::object::symbol_table::SymbolTable;
use crate::store::Store;

/// Dense links: name records of type 5, creation-order records of type 6, 7-byte heap IDs.
pub(super) struct LinkKind;

impl DenseKind for LinkKind {
    const NAME_TYPE: u8 = 5;
    const NAME_SIZE: usize = 11;
    const HASH_AT: usize = 0;
    const NAME_ID_AT: usize = 4;
    const ORDER_TYPE: u8 = 6;
    const ORDER_SIZE: usize = 15;
    const ORDER_ID_AT: usize = 8;
    const ID_LEN: usize = 7;

    fn heap_params() -> HeapParams {
        HeapParams::LINKS
    }

    fn name(object: &[u8]) -> Result<&[u8]> {
        link::name_of(object)
    }

    fn name_record(id: &[u8], _order: u64, hash: u32, record: &mut [u8]) {
        record[..4].copy_from_slice(&hash.to_le_bytes());
        record[4..11].copy_from_slice(id);
    }

    fn order_record(id: &[u8], order: u64, record: &mut [u8]) {
        record[..8].copy_from_slice(&order.to_le_bytes());
        record[8..15].copy_from_slice(id);
    }

    fn order_of_record(record: &[u8]) -> u64 {
        let mut order = [0; 8];
        order.copy_from_slice(&record[..8]);
        u64::from_le_bytes(order)
    }

    fn order_of(_name_record: &[u8], object: &[u8]) -> Option<u64> {
        link::creation_order_of(object).map(|order| order as u64)
    }

    fn is_shared(_record: &[u8]) -> bool {
        false
    }

    fn set_shared(_record: &mut [u8], _shared: bool) {}
}

/// What a link points to, owned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkTarget {
    /// An object of this file, by the address of its header.
    Hard(u64),
    /// A path, resolved when it is followed.
    Soft(Vec<u8>),
    /// A link of type 64 (external: an object of another file) to 255 (user-defined), kept as its data.
    User(u8, Vec<u8>),
}

/// One link as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StoredLink {
    pub target: LinkTarget,
    pub order: Option<i64>,
    /// Whether the name is said to be UTF-8, else ASCII.
    pub utf8: bool,
}

/// The links of one loaded group.
pub(super) struct Links {
    pub info: LinkInfo,
    pub(super) phase: Phase,
    dense: Option<Box<DenseStore<LinkKind>>>,
    /// Of an old group, which has nothing of the others.
    table: Option<Box<SymbolTable>>,
    pub(super) info_changed: bool,
    compact: u64,
}

/// Where a link that does not exist yet belongs. Valid until the group is changed or the operation ends.
pub(super) struct Place(Option<(Location, u32)>);

impl Links {
    /// The link storage that a group's header describes; nothing dense is read yet.
    pub fn of(store: &mut Store, header: &ObjectHeader) -> Result<Self> {
        let sizes = store.sizes();
        let (info, table) = match header.find(kind::LINK_INFO) {
            Some(index) => (LinkInfo::decode(header.body(store, index)?, sizes)?, None),
            None => (LinkInfo::new(false, false), open_table(store, header)?.map(Box::new)),
        };
        let mut phase = Phase {
            track_order: info.max_creation_order.is_some(),
            index_order: info.order_index.is_some(),
            ..Phase::default()
        };
        if let Some(index) = header.find(kind::GROUP_INFO) {
            let group = GroupInfo::decode(header.body(store, index)?)?;
            (phase.max_compact, phase.min_dense) = group.phase_change_values();
        }
        if !HeapParams::LINKS.fits(sizes) {
            (phase.max_compact, phase.min_dense) = (u16::MAX, 0);
        }
        let compact = header.count(kind::LINK) as u64;
        Ok(Links { info, phase, dense: None, table, info_changed: false, compact })
    }

    /// The messages of a new empty group.
    pub fn messages(phase: &Phase, sizes: Sizes) -> (Vec<u8>, Vec<u8>) {
        let defaults = Phase::default();
        let group = GroupInfo {
            phase_change: ((phase.max_compact, phase.min_dense) != (defaults.max_compact, defaults.min_dense))
                .then_some((phase.max_compact, phase.min_dense)),
            estimates: None,
        };
        let info = LinkInfo::new(phase.track_order, phase.index_order);
        (info.encode(sizes), group.encode())
    }

    /// The symbol table of an old group.
    pub fn table(&self) -> Option<&SymbolTable> {
        self.table.as_deref()
    }

    /// Whether the dense store is in memory.
    pub fn is_dense_loaded(&self) -> bool {
        self.dense.is_some()
    }

    /// The dense store, loaded if the links are dense.
    pub fn dense(&mut self, store: &mut Store) -> Result<Option<&mut DenseStore<LinkKind>>> {
        if self.dense.is_none() && self.info.heap != UNDEFINED {
            let addresses = DenseAddresses {
                heap: self.info.heap,
                names: self.info.name_index,
                order: self.info.order_index.filter(|&address| address != UNDEFINED),
            };
            self.dense = Some(Box::new(DenseStore::open(store, addresses)?));
        }
        Ok(self.dense.as_deref_mut())
    }

    /// The dense store if it is in memory.
    pub fn loaded_dense(&mut self) -> Option<&mut DenseStore<LinkKind>> {
        self.dense.as_deref_mut()
    }

    /// Links in the group.
    pub fn len(&mut self, store: &mut Store) -> Result<u64> {
        if let Some(table) = &mut self.table {
            return table.len(store);
        }
        let compact = self.compact;
        Ok(self.dense(store)?.map_or(compact, |dense| dense.len()))
    }

    /// The link of this name.
    pub fn find(&mut self, store: &mut Store, header: &ObjectHeader, name: &[u8]) -> Result<Option<StoredLink>> {
        let sizes = store.sizes();
        if let Some(table) = &self.table {
            return Ok(table.find(store, name)?.map(untracked));
        }
        if let Some(dense) = self.dense(store)? {
            let mut found = Ok(None);
            dense.look_up(store, name, |_, object| found = target_of(object, sizes).map(Some))?;
            return found;
        }
        match find_compact(store, header, name)? {
            Some(index) => target_of(header.body(store, index)?, sizes).map(Some),
            None => Ok(None),
        }
    }

    /// Whether there is a link of this name.
    pub fn contains(&mut self, store: &mut Store, header: &ObjectHeader, name: &[u8]) -> Result<bool> {
        if let Some(table) = &self.table {
            return Ok(table.find(store, name)?.is_some());
        }
        if let Some(dense) = self.dense(store)? {
            return dense.look_up(store, name, |_, _| ());
        }
        Ok(find_compact(store, header, name)?.is_some())
    }

    /// Where a link of this name belongs; a name that is taken is an error.
    pub fn place(&mut self, store: &mut Store, header: &ObjectHeader, name: &[u8]) -> Result<Place> {
        if self.table.is_none() {
            if let Some(dense) = self.dense(store)? {
                let (location, hash) = dense.locate_to_edit(store, name)?;
                return if location.found { Err(exists(name)) } else { Ok(Place(Some((location, hash)))) };
            }
        }
        match self.contains(store, header, name)? {
            true => Err(exists(name)),
            false => Ok(Place(None)),
        }
    }

    /// Adds a link where it belongs.
    pub fn insert(
        &mut self,
        store: &mut Store,
        header: &mut ObjectHeader,
        scratch: &mut Vec<u8>,
        (name, target): (&[u8], &LinkTarget),
        place: Place,
    ) -> Result<()> {
        // What libhdf5 converts a group for: a symbol table knows no character set and no further types of links.
        if !name.is_ascii() || matches!(target, LinkTarget::User(..)) {
            self.leave_table(store, header, scratch)?;
        }
        if let Some(table) = &mut self.table {
            return table.insert(store, name, target);
        }
        scratch.clear();
        encode(scratch, name, target, self.info.max_creation_order, !name.is_ascii(), store.sizes())?;
        self.put(store, header, scratch, place)?;
        if let Some(order) = &mut self.info.max_creation_order {
            *order += 1;
            self.info_changed = true;
        }
        Ok(())
    }

    /// Adds an encoded link where it belongs in a group without a symbol table.
    pub(super) fn put(
        &mut self,
        store: &mut Store,
        header: &mut ObjectHeader,
        link: &[u8],
        place: Place,
    ) -> Result<()> {
        let (name, order) = (link::name_of(link)?, link::creation_order_of(link).unwrap_or(0) as u64);
        if let Some(dense) = self.dense(store)? {
            let (location, hash) = dense.place_without_filters(store, name, place.0)?;
            return dense.insert_at(store, &location, hash, order, link);
        }
        if self.compact >= u64::from(self.phase.max_compact) || link.len() > header.max_body() {
            self.make_dense(store, header)?;
            if let Some(dense) = &mut self.dense {
                dense.insert(store, name, order, link)?;
            }
        } else {
            header.insert(store, &message(kind::LINK, link))?;
            self.compact += 1;
        }
        Ok(())
    }

    /// Removes the link of this name; what it pointed to, or `None` when there is none.
    pub fn remove(&mut self, store: &mut Store, header: &mut ObjectHeader, name: &[u8]) -> Result<Option<StoredLink>> {
        let sizes = store.sizes();
        if let Some(table) = &mut self.table {
            return Ok(table.remove(store, name)?.map(untracked));
        }
        if let Some(dense) = self.dense(store)? {
            let mut found = Ok(None);
            let mut place = Location::nowhere();
            let note = |_: &[u8], object: &[u8]| found = target_of(object, sizes).map(Some);
            let hash = dense.seek_to_remove(store, name, note, &mut place)?;
            let link = found?;
            if place.found {
                let (location, _) = dense.place_without_filters(store, name, Some((place, hash)))?;
                let record = dense.record(store, &location);
                dense.remove_at(store, &location, &record)?;
            }
            return Ok(link);
        }
        let Some(index) = find_compact(store, header, name)? else { return Ok(None) };
        let link = target_of(header.body(store, index)?, sizes)?;
        header.remove(store, index)?;
        self.compact -= 1;
        Ok(Some(link))
    }

    /// All links in the order asked for.
    pub fn list(
        &mut self,
        store: &mut Store,
        header: &ObjectHeader,
        order: Order,
    ) -> Result<Vec<(Vec<u8>, StoredLink)>> {
        if matches!(order, Order::Creation | Order::CreationReverse) && !self.phase.track_order {
            return Err(Error::new(
                ErrorKind::Argument,
                "creation order is not tracked by this group; native order and order by name are available",
            ));
        }
        let sizes = store.sizes();
        let mut all = Vec::with_capacity(self.len(store)?.min(1 << 20) as usize);
        if let Some(table) = &self.table {
            all.extend(table.list(store)?.into_iter().map(|(name, target)| (name, untracked(target))));
        } else if let Some(dense) = self.dense(store)? {
            dense.for_each(store, |_, object| {
                all.push(stored(object, sizes)?);
                Ok(true)
            })?;
        } else {
            for index in header.find_all(kind::LINK) {
                all.push(stored(header.body(store, index)?, sizes)?);
            }
        }
        match order {
            Order::Native => {}
            Order::Name => all.sort_unstable_by(|a, b| a.0.cmp(&b.0)),
            Order::NameReverse => all.sort_unstable_by(|a, b| b.0.cmp(&a.0)),
            Order::Creation => all.sort_unstable_by_key(|(_, link)| link.order),
            Order::CreationReverse => all.sort_unstable_by_key(|(_, link)| std::cmp::Reverse(link.order)),
        }
        Ok(all)
    }

    /// The addresses of the objects that hard links of the group point to.
    pub fn hard_targets(&mut self, store: &mut Store, header: &ObjectHeader) -> Result<Vec<u64>> {
        let all = self.list(store, header, Order::Native)?;
        let hard = |(_, link): (_, StoredLink)| match link.target {
            LinkTarget::Hard(address) => Some(address),
            _ => None,
        };
        Ok(all.into_iter().filter_map(hard).collect())
    }

    /// Makes an old group a new one: its links are kept as messages or densely from now on.
    fn leave_table(&mut self, store: &mut Store, header: &mut ObjectHeader, scratch: &mut Vec<u8>) -> Result<()> {
        let Some(table) = self.table.take() else { return Ok(()) };
        let all = table.list(store)?;
        table.delete(store)?;
        if let Some(index) = header.find(kind::SYMBOL_TABLE) {
            header.remove(store, index)?;
        }
        let (info, group) = Links::messages(&self.phase, store.sizes());
        header.insert(store, &message(kind::LINK_INFO, &info))?;
        header.insert(store, &message(kind::GROUP_INFO, &group))?;
        all.iter().try_for_each(|(name, target)| self.insert(store, header, scratch, (name, target), Place(None)))
    }

    fn make_dense(&mut self, store: &mut Store, header: &mut ObjectHeader) -> Result<()> {
        let mut dense = DenseStore::create(store, self.phase.index_order)?;
        while let Some(index) = header.find(kind::LINK) {
            let body = header.body(store, index)?.to_vec();
            let order = link::creation_order_of(&body).unwrap_or(0) as u64;
            dense.insert(store, link::name_of(&body)?, order, &body)?;
            header.remove(store, index)?;
        }
        self.compact = 0;
        self.dense = Some(Box::new(dense));
        self.info_changed = true;
        Ok(())
    }

    /// Brings dense links back into the object header when there are no more than `most`; whether it did.
    pub fn make_compact(&mut self, store: &mut Store, header: &mut ObjectHeader, most: Most) -> Result<bool> {
        let phase = self.phase;
        let Some(dense) = self.dense(store)? else { return Ok(false) };
        if dense.len() > most(&phase) {
            return Ok(false);
        }
        let (mut room, mut bodies) = (Room::of(header), Vec::new());
        dense.for_each(store, |_, object| {
            bodies.push(object.to_vec());
            Ok(room.takes(object))
        })?;
        if room.is_exceeded() {
            return Ok(false);
        }
        bodies.sort_by_key(|body| link::creation_order_of(body));
        for body in &bodies {
            header.insert(store, &message(kind::LINK, body))?;
        }
        self.compact = bodies.len() as u64;
        if let Some(dense) = self.dense.take() {
            dense.delete(store)?;
        }
        self.info.heap = UNDEFINED;
        self.info.name_index = UNDEFINED;
        self.info.order_index = phase.index_order.then_some(UNDEFINED);
        self.info_changed = true;
        Ok(true)
    }

    /// Gives the space of the dense store or the symbol table back: the group is deleted.
    pub fn delete(&mut self, store: &mut Store) -> Result<()> {
        if let Some(table) = self.table.take() {
            return table.delete(store);
        }
        self.dense(store)?;
        match self.dense.take() {
            Some(dense) => dense.delete(store),
            None => Ok(()),
        }
    }

    /// Makes dense storage and the Link Info message ready for the flush.
    pub fn prepare(&mut self, store: &mut Store, header: &mut ObjectHeader) -> Result<()> {
        if let Some(table) = &mut self.table {
            return table.prepare(store);
        }
        if self.dense.as_ref().is_some_and(|dense| dense.len() == 0) {
            self.make_compact(store, header, |_| 0)?;
        }
        if let Some(dense) = &mut self.dense {
            dense.prepare(store)?;
            let addresses = dense.addresses();
            let before = self.info;
            self.info.heap = addresses.heap;
            self.info.name_index = addresses.names;
            self.info.order_index = addresses.order.or(self.info.order_index);
            self.info_changed |= self.info != before;
        }
        if std::mem::take(&mut self.info_changed) {
            let body = self.info.encode(store.sizes());
            match header.find(kind::LINK_INFO) {
                Some(index) => header.replace(store, index, &body)?,
                None => header.insert(store, &message(kind::LINK_INFO, &body)).map(|_| ())?,
            }
        }
        Ok(())
    }
}

fn open_table(store: &mut Store, header: &ObjectHeader) -> Result<Option<SymbolTable>> {
    let Some(index) = header.find(kind::SYMBOL_TABLE) else { return Ok(None) };
    let sizes = store.sizes();
    let message = SymbolTableMessage::decode(header.body(store, index)?, sizes)?;
    SymbolTable::open(store, message).map(Some)
}

fn untracked(target: LinkTarget) -> StoredLink {
    StoredLink { target, order: None, utf8: false }
}

fn find_compact(store: &mut Store, header: &ObjectHeader, name: &[u8]) -> Result<Option<usize>> {
    for index in header.find_all(kind::LINK) {
        if link::name_of(header.body(store, index)?)? == name {
            return Ok(Some(index));
        }
    }
    Ok(None)
}

fn message(kind: u8, body: &[u8]) -> NewMessage<'_> {
    NewMessage { kind, flags: 0, order: 0, body }
}

fn exists(name: &[u8]) -> Error {
    Error::new(ErrorKind::Exists, format!("there is a link named '{}' already", String::from_utf8_lossy(name)))
}

pub(super) fn encode(
    out: &mut Vec<u8>,
    name: &[u8],
    target: &LinkTarget,
    creation_order: Option<i64>,
    utf8: bool,
    sizes: Sizes,
) -> Result<()> {
    let target = match target {
        LinkTarget::Hard(address) => Target::Hard(*address),
        LinkTarget::Soft(path) => Target::Soft(path),
        LinkTarget::User(kind, bytes) => Target::User(*kind, bytes),
    };
    Link { name, utf8, creation_order, target }.encode(sizes, out)
}

fn stored(body: &[u8], sizes: Sizes) -> Result<(Vec<u8>, StoredLink)> {
    let link = Link::decode(body, sizes)?;
    Ok((link.name.to_vec(), owned(link)))
}

/// A stored link without its name.
fn target_of(body: &[u8], sizes: Sizes) -> Result<StoredLink> {
    Link::decode(body, sizes).map(owned)
}

fn owned(link: Link<'_>) -> StoredLink {
    let target = match link.target {
        Target::Hard(address) => LinkTarget::Hard(address),
        Target::Soft(path) => LinkTarget::Soft(path.to_vec()),
        Target::User(kind, bytes) => LinkTarget::User(kind, bytes.to_vec()),
    };
    StoredLink { target, order: link.creation_order, utf8: link.utf8 }
}

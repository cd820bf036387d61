//! An object's attributes: compact in its object header or dense in a heap with indexes (specification IV.A.2.m
//! "Attribute Message" and IV.A.2.v "Attribute Info Message").

use crate::btree::Location;
use crate::error::{Error, ErrorKind, Result};
use crate::format::header::message_flag;
use crate::format::message::attribute;
use crate::format::message::attribute_info::AttributeInfo;
use crate::format::message::kind;
use crate::format::message::shared::LostUse;
use crate::format::UNDEFINED;
use crate::heap::HeapParams;
use crate::object::attribute_compact::{
    find_compact, insert_compact, insert_shared_compact, lost_at, order_at, NO_ORDER,
};
use crate::object::attribute_lost::{has_references, with_parts};
pub(super) use crate::object::attribute_lost::{lost, lost_uses, Lost};
pub(super) use crate::object::attribute_records::AttributeKind;
use crate::object::dense::{DenseAddresses, DenseKind, DenseStore, MAX_RECORD};
use crate::object::few::Room;
use crate::object::header::{NewMessage, ObjectHeader};
use crate::object::options::{Most, Order, Phase};
use crate::store::Store;

/// What storing an attribute did.
pub(super) enum Put {
    /// There was none of this name.
    New,
    /// One was replaced, which may have referred to what is to be released.
    Replaced(Lost),
}

impl DenseStore<AttributeKind> {
    /// What the attribute at a location refers to.
    #[inline]
    fn lost_at(&mut self, store: &mut Store, location: &Location) -> Result<Lost> {
        let sizes = store.sizes();
        let record = self.record(store, location);
        match AttributeKind::is_shared(&record) {
            true => Ok(Lost::default()),
            false => lost(self.object(store, &record)?, sizes),
        }
    }

    /// Gives the attributes the creation orders 0, 1, 2, … in their order.
    fn renumber(&mut self, store: &mut Store) -> Result<()> {
        let mut all = Vec::with_capacity(self.len() as usize);
        self.for_each(store, |record, object| {
            all.push((AttributeKind::order_of_record(record), attribute::name_of(object)?.to_vec()));
            Ok(true)
        })?;
        all.sort_unstable();
        // Ascending, so a number is never given while a later attribute still has it.
        for (new, (old, name)) in all.into_iter().enumerate() {
            if new as u64 != old {
                self.set_order(store, &name, old, new as u64)?;
            }
        }
        Ok(())
    }

    fn set_order(&mut self, store: &mut Store, name: &[u8], old: u64, new: u64) -> Result<()> {
        let (location, _) = self.locate(store, name)?;
        let mut record = self.record(store, &location);
        record[9..13].copy_from_slice(&(new as u32).to_le_bytes());
        self.names.record_at_mut(store, &location)[9..13].copy_from_slice(&record[9..13]);
        self.reorder(store, &record[..8], old, new)
    }
}

/// The attributes of one loaded object.
pub(super) struct Attributes {
    pub info: Option<AttributeInfo>,
    pub(super) phase: Phase,
    pub(super) dense: Option<Box<DenseStore<AttributeKind>>>,
    pub(super) info_changed: bool,
    pub(super) compact: u64,
}

impl Attributes {
    /// The attribute storage that an object's header describes; nothing dense is read yet.
    pub fn of(store: &mut Store, header: &ObjectHeader) -> Result<Self> {
        let sizes = store.sizes();
        let info = match header.find(kind::ATTRIBUTE_INFO) {
            Some(index) => Some(AttributeInfo::decode(header.body(store, index)?, sizes)?),
            None => None,
        };
        let (max_compact, min_dense) = match header.is_old() || !HeapParams::ATTRIBUTES.fits(sizes) {
            // An old header keeps all of them as messages; libhdf5 looks for dense ones in version 2 only.
            true => (u16::MAX, 0),
            false => header.phase_change(),
        };
        let (track_order, index_order) = (header.is_order_tracked(), header.is_order_indexed());
        let phase = Phase { max_compact, min_dense, track_order, index_order };
        let compact = header.count(kind::ATTRIBUTE) as u64;
        Ok(Attributes { info, phase, dense: None, info_changed: false, compact })
    }

    /// Whether the dense store is in memory.
    pub fn is_dense_loaded(&self) -> bool {
        self.dense.is_some()
    }

    /// The dense store, loaded if the attributes are dense.
    #[inline]
    pub fn dense(&mut self, store: &mut Store) -> Result<Option<&mut DenseStore<AttributeKind>>> {
        if self.dense.is_none() {
            self.load_dense(store)?;
        }
        Ok(self.dense.as_deref_mut())
    }

    fn load_dense(&mut self, store: &mut Store) -> Result<()> {
        let Some(info) = self.info.as_ref().filter(|info| info.heap != UNDEFINED) else { return Ok(()) };
        let addresses = DenseAddresses {
            heap: info.heap,
            names: info.name_index,
            order: info.order_index.filter(|&address| address != UNDEFINED),
        };
        self.dense = Some(Box::new(DenseStore::open(store, addresses)?));
        Ok(())
    }

    /// The dense store if it is in memory.
    pub fn loaded_dense(&mut self) -> Option<&mut DenseStore<AttributeKind>> {
        self.dense.as_deref_mut()
    }

    /// Attributes of the object.
    pub fn len(&mut self, store: &mut Store) -> Result<u64> {
        let compact = self.compact;
        Ok(self.dense(store)?.map_or(compact, |dense| dense.len()))
    }

    /// Calls `read` with the attribute message of this name; `None` when there is none.
    pub fn with<R>(
        &mut self,
        store: &mut Store,
        header: &ObjectHeader,
        name: &[u8],
        read: impl FnOnce(&[u8], Option<u32>) -> Result<R>,
    ) -> Result<Option<R>> {
        let tracked = self.phase.track_order;
        if let Some(dense) = self.dense(store)? {
            let (location, _) = dense.locate(store, name)?;
            if !location.found {
                return Ok(None);
            }
            let record = dense.record(store, &location);
            let order = tracked.then(|| AttributeKind::order_of_record(&record) as u32);
            let message = dense.object(store, &record)?;
            if !has_references(message) {
                return read(message, order).map(Some);
            }
            let message = message.to_vec();
            return read(&with_parts(store, &message)?, order).map(Some);
        }
        let Some(index) = find_compact(store, header, name)? else { return Ok(None) };
        let order = tracked.then(|| u32::from(header.messages()[index].order));
        let message = header.body(store, index)?;
        if !has_references(message) {
            return read(message, order).map(Some);
        }
        let message = message.to_vec();
        read(&with_parts(store, &message)?, order).map(Some)
    }

    /// Whether there is an attribute of this name.
    pub fn contains(&mut self, store: &mut Store, header: &ObjectHeader, name: &[u8]) -> Result<bool> {
        if let Some(dense) = self.dense(store)? {
            return dense.look_up(store, name, |_, _| ());
        }
        Ok(find_compact(store, header, name)?.is_some())
    }

    /// Stores an encoded attribute message under its name; one of the same name is replaced and keeps its creation
    /// order.
    #[inline]
    pub fn put(&mut self, store: &mut Store, header: &mut ObjectHeader, name: &[u8], message: &[u8]) -> Result<Put> {
        let tracked = self.phase.track_order;
        let Some(dense) = self.dense(store)? else { return self.put_compact(store, header, name, message) };
        let mut location = Location::nowhere();
        let hash = dense.seek_to_put(store, name, &mut location)?;
        if location.found {
            let released = dense.lost_at(store, &location)?;
            dense.replace_at(store, &location, message)?;
            return Ok(Put::Replaced(released));
        }
        if tracked {
            return self.put_tracked(store, header, name, message);
        }
        dense.insert_at(store, &location, hash, u64::from(NO_ORDER), message)?;
        Ok(Put::New)
    }

    /// A new attribute where creation order is tracked: the order is taken first, for that may renumber the index.
    fn put_tracked(
        &mut self,
        store: &mut Store,
        header: &mut ObjectHeader,
        name: &[u8],
        message: &[u8],
    ) -> Result<Put> {
        let order = self.next_order(store, header)?;
        if let Some(dense) = &mut self.dense {
            dense.insert(store, name, u64::from(order), message)?;
        }
        Ok(Put::New)
    }

    fn put_compact(
        &mut self,
        store: &mut Store,
        header: &mut ObjectHeader,
        name: &[u8],
        message: &[u8],
    ) -> Result<Put> {
        self.leave_old_header(store, header, message)?;
        if let Some(index) = find_compact(store, header, name)? {
            let released = lost_at(store, header, index)?;
            if message.len() <= header.max_body() {
                header.replace(store, index, message)?;
            } else {
                self.make_dense(store, header)?;
                if let Some(dense) = &mut self.dense {
                    let (location, _) = dense.locate(store, name)?;
                    dense.replace_at(store, &location, message)?;
                }
            }
            return Ok(Put::Replaced(released));
        }
        if self.compact >= u64::from(self.phase.max_compact) || message.len() > header.max_body() {
            self.make_dense(store, header)?;
            return self.put_tracked(store, header, name, message);
        }
        let order = self.next_order(store, header)?;
        if !header.is_old() {
            // libhdf5 counts attributes only where this message is, though it iterates over them without it.
            self.info_changed |= self.info.is_none();
            self.info_mut();
        }
        insert_compact(store, header, order, message)?;
        self.compact += 1;
        Ok(Put::New)
    }

    /// A header of version 1 cannot hold so long a message, nor can it have dense attributes.
    pub(super) fn leave_old_header(
        &mut self,
        store: &mut Store,
        header: &mut ObjectHeader,
        message: &[u8],
    ) -> Result<()> {
        if header.is_old() && message.len() > header.max_body() {
            header.upgrade(store)?;
            (self.phase.max_compact, self.phase.min_dense) = header.phase_change();
            self.info_mut();
            self.info_changed = true;
        }
        Ok(())
    }

    /// The creation order of the next attribute. The format's counter has 16 bits; when it is used up, the living
    /// attributes are renumbered, which libhdf5 does not do.
    fn next_order(&mut self, store: &mut Store, header: &mut ObjectHeader) -> Result<u16> {
        if !self.phase.track_order {
            return Ok(NO_ORDER);
        }
        let order = match self.info.as_ref().and_then(|info| info.max_creation_order) {
            Some(NO_ORDER) => self.renumber(store, header)?,
            Some(current) => current,
            // Nobody says which ones the living attributes have.
            None if self.len(store)? > 0 => self.renumber(store, header)?,
            None => 0,
        };
        let info = self.info_mut();
        info.max_creation_order = Some(order + 1);
        self.info_changed = true;
        Ok(order)
    }

    fn renumber(&mut self, store: &mut Store, header: &mut ObjectHeader) -> Result<u16> {
        let alive = self.len(store)?;
        if alive >= u64::from(NO_ORDER) {
            return Err(Error::new(
                ErrorKind::Limit,
                "65,535 attributes are alive on an object that tracks their creation order, the most that the format \
                 can number; delete some, or use an object that does not track it",
            ));
        }
        if let Some(dense) = &mut self.dense {
            dense.renumber(store)?;
        } else {
            let mut all: Vec<_> =
                header.find_all(kind::ATTRIBUTE).map(|index| (header.messages()[index].order, index)).collect();
            all.sort_unstable();
            for (order, (_, index)) in all.into_iter().enumerate() {
                header.set_order(store, index, order as u16)?;
            }
        }
        Ok(alive as u16)
    }

    /// Before orders become keys of an index: renumbers them where nobody counts them, or a damaged header has one twice
    /// or one that is still to be given.
    fn mend_orders(&mut self, store: &mut Store, header: &mut ObjectHeader) -> Result<()> {
        if !self.phase.track_order {
            return Ok(());
        }
        let mut orders: Vec<_> = header.find_all(kind::ATTRIBUTE).map(|at| header.messages()[at].order).collect();
        orders.sort_unstable();
        let next = self.info.as_ref().and_then(|info| info.max_creation_order);
        let hold = next.is_some_and(|next| orders.last().is_none_or(|last| *last < next));
        if !hold || orders.windows(2).any(|pair| pair[0] == pair[1]) {
            let next = self.renumber(store, header)?;
            self.info_mut().max_creation_order = Some(next);
        }
        Ok(())
    }

    pub(super) fn info_mut(&mut self) -> &mut AttributeInfo {
        let phase = self.phase;
        self.info.get_or_insert_with(|| AttributeInfo::new(phase.track_order, phase.index_order))
    }

    /// Removes the attribute of this name; `None` when there is none, else what it referred to.
    #[inline]
    pub fn remove(&mut self, store: &mut Store, header: &mut ObjectHeader, name: &[u8]) -> Result<Option<Lost>> {
        if let Some(dense) = self.dense(store)? {
            let (sizes, mut released, mut record) = (store.sizes(), Ok(Lost::default()), [0; MAX_RECORD]);
            let note = |found: &[u8], object: &[u8]| {
                record = DenseStore::<AttributeKind>::copy_of(found);
                released = lost(object, sizes);
            };
            let mut location = Location::nowhere();
            dense.seek_to_remove(store, name, note, &mut location)?;
            if !location.found {
                return Ok(None);
            }
            let released = if AttributeKind::is_shared(&record) { Lost::default() } else { released? };
            dense.remove_at(store, &location, &record)?;
            return Ok(Some(released));
        }
        let Some(index) = find_compact(store, header, name)? else { return Ok(None) };
        let released = lost_at(store, header, index)?;
        header.remove(store, index)?;
        self.compact -= 1;
        Ok(Some(released))
    }

    /// All names in the order asked for.
    pub fn names(&mut self, store: &mut Store, header: &ObjectHeader, order: Order) -> Result<Vec<Vec<u8>>> {
        if matches!(order, Order::Creation | Order::CreationReverse) && !self.phase.track_order {
            return Err(Error::new(
                ErrorKind::Argument,
                "creation order is not tracked by this object; native order and order by name are available",
            ));
        }
        let mut all: Vec<(u64, Vec<u8>)> = Vec::with_capacity(self.len(store)?.min(1 << 20) as usize);
        if let Some(dense) = self.dense(store)? {
            dense.for_each(store, |record, object| {
                let name = attribute::name_of(object)?;
                all.push((AttributeKind::order_of_record(record), name.to_vec()));
                Ok(true)
            })?;
        } else {
            for index in header.find_all(kind::ATTRIBUTE) {
                let name = attribute::name_of(header.body(store, index)?)?;
                all.push((u64::from(header.messages()[index].order), name.to_vec()));
            }
        }
        match order {
            Order::Native => {}
            Order::Name => all.sort_unstable_by(|a, b| a.1.cmp(&b.1)),
            Order::NameReverse => all.sort_unstable_by(|a, b| b.1.cmp(&a.1)),
            Order::Creation => all.sort_unstable_by_key(|(order, _)| *order),
            Order::CreationReverse => all.sort_unstable_by_key(|(order, _)| std::cmp::Reverse(*order)),
        }
        Ok(all.into_iter().map(|(_, name)| name).collect())
    }

    pub(super) fn make_dense(&mut self, store: &mut Store, header: &mut ObjectHeader) -> Result<()> {
        self.mend_orders(store, header)?;
        let mut dense = DenseStore::create(store, self.phase.index_order)?;
        while let Some(index) = header.find(kind::ATTRIBUTE) {
            let order = order_at(header, index);
            if let Some(id) = header.heap_id(store, index)? {
                dense.insert_shared(store, u64::from(order), &id)?;
            } else {
                let body = header.body(store, index)?.to_vec();
                dense.insert(store, attribute::name_of(&body)?, u64::from(order), &body)?;
            }
            header.take_away(store, index)?;
        }
        self.compact = 0;
        self.dense = Some(Box::new(dense));
        self.info_mut();
        self.info_changed = true;
        Ok(())
    }

    /// Brings dense attributes back into the object header when there are no more than `most`; whether it did.
    pub fn make_compact(&mut self, store: &mut Store, header: &mut ObjectHeader, most: Most) -> Result<bool> {
        let phase = self.phase;
        let Some(dense) = self.dense(store)? else { return Ok(false) };
        if dense.len() > most(&phase) {
            return Ok(false);
        }
        let (mut room, mut all) = (Room::of(header), Vec::new());
        dense.for_each(store, |record, object| {
            let shared = DenseStore::<AttributeKind>::shared_id(record);
            let object = if shared.is_some() { &[] } else { object };
            all.push((AttributeKind::order_of_record(record) as u16, shared, object.to_vec()));
            Ok(room.takes(object))
        })?;
        if room.is_exceeded() {
            return Ok(false);
        }
        all.sort_by_key(|(order, ..)| *order);
        for (order, shared, body) in &all {
            match shared {
                Some(id) => insert_shared_compact(store, header, *order, *id)?,
                None => insert_compact(store, header, *order, body).map(|_| ())?,
            }
        }
        self.compact = all.len() as u64;
        if let Some(dense) = self.dense.take() {
            dense.delete(store)?;
        }
        let info = self.info_mut();
        info.heap = UNDEFINED;
        info.name_index = UNDEFINED;
        info.order_index = phase.index_order.then_some(UNDEFINED);
        self.info_changed = true;
        Ok(true)
    }

    /// Gives the dense store's space back: the object is deleted. What its attributes referred to joins `released`.
    pub fn delete(&mut self, store: &mut Store, header: &ObjectHeader, released: &mut Vec<Lost>) -> Result<()> {
        let sizes = store.sizes();
        for index in header.find_all(kind::ATTRIBUTE) {
            released.push(lost_at(store, header, index)?);
        }
        let mut shared = Vec::new();
        if let Some(dense) = self.dense(store)? {
            dense.for_each(store, |record, object| {
                match DenseStore::<AttributeKind>::shared_id(record) {
                    Some(id) => shared.push(LostUse::Heap { kind: kind::ATTRIBUTE, id, keeps_value: false }),
                    None => released.push(lost(object, sizes)?),
                }
                Ok(true)
            })?;
        }
        store.shared_mut().lost.append(&mut shared);
        match self.dense.take() {
            Some(dense) => dense.delete(store),
            None => Ok(()),
        }
    }

    /// Makes dense storage and the Attribute Info message ready for the flush.
    pub fn prepare(&mut self, store: &mut Store, header: &mut ObjectHeader) -> Result<()> {
        if self.dense.as_ref().is_some_and(|dense| dense.len() == 0) {
            self.make_compact(store, header, |_| 0)?;
        }
        if let Some(dense) = &mut self.dense {
            dense.prepare(store)?;
            let addresses = dense.addresses();
            let info = self.info_mut();
            let before = *info;
            info.heap = addresses.heap;
            info.name_index = addresses.names;
            info.order_index = addresses.order.or(info.order_index);
            let changed = *info != before;
            self.info_changed |= changed;
        }
        if !std::mem::take(&mut self.info_changed) {
            return Ok(());
        }
        let Some(info) = &self.info else { return Ok(()) };
        let body = info.encode(store.sizes());
        match header.find(kind::ATTRIBUTE_INFO) {
            Some(index) => header.replace(store, index, &body),
            None => {
                let flags = message_flag::DONT_SHARE;
                let message = NewMessage { kind: kind::ATTRIBUTE_INFO, flags, order: 0, body: &body };
                header.insert(store, &message).map(|_| ())
            }
        }
    }
}

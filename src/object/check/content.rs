//! What an object holds: its messages, its attributes and links, its indexes against each other.

use std::collections::HashSet;

use crate::datatype::Datatype;
use crate::error::{Damage, Error, Result};
use crate::format::checksum::name_hash;
use crate::format::message::attribute::{self, Attribute};
use crate::format::message::attribute_info::AttributeInfo;
use crate::format::message::dataspace::Dataspace;
use crate::format::message::external_files::ExternalFiles;
use crate::format::message::file_space::FileSpaceInfo;
use crate::format::message::fill::FillValue;
use crate::format::message::group_info::GroupInfo;
use crate::format::message::layout::Layout;
use crate::format::message::link::{self, Link};
use crate::format::message::link_info::LinkInfo;
use crate::format::message::plain::{self, BTreeK};
use crate::format::message::{filter_pipeline, kind};
use crate::format::Sizes;
use crate::object::attribute::Attributes;
use crate::object::attribute_lost::{has_references, with_parts};
use crate::object::dense::{DenseKind, DenseStore};
use crate::object::header::ObjectHeader;
use crate::object::link::Links;
use crate::object::value::{self, TypeOf};
use crate::object::walk::Walk;
use crate::store::Store;

/// Messages of which an object has one at most.
const SINGLE: [u8; 9] = [
    kind::DATASPACE,
    kind::LINK_INFO,
    kind::DATATYPE,
    kind::FILL,
    kind::LAYOUT,
    kind::GROUP_INFO,
    kind::FILTER_PIPELINE,
    kind::ATTRIBUTE_INFO,
    kind::REFERENCE_COUNT,
];

impl Walk<'_> {
    /// The header's chunks, and that every message can be read.
    pub(in crate::object) fn check_header(
        &mut self,
        store: &mut Store,
        number: u32,
        header: &ObjectHeader,
    ) -> Result<()> {
        let checked = header.check(store);
        self.attempt(number, checked)?;
        for (index, message) in header.messages().iter().enumerate() {
            let read = match header.shared_object(store, index) {
                Ok(Some(_)) => Ok(()),
                Ok(None) => match header.body(store, index).map(<[u8]>::to_vec) {
                    Ok(body) => check_message(store, message.kind, &body),
                    Err(error) => Err(error),
                },
                Err(error) => Err(error),
            };
            self.attempt(number, read.map_err(|e| e.at(header.address())))?;
        }
        for kind in SINGLE.into_iter().filter(|&kind| header.count(kind) > 1) {
            let detail = format_args!("{} messages of type {kind:#04x}", header.count(kind));
            let error = Error::corrupt("object header", header.address(), detail);
            self.tell(number, error.because(Damage::Count))?;
        }
        Ok(())
    }

    /// Compact attributes: names once, creation orders in their range.
    pub(in crate::object) fn check_attributes(
        &mut self,
        store: &mut Store,
        number: u32,
        header: &ObjectHeader,
        attributes: &mut Attributes,
    ) -> Result<()> {
        let next = attributes.info.as_ref().and_then(|info| info.max_creation_order).map(u64::from);
        let mut compact = Compact::new("attribute", header.address(), next.filter(|_| header.is_order_tracked()));
        for index in header.find_all(kind::ATTRIBUTE) {
            let order = u64::from(header.messages()[index].order);
            let seen = header.body(store, index).and_then(attribute::name_of).and_then(|n| compact.see(n, Some(order)));
            self.attempt(number, seen)?;
        }
        let dense = attributes.dense(store);
        let Some(Some(dense)) = self.attempt(number, dense)? else { return Ok(()) };
        self.check_dense(store, number, dense, next.filter(|_| header.is_order_tracked()), header.is_order_indexed())?;
        let sizes = store.sizes();
        let mut with_references = Vec::new();
        let mut read = dense.for_each(store, |_, object| match has_references(object) {
            true => {
                with_references.push(object.to_vec());
                Ok(true)
            }
            false => check_attribute(object, sizes).map(|()| true),
        });
        for message in with_references {
            read = read.and_then(|()| check_message(store, kind::ATTRIBUTE, &message));
        }
        self.attempt(number, read.map_err(|e| e.at(header.address()))).map(|_| ())
    }

    /// Links: names once, creation orders in their range.
    pub(in crate::object) fn check_links(
        &mut self,
        store: &mut Store,
        number: u32,
        header: &ObjectHeader,
        links: &mut Links,
    ) -> Result<()> {
        let next = links.info.max_creation_order.map(|next| next as u64);
        let mut compact = Compact::new("link", header.address(), next);
        for index in header.find_all(kind::LINK) {
            let seen = header.body(store, index).and_then(|body| {
                let order = link::creation_order_of(body).map(|order| order as u64);
                compact.see(link::name_of(body)?, order)
            });
            self.attempt(number, seen)?;
        }
        if let Some(table) = links.table() {
            let checked = table.check(store);
            self.attempt(number, checked)?;
        }
        let indexed = links.info.order_index.is_some();
        let dense = links.dense(store);
        match self.attempt(number, dense)? {
            Some(Some(dense)) => self.check_dense(store, number, dense, next, indexed),
            _ => Ok(()),
        }
    }

    fn check_dense<K: DenseKind>(
        &mut self,
        store: &mut Store,
        number: u32,
        dense: &mut DenseStore<K>,
        next: Option<u64>,
        indexed: bool,
    ) -> Result<()> {
        let flushed = self.checks == Some(true);
        if indexed != dense.order.is_some() {
            let detail = "its creation order is to be indexed, and is not, or the other way round";
            self.tell(number, Error::corrupt("dense storage", dense.names.address(), detail).because(Damage::Order))?;
        }
        dense.check(store, flushed, next, &mut |error| self.tell(number, error))
    }
}

/// The names and creation orders of compact attributes or links.
struct Compact {
    what: &'static str,
    header: u64,
    next: Option<u64>,
    names: HashSet<Vec<u8>>,
    orders: HashSet<u64>,
}

impl Compact {
    fn new(what: &'static str, header: u64, next: Option<u64>) -> Self {
        Compact { what, header, next, names: HashSet::new(), orders: HashSet::new() }
    }

    fn see(&mut self, name: &[u8], order: Option<u64>) -> Result<()> {
        let fail = |detail: String| {
            let error = Error::corrupt("object header", self.header, detail);
            Err(error.because(Damage::Order))
        };
        if !self.names.insert(name.to_vec()) {
            return fail(format!("two {}s named '{}'", self.what, String::from_utf8_lossy(name)));
        }
        let (Some(next), Some(order)) = (self.next, order) else { return Ok(()) };
        if order >= next || !self.orders.insert(order) {
            return fail(format!("creation order {order} of an {}, the next is {next}, or given twice", self.what));
        }
        Ok(())
    }
}

/// Reads a message's body.
fn check_message(store: &mut Store, kind: u8, body: &[u8]) -> Result<()> {
    let sizes = store.sizes();
    match kind {
        kind::DATASPACE => Dataspace::decode(body, sizes).map(|_| ()),
        kind::LINK_INFO => LinkInfo::decode(body, sizes).map(|_| ()),
        kind::DATATYPE => Datatype::from_message(body).map(|_| ()),
        kind::FILL_OLD => FillValue::decode_old(body).map(|_| ()),
        kind::FILL => FillValue::decode(body).map(|_| ()),
        kind::LINK => Link::decode(body, sizes).map(|_| ()),
        kind::EXTERNAL_FILES => ExternalFiles::decode(body, sizes).map(|_| ()),
        kind::LAYOUT => Layout::decode(body, sizes).map(|_| ()),
        kind::GROUP_INFO => GroupInfo::decode(body).map(|_| ()),
        kind::FILTER_PIPELINE => filter_pipeline::decode(body).map(|_| ()),
        kind::ATTRIBUTE if has_references(body) => check_attribute(&with_parts(store, body)?, sizes),
        kind::ATTRIBUTE => check_attribute(body, sizes),
        kind::MODIFICATION_TIME => plain::modification_time(body).map(|_| ()),
        kind::MODIFICATION_TIME_OLD => plain::modification_time_old(body).map(|_| ()),
        kind::BTREE_K => BTreeK::decode(body).map(|_| ()),
        kind::ATTRIBUTE_INFO => AttributeInfo::decode(body, sizes).map(|_| ()),
        kind::REFERENCE_COUNT => plain::reference_count(body).map(|_| ()),
        kind::FILE_SPACE_INFO => FileSpaceInfo::decode(body, sizes).map(|_| ()),
        _ => Ok(()),
    }
}

/// Reads an attribute: its datatype, its dataspace, and that its value is there.
fn check_attribute(message: &[u8], sizes: Sizes) -> Result<()> {
    let attribute = Attribute::decode(message)?;
    match value::type_of(&attribute, sizes)? {
        TypeOf::Own(datatype) => value::describe(&attribute, &datatype, None, sizes).map(|_| ()),
        TypeOf::Committed(_) => Ok(()),
    }
}

impl<K: DenseKind> DenseStore<K> {
    /// Checks indexes and heap, and that they agree: every record's hash is its name's, every object is found by both
    /// indexes, no creation order is `next` or later. `flushed` asks for the floors of every node on disk.
    fn check(
        &mut self,
        store: &mut Store,
        flushed: bool,
        next: Option<u64>,
        tell: &mut dyn FnMut(Error) -> Result<()>,
    ) -> Result<()> {
        let names = self.names.check(store, flushed, |_, a, b| Ok(K::hash_of(a) <= K::hash_of(b)));
        let order = match &self.order {
            Some(tree) => tree.check(store, flushed, |_, a, b| Ok(K::order_of_record(a) < K::order_of_record(b))),
            None => Ok(()),
        };
        let mut whole = true;
        for result in [names, order, self.heap.check_blocks(store)] {
            if let Err(error) = result {
                whole = false;
                tell(error)?;
            }
        }
        // What follows would only find the same again.
        if whole {
            self.check_agreement(store, flushed, next).or_else(tell)?;
        }
        Ok(())
    }

    fn check_agreement(&mut self, store: &mut Store, flushed: bool, next: Option<u64>) -> Result<()> {
        let index = self.names.address();
        let fail = |damage, detail: String| Err(Error::corrupt("name index", index, detail).because(damage));
        let mut named: Vec<(Option<u64>, [u8; 8], bool)> = Vec::with_capacity(self.len().min(1 << 20) as usize);
        let mut previous = (0, Vec::new());
        self.for_each(store, |record, object| {
            let name = K::name(object)?;
            let hash = name_hash(name);
            if K::hash_of(record) != hash {
                return fail(Damage::Order, format!("a record has not its name's hash {hash:#x}"));
            }
            if previous.0 == hash && !named.is_empty() && previous.1[..] >= *name {
                let name = String::from_utf8_lossy(name);
                return fail(Damage::Order, format!("'{name}' is there twice, or out of order"));
            }
            previous.0 = hash;
            previous.1.clear();
            previous.1.extend_from_slice(name);
            let order = K::order_of(record, object);
            if next.zip(order).is_some_and(|(next, order)| order >= next) {
                return fail(Damage::Order, format!("creation order {order:?}, where the next one is {next:?}"));
            }
            let mut id = [0; 8];
            id[..K::ID_LEN].copy_from_slice(&record[K::NAME_ID_AT..K::NAME_ID_AT + K::ID_LEN]);
            named.push((order, id, K::is_shared(record)));
            Ok(true)
        })?;
        let own = named.iter().filter(|(.., is_shared)| !is_shared);
        self.heap.check(store, own.map(|(_, id, _)| &id[..K::ID_LEN]), flushed)?;
        let Some(tree) = &self.order else { return Ok(()) };
        named.sort_unstable();
        let fail = |detail| {
            let error = Error::corrupt("creation-order index", tree.address(), detail);
            Err(error.because(Damage::Order))
        };
        let mut position = 0;
        tree.for_each(store, |_, record| {
            let expected = named.get(position);
            position += 1;
            let id = &record[K::ORDER_ID_AT..K::ORDER_ID_AT + K::ID_LEN];
            let here = (Some(K::order_of_record(record)), id, K::is_shared(record));
            match expected {
                Some((order, own, is_shared)) if (*order, &own[..K::ID_LEN], *is_shared) == here => Ok(true),
                _ => fail("it does not agree with the name index"),
            }
        })?;
        if position != named.len() {
            fail("it has fewer records than the name index")?;
        }
        Ok(())
    }
}

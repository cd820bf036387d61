//! Which objects references lead to: these keep their places, for a reference is the address of an object header.

use std::collections::HashSet;

use crate::datatype::{Datatype, Refer};
use crate::error::{Error, Result};
use crate::format::message::attribute::Attribute;
use crate::format::message::fill::{Fill, FillValue};
use crate::format::message::kind;
use crate::format::Sizes;
use crate::heap::GlobalHeap;
use crate::object::attribute::Attributes;
use crate::object::attribute_lost::{has_references, with_parts};
use crate::object::committed::committed_type;
use crate::object::dataset::DatasetState;
use crate::object::header::ObjectHeader;
use crate::object::state::{Slot, State};
use crate::object::value::{self, TypeOf};
use crate::object::Object;
use crate::store::Store;

/// Objects that are remembered because a caller has references to them, at most: beyond it, all objects stay.
const MOST_PINNED: usize = 1 << 20;

/// Bytes that are read for references are at most this, and [`PER_BYTE`] times the file: elements may share a heap object.
const MIN_BUDGET: u64 = 64 << 20;
const PER_BYTE: u64 = 4;

/// Bytes of one object's attributes with references, at most.
const MOST_KEPT: usize = 64 << 20;

/// Objects that stay because their addresses are known outside the file: what holds a reference in memory may write it.
#[derive(Debug, Default)]
pub(super) struct Pinned {
    objects: HashSet<u64>,
    all: bool,
    /// Visits in progress, which know objects by their addresses.
    pub visits: u32,
}

impl Pinned {
    pub fn pin(&mut self, address: u64) {
        self.all |= self.objects.len() >= MOST_PINNED;
        if !self.all {
            self.objects.insert(address);
        }
    }

    /// Where it is not known which objects a caller got references to.
    pub fn pin_all(&mut self) {
        self.all = true;
    }

    pub fn contains(&self, address: u64) -> bool {
        self.objects.contains(&address)
    }

    /// Whether no object may move.
    pub fn are_all(&self) -> bool {
        self.all || self.visits > 0
    }
}

impl Object {
    /// A caller got these elements, which have no pointers in memory.
    pub(super) fn pin_referenced(&self, memory: &Datatype, elements: &[u8]) -> Result<()> {
        if !memory.has_references() {
            return Ok(());
        }
        self.read("reading", "", |state, _| {
            state.pin_referenced(memory, elements, Sizes::EIGHT);
            Ok(())
        })
    }
}

/// Collects what references lead to.
struct Finder<'a> {
    store: &'a mut Store,
    heap: &'a mut GlobalHeap,
    found: &'a mut HashSet<u64>,
    budget: &'a mut u64,
}

impl Finder<'_> {
    fn look_at(&mut self, datatype: &Datatype, elements: &[u8]) -> Result<()> {
        spend(self.budget, elements.len())?;
        let sizes = self.store.sizes();
        datatype.each_reference(elements, sizes, self)
    }
}

impl Refer for Finder<'_> {
    fn object(&mut self, address: u64, index: u32) -> Result<Vec<u8>> {
        let object = self.heap.get(self.store, address, index)?;
        spend(self.budget, object.len())?;
        Ok(object.to_vec())
    }

    fn found(&mut self, address: u64) {
        self.found.insert(address);
    }
}

fn spend(budget: &mut u64, bytes: usize) -> Result<()> {
    *budget = budget
        .checked_sub(bytes as u64)
        .ok_or_else(|| Error::unsupported("looking through values that are many times larger than the file"))?;
    Ok(())
}

impl State {
    /// A caller gets these elements, whose type is in a form with addresses of these sizes.
    pub fn pin_referenced(&mut self, datatype: &Datatype, elements: &[u8], sizes: Sizes) {
        if !datatype.has_references() {
            return;
        }
        let State { store, heap, pinned, .. } = self;
        let (mut found, mut budget) = (HashSet::new(), u64::MAX);
        let mut finder = Finder { store, heap, found: &mut found, budget: &mut budget };
        let looked = datatype.each_reference(elements, sizes, &mut finder);
        found.into_iter().for_each(|address| pinned.pin(address));
        if looked.is_err() {
            self.pinned.pin_all();
        }
    }

    /// Every object that a value in these objects, or in the named datatypes that they share, refers to. An error of a kind
    /// that is an object's own says that this cannot be known.
    pub fn referenced(&mut self, objects: &HashSet<u64>) -> Result<HashSet<u64>> {
        let mut found = HashSet::new();
        let mut budget = self.store.space().end().saturating_mul(PER_BYTE).saturating_add(MIN_BUDGET);
        let (mut waiting, mut seen) = (Vec::new(), HashSet::new());
        for &object in objects {
            waiting.push(object);
            while let Some(address) = waiting.pop() {
                let slot = self.load(address)?;
                self.referenced_by(slot, &mut found, &mut budget, &mut waiting)?;
                waiting.retain(|named| !objects.contains(named) && seen.insert(*named));
                self.drop_surplus()?;
                self.store.trim_cache();
            }
        }
        Ok(found)
    }

    /// What one object refers to; named datatypes join the list, too.
    fn referenced_by(
        &mut self,
        slot: Slot,
        found: &mut HashSet<u64>,
        budget: &mut u64,
        named: &mut Vec<u64>,
    ) -> Result<()> {
        let State { store, objects, heap, .. } = self;
        let object = objects.get(slot)?;
        for index in 0..object.header.messages().len() {
            named.extend(object.header.shared_object(store, index)?);
        }
        if let Some(dataset) = &mut object.dataset {
            named.extend(dataset.committed_type());
            if dataset.datatype().has_references() {
                let finder = Finder { store, heap, found, budget };
                elements_of(dataset, &object.header, finder)?;
            }
        }
        for message in holders(store, &mut object.attributes, &object.header)? {
            let sizes = self.store.sizes();
            let message = with_parts(&mut self.store, &message)?;
            let attribute = Attribute::decode(&message)?;
            let datatype = match value::type_of(&attribute, sizes)? {
                TypeOf::Own(datatype) => datatype,
                TypeOf::Committed(address) => {
                    named.push(address);
                    committed_type(self, address)?
                }
            };
            let info = value::describe(&attribute, &datatype, None, sizes)?;
            let value = &attribute.data[..info.storage_size as usize];
            let State { store, heap, .. } = self;
            Finder { store, heap, found, budget }.look_at(&datatype, value)?;
        }
        found.extend(named.iter());
        Ok(())
    }
}

/// The messages of attributes that may have references.
fn holders(store: &mut Store, attributes: &mut Attributes, header: &ObjectHeader) -> Result<Vec<Vec<u8>>> {
    let (sizes, mut all, mut kept) = (store.sizes(), Vec::new(), 0);
    let mut keep = |message: &[u8]| -> Result<()> {
        if may_refer(message, sizes)? {
            kept += message.len();
            if kept > MOST_KEPT {
                return Err(Error::unsupported("looking through so many attributes with references"));
            }
            all.push(message.to_vec());
        }
        Ok(())
    };
    match attributes.dense(store)? {
        Some(dense) => dense.for_each(store, |_, message| keep(message).map(|()| true))?,
        None => header.find_all(kind::ATTRIBUTE).try_for_each(|index| keep(header.body(store, index)?))?,
    }
    Ok(all)
}

/// Whether an attribute's type has references, or stands elsewhere.
fn may_refer(message: &[u8], sizes: Sizes) -> Result<bool> {
    let attribute = Attribute::decode(message)?;
    if has_references(message) {
        return Ok(true);
    }
    Ok(match value::type_of(&attribute, sizes)? {
        TypeOf::Own(datatype) => datatype.has_references(),
        TypeOf::Committed(_) => true,
    })
}

/// The elements of a dataset with references: those in the file, and the fill value.
fn elements_of(dataset: &mut DatasetState, header: &ObjectHeader, mut finder: Finder<'_>) -> Result<()> {
    let datatype = dataset.datatype().clone();
    if dataset.is_elsewhere() || dataset.calls_back(finder.store, header)? {
        return Err(Error::unsupported("looking for references in data elsewhere, or behind a filter of the user's"));
    }
    for (kind, decode) in [(kind::FILL, FillValue::decode as fn(&[u8]) -> _), (kind::FILL_OLD, FillValue::decode_old)] {
        let Some(index) = header.find(kind) else { continue };
        if let Fill::Value(value) = decode(header.body(finder.store, index)?)?.fill {
            finder.look_at(&datatype, &value)?;
        }
    }
    let mut elements = Vec::new();
    for block in dataset.stored_blocks(finder.store, header)? {
        dataset.read_block(finder.store, header, &block, &mut elements)?;
        finder.look_at(&datatype, &elements)?;
    }
    Ok(())
}

//! What an object header says, as the copy's says it: messages, links and attributes.

use super::{new_header, Copier};
use crate::datatype::{Carry, Datatype};
use crate::error::{Error, ErrorKind, Result};
use crate::format::filter;
use crate::format::header::{message_flag, Times};
use crate::format::local_heap::{self, LocalHeap};
use crate::format::message::attribute::{Attribute, DATATYPE_SHARED};
use crate::format::message::dataspace::Dataspace;
use crate::format::message::external_files::{self, ExternalFiles};
use crate::format::message::fill::{Fill, FillValue};
use crate::format::message::filter_pipeline;
use crate::format::message::kind;
use crate::format::message::shared::Shared;
use crate::object::attribute::Put;
use crate::object::committed::committed_type;
use crate::object::header::{HeaderOptions, NewMessage, ObjectHeader};
use crate::object::link::{LinkTarget, Links};
use crate::object::options::Order;
use crate::object::state::{Slot, State};
use crate::object::value::{self, TypeOf};
use crate::object::{path, ObjectKind};
use crate::store::{Seal, Store};

/// Room in a copy's header for a few attributes or links.
pub(super) const SPARE: usize = 64;

/// Flags of a message that say nothing of where it stands.
const KEPT_FLAGS: u8 = !(message_flag::SHARED | message_flag::SHAREABLE | message_flag::WAS_UNKNOWN);

/// A message of the copy.
pub(super) struct Body {
    kind: u8,
    flags: u8,
    body: Vec<u8>,
}

impl Body {
    pub fn message(&self) -> NewMessage<'_> {
        NewMessage { kind: self.kind, flags: self.flags, order: 0, body: &self.body }
    }
}

/// Values of elements on their way from one heap to the other.
struct Carried<'c, 'a, 'f>(&'c mut Copier<'a, 'f>);

impl Carry for Carried<'_, '_, '_> {
    fn object(&mut self, address: u64, index: u32) -> Result<Vec<u8>> {
        let State { store, heap, .. } = self.0.files.from();
        let object = heap.get(store, address, index)?.to_vec();
        self.0.spend(object.len() as u64)?;
        Ok(object)
    }

    fn store(&mut self, bytes: &[u8]) -> Result<(u64, u32)> {
        let State { store, heap, .. } = self.0.files.to();
        let id = heap.insert(store, bytes)?;
        self.0.values.push(id);
        Ok(id)
    }

    fn keeps_references(&self) -> bool {
        self.0.files.is_one()
    }
}

impl Copier<'_, '_> {
    /// Whether elements of the type are copied as they are.
    pub fn is_plain(&self, datatype: &Datatype) -> Result<bool> {
        Ok(!datatype.has_pointers() && (self.files.is_one() || !datatype.is_bound_to_file()?))
    }

    /// The elements of a copy, of a type in its form in the source. What they own is in `values` until the elements stand
    /// where they are found.
    pub fn carry(&mut self, datatype: &Datatype, elements: &[u8]) -> Result<Vec<u8>> {
        let (from, to) = (self.files.from().store.sizes(), self.files.to().store.sizes());
        datatype.carry(elements, from, to, &mut Carried(self))
    }

    /// A type in its form in the target: addresses may have another size there, and so elements that have some.
    pub fn in_target(&mut self, datatype: &Datatype) -> Result<Datatype> {
        match self.files.from().store.sizes().offset == self.files.to().store.sizes().offset {
            true => Ok(datatype.clone()),
            false => datatype.to_file(self.files.to().store.sizes()),
        }
    }

    /// Makes the header of a copy, with all but links, attributes and raw data; its address.
    pub fn make(&mut self, source: u64) -> Result<u64> {
        let from = self.files.from();
        let slot = from.load(source)?;
        let State { store, objects, .. } = from;
        let object = objects.get(slot)?;
        if let Some(dataset) = object.dataset.as_mut().filter(|dataset| dataset.has_unwritten()) {
            let prepared = dataset.prepare(store, &mut object.header);
            if prepared.is_err() {
                store.fail();
            }
            prepared?;
            objects.mark(slot)?;
        }
        let header = objects.get(slot)?.header.clone();
        let options = header_options(store, &header)?;
        let kind = objects.get(slot)?.kind;
        let mut bodies = Vec::new();
        if kind == ObjectKind::Group {
            bodies.push(self.link_info(slot)?);
        }
        for index in 0..header.messages().len() {
            let message = header.messages()[index];
            let body = self.message(slot, &header, index);
            bodies.extend(body.map_err(|e| e.within(format_args!("message type {:#04x}", message.kind)))?);
        }
        if kind == ObjectKind::Group && header.find(kind::GROUP_INFO).is_none() {
            let group_info = Links::messages(&Default::default(), self.files.to().store.sizes()).1;
            bodies.push(Body { kind: kind::GROUP_INFO, flags: 0, body: group_info });
        }
        let bytes = bodies.iter().map(|body| body.body.len() as u64).sum();
        self.spend(bytes)?;
        let made = new_header(self.files.to(), &options, &bodies)?;
        self.extents.clear();
        if kind == ObjectKind::Dataset {
            // What a fill value is, which a dataset does not give back, and virtual mappings.
            self.kept.append(&mut self.values);
        }
        Ok(made)
    }

    fn link_info(&mut self, group: Slot) -> Result<Body> {
        let State { store, objects, .. } = self.files.from();
        let phase = objects.get(group)?.group(store)?.1.phase();
        let body = Links::messages(&phase, self.files.to().store.sizes()).0;
        Ok(Body { kind: kind::LINK_INFO, flags: 0, body })
    }

    /// The copy of a message; none where it is made otherwise.
    fn message(&mut self, slot: Slot, header: &ObjectHeader, index: usize) -> Result<Option<Body>> {
        let message = header.messages()[index];
        let (from_sizes, to_sizes) = (self.files.from().store.sizes(), self.files.to().store.sizes());
        let flags = message.flags & KEPT_FLAGS;
        match header.shared_object(&mut self.files.from().store, index)? {
            Some(address) if message.kind == kind::DATATYPE => {
                let body = Shared::Object(self.meet(address, 1, b"(datatype)")?).encode(to_sizes);
                return Ok(Some(Body { kind: message.kind, flags: flags | message_flag::SHARED, body }));
            }
            Some(_) => return Err(Error::unsupported("a message in another object header")),
            None => {}
        }
        let own = header.body(&mut self.files.from().store, index)?.to_vec();
        let new = |body| Ok(Some(Body { kind: message.kind, flags, body }));
        match message.kind {
            kind::LINK | kind::LINK_INFO | kind::SYMBOL_TABLE | kind::ATTRIBUTE | kind::ATTRIBUTE_INFO => Ok(None),
            kind::CONTINUATION | kind::REFERENCE_COUNT => Ok(None),
            kind::MODIFICATION_TIME | kind::MODIFICATION_TIME_OLD => Ok(None),
            kind::DATASPACE if from_sizes.length != to_sizes.length => new(respaced(&own, from_sizes, to_sizes)?),
            kind::LAYOUT => new(self.layout(slot, header)?),
            kind::FILL | kind::FILL_OLD => {
                let datatype = self.files.from().objects.get(slot)?.array()?.1.datatype().clone();
                if self.is_plain(&datatype)? {
                    return new(own);
                }
                if message.kind == kind::FILL_OLD && header.find(kind::FILL).is_some() {
                    return Ok(None);
                }
                let mut value = match message.kind {
                    kind::FILL => FillValue::decode(&own)?,
                    _ => FillValue::decode_old(&own)?,
                };
                if let Fill::Value(value) = &mut value.fill {
                    *value = self.carry(&datatype, value)?;
                }
                Ok(Some(Body { kind: kind::FILL, flags, body: value.encode() }))
            }
            kind::DATATYPE => new(self.datatype_message(own)?),
            kind::FILTER_PIPELINE if header.find(kind::DATATYPE).is_some() => new(self.filters(slot, own)?),
            kind::DATASPACE | kind::GROUP_INFO | kind::FILTER_PIPELINE | kind::COMMENT => new(own),
            kind::EXTERNAL_FILES => new(self.external_files(slot, header)?),
            _ => Err(Error::unsupported("copying an object that has it")),
        }
    }

    /// A datatype message as the target has it.
    fn datatype_message(&mut self, own: Vec<u8>) -> Result<Vec<u8>> {
        let datatype = Datatype::from_message(&own)?;
        let copy = self.in_target(&datatype)?;
        Ok(if copy == datatype { own } else { copy.to_message() })
    }

    /// The filters of a dataset, whose parameters follow the size of an element.
    fn filters(&mut self, slot: Slot, own: Vec<u8>) -> Result<Vec<u8>> {
        let array = self.files.from().objects.get(slot)?.array()?.1;
        let (datatype, chunk) = (array.datatype().clone(), array.chunk_dims().unwrap_or_default());
        let copy = self.in_target(&datatype)?;
        if copy.size() == datatype.size() {
            return Ok(own);
        }
        let mut filters = filter_pipeline::decode(&own)?;
        for filter in &mut filters {
            filter::resize(filter, &copy.description()?, &chunk)?;
        }
        Ok(filter_pipeline::encode(&filters))
    }

    /// The message of external files, which stay what they are, with a heap of their names.
    fn external_files(&mut self, slot: Slot, header: &ObjectHeader) -> Result<Vec<u8>> {
        let State { store, objects, .. } = self.files.from();
        let files = objects.get(slot)?.array()?.1.external_files(store, header)?;
        let sizes = self.files.to().store.sizes();
        let most = external_files::unlimited(sizes);
        // As libhdf5 has it: first an empty name.
        let mut names = vec![0; local_heap::ALIGNMENT as usize];
        let mut slots = Vec::new();
        for (name, slot) in files {
            if slot.offset > most || slot.size > most && slot.size != external_files::UNLIMITED {
                let allowed = format_args!("up to {most} in the target file");
                return Err(Error::range("part of an external file", slot.offset.max(slot.size), allowed));
            }
            slots.push(external_files::Slot { name_offset: names.len() as u64, size: slot.size.min(most), ..slot });
            names.extend_from_slice(&name);
            names.resize((names.len() + 1).next_multiple_of(local_heap::ALIGNMENT as usize), 0);
        }
        self.spend(names.len() as u64)?;
        let data = self.heap_block(&names)?;
        let mut prefix = vec![0; LocalHeap::length(sizes) as usize];
        LocalHeap { size: names.len() as u64, free: None, data }.put(&mut prefix, sizes);
        let heap = self.heap_block(&prefix)?;
        Ok(ExternalFiles { heap, slots }.encode(sizes))
    }

    /// A new block of a local heap, which nothing leads to until the header is made.
    fn heap_block(&mut self, bytes: &[u8]) -> Result<u64> {
        let store = &mut self.files.to().store;
        let (id, address) = store.create_block(bytes.len(), Seal::None)?;
        store.bytes_mut(id).copy_from_slice(bytes);
        self.extents.push((address, bytes.len() as u64));
        Ok(address)
    }

    /// Copies the links of a group.
    pub fn fill_links(&mut self, from: Slot, to: Slot, depth: u32) -> Result<()> {
        let State { store, objects, .. } = self.files.from();
        let Some((header, links)) = objects.get(from)?.links_if_group(store)? else { return Ok(()) };
        let next_order = links.info.max_creation_order;
        let order = if next_order.is_some() { Order::Creation } else { Order::Native };
        let all = links.list(store, header, order)?;
        for (name, mut link) in all {
            if let LinkTarget::Soft(target) = &link.target {
                if self.options.expand_soft_links {
                    link.target = self.expanded(from, target)?.unwrap_or(link.target);
                }
            }
            if let LinkTarget::Hard(address) = link.target {
                link.target = LinkTarget::Hard(self.meet(address, depth + 1, &name)?);
            }
            self.spend(name.len() as u64)?;
            let State { store, objects, .. } = self.files.to();
            let (header, links) = objects.get(to)?.group(store)?;
            links.insert_copy(store, header, &name, &link)?;
        }
        let State { store, objects, .. } = self.files.to();
        objects.get(to)?.group(store)?.1.continue_order_of(next_order);
        Ok(())
    }

    /// What a soft link leads to; none where that is nothing in this file.
    fn expanded(&mut self, group: Slot, target: &[u8]) -> Result<Option<LinkTarget>> {
        let from = self.files.from();
        match path::resolve(from, group, target) {
            Ok(slot) => Ok(Some(LinkTarget::Hard(from.objects.get(slot)?.header.address()))),
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::WrongKind | ErrorKind::Unsupported) => {
                Ok(None)
            }
            Err(e) => Err(e),
        }
    }

    /// Copies the attributes of an object.
    pub fn fill_attributes(&mut self, from: Slot, to: Slot) -> Result<()> {
        let State { store, objects, .. } = self.files.from();
        let object = objects.get(from)?;
        let all = object.attributes.messages(store, &object.header)?;
        let next_order = object.attributes.next_creation_order();
        for (order, message) in all {
            self.spend(message.len() as u64)?;
            let copy = self.attribute(&message)?;
            let name = Attribute::decode(&message)?.name;
            let State { store, objects, .. } = self.files.to();
            let object = objects.get(to)?;
            object.attributes.set_next_creation_order(order);
            if object.attributes.contains(store, &object.header, name)? {
                let detail = format_args!("it has two attributes '{}'", String::from_utf8_lossy(name));
                return Err(Error::corrupt("object header", object.header.address(), detail));
            }
            match object.attributes.put(store, &mut object.header, name, &copy)? {
                Put::New => self.values.clear(),
                Put::Replaced(_) => return Err(Error::internal("a copied attribute was there already")),
            }
        }
        if let Some(order) = next_order {
            self.files.to().objects.get(to)?.attributes.set_next_creation_order(order);
        }
        Ok(())
    }

    /// The copy of an attribute message.
    fn attribute(&mut self, message: &[u8]) -> Result<Vec<u8>> {
        let (from_sizes, to_sizes) = (self.files.from().store.sizes(), self.files.to().store.sizes());
        let attribute = Attribute::decode(message)?;
        let named = |e: Error| e.within(format_args!("attribute '{}'", String::from_utf8_lossy(attribute.name)));
        let (datatype, committed) = match value::type_of(&attribute, from_sizes).map_err(named)? {
            TypeOf::Own(datatype) => (datatype, None),
            TypeOf::Committed(address) => (committed_type(self.files.from(), address)?, Some(address)),
        };
        let info = value::describe(&attribute, &datatype, None, from_sizes).map_err(named)?;
        let data = self.carry(&datatype, &attribute.data[..info.storage_size as usize]).map_err(named)?;
        let flags = if committed.is_some() { DATATYPE_SHARED } else { 0 };
        let datatype = match committed {
            Some(address) => Shared::Object(self.meet(address, 1, b"(datatype)").map_err(named)?).encode(to_sizes),
            None => self.datatype_message(attribute.datatype.to_vec()).map_err(named)?,
        };
        let dataspace = match from_sizes.length == to_sizes.length {
            true => attribute.dataspace.to_vec(),
            false => respaced(attribute.dataspace, from_sizes, to_sizes).map_err(named)?,
        };
        let copy = Attribute { flags, datatype: &datatype, dataspace: &dataspace, data: &data, ..attribute };
        let mut out = Vec::new();
        copy.encode(&mut out)?;
        Ok(out)
    }
}

/// A dataspace message for lengths of another size, which hold its dimensions.
fn respaced(body: &[u8], from: crate::format::Sizes, to: crate::format::Sizes) -> Result<Vec<u8>> {
    let dataspace = Dataspace::decode(body, from)?;
    let most = to.most_length();
    let max_dims = match &dataspace {
        Dataspace::Simple { max_dims: Some(max_dims), .. } => max_dims.as_slice(),
        _ => &[],
    };
    let bounds = max_dims.iter().filter(|&&dim| dim != u64::MAX);
    match dataspace.dims().iter().chain(bounds).find(|&&dim| dim > most) {
        Some(dim) => Err(Error::range("dimension", dim, format_args!("0..{most} in the target file"))),
        None => Ok(dataspace.encode(to)),
    }
}

/// Times and phase changes of a header, as the copy has them.
fn header_options(store: &mut Store, header: &ObjectHeader) -> Result<HeaderOptions> {
    let prefix = header.prefix();
    let times = match prefix.times {
        None if header.is_old() => header.modification_time(store)?.map(|time| Times {
            access: time,
            modification: time,
            change: time,
            birth: time,
        }),
        times => times,
    };
    Ok(HeaderOptions {
        times,
        phase_change: prefix.phase_change,
        track_order: header.is_order_tracked(),
        index_order: header.is_order_indexed(),
    })
}

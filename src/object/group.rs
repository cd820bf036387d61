//! Groups as wholes: creating one, linking and unlinking objects, and freeing an object with all that it owned when
//! its last hard link is gone.

use crate::error::{Error, ErrorKind, Result};
use crate::format::header::Times;
use crate::format::message::kind;
use crate::format::message::shared::LostUse;
use crate::heap::shared::Releasing;
use crate::object::attribute::{lost, lost_uses, Attributes, Lost};
use crate::object::dataset::Plan;
use crate::object::elements;
use crate::object::header::{HeaderOptions, NewMessage, ObjectHeader};
use crate::object::link::{LinkTarget, Links, Place};
use crate::object::options::{GroupOptions, Phase};
use crate::object::state::{Loaded, Slot, State};
use crate::object::ObjectKind;
use crate::rebalance::Kind;
use crate::store::Store;
use std::collections::HashSet;

/// Room in a new dataset's header for a few attributes.
const DATASET_SPARE: usize = 64;

/// Room in a new group's header for a few links.
const GROUP_SPARE: usize = 64;

/// Whether the group has a link of this name.
pub(super) fn contains(state: &mut State, group: Slot, name: &[u8]) -> Result<bool> {
    let object = state.objects.get(group)?;
    object.check_alive()?;
    let (header, links) = object.group(&mut state.store)?;
    links.contains(&mut state.store, header, name)
}

/// The header of a new group, which is all of it.
fn create_header(store: &mut Store, options: &GroupOptions) -> Result<ObjectHeader> {
    options.links.check("link")?;
    options.attributes.check("attribute")?;
    let (link_info, group_info) = Links::messages(&options.links, store.sizes());
    let messages = [message(kind::LINK_INFO, &link_info), message(kind::GROUP_INFO, &group_info)];
    ObjectHeader::create(store, &header_options(&options.attributes), &messages, GROUP_SPARE)
}

/// A new group without a link to it.
pub(super) fn create_unlinked(store: &mut Store, options: &GroupOptions) -> Result<Box<Loaded>> {
    let header = create_header(store, options)?;
    let attributes = Attributes::of(store, &header)?;
    Ok(Loaded::new(header, ObjectKind::Group, attributes, None))
}

/// A new dataset without a link to it.
pub(super) fn create_dataset(store: &mut Store, plan: Plan) -> Result<Box<Loaded>> {
    let options = header_options(&plan.attributes);
    let (mut dataset, bodies) = plan.make(store)?;
    let mut header = bodies.with(|messages| ObjectHeader::create(store, &options, messages, DATASET_SPARE))?;
    dataset.fill_early(store, &mut header)?;
    let attributes = Attributes::of(store, &header)?;
    Ok(Loaded::new(header, ObjectKind::Dataset, attributes, Some(Box::new(dataset))))
}

fn message(kind: u8, body: &[u8]) -> NewMessage<'_> {
    NewMessage { kind, flags: 0, order: 0, body }
}

/// The header of a new object: with times, as libhdf5 makes it by default.
pub(super) fn header_options(attributes: &Phase) -> HeaderOptions {
    let defaults = Phase::default();
    let phase = (attributes.max_compact, attributes.min_dense);
    let now = super::header_time();
    HeaderOptions {
        times: Some(Times { access: now, modification: now, change: now, birth: now }),
        phase_change: (phase != (defaults.max_compact, defaults.min_dense)).then_some(phase),
        track_order: attributes.track_order,
        index_order: attributes.index_order,
    }
}

/// Creates a group and links it under `name`, and does not load it.
pub(super) fn create_unopened(state: &mut State, parent: Slot, name: &[u8], options: &GroupOptions) -> Result<()> {
    let place = place(state, parent, name)?;
    let header = create_header(&mut state.store, options)?;
    insert(state, parent, name, &LinkTarget::Hard(header.address()), place)
}

/// Creates a group and links it under `name`.
pub(super) fn create(state: &mut State, parent: Slot, name: &[u8], options: &GroupOptions) -> Result<Slot> {
    let place = place(state, parent, name)?;
    let object = create_unlinked(&mut state.store, options)?;
    adopt(state, parent, name, object, place)
}

/// Where a new link belongs; fails when its name is none, or is taken.
pub(super) fn place(state: &mut State, parent: Slot, name: &[u8]) -> Result<Place> {
    check_name(name)?;
    let object = state.objects.get(parent)?;
    object.check_alive()?;
    let (header, links) = object.group(&mut state.store)?;
    links.place(&mut state.store, header, name)
}

/// Keeps a new object and links it.
pub(super) fn adopt(state: &mut State, parent: Slot, name: &[u8], object: Box<Loaded>, place: Place) -> Result<Slot> {
    let address = object.header.address();
    let slot = state.objects.add(object);
    state.objects.mark(slot)?;
    insert(state, parent, name, &LinkTarget::Hard(address), place)?;
    Ok(slot)
}

/// Adds a link to a group, at its place. Reference counts are the caller's.
pub(super) fn insert(state: &mut State, group: Slot, name: &[u8], target: &LinkTarget, place: Place) -> Result<()> {
    insert_as(state, group, name, target, place, Kind::Insert)
}

fn insert_as(
    state: &mut State,
    group: Slot,
    name: &[u8],
    target: &LinkTarget,
    place: Place,
    counted: Kind,
) -> Result<()> {
    let State { store, objects, scratch, maintenance, .. } = state;
    let (header, links) = objects.get(group)?.group(store)?;
    links.insert(store, header, scratch, (name, target), place)?;
    objects.mark(group)?;
    maintenance.note(objects, group, counted)
}

/// Gives a link of a group another name, which is free.
pub(super) fn rename(state: &mut State, group: Slot, from: &[u8], to: &[u8]) -> Result<()> {
    let target = take(state, group, from)?;
    // Found anew: the link that is gone may have stood before it.
    let place = place(state, group, to)?;
    insert_as(state, group, to, &target, place, Kind::Update)
}

/// Removes a link and, with the last hard link, the object.
pub(super) fn unlink(state: &mut State, group: Slot, name: &[u8]) -> Result<()> {
    let target = remove(state, group, name)?;
    if let LinkTarget::Hard(address) = target {
        release(state, address)?;
    }
    Ok(())
}

/// Removes a link; what it pointed to. Reference counts are the caller's.
pub(super) fn remove(state: &mut State, group: Slot, name: &[u8]) -> Result<LinkTarget> {
    let target = take(state, group, name)?;
    let State { objects, maintenance, .. } = state;
    maintenance.note(objects, group, Kind::Delete)?;
    Ok(target)
}

/// Takes a link out of its group, and counts nothing.
fn take(state: &mut State, group: Slot, name: &[u8]) -> Result<LinkTarget> {
    let State { store, objects, .. } = state;
    let (header, links) = objects.get(group)?.group(store)?;
    let Some(link) = links.remove(store, header, name)? else {
        return Err(Error::new(ErrorKind::NotFound, format!("there is no '{}'", String::from_utf8_lossy(name))));
    };
    objects.mark(group)?;
    Ok(link.target)
}

/// One hard link to the object at `address` more.
pub(super) fn retain(state: &mut State, slot: Slot) -> Result<()> {
    let object = state.objects.get(slot)?;
    let count = object.header.link_count(&mut state.store)?;
    let count = count.checked_add(1).ok_or_else(|| {
        Error::new(ErrorKind::Limit, "the object has 4,294,967,295 hard links, the most that the format can count")
    })?;
    object.header.set_link_count(&mut state.store, count)?;
    state.objects.mark(slot)
}

/// Gives back what an attribute that is gone referred to.
#[inline]
pub(super) fn release_lost(state: &mut State, lost: Lost) -> Result<()> {
    if let Some(message) = &lost.message {
        release_parts(state, message)?;
    }
    lost.committed.map_or(Ok(()), |address| release(state, address))
}

/// What the value owned of an attribute whose message is gone, and its uses of shared messages.
fn release_parts(state: &mut State, message: &[u8]) -> Result<()> {
    elements::release_attribute(state, message)?;
    lose_uses(state, message)
}

/// The uses of shared messages that are gone with an attribute's message.
fn lose_uses(state: &mut State, message: &[u8]) -> Result<()> {
    let lost = lost_uses(message, state.store.sizes())?;
    state.store.shared_mut().lost.extend(lost);
    Ok(())
}

/// Brings the counts of shared messages in line with the uses that are gone. What the last use of a message takes along
/// goes too; that may be uses of other messages.
pub(super) fn release_shared(state: &mut State) -> Result<()> {
    while !state.store.shared().lost.is_empty() {
        let store = &mut state.store;
        let uses = std::mem::take(&mut store.shared_mut().lost);
        let mut releasing = Releasing::begin(store)?;
        let mut gone = Vec::new();
        for lost in uses {
            let message = releasing.release(store, &lost)?;
            if let (Some(message), LostUse::Heap { kind: kind::ATTRIBUTE, keeps_value, .. }) = (message, lost) {
                gone.push((message, keeps_value));
            }
        }
        releasing.finish(store)?;
        for (message, keeps_value) in gone {
            let lost = lost(&message, state.store.sizes())?;
            match (&lost.message, keeps_value) {
                (Some(_), true) => lose_uses(state, &message)?,
                (Some(_), false) => release_parts(state, &message)?,
                (None, _) => {}
            }
            lost.committed.map_or(Ok(()), |address| release(state, address))?;
        }
    }
    Ok(())
}

/// One hard link to the object at `address` less; with the last, the object and what it alone linked to are freed.
/// Works off a list, so that no depth of groups overflows the stack.
pub(super) fn release(state: &mut State, address: u64) -> Result<()> {
    let mut waiting = vec![address];
    // In a damaged file an object may lead to itself and stand on space that something else gave back, so that it stays
    // readable: it would be freed for ever.
    let mut freed = HashSet::new();
    while let Some(address) = waiting.pop() {
        if freed.contains(&address) {
            return Err(Error::corrupt("object header", address, "more links lead to it than it counts"));
        }
        let slot = state.load(address)?;
        let object = state.objects.get(slot)?;
        let count = object.header.link_count(&mut state.store)?;
        if count > 1 {
            object.header.set_link_count(&mut state.store, count - 1)?;
            state.objects.mark(slot)?;
            continue;
        }
        free(state, slot, &mut waiting)?;
        freed.insert(address);
    }
    Ok(())
}

/// Gives back all that an object owns; its hard links join the list.
fn free(state: &mut State, slot: Slot, waiting: &mut Vec<u64>) -> Result<()> {
    let State { store, objects, maintenance, heap, .. } = state;
    let object = objects.get(slot)?;
    maintenance.forget(slot, object);
    if let Some(search) = &mut maintenance.search {
        search.forget(object.header.address());
    }
    if let Some((header, links)) = object.links_if_group(store)? {
        waiting.extend(links.hard_targets(store, header)?);
        links.delete(store)?;
    }
    if let Some(dataset) = &mut object.dataset {
        elements::release_all(store, heap, &object.header, dataset)?;
        dataset.free_external_names(store, &object.header)?;
        dataset.free_storage(store)?;
        waiting.extend(dataset.committed_type());
    }
    let mut lost = Vec::new();
    object.attributes.delete(store, &object.header, &mut lost)?;
    object.header.clone().delete(store)?;
    if object.handles == 0 {
        objects.remove(slot);
    } else {
        objects.detach(slot);
    }
    for lost in lost {
        if let Some(message) = &lost.message {
            release_parts(state, message)?;
        }
        waiting.extend(lost.committed);
    }
    Ok(())
}

/// Gives back objects of a copy that is not linked and will not be, whatever their reference counts say. Named types
/// come last: how to give others back may be known by them only.
pub(super) fn discard(state: &mut State, addresses: &[u64]) -> Result<()> {
    for types in [false, true] {
        for &address in addresses {
            // Those that the first round freed are not looked at again.
            if !types || state.objects.find(address).is_some() {
                let slot = state.load(address)?;
                if (state.objects.get(slot)?.kind == ObjectKind::NamedType) == types {
                    free(state, slot, &mut Vec::new())?;
                }
            }
        }
    }
    Ok(())
}

/// Checks a link name: not empty, no '/', no NUL.
pub(super) fn check_name(name: &[u8]) -> Result<()> {
    if name.is_empty() || name == b"." || name.contains(&b'/') || name.contains(&0) {
        return Err(Error::new(
            ErrorKind::Argument,
            format!(
                "'{}' is no link name: one without '/' and NUL is needed, and not '.'",
                String::from_utf8_lossy(name)
            ),
        ));
    }
    Ok(())
}

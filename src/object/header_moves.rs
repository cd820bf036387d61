//! Moving object headers towards the beginning of the file, so that it can end earlier. An object's address is that of its
//! header's first chunk, so all hard links to it are found, and changed with it by the same flush. What references lead
//! to stays, and so do named datatypes, whose addresses stand in what shares them, and the root group.

use std::collections::HashSet;

use crate::error::{Error, ErrorKind, Result};
use crate::format::message::{kind, link};
use crate::object::link::LinkTarget;
use crate::object::options::Order;
use crate::object::state::{Loaded, State};
use crate::object::ObjectKind;
use crate::store::AddressMap;

/// What one walk over all objects finds out for their moving. It is kept up to date while they move.
#[derive(Default)]
pub(super) struct Inventory {
    pub items: Vec<Item>,
    /// The items, during the walk.
    by_address: AddressMap<u32>,
    /// Hard links: from which item to which.
    links: Vec<(u32, u32)>,
    /// Something may hold addresses that was not understood.
    unknown: bool,
}

/// An object that hard links lead to.
#[derive(Default)]
pub(super) struct Item {
    pub address: u64,
    /// Where its first chunk ends.
    end: u64,
    /// The highest address of another chunk.
    continuation: u64,
    /// Where its raw data and their index end.
    pub raw_end: u64,
    /// Hard links that were found, and those that its header counts.
    links: u32,
    counted: u32,
    is_fixed: bool,
    /// Whether its attributes have values elsewhere.
    owns_values: bool,
}

/// What references lead to, once it was sought.
pub(super) enum Referenced {
    NotSought,
    /// It cannot be known.
    Unknown,
    Known(HashSet<u64>),
}

impl Inventory {
    fn item(&mut self, address: u64) -> u32 {
        let next = self.items.len() as u32;
        let index = *self.by_address.entry(address).or_insert(next);
        if index == next {
            self.items.push(Item { address, ..Item::default() });
        }
        index
    }

    /// The objects whose attributes have values elsewhere.
    pub fn owners(&self) -> impl Iterator<Item = u64> + '_ {
        self.items.iter().filter(|item| item.owns_values).map(|item| item.address)
    }

    /// An item's first chunk stands at `place` now.
    pub fn moved(&mut self, index: u32, place: u64) {
        let item = &mut self.items[index as usize];
        item.end = item.end - item.address + place;
        item.address = place;
    }
}

impl State {
    /// Walks over all objects that hard links lead to. What is damaged or not known to this version is no more than an
    /// address, and then headers stay.
    pub(super) fn take_inventory(&mut self) -> Result<Inventory> {
        let mut inventory = Inventory::default();
        inventory.item(self.superblock.root);
        let mut next = 0;
        while next < inventory.items.len() {
            match self.look_over(next, &mut inventory) {
                Err(error) if !error.is_of_content() => return Err(error),
                looked => inventory.unknown |= looked.is_err(),
            }
            self.drop_surplus()?;
            next += 1;
        }
        inventory.by_address = AddressMap::default();
        Ok(inventory)
    }

    /// Notes what an object means for the moving; what its hard links lead to joins the items.
    fn look_over(&mut self, index: usize, inventory: &mut Inventory) -> Result<()> {
        let (address, root) = (inventory.items[index].address, self.superblock.root);
        let slot = self.load(address)?;
        let State { store, objects, .. } = self;
        let object = objects.get(slot)?;
        inventory.unknown |= object.header.messages().iter().any(|message| !kind::is_known(message.kind));
        if let Some((header, links)) = object.links_if_group(store)? {
            for (_, link) in links.list(store, header, Order::Native)? {
                match link.target {
                    LinkTarget::Hard(target) => {
                        let target = inventory.item(target);
                        inventory.items[target as usize].links += 1;
                        inventory.links.push((index as u32, target));
                    }
                    LinkTarget::User(kind, _) => inventory.unknown |= kind >= link::FIRST_USER,
                    LinkTarget::Soft(_) => {}
                }
            }
        }
        let item = &mut inventory.items[index];
        let Loaded { header, kind, .. } = object;
        let mut extents = header.extents();
        item.end = extents.next().map_or(0, |(_, length)| address.saturating_add(length));
        item.continuation = extents.map(|(address, _)| address).max().unwrap_or(0);
        item.counted = header.link_count(store)?;
        item.is_fixed = *kind == ObjectKind::NamedType || address == root;
        item.owns_values = match self.owns_values(slot) {
            Err(error) if !error.is_of_content() => return Err(error),
            owns => owns.unwrap_or(false),
        };
        item.raw_end = self.end_of_raw(slot)?;
        Ok(())
    }

    /// Where the first chunks end that stand at `limit` or above, may move, and help when they do, and their items.
    pub(super) fn choose_headers(
        &mut self,
        inventory: &Inventory,
        limit: u64,
        referenced: &mut Referenced,
    ) -> Result<Vec<(u64, u32)>> {
        let shares = self.store.shared().table.is_some();
        if inventory.unknown || shares || self.pinned.are_all() || self.maintenance.search.is_some() {
            return Ok(Vec::new());
        }
        if self.movable(inventory, limit, None).is_empty() {
            return Ok(Vec::new());
        }
        if matches!(referenced, Referenced::NotSought) {
            let all = inventory.items.iter().map(|item| item.address).collect();
            *referenced = match self.referenced(&all) {
                Ok(found) => Referenced::Known(found),
                Err(error) if is_fatal(&error) => return Err(error),
                Err(_) => Referenced::Unknown,
            };
        }
        Ok(match referenced {
            Referenced::Known(found) => self.movable(inventory, limit, Some(found)),
            _ => Vec::new(),
        })
    }

    /// Moves continuation chunks that stand at `limit` or above below it; how many.
    pub(super) fn move_continuations(&mut self, inventory: &mut Inventory, limit: u64) -> Result<u64> {
        let mut moved = 0;
        for item in inventory.items.iter_mut().filter(|item| item.continuation >= limit) {
            let slot = self.load(item.address)?;
            let header = &mut self.objects.get(slot)?.header;
            moved += header.relocate_above(&mut self.store, limit)? as u64;
            item.continuation = header.extents().skip(1).map(|(address, _)| address).max().unwrap_or(0);
            self.drop_surplus()?;
        }
        Ok(moved)
    }

    /// Items at `limit` or above that may move, and have none above them that may not; and where their first chunks end.
    fn movable(&self, inventory: &Inventory, limit: u64, referenced: Option<&HashSet<u64>>) -> Vec<(u64, u32)> {
        let stays = |item: &Item| {
            item.is_fixed
                || item.links != item.counted
                || self.pinned.contains(item.address)
                || referenced.is_some_and(|referenced| referenced.contains(&item.address))
        };
        let high = || inventory.items.iter().enumerate().filter(|(_, item)| item.address >= limit);
        let end = high().filter(|(_, item)| stays(item)).map(|(_, item)| item.end).max().unwrap_or(0);
        high().filter(|(_, item)| item.address >= end).map(|(index, item)| (item.end, index as u32)).collect()
    }

    /// Moves an object's first chunk below `limit`, if there is a place; where it stands then.
    pub(super) fn move_first_chunk(&mut self, address: u64, limit: u64) -> Result<Option<u64>> {
        let slot = self.load(address)?;
        let place = self.objects.get(slot)?.header.relocate_first(&mut self.store, limit)?;
        if let Some(place) = place {
            self.objects.moved(slot, address, place);
        }
        Ok(place)
    }

    /// Has all hard links to objects that were moved lead to where they stand now.
    pub(super) fn turn_links(&mut self, inventory: &Inventory, places: &AddressMap<u64>) -> Result<()> {
        if places.is_empty() {
            return Ok(());
        }
        let now: HashSet<u64> = places.values().copied().collect();
        let address = |index: u32| inventory.items[index as usize].address;
        let turned = inventory.links.iter().filter(|&&(_, target)| now.contains(&address(target)));
        let mut parents: Vec<u32> = turned.map(|&(parent, _)| parent).collect();
        parents.dedup();
        for parent in parents {
            let slot = self.load(address(parent))?;
            let State { store, objects, .. } = self;
            let (header, links) = objects.get(slot)?.group(store)?;
            links.turn(store, header, places)?;
            objects.mark(slot)?;
            self.drop_surplus()?;
        }
        Ok(())
    }
}

/// Whether an error is more than one object's own.
fn is_fatal(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Io | ErrorKind::Failed | ErrorKind::Internal)
}

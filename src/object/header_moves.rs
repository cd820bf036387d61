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

/// What a walk over all objects finds out for the moving of headers.
#[derive(Default)]
pub(super) struct Headers {
    /// All objects.
    pub met: HashSet<u64>,
    /// Those that stand in what is too much.
    high: AddressMap<High>,
    /// Groups with hard links to these.
    parents: Vec<u64>,
    /// Objects with a continuation chunk there.
    continued: Vec<u64>,
    /// Something may hold addresses that was not understood.
    unknown: bool,
}

/// An object in what is too much.
#[derive(Default)]
struct High {
    /// Where its first chunk ends.
    end: u64,
    /// Hard links that were found, and those that its header counts.
    links: u32,
    counted: u32,
    is_fixed: bool,
}

/// What references lead to, once it was sought.
pub(super) enum Referenced {
    NotSought,
    /// It cannot be known.
    Unknown,
    Known(HashSet<u64>),
}

impl Headers {
    /// An object could not be read.
    pub fn miss(&mut self) {
        self.unknown = true;
    }

    fn high(&mut self, address: u64) -> &mut High {
        self.high.entry(address).or_default()
    }
}

impl State {
    /// Notes what an object means for the moving of headers that stand at `limit` or above; its hard links join the list.
    pub(super) fn note_header(
        &mut self,
        address: u64,
        limit: u64,
        headers: &mut Headers,
        waiting: &mut Vec<u64>,
    ) -> Result<()> {
        let (slot, root) = (self.load(address)?, self.superblock.root);
        let State { store, objects, .. } = self;
        let Loaded { header, links, kind, .. } = objects.get(slot)?;
        headers.unknown |= header.messages().iter().any(|message| !kind::is_known(message.kind));
        let mut is_parent = false;
        if let Some(links) = links {
            for (_, link) in links.list(store, header, Order::Native)? {
                match link.target {
                    LinkTarget::Hard(target) => {
                        waiting.push(target);
                        if target >= limit {
                            is_parent = true;
                            headers.high(target).links += 1;
                        }
                    }
                    LinkTarget::User(kind, _) => headers.unknown |= kind >= link::FIRST_USER,
                    LinkTarget::Soft(_) => {}
                }
            }
        }
        if is_parent {
            headers.parents.push(address);
        }
        let mut extents = header.extents();
        if let Some((_, length)) = extents.next().filter(|_| address >= limit) {
            let high = headers.high(address);
            high.end = address.saturating_add(length);
            high.counted = header.link_count(store)?;
            high.is_fixed = *kind == ObjectKind::NamedType || address == root;
        }
        if extents.any(|(address, _)| address >= limit) {
            headers.continued.push(address);
        }
        Ok(())
    }

    /// Where the first chunks end that may move, and help when they do, and their objects.
    pub(super) fn choose_headers(&mut self, headers: &Headers, referenced: &mut Referenced) -> Result<Vec<(u64, u64)>> {
        let shares = self.store.shared().table.is_some();
        if headers.unknown || shares || self.pinned.are_all() || self.maintenance.search.is_some() {
            return Ok(Vec::new());
        }
        if self.movable(headers, None).is_empty() {
            return Ok(Vec::new());
        }
        if matches!(referenced, Referenced::NotSought) {
            *referenced = match self.referenced(&headers.met) {
                Ok(found) => Referenced::Known(found),
                Err(error) if is_fatal(&error) => return Err(error),
                Err(_) => Referenced::Unknown,
            };
        }
        Ok(match referenced {
            Referenced::Known(found) => self.movable(headers, Some(found)),
            _ => Vec::new(),
        })
    }

    /// Moves continuation chunks that stand at `limit` or above below it; how many.
    pub(super) fn move_continuations(&mut self, headers: &Headers, limit: u64) -> Result<u64> {
        let mut moved = 0;
        for &address in &headers.continued {
            let slot = self.load(address)?;
            moved += self.objects.get(slot)?.header.relocate_above(&mut self.store, limit)? as u64;
            self.drop_surplus()?;
        }
        Ok(moved)
    }

    /// Objects that may move, and have none above them that may not; and where their first chunks end.
    fn movable(&self, headers: &Headers, referenced: Option<&HashSet<u64>>) -> Vec<(u64, u64)> {
        let stays = |address: u64, high: &High| {
            high.is_fixed
                || high.links != high.counted
                || self.pinned.contains(address)
                || referenced.is_some_and(|referenced| referenced.contains(&address))
        };
        let fixed = headers.high.iter().filter(|&(&address, high)| stays(address, high));
        let end = fixed.map(|(_, high)| high.end).max().unwrap_or(0);
        let above = headers.high.iter().filter(|&(&address, _)| address >= end);
        above.map(|(&address, high)| (high.end, address)).collect()
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
    pub(super) fn turn_links(&mut self, headers: &Headers, places: &AddressMap<u64>) -> Result<()> {
        if places.is_empty() {
            return Ok(());
        }
        for parent in &headers.parents {
            let slot = self.load(*places.get(parent).unwrap_or(parent))?;
            let State { store, objects, .. } = self;
            let (header, links) = objects.get(slot)?.group()?;
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

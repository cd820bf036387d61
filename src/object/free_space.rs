//! Free space that lasts: what a file says about its free space between sessions, and how that is found out again where
//! it says nothing, or something wrong.
//!
//! A closed file with free space worth keeping has a File Space Info message in its superblock extension, and free-space
//! managers (specification IV.A.2.x, II.C, III.I), as libhdf5 ≥ 1.10 writes and uses them. A manager that is not true hands
//! out space in use. So the first flush that changes the file after it was opened takes the managers out, in the same commit,
//! and only closing puts new ones in; a session that crashes leaves a message without managers. The message and the managers
//! always go to new space, so that of the flushed state nothing but the superblock changes.
//!
//! A message whose managers are missing, or not to be believed, says that there is free space that nobody knows: it is
//! looked for by a walk over everything that the file uses.

use crate::error::{ErrorKind, Result};
use crate::format::header::message_flag;
use crate::format::message::file_space::{FileSpaceInfo, Strategy};
use crate::format::message::kind;
use crate::format::UNDEFINED;
use crate::object::extents::{gaps, used_within, Extent};
use crate::object::header::{HeaderOptions, NewMessage, ObjectHeader};
use crate::object::state::State;
use crate::store::managers::{self, Told};
use crate::store::Store;

/// Free space is worth a message and managers, which take some 500 bytes, from this on, or where it is one part in so many
/// of the file and more than the least. A smaller limit would have small files carry more than they save; a larger one
/// loses as much with every session.
const WORTH: u64 = 4096;
const WORTH_PARTS: u64 = 64;
const WORTH_LEAST: u64 = 1024;

/// Extents of a file that may be walked although nobody asked for it: some milliseconds (5 µs for a group, release build).
const QUICK: u64 = 2000;

/// Files with an older superblock get no message, because libhdf5 1.8 refuses them with it ("'unknown' message ID encoded in
/// file"); one that has it already keeps it.
const LEAST_SUPERBLOCK: u8 = 3;

/// Where the managers stand in the message, which has one address per kind of data: that of metadata and of raw data.
const METADATA: usize = 0;
const RAW: usize = 2;
const MANAGERS: usize = 12;

/// How much of the free space is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// All of it.
    Whole,
    /// What was freed since the file was opened. The file said nothing about the rest.
    Since,
    /// What was freed since the file was opened. There was more: the file's managers are missing, or wrong.
    Lost,
}

/// What an open file remembers for its free space.
pub(super) struct FreeSpace {
    known: Known,
    /// The message, as the last flushed state has it.
    info: Option<FileSpaceInfo>,
    /// The message was added since the file was opened.
    added: bool,
    /// Space of the managers that the last flushed state has.
    own: Vec<(u64, u64)>,
    /// The last flushed state says all about its free space.
    closed: bool,
    /// The file was changed since it was opened.
    changed: bool,
    /// A walk was asked for.
    walk: bool,
    /// The first change of the session has begun.
    begun: bool,
    /// Closing has begun.
    closing: bool,
    /// The store knows what is free, as far as it is known.
    in_memory: bool,
}

impl FreeSpace {
    /// Of a new file.
    pub fn new() -> Self {
        FreeSpace {
            known: Known::Whole,
            info: None,
            added: false,
            own: Vec::new(),
            closed: false,
            changed: false,
            walk: false,
            begun: false,
            closing: false,
            in_memory: true,
        }
    }

    /// Of a file without a message.
    pub fn unknown() -> Self {
        FreeSpace { known: Known::Since, ..Self::new() }
    }

    /// Of a file that is not opened for writing: nobody asks what is free.
    pub fn unread() -> Self {
        FreeSpace { in_memory: false, ..Self::unknown() }
    }

    /// Whether the store knows what is free now; else what the file says of it is true.
    pub fn is_in_memory(&self) -> bool {
        self.in_memory
    }

    /// Of a file with a message. What its managers say is believed if it can be true, and if the file ends where it ended
    /// when they were written: a writer that does not know the message does not keep it true.
    pub fn open(store: &mut Store, header: &ObjectHeader, index: usize) -> Result<Self> {
        let sizes = store.sizes();
        let info = FileSpaceInfo::decode(header.body(store, index)?, sizes)?;
        if info.strategy == Strategy::Paged {
            store.space_mut().set_pages(info.page_size);
        }
        let end = info.end_before_managers;
        let mut space = FreeSpace::unknown();
        // Also without managers libhdf5 would take this for the end of the file, and give space behind it away.
        space.closed = is_told(&info) && end != UNDEFINED || info.managers.iter().any(|&manager| manager != UNDEFINED);
        if is_told(&info) {
            let was_unknown = header.messages()[index].flags & message_flag::WAS_UNKNOWN != 0;
            // What is free in pages is not written back, so nothing is looked for unless that is asked for.
            space.known = if keeps(&info) { Known::Lost } else { Known::Since };
            let told = if was_unknown { None } else { read(store, header, &info)? };
            if let Some(told) = told.filter(|told| ends_as_noted(end, told, store.space().end())) {
                space.known = if keeps(&info) { Known::Whole } else { Known::Since };
                space.own = told.own;
                store.space_mut().set_told(told.free, told.tails);
            }
        }
        space.info = Some(info);
        Ok(space)
    }

    /// Closing has begun: no flush in the middle of a session follows.
    pub fn begin_closing(&mut self) {
        self.closing = true;
    }
}

/// Whether the file's managers say what is free.
fn is_told(info: &FileSpaceInfo) -> bool {
    info.persist && matches!(info.strategy, Strategy::FreeSpaceManagers | Strategy::Paged)
}

/// Whether the file is to keep its free space.
fn keeps(info: &FileSpaceInfo) -> bool {
    info.persist && info.strategy == Strategy::FreeSpaceManagers
}

/// What h5r chooses for a file about which nobody has chosen.
fn chosen() -> FileSpaceInfo {
    FileSpaceInfo {
        version: 1,
        strategy: Strategy::FreeSpaceManagers,
        persist: true,
        threshold: 1,
        page_size: 4096,
        page_end_threshold: 0,
        end_before_managers: UNDEFINED,
        managers: Vec::new(),
    }
}

/// Whether the file ends where the message says: at the end that it notes, or with managers from there on.
fn ends_as_noted(noted: u64, told: &Told, end: u64) -> bool {
    let mut own: Vec<_> = told.own.iter().filter(|extent| extent.0 >= noted).collect();
    own.sort_unstable();
    own.iter().try_fold(noted, |at, extent| (extent.0 == at).then_some(at + extent.1)) == Some(end)
}

/// What the managers say; none where that cannot be true.
fn read(store: &mut Store, header: &ObjectHeader, info: &FileSpaceInfo) -> Result<Option<Told>> {
    let mut used: Vec<_> = header.extents().collect();
    used.push((0, 12 + 4 * u64::from(store.sizes().offset) + 4));
    let addresses: Vec<u64> = info.managers.iter().copied().filter(|&manager| manager != UNDEFINED).collect();
    match managers::read_all(store, &addresses, &used) {
        Ok(told) => Ok(Some(told)),
        Err(e) if matches!(e.kind(), ErrorKind::Corrupt | ErrorKind::Unsupported) => Ok(None),
        Err(e) => Err(e),
    }
}

impl State {
    /// Before a flush: the managers that the file has are not true of what is flushed now, so they are taken out. Free space
    /// worth keeping is announced, so that it is looked for if this session should crash.
    pub(super) fn open_free_space(&mut self) -> Result<()> {
        let result = self.take_managers_out();
        if result.is_err() {
            self.store.fail();
        }
        result
    }

    fn take_managers_out(&mut self) -> Result<()> {
        self.free_space.changed = true;
        if self.store.space().is_contradicted() {
            self.free_space.known = Known::Lost;
        }
        if self.free_space.closed {
            for (address, length) in std::mem::take(&mut self.free_space.own) {
                self.store.free(address, length);
            }
            self.free_space.closed = false;
            let info = self.free_space.info.take().unwrap_or_else(chosen);
            return self.change_message(FileSpaceInfo { end_before_managers: UNDEFINED, managers: Vec::new(), ..info });
        }
        match self.free_space.info.clone() {
            None if !self.free_space.closing && self.keeps_free_space() => self.announce(),
            Some(info) if self.free_space.added => self.move_from_the_end(info),
            _ => Ok(()),
        }
    }

    /// Writes a message without managers if there is free space worth keeping, unless that would keep the file from being
    /// cut.
    fn announce(&mut self) -> Result<()> {
        let space = self.store.space();
        let (before, end) = (space.end(), space.end_after_flush());
        if !is_worth(space.reclaimable_bytes() - (before - end), end) {
            return Ok(());
        }
        self.write_message(Some(chosen()))?;
        self.free_space.added = self.superblock.extension < end || end == before;
        match self.free_space.added {
            true => Ok(()),
            false => self.write_message(None),
        }
    }

    /// Writes the message elsewhere if the file could end earlier without it.
    fn move_from_the_end(&mut self, info: FileSpaceInfo) -> Result<()> {
        let header = ObjectHeader::open(&mut self.store, self.superblock.extension)?;
        let space = self.store.space();
        let end = space.end_after_flush();
        let is_last = header.extents().any(|(address, length)| address + length == end);
        match is_last && space.free_bytes() > 0 {
            true => self.write_message(Some(info)),
            false => Ok(()),
        }
    }

    /// Has free space that nobody knows looked for: now, if the last flushed state is what is in memory, else with the next
    /// flush. A file made in this session has none.
    pub(super) fn ask_for_free_space(&mut self) -> Result<()> {
        let FreeSpace { known, added, .. } = self.free_space;
        self.free_space.walk = known != Known::Whole || self.free_space.info.is_some() && !added;
        match self.objects.are_unchanged() && !self.store.is_changed() {
            true => self.find_free_space(),
            false => Ok(()),
        }
    }

    /// Before the first change of a session, where the file cannot say what is free: what earlier sessions left is looked
    /// for where that is quick, or every session would leave as much again. Nothing is written for it.
    pub(super) fn begin_changing(&mut self) -> Result<()> {
        if std::mem::replace(&mut self.free_space.begun, true) {
            return Ok(());
        }
        let FreeSpace { known, closed, .. } = self.free_space;
        let is_flushed = self.objects.are_unchanged() && !self.store.is_changed();
        if known != Known::Since || closed || self.keeps_free_space() || !is_flushed {
            return Ok(());
        }
        if let Some(Told { free, tails, .. }) = self.look_for_free_space(QUICK)? {
            self.store.space_mut().set_told(free, tails);
        }
        Ok(())
    }

    /// After a flush: looks for free space that nobody knows, if that was asked for or is due.
    pub(super) fn find_free_space(&mut self) -> Result<()> {
        let asked = std::mem::take(&mut self.free_space.walk).then_some(u64::MAX);
        let Some(most) = asked.or_else(|| self.due_walk()) else { return Ok(()) };
        if self.free_space.closed && self.free_space.known == Known::Lost {
            // Managers that are wrong would only lead the walk astray.
            self.open_free_space()?;
            self.write_flush()?;
        }
        let Some(Told { free, tails, .. }) = self.look_for_free_space(most)? else { return Ok(()) };
        self.free_space.known = Known::Whole;
        let space = self.store.space();
        if free != space.free_after_flush() || space.end_after_flush() < space.end() {
            self.store.space_mut().set_known(free, tails);
            if self.free_space.closed {
                self.open_free_space()?;
            }
            self.free_space.changed = true;
            self.write_flush()?;
        }
        Ok(())
    }

    /// What a walk over at most so many extents finds free, and the tails of large extents. What is damaged or not supported
    /// is no reason to fail: what it uses is not known, so nothing is reclaimed, and `h5r check` names it.
    fn look_for_free_space(&mut self, most: u64) -> Result<Option<Told>> {
        let used = match used_within(self, most) {
            Ok(used) => used,
            Err(e) if matches!(e.kind(), ErrorKind::Corrupt | ErrorKind::Unsupported) => return Ok(None),
            Err(e) => return Err(e),
        };
        if self.has_unlinked(&used)? {
            return Ok(None);
        }
        let (space, end) = (self.store.space(), self.store.space().end());
        let whole = |extent: &Extent| extent.length.saturating_add(space.tail(extent.address, extent.length));
        let free = gaps(used.iter().map(|extent| (extent.address, whole(extent))), end);
        let next = used.iter().skip(1).map(|extent| extent.address).chain([end]);
        let tails = used.iter().zip(next).filter_map(|(extent, next)| {
            let tail = (whole(extent) - extent.length).min(next.saturating_sub(extent.end()));
            (tail > 0).then_some((extent.end(), tail))
        });
        Ok(Some(Told { free, tails: tails.collect(), own: Vec::new() }))
    }

    /// Whether an object that nothing leads to is open: groups that only lead to each other. The walk does not find it, and
    /// yet its space is in use until the file is closed.
    fn has_unlinked(&mut self, used: &[Extent]) -> Result<bool> {
        for slot in self.objects.loaded() {
            let object = self.objects.get(slot)?;
            let address = object.header.address();
            let at = used.partition_point(|extent| extent.address <= address);
            let found = at > 0 && used[at - 1].end() > address;
            if !object.deleted && !found {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// How many extents a walk is worth now. Closing looks where managers were lost, and where managers would be written
    /// for the first time: in a mode that is to keep the file small whatever that takes, else where it is quick.
    fn due_walk(&self) -> Option<u64> {
        let FreeSpace { known, closing, changed, .. } = self.free_space;
        let most = match known {
            Known::Whole => None,
            Known::Since if !self.keeps_free_space() || self.store.space().free_bytes() == 0 => None,
            Known::Since if self.maintenance.controller.finishes_at_close() => Some(u64::MAX),
            Known::Since => Some(QUICK),
            Known::Lost => Some(u64::MAX),
        };
        most.filter(|_| closing && changed)
    }

    /// Whether managers may be written into the file.
    fn keeps_free_space(&self) -> bool {
        match &self.free_space.info {
            Some(info) => keeps(info),
            None => self.superblock.version >= LEAST_SUPERBLOCK,
        }
    }

    /// The last thing that closing does: says in the file what is free, if it was changed and there is something to say.
    pub(super) fn close_free_space(&mut self) -> Result<()> {
        let FreeSpace { known, changed, closed, added, .. } = self.free_space;
        if !changed || closed || known == Known::Lost || !self.keeps_free_space() {
            return Ok(());
        }
        let space = self.store.space();
        // Where a walk is not quick, what this session does not say is lost to all that follow, and they may do the same.
        let loses = known == Known::Since && space.free_bytes() > 0;
        let worth = loses || is_worth(space.free_bytes(), space.end());
        let info = match self.free_space.info.clone() {
            None if !worth => return Ok(()),
            Some(_) if !worth && added => {
                self.write_message(None)?;
                return self.write_flush();
            }
            info => info.unwrap_or_else(chosen),
        };
        // First a place for the message, since that takes space, and may give back what the file ends with.
        self.write_message(Some(info.clone()))?;
        if self.store.space().end_after_flush() < self.store.space().end() {
            self.write_flush()?;
        }
        self.write_managers(info)?;
        self.write_flush()
    }

    /// Writes managers of what is free after the flush that follows, and has the message name them.
    fn write_managers(&mut self, info: FileSpaceInfo) -> Result<()> {
        let mut free = self.store.space().free_after_flush();
        free.retain(|extent| extent.1 >= info.threshold);
        let (metadata, raw) = managers::write(&mut self.store, free)?;
        let mut managers = vec![UNDEFINED; MANAGERS];
        managers[METADATA] = metadata.unwrap_or(UNDEFINED);
        managers[RAW] = raw.unwrap_or(UNDEFINED);
        // As libhdf5 1.10 does, which then takes metadata's manager off the file's end before it changes anything. Later ones note
        // the end behind it, and 1.10.8 then writes its section list anew in a flush, where it can be longer than its place.
        let end_before_managers = metadata.unwrap_or(self.store.space().end());
        self.free_space.closed = true;
        self.change_message(FileSpaceInfo { end_before_managers, managers, ..info })
    }

    /// Has the message that the file has say this.
    fn change_message(&mut self, info: FileSpaceInfo) -> Result<()> {
        let store = &mut self.store;
        let mut header = ObjectHeader::open(store, self.superblock.extension)?;
        if let Some(index) = header.find(kind::FILE_SPACE_INFO) {
            let body = info.encode(store.sizes());
            header.replace(store, index, &body)?;
        }
        self.free_space.info = Some(info);
        Ok(())
    }

    /// Writes the superblock extension anew, with this message or without one; without any message there is no extension.
    fn write_message(&mut self, info: Option<FileSpaceInfo>) -> Result<()> {
        let State { store, superblock, .. } = self;
        let mut bodies: Vec<(u8, u8, Vec<u8>)> = Vec::new();
        let mut options = HeaderOptions::default();
        if superblock.extension != UNDEFINED {
            let old = ObjectHeader::open(store, superblock.extension)?;
            options.times = old.prefix().times;
            for (index, message) in old.messages().iter().enumerate() {
                if ![kind::CONTINUATION, kind::FILE_SPACE_INFO].contains(&message.kind) {
                    bodies.push((message.kind, message.flags, old.body(store, index)?.to_vec()));
                }
            }
            old.delete(store)?;
            superblock.extension = UNDEFINED;
        }
        if let Some(info) = &info {
            // One that does not know the message and writes marks it: what it says is not believed then.
            let flags = message_flag::MARK_IF_UNKNOWN | message_flag::DONT_SHARE;
            bodies.push((kind::FILE_SPACE_INFO, flags, info.encode(store.sizes())));
        }
        self.free_space.info = info;
        if bodies.is_empty() {
            return Ok(());
        }
        let messages: Vec<_> = bodies
            .iter()
            .map(|(kind, flags, body)| NewMessage { kind: *kind, flags: *flags, order: 0, body })
            .collect();
        let header = ObjectHeader::create(store, &options, &messages, 0)?;
        superblock.extension = header.address();
        Ok(())
    }

    fn write_flush(&mut self) -> Result<()> {
        let superblock = &self.superblock;
        self.store.flush(|end| superblock.encode(end))
    }
}

/// Whether so much free space in a file of this length is worth keeping.
fn is_worth(free: u64, end: u64) -> bool {
    free >= (end / WORTH_PARTS).clamp(WORTH_LEAST, WORTH)
}

#[cfg(test)]
mod tests;

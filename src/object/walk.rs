//! A walk over everything that can be reached from the superblock: every object by its hard links and by the committed
//! datatypes that data share, and every extent that belongs to it. Nothing recurses over the file's objects; cycles and
//! objects with several links are known by their addresses.

use std::collections::HashSet;

use crate::btree::Tree;
use crate::error::{Damage, Error, ErrorKind, Result};
use crate::format::free_space::FreeSpaceHeader;
use crate::format::message::file_space::FileSpaceInfo;
use crate::format::message::kind;
use crate::format::message::plain::{BTreeK, SharedMessageTable};
use crate::format::UNDEFINED;
use crate::heap::{Heap, Part};
use crate::object::attribute::{AttributeKind, Attributes};
use crate::object::attribute_lost::has_references;
use crate::object::check::{Finding, FindingKind, Severity};
use crate::object::dataset::DatasetState;
use crate::object::dense::{DenseKind, DenseStore};
use crate::object::extents::{Extent, Purpose};
use crate::object::header::ObjectHeader;
use crate::object::link::{LinkTarget, Links};
use crate::object::options::Order;
use crate::object::state::State;
use crate::object::walk_shared::{AttributeUses, SharedUses};
use crate::object::ObjectKind;
use crate::store::{managers, AddressMap, Store};

/// How many times the file's bytes may be claimed before a walk ends: in a damaged file structures can be woven into
/// each other without end.
const MAX_CLAIMS: u64 = 4;

/// Names of a path that are shown; findings of a file of very deep groups would have no bounds otherwise.
const MAX_PATH: usize = 100;

/// Faults that are remembered.
const MAX_TOLD: usize = 100_000;

/// The number of the file itself among the objects.
pub(super) const FILE: u32 = 0;

/// Told every finding; an error ends the walk.
pub(super) type Sink<'r> = &'r mut dyn FnMut(Finding) -> Result<()>;

/// An object that the walk has met.
pub(super) struct Met {
    pub address: u64,
    /// Where it was met first.
    parent: u32,
    name: Box<[u8]>,
    /// Hard links and shared datatypes that lead to it.
    pub references: u32,
    /// The reference count in its header, once it was read.
    pub recorded: Option<u32>,
}

/// A walk in progress, and what it has found.
pub(super) struct Walk<'r> {
    /// Whether what is met is also checked, and by the rules for what is flushed.
    pub checks: Option<bool>,
    pub extents: Vec<Extent>,
    /// Free sections of the file's own free-space managers.
    pub free: Vec<(u64, u64)>,
    pub objects: Vec<Met>,
    /// Objects of each kind.
    pub kinds: [u64; 3],
    /// No fault was met, so everything was read.
    pub whole: bool,
    /// Faults that were told: address, damage and object, so that none is told twice.
    told: HashSet<(u64, Damage, u32)>,
    by_address: AddressMap<u32>,
    /// Who has the structure at an address.
    structures: AddressMap<u32>,
    waiting: Vec<u32>,
    sink: Sink<'r>,
    /// Shared messages and their uses.
    pub shared: SharedUses,
    /// The end of allocation, and the bytes claimed so far.
    end: u64,
    claimed: u64,
    /// Claims so far, and how many there may be: a walk that is only worth it where it is quick ends with an error.
    claims: u64,
    pub most_claims: u64,
    /// What stands in pages is not made one with its neighbour: what is smaller than a page and what is not are told apart.
    paged: bool,
}

/// The parts of an object that could be opened.
struct Parts<'o> {
    header: &'o ObjectHeader,
    attributes: Option<&'o mut Attributes>,
    links: Option<&'o mut Links>,
    dataset: Option<&'o DatasetState>,
}

impl<'r> Walk<'r> {
    /// A walk that has only met the root group.
    pub fn new(state: &State, checks: Option<bool>, sink: Sink<'r>) -> Self {
        let file = Met { address: 0, parent: FILE, name: Box::default(), references: 0, recorded: None };
        let mut walk = Walk {
            checks,
            extents: Vec::new(),
            free: Vec::new(),
            objects: vec![file],
            kinds: [0; 3],
            whole: true,
            told: HashSet::new(),
            by_address: AddressMap::default(),
            structures: AddressMap::default(),
            waiting: Vec::new(),
            sink,
            shared: SharedUses::default(),
            end: state.store.space().end(),
            claimed: 0,
            claims: 0,
            most_claims: u64::MAX,
            paged: state.store.space().is_paged(),
        };
        walk.meet(FILE, b"/", state.superblock.root);
        walk
    }

    /// The extents of the object at `address` alone.
    pub fn of_object(state: &mut State, address: u64, sink: Sink<'r>) -> Result<Vec<Extent>> {
        let mut walk = Walk::new(state, None, sink);
        walk.meet(FILE, b"", address);
        let number = walk.by_address.get(&address).copied().unwrap_or(FILE);
        walk.visit(state, number)?;
        Ok(walk.extents)
    }

    /// Walks everything.
    pub fn run(&mut self, state: &mut State) -> Result<()> {
        let length = state.superblock.len() as u64;
        let superblock = self.claim(FILE, Purpose::Superblock, 0, length);
        self.attempt(FILE, superblock)?;
        if state.superblock.extension != UNDEFINED {
            self.extension(&mut state.store, state.superblock.extension)?;
        }
        while let Some(number) = self.waiting.pop() {
            self.visit(state, number)?;
            if self.claimed / MAX_CLAIMS > self.end {
                let detail = "its structures claim more than four times its bytes";
                let error = Error::new(ErrorKind::Corrupt, format!("the file is damaged: {detail}"));
                return self.tell(number, error);
            }
            state.store.trim_cache();
        }
        Ok(())
    }

    /// The path by which an object was met first.
    pub fn path(&self, number: u32) -> String {
        let mut names = Vec::new();
        let mut number = number;
        while let Some(met) = self.objects.get(number as usize).filter(|met| met.parent != FILE) {
            if names.len() == MAX_PATH {
                names.push("…".into());
                break;
            }
            names.push(String::from_utf8_lossy(&met.name));
            number = met.parent;
        }
        match names.len() {
            0 if number == FILE => "the file".into(),
            0 => "/".into(),
            _ => names.iter().rev().fold(String::new(), |path, name| path + "/" + name),
        }
    }

    /// Tells a fault of an object. What the operating system says, and a defect of ours, is no finding.
    pub fn tell(&mut self, number: u32, error: Error) -> Result<()> {
        if matches!(error.kind(), ErrorKind::Io | ErrorKind::Failed | ErrorKind::Internal) {
            return Err(error.within(self.path(number)));
        }
        self.whole = false;
        let place = error.address().unwrap_or(UNDEFINED);
        if place != UNDEFINED && self.told.len() < MAX_TOLD && !self.told.insert((place, error.damage(), number)) {
            return Ok(());
        }
        let finding = Finding::from_error(&error, self.path(number));
        (self.sink)(finding)
    }

    /// Tells what is no error.
    pub fn warn(&mut self, number: u32, kind: FindingKind, address: Option<u64>, message: String) -> Result<()> {
        let path = self.path(number);
        (self.sink)(Finding { severity: Severity::Warning, kind, path, address, message })
    }

    /// What came of a step; its fault is told.
    pub fn attempt<T>(&mut self, number: u32, result: Result<T>) -> Result<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) => self.tell(number, error).map(|()| None),
        }
    }

    /// A reference to the object at `address`, which is walked once.
    pub(super) fn meet(&mut self, parent: u32, name: &[u8], address: u64) {
        let next = self.objects.len() as u32;
        let number = *self.by_address.entry(address).or_insert(next);
        if number == next {
            self.objects.push(Met { address, parent, name: name.into(), references: 0, recorded: None });
            self.waiting.push(number);
        }
        let met = &mut self.objects[number as usize];
        met.references = met.references.saturating_add(1);
    }

    /// An extent is in use.
    pub(super) fn claim(&mut self, owner: u32, purpose: Purpose, address: u64, length: u64) -> Result<()> {
        if address == UNDEFINED || address.checked_add(length).is_none_or(|end| end > self.end) {
            let detail = format_args!("{length} bytes there lie outside the file, which ends at {:#x}", self.end);
            return Err(Error::corrupt(purpose.name(), address, detail).because(Damage::Bound));
        }
        self.spend(1)?;
        self.claimed = self.claimed.saturating_add(length);
        match self.extents.last_mut() {
            _ if length == 0 => {}
            Some(last) if !self.paged && (last.owner, last.purpose, last.end()) == (owner, purpose, address) => {
                last.length += length;
            }
            _ => self.extents.push(Extent { address, length, purpose, owner }),
        }
        Ok(())
    }

    /// Counts claims, and what takes as long.
    fn spend(&mut self, claims: u64) -> Result<()> {
        self.claims = self.claims.saturating_add(claims);
        match self.claims > self.most_claims {
            true => Err(Error::new(ErrorKind::Unsupported, format!("more than {} extents", self.most_claims))),
            false => Ok(()),
        }
    }

    /// The structure at `address` belongs to an object: it is walked once.
    pub(super) fn enter(&mut self, owner: u32, what: &str, address: u64) -> Result<()> {
        if let Some(other) = self.structures.insert(address, owner) {
            let detail = format_args!("it belongs to {} already", self.path(other));
            return Err(Error::corrupt(what, address, detail).because(Damage::Overlap));
        }
        Ok(())
    }

    fn visit(&mut self, state: &mut State, number: u32) -> Result<()> {
        let address = self.objects[number as usize].address;
        let State { store, objects, .. } = state;
        if let Some(slot) = objects.find(address) {
            let object = objects.get(slot)?;
            self.attempt(number, object.links_if_group(store).map(|_| ()))?;
            let parts = Parts {
                header: &object.header,
                attributes: Some(&mut object.attributes),
                links: object.read_links.as_deref_mut(),
                dataset: object.dataset.as_deref(),
            };
            return self.object(store, number, parts);
        }
        // Not kept: a walk's memory does not grow by what the objects hold.
        let Some(header) = self.attempt(number, ObjectHeader::open(store, address))? else { return Ok(()) };
        let kind = self.attempt(number, ObjectKind::of(&header))?;
        let mut attributes = self.attempt(number, Attributes::of(store, &header))?;
        let mut links = match kind {
            Some(ObjectKind::Group) => self.attempt(number, Links::of(store, &header))?,
            _ => None,
        };
        let dataset = match kind {
            Some(ObjectKind::Dataset) => self.attempt(number, DatasetState::open(store, &header))?,
            _ => None,
        };
        let parts = Parts {
            header: &header,
            attributes: attributes.as_mut(),
            links: links.as_mut(),
            dataset: dataset.as_ref(),
        };
        self.object(store, number, parts)
    }

    fn object(&mut self, store: &mut Store, number: u32, parts: Parts<'_>) -> Result<()> {
        let Parts { header, attributes, links, dataset } = parts;
        self.header(store, number, header)?;
        if let Ok(kind) = ObjectKind::of(header) {
            self.kinds[kind as usize] += 1;
        }
        let recorded = self.attempt(number, header.link_count(store))?;
        self.objects[number as usize].recorded = recorded;
        if let Some(attributes) = attributes {
            self.attributes(store, number, header, attributes)?;
        }
        if let Some(links) = links {
            self.links(store, number, header, links)?;
        }
        if let Some(dataset) = dataset {
            self.dataset(store, number, header, dataset)?;
        }
        Ok(())
    }

    /// A header's chunks, and what is told by its messages' types.
    fn header(&mut self, store: &mut Store, number: u32, header: &ObjectHeader) -> Result<()> {
        self.use_shared(store, number, header)?;
        for (address, length) in header.extents() {
            let claimed = self.claim(number, Purpose::ObjectHeader, address, length);
            self.attempt(number, claimed)?;
        }
        if let Some(unknown) = header.messages().iter().find(|message| !kind::is_known(message.kind)) {
            let what = format_args!("message type {:#04x}: what it uses is not known", unknown.kind);
            self.tell(number, Error::unsupported(what))?;
        }
        match self.checks {
            Some(_) => self.check_header(store, number, header),
            None => Ok(()),
        }
    }

    fn attributes(
        &mut self,
        store: &mut Store,
        number: u32,
        header: &ObjectHeader,
        attributes: &mut Attributes,
    ) -> Result<()> {
        let sizes = store.sizes();
        for index in header.find_all(kind::ATTRIBUTE) {
            // What a shared message refers to is counted once, with the table.
            let own = match header.heap_id(store, index) {
                Ok(None) => header.body(store, index).and_then(|body| AttributeUses::of(body, sizes)),
                other => other.map(|_| AttributeUses::default()),
            };
            if let Some(uses) = self.attempt(number, own)? {
                self.use_parts(number, uses);
            }
        }
        let dense = attributes.dense(store);
        let Some(dense) = self.attempt(number, dense)? else { return Ok(()) };
        self.dense_attributes(store, number, dense)?;
        match self.checks {
            Some(_) => self.check_attributes(store, number, header, attributes),
            None => Ok(()),
        }
    }

    fn dense_attributes(
        &mut self,
        store: &mut Store,
        number: u32,
        dense: Option<&mut DenseStore<AttributeKind>>,
    ) -> Result<()> {
        let Some(dense) = dense else { return Ok(()) };
        let sizes = store.sizes();
        self.dense(store, number, dense)?;
        let mut all = Vec::new();
        let read = dense.for_each(store, |record, object| {
            match DenseStore::<AttributeKind>::shared_id(record) {
                Some(id) => all.push(AttributeUses::shared(id)),
                None if has_references(object) => all.push(AttributeUses::of(object, sizes)?),
                None => {}
            }
            Ok(true)
        });
        for uses in all {
            self.use_parts(number, uses);
        }
        self.attempt(number, read).map(|_| ())
    }

    fn links(&mut self, store: &mut Store, number: u32, header: &ObjectHeader, links: &mut Links) -> Result<()> {
        let dense = links.dense(store);
        if let Some(Some(dense)) = self.attempt(number, dense)? {
            self.dense(store, number, dense)?;
        }
        if let Some(table) = links.table() {
            let walked = self.enter(number, "symbol table", table.address()).and_then(|()| {
                table.each_extent(store, &mut |purpose, address, length| self.claim(number, purpose, address, length))
            });
            self.attempt(number, walked)?;
        }
        let list = links.list(store, header, Order::Native);
        for (name, link) in self.attempt(number, list)?.unwrap_or_default() {
            if let LinkTarget::Hard(address) = link.target {
                self.meet(number, &name, address);
            }
        }
        match self.checks {
            Some(_) => self.check_links(store, number, header, links),
            None => Ok(()),
        }
    }

    /// The extents of a dense store.
    fn dense<K: DenseKind>(&mut self, store: &mut Store, number: u32, dense: &mut DenseStore<K>) -> Result<()> {
        // Four records are read in the time of an extent.
        let spent = self.spend(dense.len() / 4);
        self.attempt(number, spent)?;
        for tree in std::iter::once(&dense.names).chain(&dense.order) {
            self.tree(store, number, tree)?;
        }
        self.heap(store, number, &mut dense.heap)
    }

    /// The extents of a version 2 B-tree.
    pub(super) fn tree(&mut self, store: &mut Store, number: u32, tree: &Tree) -> Result<()> {
        let walked = self.enter(number, "B-tree", tree.address()).and_then(|()| {
            tree.each_extent(store, &mut |address, length| self.claim(number, Purpose::BTree, address, length))
        });
        self.attempt(number, walked).map(|_| ())
    }

    /// The extents of a fractal heap.
    pub(super) fn heap(&mut self, store: &mut Store, number: u32, heap: &mut Heap) -> Result<()> {
        let walked = self.enter(number, "fractal heap", heap.address()).and_then(|()| {
            heap.each_extent(store, &mut |part, address, length| {
                let purpose = match part {
                    Part::Block | Part::FreeSpace => Purpose::FractalHeap,
                    Part::Tree => Purpose::BTree,
                    Part::Huge => Purpose::HugeObject,
                };
                self.claim(number, purpose, address, length)
            })
        });
        self.attempt(number, walked).map(|_| ())
    }

    fn dataset(&mut self, store: &mut Store, number: u32, header: &ObjectHeader, dataset: &DatasetState) -> Result<()> {
        if let Some(address) = dataset.committed_type() {
            self.meet(number, b"(datatype)", address);
        }
        let entered = dataset.storage_address().map_or(Ok(()), |address| self.enter(number, "raw data", address));
        let walked = entered.and_then(|()| {
            dataset.each_extent(store, header, &mut |purpose, address, length| {
                self.claim(number, purpose, address, length)
            })
        });
        self.attempt(number, walked)?;
        if let Some(flushed) = self.checks {
            let checked = dataset.check(store, header, flushed);
            self.attempt(number, checked)?;
        }
        Ok(())
    }

    /// The superblock extension, and what it leads to.
    fn extension(&mut self, store: &mut Store, address: u64) -> Result<()> {
        let sizes = store.sizes();
        let Some(header) = self.attempt(FILE, ObjectHeader::open(store, address))? else { return Ok(()) };
        self.header(store, FILE, &header)?;
        for (kind, what) in [(kind::CACHE_IMAGE, "a metadata cache image"), (kind::DRIVER_INFO, "several files")] {
            if header.find(kind).is_some() {
                return Err(Error::unsupported(format_args!("a file with {what}")));
            }
        }
        if let Some(index) = header.find(kind::BTREE_K) {
            let k = header.body(store, index).and_then(BTreeK::decode);
            if let Some(k) = self.attempt(FILE, k)? {
                store.set_k(k);
            }
        }
        if let Some(index) = header.find(kind::SHARED_MESSAGE_TABLE) {
            let table = header.body(store, index).and_then(|body| SharedMessageTable::decode(body, sizes));
            store.shared_mut().table = self.attempt(FILE, table)?;
            self.shared_table(store)?;
        }
        let Some(index) = header.find(kind::FILE_SPACE_INFO) else { return Ok(()) };
        let info = header.body(store, index).and_then(|body| FileSpaceInfo::decode(body, sizes));
        let Some(info) = self.attempt(FILE, info)? else { return Ok(()) };
        for manager in info.managers.into_iter().filter(|&manager| manager != UNDEFINED) {
            let walked = self.manager(store, manager);
            self.attempt(FILE, walked)?;
        }
        Ok(())
    }

    /// One of the file's free-space managers.
    fn manager(&mut self, store: &mut Store, address: u64) -> Result<()> {
        self.enter(FILE, "free-space manager", address)?;
        let (header, sections) = managers::read(store, address)?;
        self.claim(FILE, Purpose::FreeSpace, address, FreeSpaceHeader::length(store.sizes()) as u64)?;
        if header.serialized > 0 {
            self.claim(FILE, Purpose::FreeSpace, header.sections, header.allocated)?;
        }
        let listed = sections.iter().fold((0u64, 0u64), |sum, section| (sum.0 + 1, sum.1.saturating_add(section.size)));
        self.free.extend(sections.iter().map(|section| (section.address, section.size)));
        if listed != (header.total_count, header.total_space) {
            let detail = format_args!(
                "{listed:?} sections and bytes listed, {} and {} counted",
                header.total_count, header.total_space
            );
            return Err(Error::corrupt("free-space manager", address, detail).because(Damage::Count));
        }
        Ok(())
    }
}

//! What tests share: a file's contents, read through the library in full.
#![allow(dead_code)]

pub mod random;

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::path::Path;

use h5r::datatype::{Arena, Datatype};
use h5r::error::{ErrorKind, Result};
use h5r::format::superblock::{Superblock, COMMITTING};
use h5r::object::{File, LinkTarget, Object, ObjectKind, Order};

/// An attribute: its type, its dimensions (none: null) and its bytes as the file has them.
pub type Attribute = (Datatype, Option<Vec<u64>>, Vec<u8>);

/// What one object holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Place {
    pub attributes: BTreeMap<String, Attribute>,
    pub attribute_order: Option<Vec<String>>,
    /// `hard PATH`, `soft PATH` or `user TYPE`.
    pub links: BTreeMap<String, String>,
    pub link_order: Option<Vec<String>>,
    /// A dataset's dimensions; none for a null dataspace.
    pub dims: Option<Vec<u64>>,
    /// A dataset's elements, converted to `i32`, or with what their pointers lead to; none where they cannot be read.
    pub data: Option<Vec<u8>>,
}

/// Objects by the first path that leads to them, breadth first and names ascending.
pub type Contents = Vec<(String, Place)>;

/// Reads everything that can be reached.
pub fn describe(file: &File) -> Result<Contents> {
    let root = file.root()?;
    let mut paths: HashMap<u64, String> = HashMap::new();
    paths.insert(root.address()?, "/".into());
    let mut waiting = vec![(String::from("/"), root)];
    let mut next = 0;
    let mut contents = Vec::new();
    let mut links_of = Vec::new();
    while next < waiting.len() {
        let (path, object) = waiting[next].clone();
        next += 1;
        contents.push((path.clone(), attributes_and_data(&object)?));
        let mut links = Vec::new();
        if object.kind()? == ObjectKind::Group {
            links = object.links(Order::Name)?;
            assert_eq!(object.link_count()?, links.len() as u64, "count of links of {path}");
        }
        for (name, info) in &links {
            if let LinkTarget::Hard(address) = info.target {
                if let std::collections::hash_map::Entry::Vacant(place) = paths.entry(address) {
                    let below = format!("{}/{name}", path.trim_end_matches('/'));
                    place.insert(below.clone());
                    waiting.push((below, object.open(name)?));
                }
            }
        }
        if object.kind()? == ObjectKind::Group {
            let order = unless(object.links(Order::Creation), &[ErrorKind::Argument])?;
            contents[next - 1].1.link_order = order.map(|order| order.into_iter().map(|(name, _)| name).collect());
        }
        links_of.push(links);
    }
    for ((_, place), links) in contents.iter_mut().zip(links_of) {
        for (name, info) in links {
            let target = match info.target {
                LinkTarget::Hard(address) => format!("hard {}", paths[&address]),
                LinkTarget::Soft(path) => format!("soft {}", String::from_utf8_lossy(&path)),
                LinkTarget::User(kind, _) => format!("user {kind}"),
            };
            place.links.insert(name, target);
        }
    }
    Ok(contents)
}

fn attributes_and_data(object: &Object) -> Result<Place> {
    let mut place = Place::default();
    let names = object.attr_names(Order::Name)?;
    assert_eq!(object.attr_count()?, names.len() as u64, "count of attributes of {}", object.path());
    for name in names {
        let (info, mut data) = object.attr_read_raw(&name)?;
        let memory = object.attr_info(&name)?.datatype;
        if memory.has_pointers() {
            data = vec![0; object.attr_read(&name, &memory, &mut [])?];
            let mut arena = Arena::default();
            object.attr_read_values(&name, &memory, &mut data, &mut arena)?;
            data.extend(values(&arena));
        }
        let dims = (!info.is_null).then_some(info.dims);
        place.attributes.insert(name, (info.datatype, dims, data));
    }
    place.attribute_order = unless(object.attr_names(Order::Creation), &[ErrorKind::Argument])?;
    if object.kind()? == ObjectKind::Dataset {
        let info = object.dataset_info()?;
        let count: u64 = if info.is_null { 0 } else { info.dims.iter().product() };
        let memory = match info.datatype.has_pointers() {
            true => info.datatype.clone(),
            false => Datatype::little(h5r::datatype::Number::I32),
        };
        let mut data = vec![0; usize::try_from(count.min(1 << 20)).unwrap_or(0) * memory.size()];
        let mut arena = Arena::default();
        let read = object.dataset_read_values(&memory, None, |_| Ok(&mut data), &mut arena);
        place.dims = (!info.is_null).then_some(info.dims);
        let read = unless(read, &[ErrorKind::Type, ErrorKind::Unsupported])?;
        data.extend(values(&arena));
        place.data = read.map(|()| data);
    }
    Ok(place)
}

/// All that pointers lead to, one after the other.
fn values(arena: &Arena) -> Vec<u8> {
    let kept = (1..).map_while(|pointer| arena.get(pointer));
    kept.flat_map(|value| [&(value.len() as u64).to_le_bytes(), value].concat()).collect()
}

/// `None` for an error of one of these kinds.
fn unless<T>(result: Result<T>, kinds: &[ErrorKind]) -> Result<Option<T>> {
    match result {
        Err(e) if kinds.contains(&e.kind()) => Ok(None),
        result => result.map(Some),
    }
}

/// The first difference between two contents, in words.
pub fn difference(expected: &Contents, found: &Contents) -> String {
    let paths = |contents: &Contents| contents.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>();
    if paths(expected) != paths(found) {
        return format!("objects {:?} expected, {:?} found", paths(expected), paths(found));
    }
    for ((path, want), (_, have)) in expected.iter().zip(found) {
        for name in want.attributes.keys().chain(have.attributes.keys()) {
            if want.attributes.get(name) != have.attributes.get(name) {
                return format!("attribute '{name}' of {path} differs");
            }
        }
        if want != have {
            let parts = [
                format!("{:?} {:?}", want.attribute_order, have.attribute_order),
                format!("{:?} {:?}", want.links, have.links),
                format!("{:?} {:?}", want.link_order, have.link_order),
            ];
            return format!("{path} differs: {parts:?}, data equal: {}", want.data == have.data);
        }
    }
    "no difference".into()
}

/// Prints also where the output of tests that pass is not shown: a harness that does little must be seen.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// The superblock of a file in memory.
pub fn superblock(bytes: &[u8]) -> Result<Superblock> {
    Superblock::locate(bytes.len() as u64, |at, buffer| {
        buffer.copy_from_slice(&bytes[at as usize..at as usize + buffer.len()]);
        Ok(())
    })
}

/// Whether the file was caught in a commit: only h5r opens it.
pub fn is_flagged(bytes: &[u8]) -> bool {
    superblock(bytes).is_ok_and(|superblock| superblock.flags & COMMITTING != 0)
}

/// What is wrong with a file in memory that h5r has opened for writing, as any library would see it: it must not be
/// within a commit, and end where its allocation does.
pub fn check_recovered(bytes: &[u8]) -> std::result::Result<(), String> {
    let superblock = superblock(bytes).map_err(|e| e.to_string())?;
    let (flags, end, length) = (superblock.flags, superblock.base + superblock.end, bytes.len() as u64);
    match flags & COMMITTING == 0 && length == end {
        true => Ok(()),
        false => Err(format!("after recovery: flags {flags:#x}, {length} bytes, allocation ends at {end}")),
    }
}

/// How many objects the global heap of a closed or flushed file has.
pub fn heap_objects(path: &Path) -> usize {
    heap_objects_in(&std::fs::read(path).unwrap())
}

/// The same of its bytes.
pub fn heap_objects_in(bytes: &[u8]) -> usize {
    let number = |at: usize, length: usize| bytes[at..at + length].iter().rev().fold(0, |n, &b| n << 8 | b as usize);
    let mut found = 0;
    for begin in (0..bytes.len()).filter(|&at| bytes[at..].starts_with(b"GCOL\x01")) {
        let (mut at, end) = (begin + 16, begin + number(begin + 8, 8));
        while at + 16 <= end && number(at, 2) != 0 {
            found += 1;
            at += 16 + number(at + 8, 8).next_multiple_of(8);
        }
    }
    found
}

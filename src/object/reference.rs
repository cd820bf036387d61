//! References: made, and followed. A reference stands in an element as its type says; here it is the bytes of one in memory:
//! of an object reference the address, of a region reference of before libhdf5 1.12 the heap ID, and of the others their
//! encoding, to which an element in memory points.

use std::os::unix::ffi::OsStrExt;

use crate::datatype::ReferenceKind;
use crate::error::{Error, ErrorKind, Result};
use crate::format::reference::{self, Decoded, Part};
use crate::format::selection::Selected;
use crate::format::UNDEFINED;
use crate::object::dataset::Selection;
use crate::object::face::{check_path, Object};
use crate::object::options::Order;
use crate::object::outside::find_referenced;
use crate::object::path::{self, Reached};
use crate::object::state::{Slot, State};
use crate::object::File;

const FOLLOWING: &str = "following a reference from";

/// Bytes of an object reference.
const OBJECT_BYTES: usize = 8;
/// Bytes of a region reference of before libhdf5 1.12.
const REGION_BYTES: usize = 12;

/// What a new reference refers to.
#[derive(Debug, Clone, Copy)]
pub enum Referred<'a> {
    /// An object.
    Object,
    /// The selected elements of a dataset, or all.
    Region(Option<&'a Selection<'a>>),
    /// Elements of a dataset, in this order.
    Points {
        /// The number of dimensions.
        rank: usize,
        /// Their coordinates, one point after the other.
        coordinates: &'a [u64],
    },
    /// The attribute of this name of an object.
    Attribute(&'a str),
}

impl Object {
    /// A reference of a kind to the object at `path`, or to a part of it, which the kind allows, for a buffer of `room`
    /// bytes. Without room nothing is made, and so many zero bytes are returned. External links are followed: the kinds of before
    /// libhdf5 1.12 cannot lead to another file, and the others have its name.
    pub fn reference(&self, path: &str, kind: ReferenceKind, referred: Referred<'_>, room: usize) -> Result<Vec<u8>> {
        const WHAT: &str = "making reference to";
        let encode = |state: &mut State, slot: Slot| {
            check_path(path)?;
            match path::resolve_or_leave(state, slot, path.as_bytes())? {
                Reached::Here(target) => fitting(kind, encoded(state, target, kind, referred)?, room).map(Ok),
                Reached::Outside(outside) => Ok(Err(outside)),
            }
        };
        let made = if kind != ReferenceKind::Region || room == 0 {
            self.read(WHAT, path, encode)?
        } else {
            self.change(WHAT, path, |state, slot| match encode(state, slot)? {
                Ok(object) => {
                    let (address, index) = state.heap.insert(&mut state.store, &object)?;
                    Ok(Ok([&address.to_le_bytes()[..], &index.to_le_bytes()].concat()))
                }
                outside => Ok(outside),
            })?
        };
        let beyond = |object: &Object| match (self.is_beside(object), kind) {
            (true, _) => object.reference(".", kind, referred, room),
            (_, ReferenceKind::Object | ReferenceKind::Region) => {
                let file = object.file().path().display().to_string();
                let message =
                    format!("it is in '{file}', to which no reference of kind {kind:?} leads: the standard ones do");
                Err(Error::new(ErrorKind::Argument, message))
            }
            _ => {
                let inside = object.reference(".", kind, referred, usize::MAX)?;
                let name = object.file().path().as_os_str().as_bytes().to_vec();
                fitting(kind, reference::encode_outside(&inside, &name)?, room)
            }
        };
        made.or_else(|outside| self.beyond(WHAT, path, &outside, beyond))
    }

    /// The object that a reference leads to, which may be in another file: that is found from the current folder, or beside this one,
    /// and opened as this one is.
    pub fn dereference(&self, kind: ReferenceKind, reference: &[u8]) -> Result<Object> {
        let (file, address) = self.referred(kind, reference)?;
        let (object, dropped) = file.root()?.read(FOLLOWING, "", |state, _| {
            let slot = state.load(address)?;
            let object = Object::of(&file.shared, state, slot, format!("/(object at {address:#x})"))?;
            // Not here, where the lock is held: a handle that is dropped takes it.
            Ok((object, state.drop_surplus()))
        })?;
        dropped.map(|()| object)
    }

    /// The path of the object that a reference leads to, in its file: the first one that is found. All of the file is looked
    /// through.
    pub fn reference_path(&self, kind: ReferenceKind, reference: &[u8]) -> Result<String> {
        let (file, address) = self.referred(kind, reference)?;
        let mut found = None;
        file.root()?.visit(Order::Native, |path, object| {
            if object.address()? == address {
                found = Some(if path == "." { "/".into() } else { format!("/{path}") });
            }
            Ok(found.is_none())
        })?;
        let nowhere = || Error::new(ErrorKind::NotFound, format!("no path leads to the object at {address:#x}"));
        found.ok_or_else(nowhere).map_err(|e| self.explain(e, FOLLOWING, ""))
    }

    /// The file of the object that a reference leads to, and its address.
    fn referred(&self, kind: ReferenceKind, reference: &[u8]) -> Result<(File, u64)> {
        let decoded = self.read(FOLLOWING, "", |state, _| decode(state, kind, reference))?;
        let find = || {
            let file = match &decoded.file {
                None => self.file(),
                Some(name) => find_referenced(&self.file(), name)?,
            };
            let offset = file.sizes()?.offset;
            if decoded.offset != offset {
                let message = format!("a token of {} bytes, the file's addresses have {offset}", decoded.offset);
                return Err(Error::new(ErrorKind::Corrupt, message));
            }
            Ok((file, decoded.address))
        };
        find().map_err(|e| self.explain(e, FOLLOWING, ""))
    }

    /// What a reference refers to in its object.
    pub fn reference_part(&self, kind: ReferenceKind, reference: &[u8]) -> Result<Part> {
        self.read(FOLLOWING, "", |state, _| decode(state, kind, reference).map(|found| found.part))
    }
}

/// The bytes of a reference to an object of the file; of a region of before libhdf5 1.12, those that the heap holds.
fn encoded(state: &mut State, target: Slot, kind: ReferenceKind, referred: Referred<'_>) -> Result<Vec<u8>> {
    let (part, rank) = part(state, target, kind, referred)?;
    let (address, sizes) = (state.objects.get(target)?.header.address(), state.store.sizes());
    state.pinned.pin(address);
    match (kind, &part) {
        (ReferenceKind::Object, _) => Ok(address.to_ne_bytes().to_vec()),
        (ReferenceKind::Region, Part::Region(selected)) => {
            Ok(reference::encode_old_region(address, &selected.encode(rank)?, sizes))
        }
        _ => reference::encode(address, &part, rank, sizes),
    }
}

/// The bytes of a reference, for a buffer of `room` bytes; without room as many zeros.
fn fitting(kind: ReferenceKind, bytes: Vec<u8>, room: usize) -> Result<Vec<u8>> {
    let length = if kind == ReferenceKind::Region { REGION_BYTES } else { bytes.len() };
    match room {
        0 => Ok(vec![0; length]),
        _ if room < length => {
            let message = format!("the buffer's capacity is {room}, and {length} bytes are needed");
            Err(Error::new(ErrorKind::TooSmall, message))
        }
        _ => Ok(bytes),
    }
}

/// What of an object a new reference refers to, and the rank of a dataset.
fn part(state: &mut State, target: Slot, kind: ReferenceKind, referred: Referred<'_>) -> Result<(Part, usize)> {
    use ReferenceKind::{Object, Region, StandardAttribute, StandardObject, StandardRegion};
    let State { store, objects, .. } = state;
    match (kind, referred) {
        (Object | StandardObject, Referred::Object) => Ok((Part::Whole, 0)),
        (StandardAttribute, Referred::Attribute(name)) => {
            let object = objects.get(target)?;
            if !object.attributes.contains(store, &object.header, name.as_bytes())? {
                return Err(Error::new(ErrorKind::NotFound, format!("there is no attribute '{name}'")));
            }
            Ok((Part::Attribute(name.into()), 0))
        }
        (Region | StandardRegion, Referred::Region(_) | Referred::Points { .. }) => {
            let dims = objects.get(target)?.array()?.1.dims().unwrap_or_default();
            let selected = match referred {
                Referred::Region(Some(selection)) => regular(selection, &dims)?,
                Referred::Points { rank, coordinates } => points(rank, coordinates, &dims)?,
                _ => Selected::All,
            };
            Ok((Part::Region(selected), dims.len()))
        }
        _ => Err(Error::new(ErrorKind::Argument, format!("a reference of kind {kind:?} is none to {referred:?}"))),
    }
}

/// The elements of a selection, which lie in an array.
fn regular(selection: &Selection<'_>, dims: &[u64]) -> Result<Selected> {
    if dims.is_empty() {
        return Ok(Selected::All);
    }
    if selection.elements(dims)? == 0 {
        return Ok(Selected::None);
    }
    let rank = dims.len();
    let start = selection.start.map_or(vec![0; rank], <[u64]>::to_vec);
    let block = selection.block.map_or(vec![1; rank], <[u64]>::to_vec);
    let stride = selection.stride.map_or_else(|| block.clone(), <[u64]>::to_vec);
    let count = match selection.count {
        Some(count) => count.to_vec(),
        None => (0..rank).map(|d| (dims[d] - start[d] + stride[d] - block[d]) / stride[d].max(1)).collect(),
    };
    Ok(Selected::Regular { start, stride, count, block })
}

fn points(rank: usize, points: &[u64], dims: &[u64]) -> Result<Selected> {
    if rank != dims.len() || rank == 0 || !points.len().is_multiple_of(rank) {
        let (count, of) = (points.len(), dims.len());
        let message = format!("{count} coordinates of points of rank {rank} are none in a dataset of rank {of}");
        return Err(Error::new(ErrorKind::Argument, message));
    }
    if let Some((at, dim)) = points.iter().zip(dims.iter().cycle()).find(|(at, dim)| at >= dim) {
        return Err(Error::range("coordinate of a point", at, format_args!("0..{}", dim.saturating_sub(1))));
    }
    Ok(match points.is_empty() {
        true => Selected::None,
        false => Selected::Points { rank, coordinates: points.to_vec() },
    })
}

/// What a reference says.
fn decode(state: &mut State, kind: ReferenceKind, bytes: &[u8]) -> Result<Decoded> {
    let sizes = state.store.sizes();
    let here = |address, part| Decoded { file: None, offset: sizes.offset, address, part };
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte));
    let null = || Error::new(ErrorKind::NotFound, "the reference is null");
    let expect = |expected: usize| match bytes.len() == expected {
        true => Ok(()),
        false => Err(Error::range("length of a reference", bytes.len(), format_args!("{expected} bytes"))),
    };
    match kind {
        ReferenceKind::Object => {
            expect(OBJECT_BYTES)?;
            let mut address = [0; OBJECT_BYTES];
            address.copy_from_slice(bytes);
            match u64::from_ne_bytes(address) {
                0 | UNDEFINED => Err(null()),
                address => Ok(here(address, Part::Whole)),
            }
        }
        ReferenceKind::Region => {
            expect(REGION_BYTES)?;
            let (address, index) = (number(&bytes[..8]), number(&bytes[8..]) as u32);
            if address == 0 {
                return Err(null());
            }
            let object = state.heap.get(&mut state.store, address, index)?;
            let (address, selected) = reference::decode_old_region(object, sizes)?;
            Ok(here(address, Part::Region(selected)))
        }
        _ if bytes.is_empty() => Err(null()),
        _ => {
            let found = reference::decode(bytes)?;
            let fits = matches!(
                (kind, &found.part),
                (ReferenceKind::StandardObject, _)
                    | (ReferenceKind::StandardRegion, Part::Region(_))
                    | (ReferenceKind::StandardAttribute, Part::Attribute(_))
            );
            let other = || Error::new(ErrorKind::Argument, format!("the reference is not of kind {kind:?}"));
            fits.then_some(found).ok_or_else(other)
        }
    }
}

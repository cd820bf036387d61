//! Opens a file and reads everything that the library can read of it.

use std::collections::HashSet;
use std::path::Path;

use h5r::datatype::{Datatype, Number, ReferenceKind};
use h5r::error::{ErrorKind, Result};
use h5r::object::{File, LinkTarget, Object, ObjectKind, OpenOptions, Order};
use h5r::store::MemoryBackend;

/// Objects that are visited at most: cycles are known by their addresses, this is for files of many.
const MOST_OBJECTS: usize = 500;

/// Attributes of one object, and bytes of raw data, that are read at most.
const MOST_VALUES: usize = 200;
const MOST_DATA: usize = 1 << 20;

/// Opens bytes as a file.
pub fn open(backend: MemoryBackend, read_only: bool) -> Result<File> {
    let options = OpenOptions { read_only, ..OpenOptions::default() };
    File::open_on(Box::new(backend), Path::new("hostile"), &options)
}

/// Opens the bytes read-only, recovers them in memory, reads what can be reached and checks it; whether the checker
/// found them without fault.
pub fn walk(bytes: Vec<u8>) -> bool {
    let Ok(file) = open(MemoryBackend::with_bytes(bytes), true).map_err(|e| expected(&e)) else { return false };
    describe(&file);
    checks(&file)
}

/// Whether the checker finds no fault.
pub fn checks(file: &File) -> bool {
    file.check().map_err(|e| expected(&e)).is_ok()
}

/// An error of the library's own is a bug, whatever the file.
pub fn expected(error: &h5r::error::Error) {
    assert_ne!(error.kind(), ErrorKind::Internal, "{error}");
}

/// Every object by its hard links, each part by itself, so that damage in one does not hide the others. The objects.
pub fn describe(file: &File) -> Vec<Object> {
    let mut objects = Vec::new();
    let mut seen = HashSet::new();
    let mut waiting: Vec<Object> = file.root().map_err(|e| expected(&e)).into_iter().collect();
    while let Some(object) = waiting.pop() {
        if !object.address().is_ok_and(|address| seen.insert(address)) || objects.len() >= MOST_OBJECTS {
            continue;
        }
        attributes(&object);
        waiting.extend(links(&object));
        data(&object);
        objects.push(object);
    }
    let _ = (file.recovery(), file.rebalance_status());
    objects
}

fn attributes(object: &Object) {
    let _ = (object.attr_count(), object.attr_names(Order::Creation), object.attr_names(Order::Native));
    let double = Datatype::little(Number::F64);
    for name in object.attr_names(Order::Name).unwrap_or_default().iter().take(MOST_VALUES) {
        match object.attr_read_raw(name) {
            Ok((info, value)) => assert_eq!(info.storage_size, value.len() as u64),
            Err(e) => expected(&e),
        }
        if let Ok(needed) = object.attr_read(name, &double, &mut []).map_err(|e| expected(&e)) {
            let mut out = vec![0; needed.min(MOST_DATA)];
            let _ = object.attr_read(name, &double, &mut out).map_err(|e| expected(&e));
        }
    }
    let _ = (object.attr_exists("zz"), object.attr_info("k061111"));
}

/// The objects that hard links lead to; soft links are followed, and what they lead to is left at that.
fn links(object: &Object) -> Vec<Object> {
    let mut below = Vec::new();
    let _ = (object.link_count(), object.links(Order::Creation));
    for (name, info) in object.links(Order::Name).map_err(|e| expected(&e)).unwrap_or_default() {
        let opened = object.open(&name).map_err(|e| expected(&e));
        if let (LinkTarget::Hard(_), Ok(opened)) = (info.target, opened) {
            below.push(opened);
        }
    }
    let _ = (object.open("a/b/c"), object.link_exists("/group/soft"));
    below
}

fn data(object: &Object) {
    if !matches!(object.kind(), Ok(ObjectKind::Dataset)) {
        return;
    }
    let Ok(info) = object.dataset_info().map_err(|e| expected(&e)) else { return };
    let size = info.dims.iter().try_fold(8u64, |n, &dim| n.checked_mul(dim)).unwrap_or(u64::MAX);
    if !info.is_null && size <= MOST_DATA as u64 {
        let mut out = vec![0; size as usize];
        let _ = object.dataset_read(&Datatype::little(Number::F64), None, &mut out).map_err(|e| expected(&e));
        references(object, size as usize / 8);
        if let Some(own) = size.checked_div(8).and_then(|count| count.checked_mul(info.datatype.size() as u64)) {
            let mut out = vec![0; own.min(MOST_DATA as u64) as usize];
            let _ = object.dataset_read(&info.datatype, None, &mut out).map_err(|e| expected(&e));
        }
    }
}

/// Follows the references in a dataset, where it has some.
fn references(object: &Object, count: usize) {
    for kind in [ReferenceKind::Object, ReferenceKind::Region] {
        let Ok(datatype) = Datatype::reference(kind) else { continue };
        let mut elements = vec![0; count * datatype.size()];
        if object.dataset_read(&datatype, None, &mut elements).is_err() {
            continue;
        }
        for reference in elements.chunks_exact(datatype.size()).take(MOST_VALUES) {
            let _ = object.reference_part(kind, reference).map_err(|e| expected(&e));
            let _ = object.dereference(kind, reference).map_err(|e| expected(&e));
        }
    }
}

//! What small objects cost by the thousand: memory that is asked for, and writes, counted.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::path::Path;

use h5r::datatype::{Datatype, Number};
use h5r::object::dataset::DatasetOptions;
use h5r::object::{CreateOptions, File, GroupOptions, Object, OpenOptions};
use h5r::store::{Change, MemoryBackend, RecordingBackend};

/// Counts what this thread asks for.
struct Counting;

thread_local! {
    static ASKED: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: passes everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ASKED.set(ASKED.get() + 1);
        // SAFETY: the caller's promises are the system allocator's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const COUNT: u64 = 4000;

fn name(number: u64) -> String {
    format!("member {number:06}")
}

/// How often memory is asked for, for each of `COUNT` names.
fn asked(mut work: impl FnMut(&str, u64)) -> f64 {
    let names: Vec<String> = (0..COUNT).map(name).collect();
    let before = ASKED.get();
    (0..COUNT).zip(&names).for_each(|(number, name)| work(name, number));
    (ASKED.get() - before) as f64 / COUNT as f64
}

fn values(number: u64) -> [u8; 80] {
    let mut bytes = [0; 80];
    bytes.chunks_exact_mut(8).zip(number..).for_each(|(bytes, value)| bytes.copy_from_slice(&value.to_le_bytes()));
    bytes
}

fn write(root: &Object, name: &str, number: u64) {
    let integer = Datatype::little(Number::I64);
    let dataset = root.create_dataset(name, &integer, &[10], &DatasetOptions::default()).unwrap();
    dataset.dataset_write(&integer, None, &values(number)).unwrap();
}

fn read(root: &Object, name: &str, number: u64) {
    let mut out = [0; 80];
    root.open(name).unwrap().dataset_read(&Datatype::little(Number::I64), None, &mut out).unwrap();
    assert_eq!(out, values(number));
}

/// `bytes` opened to be read.
fn reopened(bytes: Vec<u8>) -> File {
    let backend = Box::new(MemoryBackend::with_bytes(bytes));
    File::open_on(backend, Path::new("small"), &OpenOptions { read_only: true, ..OpenOptions::default() }).unwrap()
}

#[test]
fn groups_ask_for_little_memory() {
    let backend = MemoryBackend::new();
    let bytes = backend.shared();
    let file = File::create_on(Box::new(backend), Path::new("small"), &CreateOptions::default()).unwrap();
    let root = file.root().unwrap();
    let created = asked(|name, _| root.create_group_unopened(name, &GroupOptions::default()).unwrap());
    assert!(created < 7.0, "{created} times for a group that is created");
    file.close().unwrap();
    let file = reopened(bytes.lock().clone());
    let root = file.root().unwrap();
    let opened = asked(|name, _| drop(root.open(name).unwrap()));
    assert!(opened < 7.0, "{opened} times for a group that is opened and closed");
}

#[test]
fn small_datasets_ask_for_little_memory_and_are_written_together() {
    let backend = MemoryBackend::new();
    let bytes = backend.shared();
    let backend = RecordingBackend::new(Box::new(backend));
    let log = backend.log();
    let file = File::create_on(Box::new(backend), Path::new("small"), &CreateOptions::default()).unwrap();
    let root = file.root().unwrap();
    log.lock().clear();
    let created = asked(|name, number| write(&root, name, number));
    assert!(created < 16.0, "{created} times for a dataset that is created, written and closed");
    assert!(log.lock().is_empty(), "something was written before the flush");
    file.flush().unwrap();
    let writes = log.lock().iter().filter(|change| matches!(change, Change::Write(..))).count();
    assert!(writes < 60, "{writes} writes for {COUNT} datasets");
    file.close().unwrap();
    let file = reopened(bytes.lock().clone());
    file.check().unwrap();
    let root = file.root().unwrap();
    let opened = asked(|name, number| read(&root, name, number));
    assert!(opened < 11.0, "{opened} times for a dataset that is opened, read and closed");
}

//! Damage in one object's structures, and changes elsewhere in the file: work that nobody asked for does not keep them from
//! being written, in any mode, and neither do operations on the damaged object that failed.

use std::path::Path;

use h5r::datatype::{Datatype, Number};
use h5r::error::ErrorKind;
use h5r::object::dataset::{DatasetOptions, NewLayout};
use h5r::object::{CreateOptions, File, GroupOptions, Object, OpenOptions, Phase};
use h5r::rebalance::{IncrementalOptions, LazyOptions, Mode, SmartOptions};
use h5r::store::MemoryBackend;

/// Attributes and soft links of each group.
const COUNT: usize = 1200;
/// One of so many is left.
const LEFT: usize = 5;
/// The dataset's sides, in chunks of one element.
const SIDE: u64 = 40;
/// What the blocks of dense stores, header continuations and the dataset's index begin with.
const SIGNATURES: [&[u8; 4]; 9] = [b"BTHD", b"BTIN", b"BTLF", b"FRHP", b"FHIB", b"FHDB", b"FSHD", b"FSSE", b"OCHK"];

fn name(number: usize) -> String {
    format!("name {number:05}")
}

fn u8() -> Datatype {
    Datatype::little(Number::U8)
}

fn value(number: usize) -> Vec<u8> {
    vec![number as u8; 10 + number % 3 * 40]
}

fn add(group: &Object, number: usize) -> h5r::error::Result<()> {
    let value = value(number);
    group.attr_write(&name(number), &u8(), &[value.len() as u64], &value)?;
    group.link_create_soft(&name(number), &format!("to {number}"))
}

/// Deletes both; each is tried.
fn remove(group: &Object, number: usize) -> [bool; 2] {
    [group.attr_delete(&name(number)).is_ok(), group.link_delete(&name(number)).is_ok()]
}

/// Groups `x`, which is written last and alone, and `y`, with the same contents. The bytes, and where those of `x` begin.
fn written() -> (Vec<u8>, usize) {
    let backend = MemoryBackend::new();
    let bytes = backend.shared();
    let file = File::create_on(Box::new(backend), Path::new("f"), &CreateOptions::default()).unwrap();
    let phase = Phase { track_order: true, index_order: true, ..Phase::default() };
    let options = GroupOptions { attributes: phase, links: phase };
    let root = file.root().unwrap();
    let (x, y) = (root.create_group("x", &options).unwrap(), root.create_group("y", &options).unwrap());
    let mut begin = 0;
    for group in [&y, &x] {
        begin = bytes.lock().len();
        (0..COUNT).for_each(|number| add(group, number).unwrap());
        group.attr_write("huge", &u8(), &[70_000], &[9; 70_000]).unwrap();
        let unlimited = vec![u64::MAX; 2];
        let options = DatasetOptions {
            layout: NewLayout::Chunked,
            chunk: Some(vec![1, 1]),
            max_dims: Some(unlimited),
            ..DatasetOptions::default()
        };
        let data = group.create_dataset("data", &u8(), &[SIDE, SIDE], &options).unwrap();
        data.dataset_write(&u8(), None, &[7; (SIDE * SIDE) as usize]).unwrap();
        file.flush().unwrap();
    }
    drop((root, x, y));
    file.close().unwrap();
    let bytes = bytes.lock().clone();
    (bytes, begin)
}

fn open(backend: MemoryBackend) -> File {
    File::open_on(Box::new(backend), Path::new("f"), &OpenOptions::default()).unwrap()
}

fn set(file: &File, mode: Mode) {
    if mode == Mode::Incremental {
        file.set_lazy(&LazyOptions::default()).unwrap();
    }
    match mode {
        Mode::None => file.set_none(),
        Mode::Lazy => file.set_lazy(&LazyOptions::default()),
        Mode::Incremental => file.set_incremental(IncrementalOptions::default()),
        Mode::Smart => file.set_smart(SmartOptions { min_file_size: 0, ..SmartOptions::default() }),
    }
    .unwrap();
}

/// What a session does to `x`, which is damaged.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Touch {
    Nothing,
    Read,
    Delete,
    DeleteAll,
    Write,
}

#[derive(Debug)]
struct Case {
    mode: Mode,
    touch: Touch,
    rebalance: bool,
}

/// What became of the attributes and links of `x`.
#[derive(Default)]
struct Done {
    deleted: [Vec<usize>; 2],
    written: Vec<usize>,
    /// Rebalancing told of damage.
    told: bool,
}

impl Done {
    fn delete(&mut self, x: &Object, number: usize) {
        for (deleted, done) in self.deleted.iter_mut().zip(remove(x, number)) {
            if done {
                deleted.push(number);
            }
        }
    }
}

impl Case {
    fn all() -> Vec<Case> {
        let mut cases = Vec::new();
        for mode in [Mode::None, Mode::Lazy, Mode::Incremental, Mode::Smart] {
            for touch in [Touch::Nothing, Touch::Read, Touch::Delete, Touch::DeleteAll, Touch::Write] {
                cases.push(Case { mode, touch, rebalance: false });
            }
            cases.push(Case { mode, touch: Touch::Delete, rebalance: true });
        }
        cases
    }

    fn change(&self, x: Option<&Object>, y: &Object) -> Done {
        let mut done = Done::default();
        for number in 0..COUNT {
            let goes = number % LEFT != 0;
            if goes {
                assert_eq!(remove(y, number), [true; 2]);
            }
            match (self.touch, x) {
                (Touch::Read, Some(x)) if number % 7 == 0 => {
                    let _ = (x.attr_exists(&name(number)), x.link_exists(&name(number)));
                }
                (Touch::Delete, Some(x)) if goes => done.delete(x, number),
                (Touch::DeleteAll, Some(x)) => done.delete(x, number),
                (Touch::Write, Some(x)) if add(x, COUNT + number).is_ok() => done.written.push(COUNT + number),
                _ => {}
            }
        }
        y.open("data").unwrap().dataset_set_extent(&[SIDE, 3]).unwrap();
        if let (Touch::Delete, Some(Ok(data))) = (self.touch, x.map(|x| x.open("data"))) {
            let _ = data.dataset_set_extent(&[SIDE, 3]);
        }
        done
    }

    /// A session on the damaged file; the bytes after it.
    fn session(&self, bytes: Vec<u8>) -> (Vec<u8>, Done) {
        let backend = MemoryBackend::with_bytes(bytes);
        let shared = backend.shared();
        let file = open(backend);
        set(&file, self.mode);
        let root = file.root().unwrap();
        let (x, y) = (root.open("x").ok(), root.open("y").unwrap());
        let mut done = self.change(x.as_ref(), &y);
        if self.rebalance {
            // It does the rest, and tells of the damage, where it met it.
            if let Err(error) = file.rebalance() {
                assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
                assert!(file.rebalance_status().unwrap().last_error.is_some());
                done.told = true;
            }
        }
        file.flush().unwrap();
        add(&y, COUNT).unwrap();
        file.flush().unwrap();
        drop((root, x, y));
        file.close().unwrap();
        let bytes = shared.lock().clone();
        (bytes, done)
    }
}

fn read(group: &Object, number: usize) -> h5r::error::Result<bool> {
    let expected = value(number);
    let mut out = vec![!(number as u8); expected.len()];
    group.attr_read(&name(number), &u8(), &mut out).map(|_| out == expected)
}

fn check(bytes: Vec<u8>, done: &Done) {
    let file = open(MemoryBackend::with_bytes(bytes));
    let root = file.root().unwrap();
    let y = root.open("y").unwrap();
    let left: Vec<usize> = (0..COUNT).step_by(LEFT).chain([COUNT]).collect();
    assert_eq!((y.attr_count().unwrap(), y.link_count().unwrap()), (left.len() as u64 + 1, left.len() as u64 + 1));
    for number in left {
        assert!(read(&y, number).unwrap() && y.link_exists(&name(number)).unwrap(), "{number}");
    }
    let mut out = [0; (SIDE * 3) as usize];
    y.open("data").unwrap().dataset_read(&u8(), None, &mut out).unwrap();
    assert_eq!(out, [7; (SIDE * 3) as usize]);
    let Ok(x) = root.open("x") else { return };
    for number in (0..COUNT).chain(done.written.iter().copied()) {
        // Never a wrong value; nothing is gone but what was deleted.
        let gone = |which: usize| done.deleted[which].contains(&number);
        match read(&x, number) {
            Ok(right) => assert!(right && !gone(0), "{number}"),
            Err(error) if error.kind() == ErrorKind::NotFound => assert!(gone(0), "{number}"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}"),
        }
        match x.link_exists(&name(number)) {
            Ok(exists) => assert_eq!(exists, !gone(1), "{number}"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}"),
        }
    }
    // Of the size that it had, or has.
    for side in [3, SIDE] {
        let mut out = vec![0; (SIDE * side) as usize];
        match x.open("data").and_then(|data| data.dataset_read(&u8(), None, &mut out)) {
            Ok(_) => assert!(out.iter().all(|&byte| byte == 7)),
            Err(error) => {
                let kinds = [ErrorKind::Corrupt, ErrorKind::TooSmall, ErrorKind::Argument];
                assert!(kinds.contains(&error.kind()), "{error}");
            }
        }
    }
}

/// Damages every second block from the one numbered `first`.
fn damage_each(first: usize) {
    let (bytes, begin) = written();
    let begins = |at: &usize| SIGNATURES.iter().any(|signature| bytes[*at..*at + 4] == signature[..]);
    let blocks: Vec<usize> = (begin..bytes.len() - 4).filter(begins).skip(first).step_by(2).collect();
    assert!(blocks.len() > 30, "{}", blocks.len());
    let (mut failed, mut told) = (Vec::new(), 0);
    for at in blocks {
        for case in Case::all() {
            let mut damaged = bytes.clone();
            damaged[at + 6] ^= 1;
            let run = std::panic::catch_unwind(|| {
                let (bytes, done) = case.session(damaged);
                check(bytes, &done);
                done.told
            });
            match run {
                Ok(tells) => told += usize::from(tells),
                Err(_) => failed.push(format!("{} at {at:#x}: {case:?}", String::from_utf8_lossy(&bytes[at..at + 4]))),
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(told > 50, "{told}");
}

#[test]
fn what_is_changed_elsewhere_is_kept_whatever_block_is_damaged() {
    damage_each(0);
}

#[test]
fn and_with_the_other_half_of_them() {
    damage_each(1);
}

/// More objects than stay in memory without a handle are written to and closed, so that going through the file for damaged ones
/// forgets others, which then are prepared for the flush.
#[test]
fn what_the_search_for_dense_stores_forgets_is_kept() {
    const GROUPS: usize = 100;
    let backend = MemoryBackend::new();
    let bytes = backend.shared();
    let file = File::create_on(Box::new(backend), Path::new("f"), &CreateOptions::default()).unwrap();
    let root = file.root().unwrap();
    for number in 0..GROUPS {
        root.create_group(&format!("plain {number}"), &GroupOptions::default()).unwrap();
        let dense = root.create_group(&format!("dense {number}"), &GroupOptions::default()).unwrap();
        (0..20).for_each(|number| dense.attr_write(&name(number), &u8(), &[1], &[1]).unwrap());
    }
    file.flush().unwrap();
    let root_links = root.link_count().unwrap();
    drop(root);
    file.close().unwrap();
    let mut bytes = bytes.lock().clone();
    let mut damaged = 0;
    for at in 0..bytes.len() - 4 {
        // The name indexes of attributes.
        if bytes[at..at + 4] == b"BTHD"[..] && bytes[at + 5] == 8 {
            bytes[at + 6] ^= 1;
            damaged += 1;
        }
    }
    assert_eq!((root_links, damaged), (2 * GROUPS as u64, GROUPS));
    let backend = MemoryBackend::with_bytes(bytes);
    let shared = backend.shared();
    let file = open(backend);
    let root = file.root().unwrap();
    for number in 0..GROUPS {
        root.open(&format!("plain {number}")).unwrap().attr_write("new", &u8(), &[1], &[5]).unwrap();
    }
    assert_eq!(file.rebalance().unwrap_err().kind(), ErrorKind::Corrupt);
    drop(root);
    file.close().unwrap();
    let file = open(MemoryBackend::with_bytes(shared.lock().clone()));
    for number in 0..GROUPS {
        let mut out = [0];
        file.root().unwrap().open(&format!("plain {number}")).unwrap().attr_read("new", &u8(), &mut out).unwrap();
        assert_eq!(out, [5]);
    }
}

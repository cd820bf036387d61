//! Damage in one object's structures, and changes elsewhere in the file: what nobody asked for does not keep them from being
//! written, in any mode. Each block of a dense object is damaged in turn.

use std::path::Path;

use h5r::datatype::{Datatype, Number};
use h5r::error::ErrorKind;
use h5r::object::{CreateOptions, File, GroupOptions, Object, OpenOptions, Phase};
use h5r::rebalance::{IncrementalOptions, LazyOptions, Mode, SmartOptions};
use h5r::store::MemoryBackend;

/// Attributes of each group: of the first names and values of two lengths, so that heaps have holes of both.
const COUNT: usize = 2000;
/// One of so many is left.
const LEFT: usize = 5;
/// What the blocks of dense stores begin with.
const SIGNATURES: [&[u8; 4]; 6] = [b"BTHD", b"BTIN", b"BTLF", b"FRHP", b"FHIB", b"FHDB"];

fn name(number: usize) -> String {
    format!("attribute {number:05}")
}

fn u8() -> Datatype {
    Datatype::little(Number::U8)
}

fn value(number: usize) -> Vec<u8> {
    vec![number as u8; 10 + number % 3 * 40]
}

fn write(group: &Object, numbers: impl Iterator<Item = usize>) {
    for number in numbers {
        let value = value(number);
        group.attr_write(&name(number), &u8(), &[value.len() as u64], &value).unwrap();
    }
}

/// Group `x`, which is written last and alone, and `y`. The bytes, and where those of `x` begin.
fn written() -> (Vec<u8>, usize) {
    let backend = MemoryBackend::new();
    let bytes = backend.shared();
    let file = File::create_on(Box::new(backend), Path::new("f"), &CreateOptions::default()).unwrap();
    let phase = Phase { track_order: true, index_order: true, ..Phase::default() };
    let options = GroupOptions { attributes: phase, ..GroupOptions::default() };
    let root = file.root().unwrap();
    let (x, y) = (root.create_group("x", &options).unwrap(), root.create_group("y", &options).unwrap());
    write(&y, 0..COUNT);
    file.flush().unwrap();
    let begin = bytes.lock().len();
    write(&x, 0..COUNT);
    drop((root, x, y));
    file.close().unwrap();
    let bytes = bytes.lock().clone();
    (bytes, begin)
}

fn open(backend: MemoryBackend) -> File {
    File::open_on(Box::new(backend), Path::new("f"), &OpenOptions::default()).unwrap()
}

fn set(file: &File, mode: Mode) {
    match mode {
        Mode::None => file.set_none(),
        Mode::Lazy => file.set_lazy(&LazyOptions::default()),
        Mode::Incremental => {
            file.set_lazy(&LazyOptions::default()).unwrap();
            file.set_incremental(IncrementalOptions::default())
        }
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
    Write,
}

struct Case {
    mode: Mode,
    touch: Touch,
    rebalance: bool,
}

impl Case {
    fn all() -> Vec<Case> {
        let mut cases = Vec::new();
        for mode in [Mode::None, Mode::Lazy, Mode::Incremental, Mode::Smart] {
            for touch in [Touch::Nothing, Touch::Read, Touch::Delete, Touch::Write] {
                cases.extend([false, true].map(|rebalance| Case { mode, touch, rebalance }));
            }
        }
        cases
    }

    /// What changed in `x`: the numbers of those that could be deleted.
    fn change(&self, x: Option<&Object>, y: &Object) -> Vec<usize> {
        let mut deleted = Vec::new();
        for number in (0..COUNT).filter(|number| number % LEFT != 0) {
            y.attr_delete(&name(number)).unwrap();
            match (self.touch, x) {
                (Touch::Read, Some(x)) if number % 7 == 0 => drop(x.attr_exists(&name(number))),
                (Touch::Delete, Some(x)) => match x.attr_delete(&name(number)) {
                    Ok(()) => deleted.push(number),
                    Err(error) => println!("{error}"),
                },
                (Touch::Write, Some(x)) => {
                    let value = value(number);
                    let _ = x
                        .attr_write(&name(COUNT + number), &u8(), &[value.len() as u64], &value)
                        .inspect_err(|e| println!("{e}"));
                }
                _ => {}
            }
        }
        deleted
    }

    /// A session on the damaged file; the bytes after it.
    fn session(&self, bytes: Vec<u8>) -> (Vec<u8>, Vec<usize>) {
        let backend = MemoryBackend::with_bytes(bytes);
        let shared = backend.shared();
        let file = open(backend);
        set(&file, self.mode);
        let root = file.root().unwrap();
        let (x, y) = (root.open("x").ok(), root.open("y").unwrap());
        let deleted = self.change(x.as_ref(), &y);
        if self.rebalance {
            // Whatever it reports, it is about damage, and the file stays in use.
            if let Err(error) = file.rebalance() {
                assert!(matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Unsupported), "{error}");
            }
        }
        file.flush().unwrap();
        write(&y, COUNT..COUNT + 1);
        file.flush().unwrap();
        drop((root, x, y));
        file.close().unwrap();
        let bytes = shared.lock().clone();
        (bytes, deleted)
    }

    fn check(&self, bytes: Vec<u8>, deleted: &[usize]) {
        let file = open(MemoryBackend::with_bytes(bytes));
        let y = file.root().unwrap().open("y").unwrap();
        let left: Vec<usize> = (0..COUNT).step_by(LEFT).chain([COUNT]).collect();
        assert_eq!(y.attr_count().unwrap(), left.len() as u64);
        for number in left {
            let mut out = value(number);
            out.fill(!(number as u8));
            y.attr_read(&name(number), &u8(), &mut out).unwrap();
            assert_eq!(out, value(number));
        }
        let Ok(x) = file.root().unwrap().open("x") else { return };
        for number in 0..COUNT {
            let mut out = value(number);
            out.fill(!(number as u8));
            // Never a wrong value where a checksum covers it, and none of those deleted.
            match x.attr_read(&name(number), &u8(), &mut out) {
                Ok(_) => assert!(!deleted.contains(&number) && out == value(number), "{number}"),
                Err(error) => {
                    let gone = error.kind() == ErrorKind::NotFound;
                    assert_eq!(gone, gone && deleted.contains(&number), "{number}: {error}");
                }
            }
        }
    }
}

#[test]
fn what_is_changed_elsewhere_is_kept() {
    let (bytes, begin) = written();
    let blocks: Vec<usize> = (begin..bytes.len() - 4)
        .filter(|&at| SIGNATURES.iter().any(|signature| bytes[at..at + 4] == signature[..]))
        .collect();
    let mut failed = Vec::new();
    for at in blocks {
        for case in Case::all() {
            let mut damaged = bytes.clone();
            damaged[at + 6] ^= 1;
            let run = std::panic::catch_unwind(|| {
                let (bytes, deleted) = case.session(damaged);
                case.check(bytes, &deleted);
            });
            if run.is_err() {
                let what = String::from_utf8_lossy(&bytes[at..at + 4]);
                failed.push(format!("{what} {at:#x} {:?} {:?} {}", case.mode, case.touch, case.rebalance));
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

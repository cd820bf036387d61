//! The outside fails: the Nth read, write or set-length of a small workload meets an error, for every N. The call
//! reports it, nothing more is written, and every later call but close is refused. And while nothing fails: between two
//! flushes nothing of the last flushed state is overwritten.

mod common;

use std::path::Path;
use std::sync::Arc;

use common::{describe, Contents};
use h5r::datatype::{Datatype, Number};
use h5r::error::{Error, ErrorKind, Result};
use h5r::object::dataset::DatasetOptions;
use h5r::object::{CreateOptions, File, GroupOptions, OpenOptions, Order, Phase};
use h5r::rebalance::LazyOptions;
use h5r::store::{Change, Fault, FaultBackend, FaultControl, MemoryBackend, RecordingBackend};
use parking_lot::Mutex;
use proptest::prelude::*;

const EIO: i32 = 5;
const ENOSPC: i32 = 28;

fn i32() -> Datatype {
    Datatype::little(Number::I32)
}

fn open(bytes: Vec<u8>) -> Result<File> {
    let options = OpenOptions { read_only: true, ..OpenOptions::default() };
    File::open_on(Box::new(MemoryBackend::with_bytes(bytes)), Path::new("disk"), &options)
}

/// One call of a workload.
type Call = fn(&File) -> Result<()>;

/// Calls that write, delete, flush and read, so that every kind of access happens.
const CALLS: [(&str, Call); 14] = [
    ("write 20 attributes", |file| write(file, "a", 0, 20, 8)),
    ("flush", |file| file.flush()),
    ("delete 10 attributes", |file| delete(file, "a", 0, 10)),
    ("write large attributes", |file| write(file, "large", 0, 3, 6000)),
    ("create and write a dataset", |file| {
        let dataset = file.root()?.create_dataset("data", &i32(), &[500], &DatasetOptions::default())?;
        dataset.dataset_write(&i32(), None, &[9; 2000])
    }),
    ("flush again", |file| file.flush()),
    ("create groups", |file| {
        (0..30).try_for_each(|n| file.root()?.create_group(&format!("g{n}"), &GroupOptions::default()).map(drop))
    }),
    ("read everything", |file| describe(file).map(drop)),
    ("check", |file| file.check()),
    ("rebalance", |file| file.rebalance()),
    ("delete the dataset", |file| file.root()?.link_delete("data")),
    ("delete large attributes", |file| delete(file, "large", 0, 3)),
    ("third flush", |file| file.flush()),
    ("names", |file| file.root()?.attr_names(Order::Name).map(drop)),
];

fn write(file: &File, name: &str, first: u8, count: u8, bytes: usize) -> Result<()> {
    let root = file.root()?;
    (first..first + count).try_for_each(|number| {
        root.attr_write(&format!("{name}{number}"), &i32(), &[bytes as u64 / 4], &vec![number; bytes])
    })
}

fn delete(file: &File, name: &str, first: u8, count: u8) -> Result<()> {
    let root = file.root()?;
    (first..first + count).try_for_each(|number| root.attr_delete(&format!("{name}{number}")))
}

/// A run of [`CALLS`] on a backend that fails.
struct Run {
    control: Arc<Mutex<FaultControl>>,
    bytes: Arc<Mutex<Vec<u8>>>,
    /// The contents at the last flush that was done, and the changes of the file until then.
    flushed: Option<Contents>,
    changes: u64,
}

impl Run {
    /// Runs with a fault at the `call`-th access; whether it was met. `base` is the file to open, or none to create one.
    fn with_fault(base: Option<&[u8]>, call: u64, fault: Fault) -> bool {
        let memory = MemoryBackend::with_bytes(base.map(<[u8]>::to_vec).unwrap_or_default());
        let bytes = memory.shared();
        let backend = FaultBackend::new(Box::new(memory));
        let control = backend.control();
        control.lock().watch(call, fault);
        let flushed = base.map(|base| describe(&open(base.to_vec()).unwrap()).unwrap());
        let mut run = Run { control, bytes, flushed, changes: 0 };
        let path = Path::new("faulty");
        let file = match base {
            // No cache, so that there is much to read.
            Some(_) => {
                let options = OpenOptions { cache_bytes: 0, ..OpenOptions::default() };
                File::open_on(Box::new(backend), path, &options)
            }
            None => {
                let options = CreateOptions { cache_bytes: 0, ..CreateOptions::default() };
                File::create_on(Box::new(backend), path, &options)
            }
        };
        match file {
            Err(e) => run.failed_to_open(&e),
            Ok(file) => run.calls(file, call),
        }
        let met = run.control.lock().failed.is_some();
        met
    }

    fn failed_to_open(&self, error: &Error) {
        assert_eq!(error.kind(), ErrorKind::Io, "opening: {error:?}");
        assert_eq!(self.control.lock().changes_after, 0);
    }

    fn calls(&mut self, file: File, fault_at: u64) {
        self.note_flush();
        let held = file.root();
        for (what, call) in CALLS {
            let failed_before = self.control.lock().failed;
            let result = call(&file);
            let failed = self.control.lock().failed;
            let what = format!("fault at {fault_at}, {what}");
            match (failed_before, failed) {
                (None, None) => {
                    result.unwrap_or_else(|e| panic!("{what}: {e:?}"));
                    if what.contains("flush") {
                        self.note_flush();
                    }
                }
                (None, Some(changing)) => {
                    let error = result.err().unwrap_or_else(|| panic!("{what}: the fault was not reported"));
                    assert_eq!(error.kind(), ErrorKind::Io, "{what}: {error:?}");
                    if changing {
                        self.check_disk(&what, what.contains("flush"));
                    }
                }
                (Some(true), _) => {
                    let error = result.err().unwrap_or_else(|| panic!("{what}: accepted after a failed write"));
                    assert_eq!(error.kind(), ErrorKind::Failed, "{what}: {error:?}");
                }
                // After a failed read the file either goes on, in a state that holds, or accepts nothing.
                (Some(false), _) => match file.check() {
                    Ok(()) => {}
                    Err(e) => assert_eq!(e.kind(), ErrorKind::Failed, "{what}: {e:?}"),
                },
            }
        }
        let failed = self.control.lock().failed;
        let closed = file.close();
        if failed == Some(true) {
            assert_eq!(self.control.lock().changes_after, 0, "fault at {fault_at}: written after a failure");
        } else if failed.is_none() && self.control.lock().failed.is_some() {
            assert_eq!(closed.err().map(|e| e.kind()), Some(ErrorKind::Io), "fault at {fault_at}, in close");
        }
        assert_eq!(file.flush().unwrap_err().kind(), ErrorKind::Closed);
        if let Ok(held) = held {
            assert_eq!(held.attr_count().unwrap_err().kind(), ErrorKind::Closed);
        }
    }

    fn note_flush(&mut self) {
        self.flushed = Some(describe(&open(self.bytes.lock().clone()).unwrap()).unwrap());
        self.changes = self.control.lock().changes;
    }

    /// Before the first block of a flush is written, the file holds the last flushed state; later it may be broken,
    /// but opening it is safe.
    fn check_disk(&self, what: &str, in_flush: bool) {
        let whole = !in_flush || self.control.lock().changes == self.changes;
        let disk = open(self.bytes.lock().clone()).and_then(|file| describe(&file));
        if whole && matches!(self.control.lock().fail_at, Some((_, Fault::Error(_)))) {
            assert_eq!(Some(disk.unwrap_or_else(|e| panic!("{what}: {e:?}"))), self.flushed, "{what}");
        }
    }
}

fn every_fault(base: Option<&[u8]>) {
    for fault in [Fault::Error(EIO), Fault::Error(ENOSPC), Fault::Short(ENOSPC)] {
        let mut call = 1;
        while Run::with_fault(base, call, fault) {
            call += 1;
        }
        assert!(call > 20, "{call} accesses");
    }
}

#[test]
fn every_access_of_a_new_file_fails() {
    every_fault(None);
}

#[test]
fn every_access_of_an_opened_file_fails() {
    let tracked = Phase { track_order: true, index_order: true, ..Phase::default() };
    let options =
        CreateOptions { root: GroupOptions { links: tracked, attributes: tracked }, ..CreateOptions::default() };
    let backend = MemoryBackend::new();
    let bytes = backend.shared();
    let file = File::create_on(Box::new(backend), Path::new("base"), &options).unwrap();
    write(&file, "old", 0, 40, 16).unwrap();
    write(&file, "a", 0, 10, 16).unwrap();
    for number in 0..20 {
        file.root().unwrap().link_create_soft(&format!("l{number}"), "/x").unwrap();
    }
    file.close().unwrap();
    let base = bytes.lock().clone();
    every_fault(Some(&base));
}

/// A step between flushes; numbers are taken modulo what there is.
#[derive(Debug, Clone)]
enum Step {
    Write { first: u8, count: u8, large: bool },
    Delete { first: u8, count: u8 },
    Dataset { number: u8, length: u8 },
    Unlink { number: u8 },
    Rebalance,
    Flush,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0u8..150, 1u8..60, any::<bool>()).prop_map(|(first, count, large)| Step::Write { first, count, large }),
        4 => (0u8..150, 1u8..60).prop_map(|(first, count)| Step::Delete { first, count }),
        3 => (0u8..6, any::<u8>()).prop_map(|(number, length)| Step::Dataset { number, length }),
        3 => (0u8..6).prop_map(|number| Step::Unlink { number }),
        1 => Just(Step::Rebalance),
        2 => Just(Step::Flush),
    ]
}

fn take(file: &File, step: &Step) -> Result<()> {
    let root = file.root()?;
    match *step {
        Step::Write { first, count, large } => {
            write(file, "a", first, count.min(if large { 5 } else { 60 }), if large { 5000 } else { 12 })?
        }
        Step::Delete { first, count } => {
            for name in root.attr_names(Order::Name)?.iter().skip(first.into()).take(count.into()) {
                root.attr_delete(name)?;
            }
        }
        // Always a new dataset: elements that are written again go to where they are, as documented.
        Step::Dataset { number, length } => {
            let name = format!("d{number}");
            if root.link_exists(&name)? {
                root.link_delete(&name)?;
            }
            let data = vec![number + 100; 4 * (usize::from(length) * 9 + 1)];
            let dataset = root.create_dataset(&name, &i32(), &[data.len() as u64 / 4], &DatasetOptions::default())?;
            dataset.dataset_write(&i32(), None, &data)?;
        }
        Step::Unlink { number } => {
            let name = format!("d{number}");
            if root.link_exists(&name)? {
                root.link_delete(&name)?;
            }
        }
        Step::Rebalance => file.rebalance()?,
        Step::Flush => file.flush()?,
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(60) })]

    /// At any time between flushes the bytes on disk are the last flushed state, whole.
    #[test]
    fn nothing_of_the_flushed_state_is_overwritten(lazy: bool, steps in proptest::collection::vec(step(), 10..60)) {
        let memory = MemoryBackend::new();
        let bytes = memory.shared();
        let backend = RecordingBackend::new(Box::new(memory));
        let log = backend.log();
        let file = File::create_on(Box::new(backend), Path::new("recorded"), &CreateOptions::default()).unwrap();
        if lazy {
            file.set_lazy(&LazyOptions { threshold: 0.01, max_delay_ms: 1, batch_size: 3 }).unwrap();
        }
        let read = || {
            let disk = open(bytes.lock().clone())?;
            disk.check_flushed()?;
            describe(&disk)
        };
        let mut flushed = read().unwrap();
        let mut length = bytes.lock().len();
        for step in &steps {
            log.lock().clear();
            take(&file, step).unwrap();
            let found = read().unwrap_or_else(|e| panic!("after {step:?}: {e:?}"));
            if matches!(step, Step::Flush) {
                flushed = found;
                length = bytes.lock().len();
                continue;
            }
            prop_assert_eq!(&found, &flushed, "after {:?}", step);
            for change in log.lock().iter() {
                match change {
                    Change::Write(..) | Change::Sync => {}
                    Change::SetLength(to) => prop_assert!(*to >= length as u64, "cut to {} of {}", to, length),
                }
            }
        }
        file.close().unwrap();
        read().unwrap();
    }
}

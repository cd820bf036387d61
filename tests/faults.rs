//! The outside fails: the Nth read, write, set-length or sync of a small workload meets an error, or a write stops
//! half-way, for every N, at every level of durability. The call reports it, nothing more is written, and every later call
//! but close is refused; the file opens in its last flushed state, or in the one that was in progress. And while nothing
//! fails: between two flushes nothing of the last flushed state is overwritten.

mod common;
#[path = "crash/libhdf5.rs"]
mod libhdf5;

use std::path::Path;
use std::sync::Arc;

use common::{check_recovered, describe, say, Contents};
use h5r::datatype::{Datatype, Number};
use h5r::error::{Error, ErrorKind, Result};
use h5r::object::dataset::DatasetOptions;
use h5r::object::{CreateOptions, Durability, File, GroupOptions, OpenOptions, Order, Phase};
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

/// A file in memory.
type Bytes = Arc<Mutex<Vec<u8>>>;

/// What [`CALLS`] do to a file when nothing fails.
struct Plan {
    /// The file to open, or none to create one.
    base: Option<Vec<u8>>,
    /// The file after it was opened or created, after each flush, and after closing.
    flushed: Vec<(Vec<u8>, Contents)>,
}

impl Plan {
    fn new(base: Option<Vec<u8>>) -> Plan {
        let mut plan = Plan { base, flushed: Vec::new() };
        let (file, _, bytes) = plan.open(Durability::Process, None);
        let file = file.unwrap();
        let mut note = || {
            let bytes = bytes.lock().clone();
            plan.flushed.push((bytes.clone(), describe(&open(bytes).unwrap()).unwrap()));
        };
        note();
        for (what, call) in CALLS {
            call(&file).unwrap();
            if what.contains("flush") {
                note();
            }
        }
        file.close().unwrap();
        note();
        plan
    }

    /// Opens or creates the file on a backend that fails.
    fn open(
        &self,
        durability: Durability,
        fault: Option<(u64, Fault)>,
    ) -> (Result<File>, Arc<Mutex<FaultControl>>, Bytes) {
        let memory = MemoryBackend::with_bytes(self.base.clone().unwrap_or_default());
        let bytes = memory.shared();
        let backend = FaultBackend::new(Box::new(memory));
        let control = backend.control();
        if let Some((call, fault)) = fault {
            control.lock().watch(call, fault);
        }
        let path = Path::new("faulty");
        let file = match self.base {
            // No cache, so that there is much to read.
            Some(_) => {
                let options = OpenOptions { cache_bytes: 0, durability, ..OpenOptions::default() };
                File::open_on(Box::new(backend), path, &options)
            }
            None => {
                let options = CreateOptions { cache_bytes: 0, durability, ..CreateOptions::default() };
                File::create_on(Box::new(backend), path, &options)
            }
        };
        (file, control, bytes)
    }
}

/// A run of [`CALLS`] on a backend that fails.
struct Run<'a> {
    plan: &'a Plan,
    durability: Durability,
    control: Arc<Mutex<FaultControl>>,
    bytes: Bytes,
    /// Flushes that were done, opening or creating the file included, and the file after the last.
    flushes: usize,
    flushed: Vec<u8>,
    sample: &'a libhdf5::Sample,
}

impl Run<'_> {
    /// Runs with a fault at the `call`-th access; whether it was met.
    fn with_fault(plan: &Plan, durability: Durability, fault: (u64, Fault), sample: &libhdf5::Sample) -> bool {
        let (file, control, bytes) = plan.open(durability, Some(fault));
        let mut run = Run { plan, durability, control, bytes, flushes: 0, flushed: Vec::new(), sample };
        let what = format!("{durability:?}, {:?} at {}", fault.1, fault.0);
        match file {
            Err(e) => run.failed_to_open(&what, &e),
            Ok(file) => run.calls(file, &what),
        }
        let met = run.control.lock().failed.is_some();
        met
    }

    fn failed_to_open(&self, what: &str, error: &Error) {
        assert_eq!(error.kind(), ErrorKind::Io, "{what}: opening: {error:?}");
        assert_eq!(self.control.lock().changes_after, 0);
        if self.plan.base.is_some() {
            assert_eq!(Some(&*self.bytes.lock()), self.plan.base.as_ref(), "{what}: changed by opening");
        }
    }

    fn calls(&mut self, file: File, what: &str) {
        self.note_flush();
        let held = file.root();
        for (call_name, call) in CALLS {
            let failed_before = self.control.lock().failed;
            let result = call(&file);
            let failed = self.control.lock().failed;
            let what = format!("{what}, {call_name}");
            let in_flush = call_name.contains("flush");
            match (failed_before, failed) {
                (None, None) => {
                    result.unwrap_or_else(|e| panic!("{what}: {e:?}"));
                    if in_flush {
                        self.note_flush();
                    }
                }
                (None, Some(changing)) => {
                    let error = result.err().unwrap_or_else(|| panic!("{what}: the fault was not reported"));
                    assert_eq!(error.kind(), ErrorKind::Io, "{what}: {error:?}");
                    if changing {
                        self.check_disk(&what, in_flush);
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
            assert_eq!(self.control.lock().changes_after, 0, "{what}: written after a failure");
        } else if failed.is_none() && self.control.lock().failed.is_some() {
            assert_eq!(closed.err().map(|e| e.kind()), Some(ErrorKind::Io), "{what}, in close");
            self.check_disk(&format!("{what}, in close"), true);
        }
        assert_eq!(file.flush().unwrap_err().kind(), ErrorKind::Closed);
        if let Ok(held) = held {
            assert_eq!(held.attr_count().unwrap_err().kind(), ErrorKind::Closed);
        }
    }

    fn note_flush(&mut self) {
        self.flushes += 1;
        self.flushed = self.bytes.lock().clone();
    }

    /// After a failed change: the file is in its last flushed state or, in a flush, in the one that was in progress.
    fn check_disk(&self, what: &str, in_flush: bool) {
        let crashed = self.bytes.lock().clone();
        if self.durability == Durability::None && in_flush {
            // Nothing is promised but that opening is safe.
            drop(open(crashed).and_then(|file| describe(&file)));
            return;
        }
        let last = self.flushes - 1;
        let allowed = &self.plan.flushed[last..=last + usize::from(in_flush)];
        let place = |contents| allowed.iter().position(|(_, allowed)| *allowed == contents);
        let read = open(crashed.clone()).and_then(|file| describe(&file)).map_err(|e| e.to_string());
        let read = read.map(place).unwrap_or_else(|e| panic!("{what}: {e}"));
        let state = read.unwrap_or_else(|| panic!("{what}: neither the last flushed state nor the next"));
        let memory = MemoryBackend::with_bytes(crashed.clone());
        let shared = memory.shared();
        let file = File::open_on(Box::new(memory), Path::new("disk"), &OpenOptions::default()).unwrap();
        let recovered = shared.lock().clone();
        check_recovered(&recovered).unwrap_or_else(|e| panic!("{what}: {e}"));
        file.check_flushed().unwrap_or_else(|e| panic!("{what}: {e}"));
        assert_eq!(place(describe(&file).unwrap()), read, "{what}: other contents after recovery");
        let flushed = &self.flushed;
        if crashed[..48] == flushed[..48] {
            // The commit was not decided on: nothing of the last flushed state was touched.
            for (address, length) in open(flushed.clone()).unwrap().used_extents().unwrap() {
                let extent = address as usize..(address + length) as usize;
                assert!(crashed[extent.clone()] == flushed[extent], "{what}: changed at {address:#x}");
            }
        }
        if self.control.lock().calls.is_multiple_of(3) {
            self.sample.add(what.into(), &crashed, &recovered, &allowed[state].0);
        }
    }
}

fn every_fault(name: &str, base: Option<Vec<u8>>) {
    let plan = Plan::new(base);
    let sample = libhdf5::Sample::new(name, 100);
    let mut runs = 0;
    for durability in [Durability::None, Durability::Process, Durability::Power] {
        for fault in [Fault::Error(EIO), Fault::Error(ENOSPC), Fault::Short(EIO), Fault::Short(ENOSPC)] {
            let mut call = 1;
            while Run::with_fault(&plan, durability, (call, fault), &sample) {
                call += 1;
            }
            runs += call - 1;
        }
    }
    say(&format!("faults: {name}: {runs} accesses failed"));
    assert!(runs > 12 * 40, "{runs} accesses");
    sample.judge();
}

#[test]
fn every_access_of_a_new_file_fails() {
    every_fault("faults-new", None);
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
    every_fault("faults-opened", Some(base));
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

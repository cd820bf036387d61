//! What a flush costs is in proportion to what changed: bytes written are counted, on the log of a recording backend.

use std::path::Path;
use std::sync::Arc;

use h5r::datatype::{Datatype, Number};
use h5r::object::{CreateOptions, Durability, File, Object};
use h5r::rebalance::LazyOptions;
use h5r::store::{Change, MemoryBackend, RecordingBackend};
use parking_lot::Mutex;

/// A file with `count` attributes on its root group, and the log of its changes.
struct Bench {
    file: File,
    root: Object,
    log: Arc<Mutex<Vec<Change>>>,
}

impl Bench {
    fn new(count: u32, durability: Durability) -> Self {
        let backend = RecordingBackend::new(Box::new(MemoryBackend::new()));
        let log = backend.log();
        let options = CreateOptions { durability, ..CreateOptions::default() };
        let file = File::create_on(Box::new(backend), Path::new("cost"), &options).unwrap();
        let root = file.root().unwrap();
        (0..count).for_each(|number| write(&root, number, 0));
        file.flush().unwrap();
        Bench { file, root, log }
    }

    /// Bytes that the next flush writes, and its syncs.
    fn flush(&self) -> (u64, usize) {
        self.log.lock().clear();
        self.file.flush().unwrap();
        let log = self.log.lock();
        let bytes = log.iter().map(|change| match change {
            Change::Write(_, bytes) => bytes.len() as u64,
            _ => 0,
        });
        (bytes.sum(), log.iter().filter(|change| **change == Change::Sync).count())
    }

    fn deleting(&self, numbers: impl Iterator<Item = u32>) -> (u64, usize) {
        numbers.for_each(|number| self.root.attr_delete(&format!("attribute {number}")).unwrap());
        self.flush()
    }
}

fn write(root: &Object, number: u32, value: u8) {
    let datatype = Datatype::little(Number::I32);
    root.attr_write(&format!("attribute {number}"), &datatype, &[], &[value; 4]).unwrap();
}

/// A node of an index is 4096 bytes; guarded, what changes in place is written twice, with 16 bytes of address and length.
const NODE: u64 = 2 * (4096 + 16);

/// Headers of the object, its index and its heap, and the superblock.
const HEADERS: u64 = 3000;

#[test]
fn bytes_are_in_proportion_to_what_changed() {
    for count in [1000, 10_000, 100_000] {
        let bench = Bench::new(count, Durability::Process);
        // The heap's list of holes grows with the deletions and is new each time; in 100,000 it has two levels of nodes.
        let levels = if count > 20_000 { 2 } else { 1 };
        let (one, _) = bench.deleting(0..1);
        assert!(one < (levels + 2) * NODE + HEADERS, "{count}: {one} bytes for one deletion");
        let (hundred, _) = bench.deleting((0..100).map(|n| 2 + n * (count / 200)));
        let limit = (100 * levels).min(u64::from(count) / 100 + 2) * NODE + HEADERS;
        assert!(hundred < limit, "{count}: {hundred} bytes for a hundred deletions");
        write(&bench.root, count - 1, 7);
        let (replaced, _) = bench.flush();
        assert!(replaced < 2 * HEADERS, "{count}: {replaced} bytes for four that were replaced in place");
        write(&bench.root, count, 7);
        let (added, _) = bench.flush();
        assert!(added < (levels + 2) * NODE + HEADERS, "{count}: {added} bytes for one that was added");
        assert_eq!(bench.flush(), (0, 0), "{count}: a flush without a change");
    }
}

#[test]
fn a_guarded_flush_writes_at_most_twice_as_much_and_waits_at_most_four_times() {
    let flushes = |durability| {
        let bench = Bench::new(10_000, durability);
        let many = bench.deleting((0..500).map(|n| 20 * n));
        write(&bench.root, 9_999, 7);
        [many, bench.flush()]
    };
    let unguarded = flushes(Durability::None);
    let (process, power) = (flushes(Durability::Process), flushes(Durability::Power));
    for ((plain, guarded), synced) in unguarded.iter().zip(process).zip(power) {
        assert!(guarded.0 < 2 * plain.0 + plain.0 / 20 + 500, "{guarded:?} bytes, unguarded {plain:?}");
        assert_eq!((plain.1, guarded.1), (0, 0));
        // The object's header is written too when a second has passed, which its time tells.
        let differ = synced.0.abs_diff(guarded.0);
        assert!(differ < HEADERS / 4 && (1..=4).contains(&synced.1), "{synced:?}, not synced {guarded:?}");
    }
}

/// Lazy packs what deletions have thinned before the flush writes it: the close has nothing left to write.
#[test]
fn the_packed_state_is_written_once() {
    let bench = Bench::new(10_000, Durability::Process);
    let length = |bench: &Bench| bench.file.rebalance_status().unwrap().file_bytes;
    let before = length(&bench);
    bench.file.set_lazy(&LazyOptions::default()).unwrap();
    let (bytes, _) = bench.deleting((0..10_000).step_by(2));
    let after = length(&bench);
    assert!(after < before * 55 / 100, "{before} bytes before, {after} after");
    assert!(bytes < 2 * after + 100 * HEADERS, "{bytes} bytes written for a file of {after}");
    bench.log.lock().clear();
    bench.file.close().unwrap();
    let written: usize =
        bench.log.lock().iter().map(|change| if let Change::Write(_, bytes) = change { bytes.len() } else { 0 }).sum();
    assert!(written as u64 <= HEADERS, "{written} bytes written by the close");
}

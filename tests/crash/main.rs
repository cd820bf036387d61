//! The proof of the atomic commit: every file that a crash can leave is opened, and must be in the state of the last
//! flush that returned, or of the one in progress.
//!
//! `H5R_CRASH_STATES` sets how many states at least are tried (20,000 when it is not set), `H5R_CRASH_WORKLOAD` a word in the
//! names of the workloads that are run.

mod chunks;
#[path = "../common/mod.rs"]
mod common;
mod copies;
mod judge;
mod libhdf5;
mod moves;
mod protocol;
mod record;
mod shared;
mod states;
mod workloads;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use common::random::Random;
use common::{is_flagged, say};
use h5r::datatype::{Datatype, Number};
use h5r::object::dataset::DatasetOptions;
use h5r::object::{CreateOptions, Durability, File};
use h5r::store::{Change, MemoryBackend, RecordingBackend};
use judge::Judge;
use parking_lot::Mutex;
use protocol::Break;
use record::{Mode, Point, Recording, Setup};

/// One state in so many is also crashed during its recovery.
const CRASH_AGAIN: u64 = 20;

/// Of the states after a change, at most so many besides the whole prefix.
const EXTRA: usize = 3;

/// One recording in so many is gone on with, from one of its crashes.
const SECOND_LIFE: usize = 4;

/// One state in so many is read by libhdf5.
const SAMPLE: u64 = 60;

/// What a campaign found.
#[derive(Default)]
struct Found {
    states: usize,
    recoveries: usize,
    flagged: usize,
    /// States by workload and level.
    by_kind: BTreeMap<String, usize>,
    /// Recordings in which the background thread swept.
    swept: usize,
    /// Recordings with a record that says of bytes where they stand.
    by_place: usize,
    broken: Vec<String>,
}

impl Found {
    fn add(&mut self, other: Found) {
        self.states += other.states;
        self.recoveries += other.recoveries;
        self.flagged += other.flagged;
        self.swept += other.swept;
        self.by_place += other.by_place;
        other.by_kind.into_iter().for_each(|(kind, count)| *self.by_kind.entry(kind).or_default() += count);
        self.broken.extend(other.broken);
    }

    fn print(&self, seconds: f32) {
        for (kind, count) in &self.by_kind {
            say(&format!("crash: {count:8} {kind}"));
        }
        let (states, recoveries, flagged) = (self.states, self.recoveries, self.flagged);
        say(&format!(
            "crash: {states} states, {flagged} of them within a commit, and {recoveries} crashes during recovery"
        ));
        say(&format!("crash: the background thread swept in {} recordings", self.swept));
        say(&format!("crash: the record names where bytes stand in {} recordings", self.by_place));
        say(&format!("crash: {} broken, {seconds:.0} s", self.broken.len()));
    }
}

/// Judges every state of a recording; a sample of those that hold goes to libhdf5. Gives one, within a commit.
fn examine(
    recording: &Recording,
    extra: usize,
    seed: u64,
    sample: Option<&libhdf5::Sample>,
) -> (Found, Option<Vec<u8>>) {
    let mut found = Found { swept: usize::from(recording.background_sessions > 0), ..Found::default() };
    let mut crashed = None;
    let mut judge = Judge::new(recording);
    let mut random = Random::new(seed);
    states::visit(recording, extra, seed, |state| {
        if !judge.is_promised(&state) || found.broken.len() > 5 {
            return;
        }
        found.states += 1;
        let flagged = is_flagged(&state.bytes);
        found.flagged += usize::from(flagged);
        let verdict = match judge.judge(&state) {
            Ok(verdict) => verdict,
            Err(e) => return found.broken.push(e),
        };
        let Some(contents) = verdict.contents else { return };
        if flagged && random.one_in(found.flagged as u64) {
            crashed = Some(state.bytes.clone());
        }
        if random.one_in(if flagged { CRASH_AGAIN / 4 } else { CRASH_AGAIN }) {
            match judge.crash_again(&state, &verdict.recovered, extra, random.next()) {
                Ok(count) => found.recoveries += count,
                Err(e) => found.broken.push(e),
            }
        }
        if let Some(sample) = sample {
            // Raw data that were overwritten in place may be of either state.
            if random.one_in(SAMPLE) && !recording.without_data {
                let how = format!("{}, {}", recording.name, state.how);
                let flushed = recording.flushed(judge.references[contents]);
                sample.add(how, &state.bytes, &verdict.recovered, &flushed);
            }
        }
    });
    let kind = recording.name.split(" #").next().unwrap_or_default();
    *found.by_kind.entry(format!("{kind}, {:?}", recording.durability)).or_default() += found.states;
    (found, crashed)
}

/// Records every workload, with seed after seed until there are enough states, and judges their states on all cores.
fn campaign(at_least: usize, sample: &libhdf5::Sample) -> Found {
    let total = Mutex::new(Found::default());
    let (seeds, states) = (AtomicU64::new(1), AtomicUsize::new(0));
    let threads = std::thread::available_parallelism().map_or(2, |count| count.get());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while states.load(Ordering::Relaxed) < at_least {
                    let seed = seeds.fetch_add(1, Ordering::Relaxed);
                    for recording in workloads::all(seed) {
                        let (mut found, crashed) = examine(&recording, EXTRA, seed, Some(sample));
                        found.by_place += usize::from(protocol::names_places(&recording));
                        if let Some(crashed) =
                            crashed.filter(|bytes| !recording.without_data && bytes.len() % SECOND_LIFE == 0)
                        {
                            let recording =
                                workloads::second_life(&recording.name, &crashed, seed, setup(recording.durability));
                            found.add(examine(&recording, EXTRA, seed, Some(sample)).0);
                        }
                        states.fetch_add(found.states, Ordering::Relaxed);
                        total.lock().add(found);
                    }
                }
            });
        }
    });
    total.into_inner()
}

#[test]
fn every_crash_leaves_a_flushed_state() {
    let at_least = std::env::var("H5R_CRASH_STATES").map_or(20_000, |count| count.parse().expect("a number"));
    let began = std::time::Instant::now();
    let sample = libhdf5::Sample::new("crash", at_least / 100);
    let found = campaign(at_least, &sample);
    found.print(began.elapsed().as_secs_f32());
    assert!(found.broken.is_empty(), "{:#?}", &found.broken[..found.broken.len().min(10)]);
    assert!(found.states >= at_least, "{} states", found.states);
    if std::env::var_os("H5R_CRASH_WORKLOAD").is_some() {
        return sample.judge();
    }
    assert!(at_least >= 5000, "a whole campaign has 5,000 states or more");
    assert!(found.swept > 0, "no recording has what the background thread does");
    assert!(found.by_place > 4, "in {} recordings only, the record names where bytes stand", found.by_place);
    assert!(found.flagged * 20 > found.states && found.recoveries > found.states / 100);
    sample.judge();
}

/// Broken states of workloads whose log was changed.
fn broken_states(setup: Setup, change: &dyn Fn(Recording) -> Option<Recording>) -> usize {
    let words =
        ["attributes", "links", "datasets", "small flushes", "rebalance", "even", "oldest, chunks", "foreign latest"];
    let count = |word: &&str| {
        let recordings = workloads::record(word, 1, setup).into_iter().filter_map(change);
        recordings.map(|recording| examine(&recording, 8, 1, None).0.broken.len()).sum::<usize>()
    };
    words.iter().map(count).sum()
}

fn setup(durability: Durability) -> Setup {
    Setup { mode: Mode::Lazy, durability, reuse_at_once: false }
}

/// The harness finds what each step is there for.
#[test]
fn without_any_one_step_there_are_broken_states() {
    use Durability::{Power, Process};
    for durability in [Process, Power] {
        assert_eq!(broken_states(setup(durability), &Some), 0, "nothing is changed: {durability:?}");
    }
    let breaks = [
        (Break::NoRecord, vec![Process, Power]),
        (Break::NoFlag, vec![Process, Power]),
        (Break::SuperblockFirst, vec![Process, Power]),
        (Break::InPlaceFirst, vec![Process, Power]),
        (Break::NewBlocksLast, vec![Process, Power]),
        (Break::CutFirst, vec![Process, Power]),
        (Break::NoSync(0), vec![Power]),
        (Break::NoSync(1), vec![Power]),
        (Break::NoSync(2), vec![Power]),
        (Break::NoSync(3), vec![Power]),
    ];
    for (how, levels) in breaks {
        for durability in levels {
            let broken = broken_states(setup(durability), &|recording| recording.broken(how));
            say(&format!("crash: {how:?} at {durability:?}: {broken} broken states found"));
            assert!(broken > 0, "{how:?} at {durability:?}: nothing was found");
        }
    }
}

/// Space of the last flushed state that is handed out before the next flush.
#[test]
fn without_deferred_reuse_there_are_broken_states() {
    for durability in [Durability::Process, Durability::Power] {
        let broken = broken_states(Setup { reuse_at_once: true, ..setup(durability) }, &Some);
        say(&format!("crash: reuse at once at {durability:?}: {broken} broken states found"));
        assert!(broken > 0);
    }
}

/// The same of headers alone: where they stood is not written before the links have turned.
#[test]
fn without_deferred_reuse_moved_headers_are_lost() {
    for durability in [Durability::Process, Durability::Power] {
        let broken = |reuse_at_once| {
            let setup = Setup { reuse_at_once, ..setup(durability) };
            let recordings = workloads::record("headers", 1, setup);
            recordings.iter().map(|recording| examine(recording, 8, 1, None).0.broken.len()).sum::<usize>()
        };
        assert_eq!(broken(false), 0);
        let found = broken(true);
        say(&format!("crash: headers, reuse at once at {durability:?}: {found} broken states found"));
        assert!(found > 0);
    }
}

/// What each level is for: the one below does not do.
#[test]
fn a_lower_level_does_not_keep_a_higher_ones_promise() {
    let promise = |durability, promised| {
        let as_promised = |recording: Recording| {
            let points = recording.points.into_iter().map(|point| Point { unsafe_within: false, ..point }).collect();
            Some(Recording { durability: promised, points, ..recording })
        };
        broken_states(setup(durability), &as_promised)
    };
    assert_eq!(promise(Durability::Power, Durability::Process), 0);
    assert!(promise(Durability::None, Durability::Process) > 0);
    assert!(promise(Durability::Process, Durability::Power) > 0);
}

/// A file within its commit means nothing to anyone but h5r, whatever its superblock: each libhdf5 refuses it, also when it
/// is asked to clear the flags, and so does h5clear; nothing changes it.
#[test]
fn every_libhdf5_refuses_a_file_within_its_commit() {
    let mut files = Vec::new();
    let mut versions = Vec::new();
    for word in ["oldest", "foreign 1.8", "foreign 1.10", "foreign latest", "user block, latest"] {
        for recording in workloads::record(word, 1, setup(Durability::Process)) {
            let mut caught = Vec::new();
            states::visit(&recording, 0, 1, |state| {
                if is_flagged(&state.bytes) {
                    caught.push(state.bytes);
                }
            });
            let last = caught.swap_remove(caught.len() / 2);
            versions.push(common::superblock(&last).unwrap().version);
            files.push((recording.name.replace(['#', ','], ""), last));
        }
    }
    versions.sort_unstable();
    versions.dedup();
    assert_eq!(versions, [0, 1, 2, 3]);
    libhdf5::all_refuse(&files);
}

/// Raw data are written where they are; a flush at the highest level waits for them, too.
#[test]
fn a_flush_waits_for_raw_data() {
    let i32 = Datatype::little(Number::I32);
    let backend = RecordingBackend::new(Box::new(MemoryBackend::new()));
    let log = backend.log();
    let options = CreateOptions { durability: Durability::Power, ..CreateOptions::default() };
    let file = File::create_on(Box::new(backend), Path::new("raw"), &options).unwrap();
    let root = file.root().unwrap();
    let dataset = root.create_dataset("data", &i32, &[1000], &DatasetOptions::default()).unwrap();
    for value in 0..3 {
        dataset.dataset_write(&i32, None, &[value; 4000]).unwrap();
        let raw = Change::Write(log.lock().iter().rev().find_map(write_offset).unwrap(), vec![value; 4000]);
        assert_eq!(log.lock().last(), Some(&raw));
        file.flush().unwrap();
        let log = log.lock();
        let written = log.iter().rposition(|change| *change == raw).unwrap();
        assert!(log[written..].contains(&Change::Sync), "value {value}: {} changes follow", log.len() - written - 1);
    }
}

fn write_offset(change: &Change) -> Option<u64> {
    match change {
        Change::Write(offset, _) => Some(*offset),
        _ => None,
    }
}

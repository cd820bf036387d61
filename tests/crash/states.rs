//! From a log to the files that a crash can leave.
//!
//! A killed process leaves a prefix of the changes, the last write perhaps cut at a sector. Lost power leaves what was
//! there at the last sync, and of the changes since then any, in any order, each write in any of its sectors.

use h5r::object::Durability;
use h5r::store::Change;

use crate::common::random::Random;
use crate::record::Recording;

/// The unit that a device writes whole.
pub const SECTOR: u64 = 512;

/// A file as a crash leaves it.
pub struct State {
    pub bytes: Vec<u8>,
    /// Changes that are there for certain, those that were made whole, and those that were begun.
    pub certain: usize,
    pub whole: usize,
    pub begun: usize,
    /// How it came about, in words.
    pub how: String,
}

/// Where a write is cut by the sectors of the file: the ends of its pieces, counted from its beginning.
fn pieces(offset: u64, length: usize) -> Vec<usize> {
    let first = (SECTOR - offset % SECTOR) as usize;
    let mut ends: Vec<usize> = (first..length).step_by(SECTOR as usize).collect();
    ends.push(length);
    ends
}

fn write(file: &mut Vec<u8>, offset: u64, bytes: &[u8]) {
    let (start, end) = (offset as usize, offset as usize + bytes.len());
    if file.len() < end {
        file.resize(end, 0);
    }
    file[start..end].copy_from_slice(bytes);
}

/// Makes a change.
pub fn apply(file: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write(offset, bytes) => write(file, *offset, bytes),
        Change::SetLength(length) => file.resize(*length as usize, 0),
        Change::Sync => {}
    }
}

/// What reaches the device of the changes since the last sync.
enum Lost {
    /// Each is lost or kept; one in so many is kept.
    Any(u64),
    /// All but one are kept.
    One(usize),
    /// All but one are lost.
    AllBut(usize),
    /// Those before this one are lost.
    Before(usize),
}

impl Lost {
    fn pick(random: &mut Random, count: usize) -> Lost {
        let one = random.below(count as u64) as usize;
        match random.below(6) {
            0 => Lost::One(one),
            1 => Lost::AllBut(one),
            2 => Lost::Before(one),
            3 => Lost::Any(4),
            _ => Lost::Any(2),
        }
    }

    fn keeps(&self, index: usize, random: &mut Random) -> bool {
        match *self {
            Lost::Any(keep) => random.one_in(keep),
            Lost::One(lost) => index != lost,
            Lost::AllBut(kept) => index == kept,
            Lost::Before(first) => index >= first,
        }
    }
}

/// Makes some of the changes, and says which.
fn lose(file: &mut Vec<u8>, changes: &[Change], random: &mut Random) -> String {
    let lost = Lost::pick(random, changes.len());
    let torn_too = random.one_in(2);
    let mut kept = String::new();
    for (index, change) in changes.iter().enumerate() {
        if lost.keeps(index, random) {
            apply(file, change);
            kept.push('#');
            continue;
        }
        let Change::Write(offset, bytes) = change else {
            kept.push('-');
            continue;
        };
        let ends = pieces(*offset, bytes.len());
        if !torn_too || ends.len() == 1 || !random.one_in(2) {
            kept.push('-');
            continue;
        }
        kept.push('/');
        let mut from = 0;
        for end in ends {
            if random.one_in(2) {
                write(file, offset + from as u64, &bytes[from..end]);
            }
            from = end;
        }
    }
    kept
}

/// Visits the states after each change: the whole prefix, and at most `extra` seeded ones that are torn or, for
/// [`Durability::Power`], have lost something.
pub fn visit(recording: &Recording, extra: usize, seed: u64, mut visit: impl FnMut(State)) {
    let mut random = Random::new(seed);
    let mut file = recording.start.clone();
    // The last sync, as a number of changes, and the file then.
    let mut synced = (0, file.clone());
    let changes = &recording.changes;
    for at in 0..=changes.len() {
        visit(State { bytes: file.clone(), certain: at, whole: at, begun: at, how: format!("{at} changes") });
        if recording.durability == Durability::Power && at > synced.0 {
            for _ in 0..extra {
                let mut bytes = synced.1.clone();
                let kept = lose(&mut bytes, &changes[synced.0..at], &mut random);
                let how = format!("{} changes synced, then {kept}", synced.0);
                visit(State { bytes, certain: synced.0, whole: at, begun: at, how });
            }
        }
        let Some(change) = changes.get(at) else { break };
        if let (Change::Write(offset, bytes), Durability::Process) = (change, recording.durability) {
            let mut ends = pieces(*offset, bytes.len());
            ends.pop();
            while ends.len() > extra {
                ends.swap_remove(random.below(ends.len() as u64) as usize);
            }
            for end in ends {
                let mut torn = file.clone();
                write(&mut torn, *offset, &bytes[..end]);
                let how = format!("{at} changes and {end} of {} bytes", bytes.len());
                visit(State { bytes: torn, certain: at, whole: at, begun: at + 1, how });
            }
        }
        apply(&mut file, change);
        if *change == Change::Sync {
            synced = (at + 1, file.clone());
        }
    }
}

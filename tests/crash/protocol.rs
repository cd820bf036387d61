//! The steps of the commit in a log, and logs in which one of them is missing: what the harness must find.

use h5r::format::superblock::COMMITTING;
use h5r::object::Durability;
use h5r::store::Change;

use crate::record::{Point, Recording};

const SUPERBLOCK: usize = 48;
const FLAGS_AT: usize = 11;
const MAGIC: &[u8; 8] = b"h5r redo";
const FOOTER: usize = 36;
const ENTRY: u64 = 16;

/// Where the steps of one commit that changed blocks in place stand in the log.
struct Commit {
    /// The first of the record's writes; the flag's write follows the last.
    record: usize,
    flag: usize,
    /// The new superblock's write.
    superblock: usize,
    /// The change after the last that belongs to the commit.
    end: usize,
}

/// A way to break the commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Break {
    /// No redo record is written.
    NoRecord,
    /// The flag that makes it count is not written.
    NoFlag,
    /// The new superblock is written before everything else.
    SuperblockFirst,
    /// Blocks are changed in place before the record is written.
    InPlaceFirst,
    /// The record is cut off before the new superblock is written.
    CutFirst,
    /// New blocks are written only after the flag.
    NewBlocksLast,
    /// The first, second, third or fourth wait for the device is left out.
    NoSync(usize),
}

fn is_superblock(change: &Change, base: u64, flagged: bool) -> bool {
    matches!(change, Change::Write(offset, bytes)
        if *offset == base && bytes.len() == SUPERBLOCK && (bytes[FLAGS_AT] & COMMITTING != 0) == flagged)
}

/// Bytes of the record whose last write this is.
fn record_length(last: &[u8]) -> Option<u64> {
    let at = last.len().checked_sub(FOOTER)?;
    let number = |at: usize| u64::from_le_bytes(last[at..at + 8].try_into().unwrap());
    let elsewhere = match version(last)? {
        1 => 0,
        _ => number(at - 24) * 8 + number(at - 16) * 16 + number(at - 8) * 12 + 24,
    };
    Some(number(at + 16) + number(at + 24) * ENTRY + elsewhere + FOOTER as u64)
}

/// The version of the record whose last write this is.
fn version(last: &[u8]) -> Option<u32> {
    let footer = &last[last.len().checked_sub(FOOTER)?..];
    (&footer[..8] == MAGIC).then(|| u32::from_le_bytes(footer[8..12].try_into().unwrap()))
}

fn commits(recording: &Recording) -> Vec<Commit> {
    let (changes, base) = (&recording.changes, base(recording));
    let mut commits = Vec::new();
    for flag in (0..changes.len()).filter(|&at| is_superblock(&changes[at], base, true)) {
        let superblock = flag + changes[flag..].iter().position(|change| is_superblock(change, base, false)).unwrap();
        let Change::Write(offset, bytes) = &changes[flag - 1] else { panic!("no record before the flag") };
        let start = offset + bytes.len() as u64 - record_length(bytes).expect("a record before the flag");
        let belongs = |change: &Change| matches!(change, Change::Write(offset, _) if *offset >= start);
        let record = flag - changes[..flag].iter().rev().take_while(|change| belongs(change)).count();
        let mut end = superblock + 1;
        while matches!(changes.get(end), Some(Change::Sync | Change::SetLength(_))) {
            end += 1;
        }
        commits.push(Commit { record, flag, superblock, end });
    }
    commits
}

/// Whether one of its records says of bytes where they stand.
pub fn names_places(recording: &Recording) -> bool {
    let version = |commit: &Commit| match &recording.changes[commit.flag - 1] {
        Change::Write(_, last) => version(last),
        _ => None,
    };
    commits(recording).iter().any(|commit| version(commit) == Some(2))
}

fn base(recording: &Recording) -> u64 {
    match recording.start.is_empty() {
        true => 0,
        false => crate::common::superblock(&recording.start).unwrap().base,
    }
}

impl Recording {
    /// The log in another order; changes that are not named are left out. Points keep their places between changes,
    /// so changes may be moved only within a flush.
    fn reordered(self, order: &[usize]) -> Recording {
        let place = |old: usize| order.iter().filter(|&&index| index < old).count();
        let point = |point: &Point| Point {
            begin: place(point.begin),
            end: place(point.end),
            contents: point.contents.clone(),
            unsafe_within: point.unsafe_within,
        };
        Recording {
            points: self.points.iter().map(point).collect(),
            changes: order.iter().map(|&index| self.changes[index].clone()).collect(),
            ..self
        }
    }

    /// The log of a library that leaves a step out. None where there is no such step.
    pub fn broken(self, how: Break) -> Option<Recording> {
        let commits = commits(&self);
        let mut order: Vec<usize> = (0..self.changes.len()).collect();
        let mut drop: Vec<usize> = Vec::new();
        for commit in &commits {
            // Where this flush began, as far as the log shows it.
            let begin = self.points.iter().rev().find(|point| point.begin <= commit.record)?.begin;
            let before = commits.iter().rev().find(|other| other.end <= commit.record).map_or(0, |other| other.end);
            let begin = begin.max(before);
            let in_place = commit.flag + 1..commit.superblock;
            let cut = (commit.superblock..commit.end).find(|&at| matches!(self.changes[at], Change::SetLength(_)));
            match how {
                Break::NoRecord => drop.extend(commit.record..commit.flag),
                Break::NoFlag => drop.push(commit.flag),
                Break::SuperblockFirst => order[begin..=commit.superblock].rotate_right(1),
                Break::InPlaceFirst => order[commit.record..in_place.end].rotate_left(in_place.start - commit.record),
                Break::NewBlocksLast => order[begin..=commit.flag].rotate_left(commit.record - begin),
                Break::CutFirst => {
                    if let Some(cut) = cut {
                        order[commit.superblock..=cut].rotate_right(1);
                    }
                }
                Break::NoSync(which) => {
                    let part = [
                        begin..commit.record,
                        commit.flag..commit.flag + 2,
                        commit.flag + 2..commit.superblock,
                        commit.superblock..commit.end,
                    ];
                    drop.extend(part[which].clone().filter(|&at| self.changes[at] == Change::Sync));
                }
            }
        }
        if matches!(how, Break::NoSync(_)) && (drop.is_empty() || self.durability != Durability::Power) {
            return None;
        }
        order.retain(|index| !drop.contains(index));
        (!commits.is_empty()).then(|| self.reordered(&order))
    }
}

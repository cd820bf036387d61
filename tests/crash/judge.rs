//! Opens a state as a user would after the crash, and compares it with what was promised.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::Path;
use std::sync::Arc;

use h5r::object::{Durability, File, OpenOptions};
use h5r::store::{Change, MemoryBackend, RecordingBackend};

use crate::common::random::Random;
use crate::common::{check_recovered, describe, difference, Contents};
use crate::record::{open_bytes, without_data, Point, Recording};
use crate::states::{self, State};

/// Judges the states of one recording.
pub struct Judge<'a> {
    recording: &'a Recording,
    /// Contents, each once; a state's are named by their place here.
    known: Vec<Arc<Contents>>,
    /// By a hash of the bytes: the contents of files that were read in full, for reading (false) or writing.
    read: HashMap<(u64, bool), usize>,
    /// The flush that made each of the known contents.
    pub references: Vec<usize>,
}

/// A state that holds.
pub struct Verdict {
    /// Its contents, as a place in [`Judge::references`]; none while the file was being created.
    pub contents: Option<usize>,
    /// The file after it was opened for writing.
    pub recovered: Vec<u8>,
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

impl<'a> Judge<'a> {
    pub fn new(recording: &'a Recording) -> Judge<'a> {
        let mut judge = Judge { recording, known: Vec::new(), read: HashMap::new(), references: Vec::new() };
        for (index, point) in recording.points.iter().enumerate() {
            if !judge.known.iter().any(|known| **known == *point.contents) {
                judge.known.push(point.contents.clone());
                judge.references.push(index);
            }
        }
        judge
    }

    /// Whether any promise is made for the state: at level none there is none within a flush.
    pub fn is_promised(&self, state: &State) -> bool {
        let within = |point: &Point| point.begin < state.begun && state.certain < point.end;
        !self.recording.points.iter().any(|point| point.unsafe_within && within(point))
    }

    /// The contents that the state may have; none when the file need not exist yet.
    fn allowed(&self, state: &State) -> Vec<Option<&Contents>> {
        let points = &self.recording.points;
        let returned = points.iter().rposition(|point| point.end <= state.whole);
        let mut allowed = vec![returned.map(|last| &*points[last].contents)];
        let next = returned.map_or(0, |last| last + 1);
        if let Some(point) = points.get(next).filter(|point| point.begin < state.begun) {
            allowed.push(Some(&point.contents));
        }
        allowed
    }

    /// What is wrong with the state, if anything.
    pub fn judge(&mut self, state: &State) -> Result<Verdict, String> {
        match catch_unwind(AssertUnwindSafe(|| self.examine(state))) {
            Ok(verdict) => verdict.map_err(|e| format!("{}, {}: {e}", self.recording.name, state.how)),
            Err(_) => Err(format!("{}, {}: a panic", self.recording.name, state.how)),
        }
    }

    fn examine(&mut self, state: &State) -> Result<Verdict, String> {
        let reading = self.read_only(&state.bytes);
        let writing = self.recover(&state.bytes);
        let allowed = self.allowed(state);
        if allowed.contains(&None) && reading.is_err() && writing.is_err() {
            return Ok(Verdict { contents: None, recovered: Vec::new() });
        }
        let reading = reading.map_err(|e| format!("opened for reading: {e}"))?;
        let (writing, recovered) = writing.map_err(|e| format!("opened for writing: {e}"))?;
        if reading != writing {
            return Err("contents differ between reading and writing".into());
        }
        let found = &*self.known[reading];
        if !allowed.contains(&Some(found)) {
            let expected = allowed.iter().flatten().map(|allowed| difference(allowed, found)).collect::<Vec<_>>();
            return Err(format!("no promised state: {}", expected.join(" | ")));
        }
        Ok(Verdict { contents: Some(reading), recovered })
    }

    /// Reads all of a file that is open; the place of its contents.
    fn contents(&mut self, file: &File) -> Result<usize, String> {
        let mut contents = describe(file).map_err(|e| format!("reading: {e}"))?;
        if self.recording.without_data {
            contents = without_data(contents);
        }
        if let Some(place) = self.known.iter().position(|known| **known == contents) {
            return Ok(place);
        }
        let nearest = self.known.last().map_or(String::new(), |last| difference(last, &contents));
        Err(format!("contents that no flush made, for example: {nearest}"))
    }

    /// Opened for reading: recovered in memory, if need be; no byte is changed.
    fn read_only(&mut self, bytes: &[u8]) -> Result<usize, String> {
        let key = (hash(bytes), false);
        if let Some(&place) = self.read.get(&key) {
            return Ok(place);
        }
        let (file, shared) = open_bytes(bytes.to_vec(), true, Durability::Process).map_err(|e| e.to_string())?;
        file.check_flushed().map_err(|e| e.to_string())?;
        let place = self.contents(&file)?;
        file.close().map_err(|e| e.to_string())?;
        if *shared.lock() != bytes {
            return Err("bytes were changed".into());
        }
        self.read.insert(key, place);
        Ok(place)
    }

    /// Opened for writing: the file is one that any HDF5 library can read, and it ends where its allocation does.
    fn recover(&mut self, bytes: &[u8]) -> Result<(usize, Vec<u8>), String> {
        let durability = self.recording.durability;
        let (file, shared) = open_bytes(bytes.to_vec(), false, durability).map_err(|e| e.to_string())?;
        let recovered = shared.lock().clone();
        check_recovered(&recovered)?;
        let key = (hash(&recovered), true);
        if let Some(&place) = self.read.get(&key) {
            return Ok((place, recovered));
        }
        file.check_flushed().map_err(|e| e.to_string())?;
        let place = self.contents(&file)?;
        file.close().map_err(|e| e.to_string())?;
        let (file, _) = open_bytes(shared.lock().clone(), true, durability).map_err(|e| e.to_string())?;
        if self.contents(&file)? != place {
            return Err("closing changed the contents".into());
        }
        self.read.insert(key, place);
        Ok((place, recovered))
    }

    /// Crashes while the state is recovered, each followed by another recovery: the result is the same. How many
    /// crashes were tried.
    pub fn crash_again(&self, state: &State, recovered: &[u8], extra: usize, seed: u64) -> Result<usize, String> {
        let backend = RecordingBackend::new(Box::new(MemoryBackend::with_bytes(state.bytes.clone())));
        let log = backend.log();
        let options = OpenOptions { durability: self.recording.durability, ..OpenOptions::default() };
        let file = File::open_on(Box::new(backend), Path::new("crashed"), &options).map_err(|e| e.to_string())?;
        let changes: Vec<Change> = log.lock().clone();
        file.close().map_err(|e| e.to_string())?;
        let mut result = Ok(0);
        let log = Recording {
            name: String::new(),
            durability: self.recording.durability,
            start: state.bytes.clone(),
            changes,
            points: Vec::new(),
            without_data: false,
            background_sessions: 0,
        };
        states::visit(&log, extra, Random::new(seed).next(), |again| {
            let Ok(count) = result else { return };
            result = match open_bytes(again.bytes, false, self.recording.durability) {
                Ok((_file, shared)) if *shared.lock() == recovered => Ok(count + 1),
                Ok(_) => Err(format!("{}: recovered after {}: other bytes", state.how, again.how)),
                Err(e) => Err(format!("{}: recovered after {}: {e}", state.how, again.how)),
            };
        });
        result.map_err(|e| format!("{}, {e}", self.recording.name))
    }
}

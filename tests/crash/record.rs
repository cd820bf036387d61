//! A workload's log: every change that reached the backend, and the contents that each flush promised.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use h5r::error::Result;
use h5r::object::{CreateOptions, Durability, File, GroupOptions, Object, OpenOptions};
use h5r::rebalance::{IncrementalOptions, LazyOptions, SmartOptions};
use h5r::store::{Change, MemoryBackend, RecordingBackend};
use parking_lot::Mutex;

use crate::common::{describe, Contents};
use crate::states;

/// A flush (or the open or creation that the log begins with): it made `contents` the promised state.
pub struct Point {
    /// Changes in the log before it began, and when it had returned.
    pub begin: usize,
    pub end: usize,
    pub contents: Arc<Contents>,
    /// Made at a lower level than the recording's: nothing is promised for a crash within it.
    pub unsafe_within: bool,
}

/// What one workload did to a file.
pub struct Recording {
    pub name: String,
    pub durability: Durability,
    /// The file before the first change.
    pub start: Vec<u8>,
    pub changes: Vec<Change>,
    pub points: Vec<Point>,
    /// Raw data were overwritten in place, which no level journals: contents are compared without data.
    pub without_data: bool,
    /// What the background thread did while this was recorded, in sessions that did work.
    pub background_sessions: u64,
}

impl Recording {
    /// The file that a flush left, or that the recording began with, recovered.
    pub fn flushed(&self, point: usize) -> Vec<u8> {
        let mut bytes = self.start.clone();
        self.changes[..self.points[point].end].iter().for_each(|change| states::apply(&mut bytes, change));
        let (_file, recovered) = open_bytes(bytes, false, self.durability).unwrap();
        let recovered = recovered.lock().clone();
        recovered
    }
}

/// How a file is kept tight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    None,
    Lazy,
    Incremental,
    Smart,
}

pub const MODES: [Mode; 4] = [Mode::None, Mode::Lazy, Mode::Incremental, Mode::Smart];

/// How a workload is run.
#[derive(Debug, Clone, Copy)]
pub struct Setup {
    pub mode: Mode,
    pub durability: Durability,
    /// With a product whose space is not kept until the next flush is done.
    pub reuse_at_once: bool,
}

/// A file that a workload runs on.
pub struct Recorder {
    file: File,
    log: Arc<Mutex<Vec<Change>>>,
    bytes: Arc<Mutex<Vec<u8>>>,
    setup: Setup,
    recording: Recording,
}

/// Opens bytes; what opening writes goes into the vector that is returned with the file.
pub fn open_bytes(bytes: Vec<u8>, read_only: bool, durability: Durability) -> Result<(File, Arc<Mutex<Vec<u8>>>)> {
    let memory = MemoryBackend::with_bytes(bytes);
    let shared = memory.shared();
    let options = OpenOptions { read_only, durability, ..OpenOptions::default() };
    Ok((File::open_on(Box::new(memory), Path::new("crashed"), &options)?, shared))
}

/// Levels, the one that promises more last.
fn rank(durability: Durability) -> usize {
    [Durability::None, Durability::Process, Durability::Power].iter().position(|&level| level == durability).unwrap()
}

pub fn without_data(mut contents: Contents) -> Contents {
    contents.iter_mut().for_each(|(_, place)| place.data = None);
    contents
}

impl Recorder {
    /// A new file.
    pub fn create(name: &str, setup: Setup, root: GroupOptions) -> Recorder {
        let options = CreateOptions { durability: setup.durability, root, ..CreateOptions::default() };
        Recorder::start(name, setup, Vec::new(), |backend| {
            File::create_on(Box::new(backend), Path::new("recorded"), &options)
        })
    }

    /// A file that exists already.
    pub fn open(name: &str, setup: Setup, start: &[u8]) -> Recorder {
        let options = OpenOptions { durability: setup.durability, ..OpenOptions::default() };
        Recorder::start(name, setup, start.to_vec(), |backend| {
            File::open_on(Box::new(backend), Path::new("recorded"), &options)
        })
    }

    fn start(
        name: &str,
        setup: Setup,
        start: Vec<u8>,
        open: impl FnOnce(RecordingBackend) -> Result<File>,
    ) -> Recorder {
        let memory = MemoryBackend::with_bytes(start.clone());
        let bytes = memory.shared();
        let backend = RecordingBackend::new(Box::new(memory));
        let log = backend.log();
        let file = open(backend).unwrap();
        let Setup { mode, durability, .. } = setup;
        let name = format!("{name} {mode:?} {durability:?}");
        let (changes, points) = (Vec::new(), Vec::new());
        let recording =
            Recording { name, durability, start, changes, points, without_data: false, background_sessions: 0 };
        let mut recorder = Recorder { file, log, bytes, setup, recording };
        let contents = Arc::new(describe(&recorder.file).unwrap());
        if !recorder.recording.start.is_empty() {
            let point = Point { begin: 0, end: 0, contents: contents.clone(), unsafe_within: false };
            recorder.recording.points.push(point);
        }
        recorder.point(0, contents);
        recorder.set_mode();
        recorder
    }

    fn set_mode(&self) {
        if self.setup.reuse_at_once {
            self.file.reuse_at_once().unwrap();
        }
        let lazy = LazyOptions { threshold: 0.01, max_delay_ms: 1, batch_size: 3 };
        if matches!(self.setup.mode, Mode::Lazy | Mode::Incremental) {
            self.file.set_lazy(&lazy).unwrap();
        }
        if self.setup.mode == Mode::Incremental {
            let options = IncrementalOptions { budget_us: 1000, interval_ms: 1, progress: None };
            self.file.set_incremental(options).unwrap();
        }
        if self.setup.mode == Mode::Smart {
            let options = SmartOptions {
                min_file_size: 0,
                reevaluate_ms: 1,
                min_confidence: 0.0,
                min_switch_interval_ms: 0,
                ..SmartOptions::default()
            };
            self.file.set_smart(options).unwrap();
        }
    }

    /// Takes over what was logged; how many changes there are.
    fn collect(&mut self) -> usize {
        self.recording.changes.append(&mut self.log.lock());
        self.recording.changes.len()
    }

    fn point(&mut self, begin: usize, contents: Arc<Contents>) {
        let end = self.collect();
        let unsafe_within = rank(self.setup.durability) < rank(self.recording.durability);
        self.recording.points.push(Point { begin, end, contents, unsafe_within });
    }

    pub fn file(&self) -> &File {
        &self.file
    }

    pub fn root(&self) -> Object {
        self.file.root().unwrap()
    }

    pub fn at(&self, path: &str) -> Object {
        self.root().open(path).unwrap()
    }

    /// Bytes of the file.
    pub fn length(&self) -> u64 {
        self.bytes.lock().len() as u64
    }

    pub fn flush(&mut self) {
        let contents = Arc::new(describe(&self.file).unwrap());
        let begin = self.collect();
        self.file.flush().unwrap();
        self.point(begin, contents);
    }

    fn close(&mut self) {
        let contents = Arc::new(describe(&self.file).unwrap());
        let begin = self.collect();
        self.recording.background_sessions += self.sessions();
        self.file.close().unwrap();
        self.point(begin, contents);
    }

    pub fn reopen(&mut self) {
        self.close();
        let memory = MemoryBackend::with_bytes(self.bytes.lock().clone());
        self.bytes = memory.shared();
        let backend = RecordingBackend::new(Box::new(memory));
        self.log = backend.log();
        let options = OpenOptions { durability: self.setup.durability, ..OpenOptions::default() };
        self.file = File::open_on(Box::new(backend), Path::new("recorded"), &options).unwrap();
        self.set_mode();
    }

    pub fn set_durability(&mut self, durability: Durability) {
        self.setup.durability = durability;
        self.file.set_durability(durability).unwrap();
    }

    pub fn compare_without_data(&mut self) {
        self.recording.without_data = true;
    }

    /// Gives the background thread time to work, where there is one.
    pub fn wait(&self) {
        if !matches!(self.setup.mode, Mode::Incremental | Mode::Smart) {
            return;
        }
        let until = Instant::now() + Duration::from_millis(30);
        let sessions = self.sessions();
        while Instant::now() < until && self.sessions() == sessions {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Has the background thread sweep, in the mode that is meant to; that it does is part of what is tested.
    pub fn wait_for_sweep(&self) {
        self.wait();
        if self.setup.mode == Mode::Incremental {
            let until = Instant::now() + Duration::from_secs(20);
            while self.sessions() == 0 {
                assert!(Instant::now() < until, "{}: the background thread does not sweep", self.recording.name);
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }

    fn sessions(&self) -> u64 {
        self.file.rebalance_status().unwrap().sessions
    }

    pub fn finish(mut self) -> Recording {
        self.close();
        if self.recording.without_data {
            for point in &mut self.recording.points {
                point.contents = Arc::new(without_data((*point.contents).clone()));
            }
        }
        self.recording
    }
}

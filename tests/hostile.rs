//! Hostile files: the seeds and the findings of the fuzz targets, and files made by hand for each limit, through the same
//! functions that are fuzzed. Whatever the bytes are, no call panics, hangs or takes memory without bound.

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Mutex;
use std::time::Duration;

#[path = "../fuzz/src/decoders.rs"]
mod decoders;
#[path = "../fuzz/src/operations.rs"]
mod operations;
#[path = "../fuzz/src/seal.rs"]
mod seal;
#[path = "../fuzz/src/walk.rs"]
mod walk;

#[path = "hostile/crafted.rs"]
mod crafted;

/// Processor time that a case may take: a debug build on a busy machine.
const LONGEST: Duration = Duration::from_secs(1);

/// Memory that a case may take at once.
fn most_memory(file: usize) -> usize {
    (64 << 20) + 4 * file
}

/// Counts the bytes that are in use, and the most that were.
struct Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn taken(size: usize) {
    let now = IN_USE.fetch_add(size, Ordering::Relaxed) + size;
    PEAK.fetch_max(now, Ordering::Relaxed);
}

// SAFETY: passes everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        taken(layout.size());
        // SAFETY: the caller's promises are the system allocator's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        taken(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        taken(size);
        IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Processor time of this thread so far: a busy machine does not change it.
fn processor_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes into the struct that it is given.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// One case at a time: they are measured.
static TURN: Mutex<()> = Mutex::new(());

/// What a case took.
#[derive(Debug)]
struct Cost {
    time: Duration,
    memory: usize,
}

/// Runs a case on a file of `size` bytes; it must return, in time and within memory.
fn bounded<R>(what: &str, size: usize, case: impl FnOnce() -> R + Send + 'static) -> Cost {
    let _turn = TURN.lock().unwrap_or_else(|e| e.into_inner());
    let (done, wait) = std::sync::mpsc::channel();
    let before = IN_USE.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    // On a thread of its own, with the stack that a thread of a user's has: recursion without bound ends it.
    let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(move || {
        let begun = processor_time();
        drop(case());
        let _ = done.send(());
        processor_time() - begun
    });
    let thread = thread.unwrap();
    if let Err(std::sync::mpsc::RecvTimeoutError::Timeout) = wait.recv_timeout(Duration::from_secs(60)) {
        eprintln!("{what} hangs");
        std::process::abort();
    }
    let Ok(time) = thread.join() else { panic!("{what}: a panic") };
    let cost = Cost { time, memory: PEAK.load(Ordering::Relaxed).saturating_sub(before) };
    assert!(cost.time <= LONGEST, "{what}: {cost:?}");
    assert!(cost.memory <= most_memory(size), "{what}: {cost:?}");
    cost
}

/// Scripts for files that come without one: a little of everything; copies; deletions; every mode.
const SCRIPTS: [&[u8]; 4] = [
    &[0, 0, 2, 3, 4, 1, 5, 2, 11, 0, 13, 9, 23, 0, 7, 1, 9, 3, 14, 5, 1, 7, 31, 0, 10, 0, 17, 0, 29, 0],
    &[62, 0, 62, 1, 62, 2, 23, 0, 62, 3, 14, 0, 62, 9, 14, 1, 31, 0, 62, 0, 22, 0],
    &[14, 0, 14, 0, 14, 0, 14, 0, 14, 0, 14, 0, 14, 0, 23, 0, 14, 0, 14, 0, 14, 0, 14, 0, 7, 0, 7, 0, 31, 0, 4, 0],
    &[19, 0, 4, 0, 10, 0, 12, 1, 17, 1, 22, 0, 20, 0, 4, 2, 10, 2, 31, 0, 21, 0, 5, 0, 10, 1, 7, 4, 23, 0, 18, 0],
];

/// Opens, walks and works on a file; the dearest of these.
fn survive(what: &str, bytes: &[u8]) -> Cost {
    let file = bytes.to_vec();
    let mut cost = bounded(what, bytes.len(), move || walk::walk(file));
    for script in SCRIPTS {
        let file = bytes.to_vec();
        let next = bounded(what, bytes.len(), move || operations::operate(script, file));
        cost = Cost { time: cost.time.max(next.time), memory: cost.memory.max(next.memory) };
    }
    cost
}

/// The files of a folder below `fuzz`, in the order of their names.
fn files(folder: &str) -> Vec<(PathBuf, Vec<u8>)> {
    files_of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(folder))
}

fn files_of(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

#[test]
fn seeds() {
    let seeds = files("seeds");
    assert!(seeds.len() >= 15, "{} seeds", seeds.len());
    for (path, bytes) in seeds {
        survive(&path.display().to_string(), &bytes);
    }
}

#[test]
fn findings() {
    for (path, bytes) in files("findings/file") {
        survive(&path.display().to_string(), &bytes);
    }
    for (path, input) in files("findings/operations") {
        let what = path.display().to_string();
        let (whole, file) = (input.clone(), input.get(operations::SCRIPT..).unwrap_or_default());
        bounded(&what, file.len(), move || operations::operate_on(&whole, seal::seal));
        survive(&what, file);
    }
    for (name, decoder) in decoders::DECODERS {
        for (path, input) in files(&format!("findings/{name}")) {
            bounded(&path.display().to_string(), input.len(), move || decoder(&input));
        }
    }
}

/// Files from elsewhere, named by `H5R_HOSTILE` (folders, with ':' between them): what each came to, as a table.
#[test]
fn files_from_elsewhere() {
    let Ok(folders) = std::env::var("H5R_HOSTILE") else { return };
    for folder in folders.split(':') {
        for (path, bytes) in files_of(Path::new(folder)) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let cost = survive(&name, &bytes);
            let (millis, mib) = (cost.time.as_secs_f64() * 1e3, cost.memory as f64 / f64::from(1 << 20));
            println!("| {name} | {} | {millis:.1} | {mib:.1} |", outcome(bytes));
        }
    }
}

/// What opening and checking says.
fn outcome(bytes: Vec<u8>) -> String {
    let file = match walk::open(h5r::store::MemoryBackend::with_bytes(bytes), true) {
        Ok(file) => file,
        Err(e) => return format!("not opened: {}", e.message()),
    };
    let objects = walk::describe(&file).len();
    match file.check() {
        Ok(()) => format!("{objects} objects, no fault"),
        Err(e) => format!("{objects} objects; {}", e.message()),
    }
}

/// A runaway that the bounds must catch: they can fail.
#[test]
#[should_panic(expected = "Cost")]
fn memory_is_counted() {
    bounded("a case that takes 100 MiB", 0, || drop(std::hint::black_box(vec![1u8; 100 << 20])));
}

#[test]
#[should_panic(expected = "Cost")]
fn time_is_measured() {
    bounded("a case that takes 1.1 seconds", 0, || {
        let begun = processor_time();
        while processor_time() - begun < LONGEST + Duration::from_millis(100) {}
    });
}

/// Writes the seeds that are files of h5r: `cargo test --test hostile -- --ignored write_seeds`.
#[test]
#[ignore = "writes fuzz/seeds"]
fn write_seeds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
    for (name, bytes) in crafted::seeds() {
        fs::write(folder.join(format!("h5r_{name}.h5")), bytes).unwrap();
    }
}

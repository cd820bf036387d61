//! Has a sample of the states read in full by libhdf5: what h5r recovered, and what it need not recover, are files like
//! those that a flush without a crash leaves. A file caught in a commit is refused, and left alone by h5clear.

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use parking_lot::Mutex;

use crate::judge::is_flagged;
use crate::random::Random;
use crate::record::Recording;
use crate::say;
use crate::states::{self, State};

/// The oldest and the newest that is to be had.
const VERSIONS: [&str; 2] = ["1.10.8", "2.2.0"];

/// The version that does not know all of what the newest writes by default.
const OLDEST: &str = VERSIONS[0];

/// States that are looked at, at least.
const AT_LEAST: usize = 150;

struct Pick {
    path: PathBuf,
    /// The file that a flush left with the same contents; none for a file that is to be refused.
    reference: Option<PathBuf>,
    /// How the state came about.
    how: String,
}

#[derive(Default)]
struct Picks {
    picks: Vec<Pick>,
    references: HashMap<(String, usize), PathBuf>,
}

/// Files for libhdf5.
pub struct Sample {
    folder: PathBuf,
    /// One state in so many is taken.
    every: u64,
    picks: Mutex<Picks>,
}

impl Sample {
    /// For a campaign of so many states.
    pub fn new(states: usize) -> Sample {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("crash");
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let wanted = AT_LEAST + states / 100;
        Sample { folder, every: (states / wanted) as u64, picks: Mutex::default() }
    }

    /// Perhaps takes a state that h5r recovered, and that has the contents of this flush of the recording.
    pub fn offer(&self, state: &State, recovered: &[u8], flush: (&Recording, usize), random: &mut Random) {
        // Raw data that were overwritten in place may be of either state.
        if !random.one_in(self.every) || flush.0.without_data {
            return;
        }
        let mut picks = self.picks.lock();
        let reference = self.reference(&mut picks, flush);
        let number = picks.picks.len();
        let how = format!("{}, {}", flush.0.name, state.how);
        let file = |kind: &str, bytes: &[u8]| {
            let path = self.folder.join(format!("{number}-{kind}.h5"));
            fs::write(&path, bytes).unwrap();
            path
        };
        let raw = (!is_flagged(&state.bytes)).then(|| reference.clone());
        picks.picks.push(Pick { path: file("crashed", &state.bytes), reference: raw, how: how.clone() });
        picks.picks.push(Pick { path: file("recovered", recovered), reference: Some(reference), how });
    }

    /// The file that the flush left.
    fn reference(&self, picks: &mut Picks, (recording, point): (&Recording, usize)) -> PathBuf {
        let number = picks.references.len();
        let path = picks.references.entry((recording.name.clone(), point)).or_insert_with(|| {
            let mut bytes = recording.start.clone();
            let changes = &recording.changes[..recording.points[point].end];
            changes.iter().for_each(|change| states::apply(&mut bytes, change));
            let path = self.folder.join(format!("flushed-{number}.h5"));
            fs::write(&path, bytes).unwrap();
            path
        });
        path.clone()
    }

    /// Reads all that was taken, with each version.
    pub fn judge(self) {
        let Some((reader, libraries)) = find_judges(&self.folder) else { return };
        let Picks { picks, references } = self.picks.into_inner();
        assert!(picks.len() >= AT_LEAST, "{} files", picks.len());
        for (version, library) in &libraries {
            let read = |paths: &[&Path]| ask(&reader, library, 'r', paths);
            let flushed: Vec<&Path> = references.values().map(PathBuf::as_path).collect();
            let digests: HashMap<&Path, String> = flushed.iter().copied().zip(read(&flushed)).collect();
            for ((name, _), path) in &references {
                let readable = !digests[path.as_path()].starts_with("failed");
                assert!(readable || (version == OLDEST && name.contains("latest")), "{version}: {name}: {path:?}");
            }
            let (whole, caught): (Vec<&Pick>, Vec<&Pick>) = picks.iter().partition(|pick| pick.reference.is_some());
            for (pick, digest) in whole.iter().zip(read(&paths(&whole))) {
                let reference = pick.reference.as_deref().unwrap();
                let (how, path) = (&pick.how, &pick.path);
                assert_eq!(digest, digests[reference], "{version}: {how}: {path:?} and {reference:?}");
            }
            refuse(&reader, library, version, &caught);
            say(&format!("libhdf5 {version}: {} files read, {} refused", whole.len(), caught.len()));
            assert!(whole.len() > AT_LEAST && caught.len() > AT_LEAST / 20);
        }
        fs::remove_dir_all(&self.folder).unwrap();
    }
}

fn paths<'a>(picks: &[&'a Pick]) -> Vec<&'a Path> {
    picks.iter().map(|pick| pick.path.as_path()).collect()
}

/// Files within a commit: neither read nor changed by libhdf5 or its h5clear.
fn refuse(reader: &Path, library: &Path, version: &str, caught: &[&Pick]) {
    let before: Vec<Vec<u8>> = caught.iter().map(|pick| fs::read(&pick.path).unwrap()).collect();
    let answers = ask(reader, library, 'r', &paths(caught)).into_iter().zip(ask(reader, library, 'w', &paths(caught)));
    for ((pick, before), (read, write)) in caught.iter().zip(before).zip(answers) {
        let what = format!("{version}: {}: {:?}", pick.how, pick.path);
        assert_eq!((read.as_str(), write.as_str()), ("failed: H5Fopen failed", "refused"), "{what}");
        if version == OLDEST {
            let cleared = Command::new("h5clear").arg("-s").arg(&pick.path).output().unwrap();
            assert!(!cleared.status.success(), "{what}: h5clear");
        }
        assert!(fs::read(&pick.path).unwrap() == before, "{what}: changed");
    }
}

/// The reader's answer for each file.
fn ask(reader: &Path, library: &Path, what: char, paths: &[&Path]) -> Vec<String> {
    let mut child = Command::new(reader)
        .arg(library)
        .env("HDF5_USE_FILE_LOCKING", "FALSE")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines: String = paths.iter().map(|path| format!("{what} {}\n", path.display())).collect();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let output = child.wait_with_output().unwrap();
    let answers: Vec<String> = String::from_utf8_lossy(&output.stdout).lines().map(String::from).collect();
    assert!(output.status.success(), "libhdf5 died on {:?}: {}", paths.get(answers.len()), output.status);
    writer.join().unwrap().unwrap();
    assert_eq!(answers.len(), paths.len());
    answers
}

/// Compiles the reader and finds the libraries that scripts/setup installs; none, and a word, where they are not.
fn find_judges(folder: &Path) -> Option<(PathBuf, Vec<(String, PathBuf)>)> {
    let reader = folder.join("reader");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crash/reader.c");
    let mut cc = Command::new("cc");
    cc.args(["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-I/usr/include/hdf5/serial"]);
    let compiled = cc.arg(source).args(["-ldl", "-o"]).arg(&reader).output();
    let mut found = Vec::new();
    if compiled.is_ok_and(|output| output.status.success()) {
        for library in installed_libraries() {
            let version = ask(&reader, &library, 'v', &[Path::new("")]).remove(0);
            if VERSIONS.contains(&version.as_str()) {
                found.push((version, library));
            }
        }
    }
    if found.len() < VERSIONS.len() {
        say(&format!("NOT JUDGED BY LIBHDF5: found {found:?}; 'scripts/setup build judges' installs {VERSIONS:?}"));
        return None;
    }
    Some((reader, found))
}

/// Debian's library, and those inside the wheels of the venv.
fn installed_libraries() -> Vec<PathBuf> {
    let list = |folder: PathBuf| fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let below = |folder: PathBuf, suffix: &'static str| {
        list(folder).filter(move |path| path.to_string_lossy().ends_with(suffix) && path.is_dir())
    };
    let venv = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/venv/lib");
    let packages = list(venv).flat_map(|python| below(python.join("site-packages"), ".libs"));
    let named = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name == "libhdf5_serial.so.103" || (name.starts_with("libhdf5-") && name.contains(".so."))
    };
    below("/usr/lib".into(), "-linux-gnu").chain(packages).flat_map(list).filter(named).collect()
}

//! Has a sample of crashed files read in full by libhdf5: what h5r recovered, and what it need not recover, are files
//! like those that a flush without a crash leaves. A file caught in a commit is refused, and left alone by h5clear.
#![allow(dead_code)] // tests/faults.rs takes part of it

use std::collections::HashMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use parking_lot::Mutex;

use crate::common::{is_flagged, say};

/// All that are to be had.
const VERSIONS: [&str; 4] = ["1.10.8", "1.14.6", "2.0.0", "2.2.0"];

/// The version that does not know all of what the newest writes by default.
const OLDEST: &str = VERSIONS[0];

/// A sample is read by the oldest and the newest.
const READERS: [&str; 2] = [OLDEST, VERSIONS[3]];

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
    /// By a hash of their bytes: the files that flushes left, and what they are.
    references: HashMap<u64, (PathBuf, String)>,
}

/// Files for libhdf5.
pub struct Sample {
    folder: PathBuf,
    /// So many are to be there.
    least: usize,
    picks: Mutex<Picks>,
}

impl Sample {
    /// A sample in a folder of its own, of at least so many crashed files.
    pub fn new(name: &str, least: usize) -> Sample {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Sample { folder, least, picks: Mutex::default() }
    }

    /// Takes a file as the crash left it and as h5r recovered it, and one that a flush left with the same contents.
    pub fn add(&self, how: String, crashed: &[u8], recovered: &[u8], flushed: &[u8]) {
        let mut picks = self.picks.lock();
        let mut hasher = DefaultHasher::new();
        flushed.hash(&mut hasher);
        let reference = picks.references.entry(hasher.finish()).or_insert_with(|| {
            let path = self.folder.join(format!("flushed-{:x}.h5", hasher.finish()));
            fs::write(&path, flushed).unwrap();
            (path, how.clone())
        });
        let reference = reference.0.clone();
        let number = picks.picks.len();
        let file = |kind: &str, bytes: &[u8]| {
            let path = self.folder.join(format!("{number}-{kind}.h5"));
            fs::write(&path, bytes).unwrap();
            path
        };
        let raw = (!is_flagged(crashed)).then(|| reference.clone());
        picks.picks.push(Pick { path: file("crashed", crashed), reference: raw, how: how.clone() });
        picks.picks.push(Pick { path: file("recovered", recovered), reference: Some(reference), how });
    }

    /// Reads all that was taken, with each version.
    pub fn judge(self) {
        let Some((reader, libraries)) = find_judges(&self.folder, &READERS) else { return };
        let Picks { picks, references } = self.picks.into_inner();
        assert!(picks.len() >= 2 * self.least, "{} files", picks.len());
        for (version, library) in &libraries {
            let read = |paths: &[&Path]| ask(&reader, library, 'r', paths);
            let flushed: Vec<&Path> = references.values().map(|(path, _)| path.as_path()).collect();
            let digests: HashMap<&Path, String> = flushed.iter().copied().zip(read(&flushed)).collect();
            for (path, name) in references.values() {
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
            assert!(caught.len() > self.least / 20, "{} files within a commit", caught.len());
        }
        fs::remove_dir_all(&self.folder).unwrap();
    }
}

/// Has every version, and h5clear, refuse these files, which were caught in a commit; they are named.
pub fn all_refuse(files: &[(String, Vec<u8>)]) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("caught");
    fs::create_dir_all(&folder).unwrap();
    let Some((reader, libraries)) = find_judges(&folder, &VERSIONS) else { return };
    let picks: Vec<Pick> = files
        .iter()
        .map(|(how, bytes)| {
            let path = folder.join(format!("{how}.h5"));
            fs::write(&path, bytes).unwrap();
            Pick { path, reference: None, how: how.clone() }
        })
        .collect();
    for (version, library) in &libraries {
        refuse(&reader, library, version, &picks.iter().collect::<Vec<_>>());
        say(&format!("libhdf5 {version}: {} files in their commit are refused and left alone", picks.len()));
    }
    fs::remove_dir_all(&folder).unwrap();
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
fn find_judges(folder: &Path, versions: &[&str]) -> Option<(PathBuf, Vec<(String, PathBuf)>)> {
    let reader = folder.join("reader");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crash/reader.c");
    let mut cc = Command::new("cc");
    cc.args(["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-I/usr/include/hdf5/serial"]);
    let compiled = cc.arg(source).args(["-ldl", "-o"]).arg(&reader).output();
    let mut found = Vec::new();
    if compiled.is_ok_and(|output| output.status.success()) {
        for library in installed_libraries() {
            let version = ask(&reader, &library, 'v', &[Path::new("")]).remove(0);
            if versions.contains(&version.as_str()) {
                found.push((version, library));
            }
        }
    }
    if found.len() < versions.len() {
        say(&format!("NOT JUDGED BY LIBHDF5: found {found:?}; 'scripts/setup build judges' installs {versions:?}"));
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

//! Checking a file by its path, and bringing one back that was caught in a flush or left open.

use std::path::Path;

use super::{Finding, FindingKind, Report, Severity};
use crate::error::{Error, ErrorKind, Result};
use crate::format::superblock::{Superblock, COMMITTING};
use crate::object::options::{Locking, OpenOptions};
use crate::object::{check, open};
use crate::store::recover::Recovery;
use crate::store::Backend;

/// How a file is checked.
#[derive(Debug, Clone)]
pub struct CheckOptions {
    /// Apply or discard what an interrupted flush has left, and clear a consistency flag that a crashed writer has left
    /// if the check finds no error. Without it the file is opened for reading only.
    pub recover: bool,
    /// Whether a lock is taken: shared, or exclusive to recover.
    pub locking: Locking,
    /// The most findings, and the most leaked extents, that the report keeps.
    pub max_findings: usize,
}

impl Default for CheckOptions {
    fn default() -> Self {
        CheckOptions { recover: false, locking: Locking::default(), max_findings: 1000 }
    }
}

/// Checks the file at `path`. Damage is in the report; an error says that the file cannot be opened, is no HDF5 file, or
/// is of a kind that is not handled yet.
pub fn check_path(path: &Path, options: &CheckOptions) -> Result<Report> {
    let check = || {
        let opening = OpenOptions { read_only: !options.recover, locking: options.locking, ..OpenOptions::default() };
        check_on(open::open_path(path, &opening)?.0, options)
    };
    check().map_err(|e| e.within(format_args!("checking file '{}'", path.display())))
}

/// Checks what a backend holds.
pub fn check_on(mut backend: Box<dyn Backend>, options: &CheckOptions) -> Result<Report> {
    let mut report = Report::new(options.max_findings);
    report.file_length = backend.len().map_err(|e| Error::io("asking for the file's length", e))?;
    let superblock = match open::superblock(&mut *backend) {
        Err(error) if error.kind() == ErrorKind::Corrupt => {
            report.add(Finding::from_error(&error, "the file".into()));
            return Ok(report);
        }
        superblock => superblock?,
    };
    // Before version 3 the other flags mean nothing: libhdf5 1.6 left them set in every file.
    report.flags = superblock.flags & if superblock.version < 3 { COMMITTING } else { u8::MAX };
    let (mut state, truncated) = open::for_check(backend, superblock, !options.recover)?;
    report.recovery = state.recovery;
    if let Some(message) = truncated {
        report.add(Finding::of_file(Severity::Error, FindingKind::Bound, message));
    }
    check::report(&mut state, true, &mut report)?;
    if options.recover && report.is_flagged() && report.is_sound() && report.unchecked == 0 {
        let superblock = Superblock { flags: 0, ..state.superblock };
        let end = state.store.space().end();
        state.store.replace_superblock(&superblock.encode(end))?;
        report.flags_cleared = true;
    }
    report.add_state(options.recover);
    Ok(report)
}

impl Report {
    /// What keeps the file from being opened although no structure is damaged.
    fn add_state(&mut self, recovered: bool) {
        let remedy = "'h5r check --recover', or opening the file for writing with h5r,";
        let interrupted = match self.recovery {
            _ if recovered => None,
            Recovery::Nothing => None,
            Recovery::Applied { blocks, bytes } => Some(format!(
                "a flush was interrupted after it was decided on: its redo record of {blocks} blocks ({bytes} bytes) is \
                 whole, and was applied in memory for this check; {remedy} applies it"
            )),
            Recovery::Discarded => Some(format!(
                "a flush was interrupted before it was decided on: the file has its last flushed state; {remedy} clears \
                 the flag"
            )),
        };
        if let Some(message) = interrupted {
            self.add(Finding::of_file(Severity::Error, FindingKind::Interrupted, message));
        }
        if self.is_flagged() && !self.flags_cleared {
            let flags = self.flags & !COMMITTING;
            let why = match recovered {
                true => "it is not cleared, because the check has found errors or could not check everything",
                false => "a writer is at work or has crashed; 'h5r check --recover' clears it if the file is sound",
            };
            let message = format!("the consistency flags {flags:#04x} say that the file is open for writing: {why}");
            self.add(Finding::of_file(Severity::Error, FindingKind::Flag, message));
        }
    }
}

//! Checking a file by its path, with all findings.

use std::ffi::{c_char, c_void, CString};
use std::mem::{offset_of, size_of};

use super::options::{self, flag, locking, Versioned, H5R_LOCKING_ENVIRONMENT};
use super::{guard, h5r_status, input};
use crate::error::{Error, ErrorKind, Result};
use crate::object::check::{check_path, CheckOptions, Finding, FindingKind, Report, Severity};
use crate::store::recover::Recovery;

/// The file is damaged, or has to be recovered before others can open it.
pub const H5R_SEVERITY_ERROR: i32 = 0;
/// Nothing is damaged, but space is lost or a count is too high.
pub const H5R_SEVERITY_WARNING: i32 = 1;
/// A part that could not be checked, because its structures are not handled yet.
pub const H5R_SEVERITY_UNCHECKED: i32 = 2;

/// A structure's bytes are not what the format says.
pub const H5R_FINDING_STRUCTURE: i32 = 0;
/// A checksum does not hold.
pub const H5R_FINDING_CHECKSUM: i32 = 1;
/// A structure lies, or leads, outside the file or what it belongs to.
pub const H5R_FINDING_BOUND: i32 = 2;
/// A count and what was counted differ.
pub const H5R_FINDING_COUNT: i32 = 3;
/// Parts are out of order, or two indexes of the same differ.
pub const H5R_FINDING_ORDER: i32 = 4;
/// The references to an object differ from its reference count.
pub const H5R_FINDING_REFERENCES: i32 = 5;
/// Two structures claim the same bytes, or one claims free space.
pub const H5R_FINDING_OVERLAP: i32 = 6;
/// A B-tree node has fewer records than libhdf5 needs to go on deleting.
pub const H5R_FINDING_FLOOR: i32 = 7;
/// Bytes that nothing uses and no free-space manager lists.
pub const H5R_FINDING_LEAK: i32 = 8;
/// The consistency flag says that the file is open for writing.
pub const H5R_FINDING_FLAG: i32 = 9;
/// A flush was interrupted and is not recovered from yet.
pub const H5R_FINDING_INTERRUPTED: i32 = 10;
/// A structure that is not handled yet.
pub const H5R_FINDING_UNSUPPORTED: i32 = 11;

/// No flush was interrupted.
pub const H5R_INTERRUPTED_NONE: i32 = 0;
/// A flush was interrupted after it was decided on: its redo record was applied, in memory or, to recover, to the file.
pub const H5R_INTERRUPTED_APPLIED: i32 = 1;
/// A flush was interrupted before it was decided on: the file has its last flushed state.
pub const H5R_INTERRUPTED_DISCARDED: i32 = 2;

/// The address of a finding that has none.
pub const H5R_NO_ADDRESS: u64 = u64::MAX;

/// Options of h5r_check_path. Start from H5R_CHECK_OPTIONS_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct h5r_check_options {
    /// sizeof(h5r_check_options), set by the INIT macro.
    pub struct_size: usize,
    /// 1: apply or discard what an interrupted flush has left, and clear the flag that a crashed writer has left if the
    /// check finds no error. 0, the default: open the file for reading only.
    pub recover: i32,
    /// H5R_LOCKING_ENVIRONMENT (default), _OFF or _ON.
    pub locking: i32,
    /// The most findings that are handed to the callback; the report counts all. Default 1000.
    pub max_findings: u64,
}

/// What a check found, and what the file consists of. Start from H5R_CHECK_REPORT_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct h5r_check_report {
    /// sizeof(h5r_check_report), set by the INIT macro.
    pub struct_size: usize,
    /// Findings of H5R_SEVERITY_ERROR; the file is sound when there are none.
    pub errors: u64,
    /// Findings of H5R_SEVERITY_WARNING.
    pub warnings: u64,
    /// Findings of H5R_SEVERITY_UNCHECKED.
    pub unchecked: u64,
    /// Groups that were read.
    pub groups: u64,
    /// Datasets that were read.
    pub datasets: u64,
    /// Committed datatypes that were read.
    pub named_types: u64,
    /// The file's length in bytes.
    pub file_bytes: u64,
    /// Bytes up to the end of allocation, from the superblock on.
    pub allocated_bytes: u64,
    /// Bytes in use.
    pub used_bytes: u64,
    /// Bytes that free-space managers list.
    pub free_bytes: u64,
    /// Bytes that nothing uses and no free-space manager lists.
    pub leaked_bytes: u64,
    /// Blocks of the redo record that was found.
    pub redo_blocks: u64,
    /// Their bytes.
    pub redo_bytes: u64,
    /// H5R_INTERRUPTED_...
    pub interrupted: i32,
    /// The superblock's consistency flags as they were found.
    pub flags: i32,
    /// 1 when they were cleared.
    pub flags_cleared: i32,
    /// 0.
    pub reserved: i32,
}

/// One finding. More fields may follow in later versions.
#[repr(C)]
pub struct h5r_check_finding {
    /// H5R_SEVERITY_...
    pub severity: i32,
    /// H5R_FINDING_...
    pub kind: i32,
    /// The address of the structure in the file, from the superblock on, or H5R_NO_ADDRESS.
    pub address: u64,
    /// The object's path, or "the file".
    pub path: *const c_char,
    /// What was found, in one line.
    pub message: *const c_char,
}

/// Called for each finding, which is valid during the call only. Returns 0 to go on, positive to stop, negative to fail.
pub type h5r_check_visit =
    Option<unsafe extern "C" fn(finding: *const h5r_check_finding, user_data: *mut c_void) -> i32>;

// SAFETY: repr(C), integers only; the assertion below says that there is no padding.
unsafe impl Versioned for h5r_check_options {
    const NAME: &'static str = "check_options";
    const FIRST_SIZE: usize = 24;
    const INIT: Self = h5r_check_options {
        struct_size: size_of::<Self>(),
        recover: 0,
        locking: H5R_LOCKING_ENVIRONMENT,
        max_findings: 1000,
    };
}

// SAFETY: as above.
unsafe impl Versioned for h5r_check_report {
    const NAME: &'static str = "check_report";
    const FIRST_SIZE: usize = 128;
    const INIT: Self = h5r_check_report {
        struct_size: size_of::<Self>(),
        errors: 0,
        warnings: 0,
        unchecked: 0,
        groups: 0,
        datasets: 0,
        named_types: 0,
        file_bytes: 0,
        allocated_bytes: 0,
        used_bytes: 0,
        free_bytes: 0,
        leaked_bytes: 0,
        redo_blocks: 0,
        redo_bytes: 0,
        interrupted: H5R_INTERRUPTED_NONE,
        flags: 0,
        flags_cleared: 0,
        reserved: 0,
    };
}

const _: () = {
    assert!(size_of::<h5r_check_options>() == offset_of!(h5r_check_options, max_findings) + 8);
    assert!(size_of::<h5r_check_report>() == offset_of!(h5r_check_report, reserved) + 4);
};

fn options_of(given: &h5r_check_options) -> Result<CheckOptions> {
    Ok(CheckOptions {
        recover: flag("recover", given.recover)?,
        locking: locking(given.locking)?,
        max_findings: usize::try_from(given.max_findings).unwrap_or(usize::MAX),
    })
}

fn report_of(report: &Report) -> h5r_check_report {
    let (interrupted, redo_blocks, redo_bytes) = match report.recovery {
        Recovery::Nothing => (H5R_INTERRUPTED_NONE, 0, 0),
        Recovery::Applied { blocks, bytes } => (H5R_INTERRUPTED_APPLIED, blocks, bytes),
        Recovery::Discarded => (H5R_INTERRUPTED_DISCARDED, 0, 0),
    };
    h5r_check_report {
        errors: report.errors,
        warnings: report.warnings,
        unchecked: report.unchecked,
        groups: report.groups,
        datasets: report.datasets,
        named_types: report.named_types,
        file_bytes: report.file_length,
        allocated_bytes: report.end,
        used_bytes: report.bytes.iter().sum(),
        free_bytes: report.free,
        leaked_bytes: report.leaked,
        redo_blocks,
        redo_bytes,
        interrupted,
        flags: report.flags.into(),
        flags_cleared: report.flags_cleared.into(),
        ..h5r_check_report::INIT
    }
}

fn severity_of(severity: Severity) -> i32 {
    match severity {
        Severity::Error => H5R_SEVERITY_ERROR,
        Severity::Warning => H5R_SEVERITY_WARNING,
        Severity::Unchecked => H5R_SEVERITY_UNCHECKED,
    }
}

fn kind_of(kind: FindingKind) -> i32 {
    match kind {
        FindingKind::Structure => H5R_FINDING_STRUCTURE,
        FindingKind::Checksum => H5R_FINDING_CHECKSUM,
        FindingKind::Bound => H5R_FINDING_BOUND,
        FindingKind::Count => H5R_FINDING_COUNT,
        FindingKind::Order => H5R_FINDING_ORDER,
        FindingKind::References => H5R_FINDING_REFERENCES,
        FindingKind::Overlap => H5R_FINDING_OVERLAP,
        FindingKind::Floor => H5R_FINDING_FLOOR,
        FindingKind::Leak => H5R_FINDING_LEAK,
        FindingKind::Flag => H5R_FINDING_FLAG,
        FindingKind::Interrupted => H5R_FINDING_INTERRUPTED,
        FindingKind::Unsupported => H5R_FINDING_UNSUPPORTED,
    }
}

/// Text as C has it; a NUL, which only a damaged name can hold, is shown.
fn c_text(text: &str) -> CString {
    CString::new(text.replace('\0', "\\0")).unwrap_or_default()
}

/// Hands one finding over; whether to go on.
fn hand_over(finding: &Finding, visit: impl FnOnce(&h5r_check_finding) -> i32) -> Result<bool> {
    let (path, message) = (c_text(&finding.path), c_text(&finding.message));
    let answer = visit(&h5r_check_finding {
        severity: severity_of(finding.severity),
        kind: kind_of(finding.kind),
        address: finding.address.unwrap_or(H5R_NO_ADDRESS),
        path: path.as_ptr(),
        message: message.as_ptr(),
    });
    match answer {
        0 => Ok(true),
        1.. => Ok(false),
        code => Err(Error::new(ErrorKind::Callback, format!("the callback returned {code} and so ended the findings"))),
    }
}

/// Checks the file at `path`: every structure that can be reached, with its checksum, its bounds, counts and order;
/// reference counts; that no bytes are used twice, used and free, or lost. Damage is no error of this call: it is counted
/// in `report_out`, which the caller initialised with H5R_CHECK_REPORT_INIT and which may be NULL, and handed to `visit`,
/// which may be NULL and is called without any lock, after the file is closed again. `options` may be NULL for all
/// defaults. The file is changed only where the options ask to recover it.
///
/// Errors: ARGUMENT, RANGE, NOT_HDF5, UNSUPPORTED, LOCKED, IO, CALLBACK (`visit` returned a negative value; a recovery is
/// done nevertheless). Any thread; `visit` runs on this one.
#[no_mangle]
pub unsafe extern "C" fn h5r_check_path(
    path: *const c_char,
    options: *const h5r_check_options,
    report_out: *mut h5r_check_report,
    visit: h5r_check_visit,
    user_data: *mut c_void,
) -> h5r_status {
    guard::call(|| {
        // SAFETY: as this function's documentation asks of the caller.
        let (path, options) = unsafe { (input::path(path)?, options::read(options)?) };
        let out = match report_out.is_null() {
            true => None,
            // SAFETY: as above.
            false => Some(unsafe { options::output(report_out, "report_out")? }),
        };
        let report = check_path(path, &options_of(&options)?)?;
        if let Some(visit) = visit {
            for finding in &report.findings {
                // SAFETY: the user's function, with a finding that lives through the call.
                if !hand_over(finding, |finding| unsafe { visit(finding, user_data) })? {
                    break;
                }
            }
        }
        if let Some(out) = out {
            out.set(report_of(&report));
        }
        Ok(())
    })
}

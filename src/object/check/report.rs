//! What the checker says.

use crate::error::{Damage, Error, ErrorKind};
use crate::format::superblock::{OPEN_FOR_SWMR, OPEN_FOR_WRITE};
use crate::object::extents::Purpose;
use crate::object::ObjectKind;
use crate::store::recover::Recovery;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The file is damaged, or needs to be recovered before others can open it.
    Error,
    /// Nothing is damaged, but space is lost or a count is too high.
    Warning,
    /// Valid, as far as can be told, but not handled yet: that part was not checked.
    Unchecked,
}

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FindingKind {
    /// A structure's bytes are not what the format says: signature, version, fields.
    Structure,
    /// A checksum does not hold.
    Checksum,
    /// A structure lies, or leads, outside the file or what it belongs to.
    Bound,
    /// A count and what was counted differ.
    Count,
    /// Parts are out of order, or two indexes of the same differ.
    Order,
    /// The hard links to an object, and the data that share a datatype, differ from its reference count.
    References,
    /// Two structures claim the same bytes, or one claims free space.
    Overlap,
    /// A B-tree node has fewer records than libhdf5 needs to go on deleting.
    Floor,
    /// Bytes that nothing uses and no free-space manager lists.
    Leak,
    /// The consistency flag says that the file is open for writing.
    Flag,
    /// A flush was interrupted and is not recovered from yet.
    Interrupted,
    /// A structure that is not handled yet.
    Unsupported,
}

impl FindingKind {
    /// Its name in reports: lower case, one word.
    pub fn name(self) -> &'static str {
        match self {
            FindingKind::Structure => "structure",
            FindingKind::Checksum => "checksum",
            FindingKind::Bound => "bound",
            FindingKind::Count => "count",
            FindingKind::Order => "order",
            FindingKind::References => "references",
            FindingKind::Overlap => "overlap",
            FindingKind::Floor => "floor",
            FindingKind::Leak => "leak",
            FindingKind::Flag => "flag",
            FindingKind::Interrupted => "interrupted",
            FindingKind::Unsupported => "unsupported",
        }
    }
}

impl From<Damage> for FindingKind {
    fn from(damage: Damage) -> Self {
        match damage {
            Damage::Structure => FindingKind::Structure,
            Damage::Checksum => FindingKind::Checksum,
            Damage::Bound => FindingKind::Bound,
            Damage::Count => FindingKind::Count,
            Damage::Order => FindingKind::Order,
            Damage::References => FindingKind::References,
            Damage::Overlap => FindingKind::Overlap,
            Damage::Floor => FindingKind::Floor,
        }
    }
}

impl Severity {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Unchecked => "unchecked",
        }
    }
}

/// One thing that the checker found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What it is about.
    pub kind: FindingKind,
    /// The object, by the path on which it was met first; "the file" for what belongs to no object.
    pub path: String,
    /// The address of the structure, where it is known.
    pub address: Option<u64>,
    /// What was found, in one line.
    pub message: String,
}

impl Finding {
    /// A finding about the file as a whole.
    pub(super) fn of_file(severity: Severity, kind: FindingKind, message: String) -> Self {
        Finding { severity, kind, path: "the file".into(), address: None, message }
    }

    /// What an error says. Only damage and what is not handled are findings.
    pub(in crate::object) fn from_error(error: &Error, path: String) -> Self {
        let (severity, kind) = match error.kind() {
            ErrorKind::Unsupported => (Severity::Unchecked, FindingKind::Unsupported),
            _ => (Severity::Error, error.damage().into()),
        };
        Finding { severity, kind, path, address: error.address(), message: error.message().into() }
    }

    /// As an error.
    pub(in crate::object) fn into_error(self) -> Error {
        let kind = match self.severity {
            Severity::Unchecked => ErrorKind::Unsupported,
            _ => ErrorKind::Corrupt,
        };
        Error::new(kind, format!("{}: {}", self.path, self.message))
    }
}

/// What a check found, and what the file consists of.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The first findings, as many as were asked for.
    pub findings: Vec<Finding>,
    /// Findings of severity [`Severity::Error`], kept or not.
    pub errors: u64,
    /// Findings of severity [`Severity::Warning`], kept or not.
    pub warnings: u64,
    /// Findings of severity [`Severity::Unchecked`], kept or not.
    pub unchecked: u64,
    /// Groups that were read.
    pub groups: u64,
    /// Datasets that were read.
    pub datasets: u64,
    /// Committed datatypes that were read.
    pub named_types: u64,
    /// The file's length in bytes.
    pub file_length: u64,
    /// The end of allocation, in bytes from the superblock.
    pub end: u64,
    /// Bytes in use for each purpose, in the order of [`Purpose::ALL`].
    pub bytes: [u64; Purpose::ALL.len()],
    /// Bytes that free-space managers list.
    pub free: u64,
    /// Bytes that nothing uses and no free-space manager lists. They are lost to libhdf5; where something could not be
    /// read they may also be in use.
    pub leaked: u64,
    /// The extents of the leaked bytes, address and length, the first of them as many as findings were asked for.
    pub leaks: Vec<(u64, u64)>,
    /// What an interrupted flush had left. It was carried out on the file if that was asked for, else in memory.
    pub recovery: Recovery,
    /// The superblock's consistency flags as they were found.
    pub flags: u8,
    /// Whether they were cleared.
    pub flags_cleared: bool,
    /// The most findings that are kept.
    pub(super) most: usize,
}

impl Report {
    pub(in crate::object) fn new(most: usize) -> Self {
        Report { most, ..Report::default() }
    }

    /// Whether no error was found.
    pub fn is_sound(&self) -> bool {
        self.errors == 0
    }

    /// Whether the flags say that the file is open for writing.
    pub(super) fn is_flagged(&self) -> bool {
        self.flags & (OPEN_FOR_WRITE | OPEN_FOR_SWMR) != 0
    }

    pub(super) fn add(&mut self, finding: Finding) {
        match finding.severity {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
            Severity::Unchecked => self.unchecked += 1,
        }
        if self.findings.len() < self.most {
            self.findings.push(finding);
        }
    }

    pub(super) fn count(&mut self, kinds: [u64; 3]) {
        let of = |kind: ObjectKind| kinds[kind as usize];
        (self.groups, self.datasets, self.named_types) =
            (of(ObjectKind::Group), of(ObjectKind::Dataset), of(ObjectKind::NamedType));
    }
}

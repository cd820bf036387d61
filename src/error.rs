//! The one error type: a kind that the C layer maps to a status code, and one line for the user.
//!
//! A message says which operation failed, on which path, with which value, and what would be accepted. Layers add
//! what they know with [`Error::within`]; nothing here knows of C codes.

use std::fmt;
use std::io;

/// What went wrong, in the terms a caller can act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// An argument is malformed (empty name, NUL inside, wrong rank, missing pointer).
    Argument,
    /// A value lies outside its accepted range.
    Range,
    /// The named object, link or attribute does not exist.
    NotFound,
    /// The name is taken already.
    Exists,
    /// The object is of another kind than the call needs (a dataset where a group is needed).
    WrongKind,
    /// The conversion between these datatypes is not defined, or the sizes do not agree.
    Type,
    /// The caller's buffer is too small.
    TooSmall,
    /// The file was opened for reading only.
    ReadOnly,
    /// The file is not an HDF5 file.
    NotHdf5,
    /// A structure of the file contradicts the format or its checksum.
    Corrupt,
    /// Valid HDF5 that this version does not handle yet; the message names the structure.
    Unsupported,
    /// A limit of the format was reached (heap full, 65,535 tracked attributes alive).
    Limit,
    /// The file is locked by another process, or its consistency flag says it is being written.
    Locked,
    /// Incremental rebalancing was asked for before lazy was set.
    LazyRequired,
    /// A callback called back into the file where that cannot work.
    Reentrant,
    /// The user's callback returned a negative value.
    Callback,
    /// The handle's file was closed.
    Closed,
    /// The operating system reported an error.
    Io,
    /// An earlier write failed; only close is accepted.
    Failed,
    /// A defect of this library.
    Internal,
}

/// What is wrong with a damaged structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Damage {
    /// Its bytes are not what the format says: signature, version, fields.
    Structure,
    /// Its checksum does not hold.
    Checksum,
    /// It lies, or leads, outside the file or what it belongs to.
    Bound,
    /// A count and what was counted differ.
    Count,
    /// Its parts are out of order, or two indexes of the same differ.
    Order,
    /// The references to an object differ from its reference count.
    References,
    /// Two structures claim the same bytes, or one claims free space.
    Overlap,
    /// A B-tree node has fewer records than a writer may leave in it.
    Floor,
}

struct Inner {
    kind: ErrorKind,
    damage: Damage,
    address: Option<u64>,
    message: String,
    source: Option<io::Error>,
}

/// An error of any layer. Small (one pointer), so that `Result` stays cheap on hot paths.
pub struct Error(Box<Inner>);

/// The result of every fallible function of the crate.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of `kind` with its one-line message.
    #[cold]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error(Box::new(Inner { kind, damage: Damage::Structure, address: None, message: message.into(), source: None }))
    }

    /// A structure at `address` contradicts the format.
    #[cold]
    pub fn corrupt(structure: &str, address: u64, detail: impl fmt::Display) -> Self {
        let mut error =
            Self::new(ErrorKind::Corrupt, format!("{structure} at address {address:#x} is damaged: {detail}"));
        error.0.address = Some(address);
        error
    }

    /// The checksum of a structure at `address` does not hold.
    #[cold]
    pub fn checksum(structure: &str, address: u64) -> Self {
        Self::corrupt(structure, address, "its checksum does not hold").because(Damage::Checksum)
    }

    /// Valid HDF5 that is not handled yet; `structure` names what it is.
    #[cold]
    pub fn unsupported(structure: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Unsupported, format!("not supported yet: {structure}"))
    }

    /// `field` has `value`, which is outside `accepted`.
    #[cold]
    pub fn range(field: &str, value: impl fmt::Display, accepted: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Range, format!("{field} {value} is outside {accepted}"))
    }

    /// A defect of this library, found by a check.
    #[cold]
    pub fn internal(detail: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Internal, format!("internal error in h5r: {detail}"))
    }

    /// The operating system failed `operation`.
    #[cold]
    pub fn io(operation: impl fmt::Display, source: io::Error) -> Self {
        let mut error = Self::new(ErrorKind::Io, format!("{operation}: {source}"));
        error.0.source = Some(source);
        error
    }

    /// The same error, of kind [`ErrorKind::NotFound`] where the operating system says that there is no such file.
    #[cold]
    pub fn or_not_found(mut self) -> Self {
        if self.0.source.as_ref().is_some_and(|e| e.kind() == io::ErrorKind::NotFound) {
            self.0.kind = ErrorKind::NotFound;
        }
        self
    }

    /// What went wrong, for a caller that decides.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether it is about what a file holds, damage or something that this version does not know, and not about the work.
    pub(crate) fn is_of_content(&self) -> bool {
        matches!(self.kind(), ErrorKind::Corrupt | ErrorKind::Unsupported)
    }

    /// What is wrong, of an error whose kind is [`ErrorKind::Corrupt`].
    pub fn damage(&self) -> Damage {
        self.0.damage
    }

    /// The address of the damaged structure, where it is known.
    pub fn address(&self) -> Option<u64> {
        self.0.address
    }

    /// The same error, with the address of the damaged structure unless it has one.
    #[cold]
    pub fn at(mut self, address: u64) -> Self {
        self.0.address = self.0.address.or(Some(address));
        self
    }

    /// The same error, with what is wrong.
    #[cold]
    pub fn because(mut self, damage: Damage) -> Self {
        self.0.damage = damage;
        self
    }

    /// The one-line message.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The same error, with what an outer layer knows put in front (`"deleting attribute 'x' of '/d'"`).
    #[cold]
    pub fn within(mut self, context: impl fmt::Display) -> Self {
        self.0.message = format!("{context}: {}", self.0.message);
        self
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.0.kind, self.0.message)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|e| e as _)
    }
}

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

struct Inner {
    kind: ErrorKind,
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
        Error(Box::new(Inner { kind, message: message.into(), source: None }))
    }

    /// A structure at `address` contradicts the format.
    #[cold]
    pub fn corrupt(structure: &str, address: u64, detail: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Corrupt, format!("{structure} at address {address:#x} is damaged: {detail}"))
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
        Error(Box::new(Inner { kind: ErrorKind::Io, message: format!("{operation}: {source}"), source: Some(source) }))
    }

    /// What went wrong, for a caller that decides.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
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

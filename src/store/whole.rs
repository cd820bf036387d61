//! Whether what is in memory can be trusted after an error. Every edit is counted; who has ended one that stands by itself
//! says so. Work that nobody asked for leaves alone what is damaged, where nothing was begun.

use super::Store;
use crate::error::{Error, Result};

impl Store {
    /// What was edited until now stands by itself: an error met before the next edit leaves everything valid.
    #[inline]
    pub fn note_whole(&mut self) {
        self.whole = self.edits;
    }

    /// Whether nothing was edited since [`Store::note_whole`].
    pub fn is_whole(&self) -> bool {
        self.whole == self.edits && !self.failed
    }

    /// What became of something that changes nothing before all that it needs is read: nothing where it met damage, if there
    /// are `edits` as before.
    pub fn unless_begun<T>(&self, edits: u64, result: Result<T>) -> Result<Option<T>> {
        match result {
            Err(error) if error.is_of_content() && self.edits == edits => Ok(None),
            result => result.map(Some),
        }
    }

    /// The error again, where it is damage (or something unsupported) that was met before anything was begun: what is
    /// damaged can be left alone. Else it is returned as an error, for the caller to pass on.
    pub fn spared(&self, error: Error) -> Result<Error> {
        match error.is_of_content() && self.is_whole() {
            true => Ok(error),
            false => Err(error),
        }
    }

    /// Ends one part of such work: its value, or nothing where it met damage before it began.
    pub fn unless_damaged<T>(&mut self, result: Result<T>) -> Result<Option<T>> {
        let value = match result {
            Ok(value) => Some(value),
            Err(error) => self.spared(error).map(|_| None)?,
        };
        self.note_whole();
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use crate::error::{Error, ErrorKind};
    use crate::store::Store;

    fn damage() -> Error {
        Error::corrupt("block", 1, "damage")
    }

    #[test]
    fn damage_is_spared_where_nothing_was_begun() {
        let mut store = Store::in_memory();
        assert!(store.spared(damage()).is_ok());
        store.allocate(8).unwrap();
        assert!(store.spared(damage()).is_err(), "something was edited");
        store.note_whole();
        assert!(store.spared(damage()).is_ok());
        assert!(store.spared(Error::new(ErrorKind::Limit, "other")).is_err());
        // Taking edits back does not make later ones whole.
        let edits = store.edits();
        store.allocate(8).unwrap();
        store.note_whole();
        store.undone(edits);
        store.allocate(8).unwrap();
        assert!(!store.is_whole());
        store.note_whole();
        store.fail();
        assert!(store.spared(damage()).is_err(), "the state is not known");
    }
}

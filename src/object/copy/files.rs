//! The file that is copied from and the one that is copied to.

use crate::object::state::State;

/// Both files of a copy, locked; they may be one.
pub(in crate::object) enum Files<'a> {
    /// A copy within a file.
    One(&'a mut State),
    /// A copy between files.
    Two {
        /// The source.
        from: &'a mut State,
        /// The target.
        to: &'a mut State,
    },
}

impl Files<'_> {
    /// The source.
    pub fn from(&mut self) -> &mut State {
        match self {
            Files::One(state) | Files::Two { from: state, .. } => state,
        }
    }

    /// The target.
    pub fn to(&mut self) -> &mut State {
        match self {
            Files::One(state) | Files::Two { to: state, .. } => state,
        }
    }

    /// Each file once.
    pub fn all(&mut self) -> impl Iterator<Item = &mut State> {
        let (first, second) = match self {
            Files::One(state) => (state, None),
            Files::Two { from, to } => (from, Some(to)),
        };
        std::iter::once(&mut **first).chain(second.map(|state| &mut **state))
    }

    /// Whether they are one.
    pub fn is_one(&self) -> bool {
        matches!(self, Files::One(_))
    }
}

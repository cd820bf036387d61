//! Paths: from a starting group through links to an object, soft links followed (specification has no say here; the
//! rules are those of libhdf5: '/' separates, a leading '/' starts at the root, '.' stays).

use crate::error::{Error, ErrorKind, Result};
use crate::format::message::link::EXTERNAL;
use crate::object::group;
use crate::object::link::LinkTarget;
use crate::object::options::GroupOptions;
use crate::object::state::{Slot, State};

/// Soft links followed on one way; more is taken for a cycle. libhdf5 allows 16.
const MAX_SOFT_LINKS: u32 = 16;

/// The slot of the root group.
pub(super) fn root(state: &mut State) -> Result<Slot> {
    let address = state.superblock.root;
    state.load(address)
}

/// The parts of a path that name something.
fn parts(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|&byte| byte == b'/').filter(|part| !part.is_empty() && *part != b".")
}

/// Where a path leads.
pub(super) enum Reached {
    /// To an object of the file.
    Here(Slot),
    /// Through an external link out of it.
    Outside(Outside),
}

/// An external link on the way, and where it leads.
pub(super) struct Outside {
    /// The name of the link.
    pub link: Vec<u8>,
    /// The name of the other file.
    pub file: Vec<u8>,
    /// The path in it.
    pub path: Vec<u8>,
    /// The names behind the link, which are looked up from there.
    pub rest: Vec<u8>,
}

impl Outside {
    fn refused(&self) -> Error {
        let name = String::from_utf8_lossy(&self.link);
        Error::unsupported(format_args!("following external link '{name}' in this call"))
    }

    /// A name more behind the link.
    fn push(&mut self, name: &[u8]) {
        self.rest.push(b'/');
        self.rest.extend_from_slice(name);
    }
}

impl Reached {
    /// The object; an error where it is in another file.
    fn here(self) -> Result<Slot> {
        match self {
            Reached::Here(slot) => Ok(slot),
            Reached::Outside(outside) => Err(outside.refused()),
        }
    }
}

/// The object of this file at `path`, seen from `start`.
pub(super) fn resolve(state: &mut State, start: Slot, path: &[u8]) -> Result<Slot> {
    resolve_or_leave(state, start, path)?.here()
}

/// The object at `path`, seen from `start`, or the external link on the way.
pub(super) fn resolve_or_leave(state: &mut State, start: Slot, path: &[u8]) -> Result<Reached> {
    let mut budget = MAX_SOFT_LINKS;
    walk(state, start, path, &mut budget)
}

fn walk(state: &mut State, start: Slot, path: &[u8], budget: &mut u32) -> Result<Reached> {
    let mut current = if path.first() == Some(&b'/') { root(state)? } else { start };
    let mut parts = parts(path);
    while let Some(part) = parts.next() {
        match step(state, current, part, budget)? {
            Reached::Here(slot) => current = slot,
            Reached::Outside(mut outside) => {
                parts.for_each(|part| outside.push(part));
                return Ok(Reached::Outside(outside));
            }
        }
    }
    Ok(Reached::Here(current))
}

fn step(state: &mut State, group: Slot, name: &[u8], budget: &mut u32) -> Result<Reached> {
    let object = state.objects.get(group)?;
    object.check_alive()?;
    let (header, links) = object.group(&mut state.store)?;
    let found = links.find(&mut state.store, header, name)?;
    match found.map(|link| link.target) {
        Some(LinkTarget::Hard(address)) => state.load(address).map(Reached::Here),
        Some(LinkTarget::Soft(path)) => {
            if *budget == 0 {
                return Err(Error::new(
                    ErrorKind::NotFound,
                    format!("more than {MAX_SOFT_LINKS} soft links on the way, a cycle of links"),
                ));
            }
            *budget -= 1;
            let reached = walk(state, group, &path, budget).map(|reached| match reached {
                // What a soft link names has to be there, where what stands behind it may be created.
                Reached::Outside(mut outside) => {
                    outside.path.append(&mut outside.rest);
                    Reached::Outside(outside)
                }
                here => here,
            });
            reached.map_err(|e| e.within(format_args!("following soft link '{}'", String::from_utf8_lossy(name))))
        }
        Some(LinkTarget::User(EXTERNAL, data)) => {
            // A byte of version and flags, then both names, each with a NUL behind it.
            let mut names = data.get(1..).unwrap_or_default().split(|&byte| byte == 0);
            let mut next = || names.next().unwrap_or_default().to_vec();
            Ok(Reached::Outside(Outside { link: name.to_vec(), file: next(), path: next(), rest: Vec::new() }))
        }
        Some(LinkTarget::User(kind, _)) => Err(Error::unsupported(format_args!(
            "following user-defined link '{}' of type {kind}",
            String::from_utf8_lossy(name)
        ))),
        None => Err(missing_name(name)),
    }
}

/// The way to a name: the group that holds it, of which the last parts may be missing.
pub(super) struct Way<'a> {
    group: Slot,
    missing: Vec<&'a [u8]>,
    /// The last part of the path.
    pub name: &'a [u8],
}

impl Way<'_> {
    /// The group that holds the name, on a way that has to be there.
    pub fn parent(&self, state: &mut State) -> Result<Slot> {
        if let Some(missing) = self.missing.first() {
            return Err(missing_name(missing));
        }
        state.objects.get(self.group)?.check_alive()?;
        state.objects.get(self.group)?.group(&mut state.store)?;
        Ok(self.group)
    }

    /// The group that holds the name; missing ones are created.
    pub fn make_parent(&self, state: &mut State) -> Result<Slot> {
        let mut group = self.group;
        for name in &self.missing {
            group = group::create(state, group, name, &GroupOptions::default())?;
        }
        Way { group, missing: Vec::new(), name: self.name }.parent(state)
    }

    /// Fails where nothing can be linked there, with the groups that would be created: nothing is.
    pub fn check_free(&self, state: &mut State) -> Result<()> {
        let names = self.missing.iter().chain([&self.name]);
        names.clone().try_for_each(|name| group::check_name(name))?;
        names.take(1).try_for_each(|name| group::place(state, self.group, name).map(|_| ()))
    }
}

/// Where the way to a name leads.
pub(super) enum Place<'a> {
    /// To a group of the file.
    Here(Way<'a>),
    /// Through an external link out of it, behind which this is the last name of the path.
    Outside(Outside, &'a [u8]),
}

/// The way to the last part of `path`, which itself is not followed. Changes nothing.
pub(super) fn way<'a>(state: &mut State, start: Slot, path: &'a [u8]) -> Result<Place<'a>> {
    let mut names = parts(path);
    let Some(mut name) = names.next() else {
        return Err(Error::new(ErrorKind::Argument, "the path names no link: at least one name is needed"));
    };
    let mut group = if path.first() == Some(&b'/') { root(state)? } else { start };
    let (mut budget, mut missing) = (MAX_SOFT_LINKS, Vec::new());
    while let Some(next) = names.next() {
        let on_way = std::mem::replace(&mut name, next);
        if !missing.is_empty() || !group::contains(state, group, on_way)? {
            missing.push(on_way);
            continue;
        }
        match step(state, group, on_way, &mut budget)? {
            Reached::Here(slot) => group = slot,
            Reached::Outside(mut outside) => {
                for next in names {
                    outside.push(std::mem::replace(&mut name, next));
                }
                return Ok(Place::Outside(outside, name));
            }
        }
    }
    Ok(Place::Here(Way { group, missing, name }))
}

/// A way on which no external link was found before.
pub(super) fn way_here<'a>(state: &mut State, start: Slot, path: &'a [u8]) -> Result<Way<'a>> {
    match way(state, start, path)? {
        Place::Here(way) => Ok(way),
        Place::Outside(outside, _) => Err(outside.refused()),
    }
}

fn missing_name(name: &[u8]) -> Error {
    Error::new(ErrorKind::NotFound, format!("there is no '{}'", String::from_utf8_lossy(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_names_only() {
        let all: Vec<&[u8]> = parts(b"//a/./b c//").collect();
        assert_eq!(all, [b"a".as_slice(), b"b c"]);
        assert_eq!(parts(b"/").count(), 0);
    }
}

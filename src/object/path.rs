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
}

impl Reached {
    /// The object; an error where it is in another file.
    fn here(self) -> Result<Slot> {
        match self {
            Reached::Here(slot) => Ok(slot),
            Reached::Outside(Outside { link, .. }) => {
                let name = String::from_utf8_lossy(&link);
                Err(Error::unsupported(format_args!("following external link '{name}' in this call")))
            }
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
                for part in parts {
                    outside.path.push(b'/');
                    outside.path.extend_from_slice(part);
                }
                return Ok(Reached::Outside(outside));
            }
        }
    }
    Ok(Reached::Here(current))
}

fn step(state: &mut State, group: Slot, name: &[u8], budget: &mut u32) -> Result<Reached> {
    let object = state.objects.get(group)?;
    object.check_alive()?;
    let (header, links) = object.group()?;
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
            walk(state, group, &path, budget)
                .map_err(|e| e.within(format_args!("following soft link '{}'", String::from_utf8_lossy(name))))
        }
        Some(LinkTarget::User(EXTERNAL, data)) => {
            // A byte of version and flags, then both names, each with a NUL behind it.
            let mut names = data.get(1..).unwrap_or_default().split(|&byte| byte == 0);
            let mut next = || names.next().unwrap_or_default().to_vec();
            Ok(Reached::Outside(Outside { link: name.to_vec(), file: next(), path: next() }))
        }
        Some(LinkTarget::User(kind, _)) => Err(Error::unsupported(format_args!(
            "following user-defined link '{}' of type {kind}",
            String::from_utf8_lossy(name)
        ))),
        None => Err(Error::new(ErrorKind::NotFound, format!("there is no '{}'", String::from_utf8_lossy(name)))),
    }
}

/// The group that holds the last part of `path`, and that part. Groups on the way that are missing are created when
/// `create` is set.
pub(super) fn parent<'a>(state: &mut State, start: Slot, path: &'a [u8], create: bool) -> Result<(Slot, &'a [u8])> {
    let mut names = parts(path);
    let Some(mut last) = names.next() else {
        return Err(Error::new(ErrorKind::Argument, "the path names no link: at least one name is needed"));
    };
    let mut current = if path.first() == Some(&b'/') { root(state)? } else { start };
    let mut budget = MAX_SOFT_LINKS;
    for next in names {
        let name = std::mem::replace(&mut last, next);
        let missing = create && !group::contains(state, current, name)?;
        current = match missing {
            true => group::create(state, current, name, &GroupOptions::default())?,
            false => step(state, current, name, &mut budget)?.here()?,
        };
    }
    state.objects.get(current)?.check_alive()?;
    state.objects.get(current)?.group()?;
    Ok((current, last))
}

/// Where the link at `path` is, with its name: the group that holds it.
pub(super) fn link_place<'a>(state: &mut State, start: Slot, path: &'a [u8]) -> Result<(Reached, &'a [u8])> {
    let Some(name) = parts(path).last() else {
        return Err(Error::new(ErrorKind::Argument, "the path names no link: at least one name is needed"));
    };
    // What follows the name are '/' and '.', as is what stands before it.
    let end = path.windows(name.len()).rposition(|part| part == name).unwrap_or(0);
    let reached = resolve_or_leave(state, start, &path[..end])?;
    if let Reached::Here(slot) = reached {
        state.objects.get(slot)?.check_alive()?;
        state.objects.get(slot)?.group()?;
    }
    Ok((reached, name))
}

/// Fails where nothing can be linked at `path`, with groups on the way that would be created: nothing is.
pub(super) fn check_free(state: &mut State, start: Slot, path: &[u8]) -> Result<()> {
    let mut current = if path.first() == Some(&b'/') { root(state)? } else { start };
    let mut budget = MAX_SOFT_LINKS;
    let mut names = parts(path).peekable();
    if names.peek().is_none() {
        return Err(Error::new(ErrorKind::Argument, "the path names no link: at least one name is needed"));
    }
    while let Some(name) = names.next() {
        group::check_name(name)?;
        if names.peek().is_none() {
            return group::place(state, current, name).map(|_| ());
        }
        if !group::contains(state, current, name)? {
            break;
        }
        current = step(state, current, name, &mut budget)?.here()?;
    }
    Ok(())
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

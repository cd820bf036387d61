//! Walking over objects: each that can be reached by hard links, once.

use std::collections::HashSet;

use crate::error::{ErrorKind, Result};
use crate::object::{LinkTarget, Object, ObjectKind, Order};

/// While it lives, objects keep their addresses, by which a visit knows them.
struct Stay<'a>(&'a Object);

impl<'a> Stay<'a> {
    fn begin(object: &'a Object) -> Result<Self> {
        object.read("visiting", "", |state, _| {
            state.pinned.visits += 1;
            Ok(())
        })?;
        Ok(Stay(object))
    }
}

impl Drop for Stay<'_> {
    fn drop(&mut self) {
        self.0.inner.shared.end_visit();
    }
}

/// A group that a visit is in.
struct Level {
    group: Object,
    names: std::vec::IntoIter<String>,
    /// The length of its path.
    path: usize,
}

impl Object {
    /// Calls `visit` for this object, with the path ".", and for all that can be reached from it by hard links, with
    /// their paths relative to it; each once, a group before what it holds, the links of a group in `order`. Ends when
    /// `visit` says false. No lock is held meanwhile: `visit` may change the file, and what it deletes is not visited.
    ///
    /// An order by creation is refused where a group does not track it.
    pub fn visit(&self, order: Order, mut visit: impl FnMut(&str, &Object) -> Result<bool>) -> Result<()> {
        let _stay = Stay::begin(self)?;
        let mut seen = HashSet::from([self.address()?]);
        if !visit(".", self)? || self.kind()? != ObjectKind::Group {
            return Ok(());
        }
        let mut path = String::new();
        let mut levels = vec![level(self.clone(), order, 0)?];
        while let Some(level_now) = levels.last_mut() {
            path.truncate(level_now.path);
            let Some(name) = level_now.names.next() else {
                levels.pop();
                continue;
            };
            let Some(object) = target(&level_now.group, &name, &mut seen)? else { continue };
            if !path.is_empty() {
                path.push('/');
            }
            path.push_str(&name);
            if !visit(&path, &object)? {
                return Ok(());
            }
            match object.kind() {
                Ok(ObjectKind::Group) => levels.push(level(object, order, path.len())?),
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

fn level(group: Object, order: Order, path: usize) -> Result<Level> {
    let names: Vec<String> = match group.links(order) {
        Ok(links) => {
            let hard = links.into_iter().filter(|(_, link)| matches!(link.target, LinkTarget::Hard(_)));
            hard.map(|(name, _)| name).collect()
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    Ok(Level { group, names: names.into_iter(), path })
}

/// The object that a hard link leads to now, unless it was visited.
fn target(group: &Object, name: &str, seen: &mut HashSet<u64>) -> Result<Option<Object>> {
    let found = group.link_info(name).and_then(|link| match link.target {
        LinkTarget::Hard(address) if seen.insert(address) => group.open(name).map(Some),
        _ => Ok(None),
    });
    match found {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        found => found,
    }
}

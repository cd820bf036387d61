//! What only the whole file shows: references, overlaps and leaks.

use super::{FindingKind, Report};
use crate::error::{Damage, Error, Result};
use crate::object::extents::{self, Extent, Purpose};
use crate::object::state::State;
use crate::object::walk::{Walk, FILE};

/// Overlaps that are told: a damaged file can have as many as it has extents.
const MAX_OVERLAPS: usize = 1000;

impl Walk<'_> {
    /// Compares the references that lead to each object with its reference count. One that is too high says something only
    /// where everything could be read.
    pub(super) fn check_references(&mut self) -> Result<()> {
        for number in 1..self.objects.len() as u32 {
            let met = &self.objects[number as usize];
            let (address, found, recorded) = (met.address, met.references, met.recorded.unwrap_or(met.references));
            if recorded < found {
                let detail = format_args!("a reference count of {recorded}, {found} references were found");
                let error = Error::corrupt("object header", address, detail);
                self.tell(number, error.because(Damage::References))?;
            } else if recorded > found && self.whole {
                let detail = format!(
                    "object header at address {address:#x}: a reference count of {recorded}, {found} references were \
                     found: the object's space will not be freed"
                );
                self.warn(number, FindingKind::References, Some(address), detail)?;
            }
        }
        Ok(())
    }

    /// Finds what is used twice, used and free, or neither. Gives the extents, sorted.
    pub(super) fn check_space(&mut self, state: &mut State, report: &mut Report) -> Result<()> {
        let mut used = std::mem::take(&mut self.extents);
        let mut overlaps = Vec::new();
        extents::sort(&mut used, |a, b| {
            if overlaps.len() < MAX_OVERLAPS {
                overlaps.push((a, b));
            }
        });
        for (a, b) in overlaps {
            let detail =
                format_args!("{} of {} reach from {:#x} to {:#x}", a.purpose, self.path(a.owner), a.address, a.end());
            self.tell(b.owner, Error::corrupt(b.purpose.name(), b.address, detail).because(Damage::Overlap))?;
        }
        let mut free = std::mem::take(&mut self.free);
        if state.free_space.is_in_memory() {
            // What the managers say is true of the last flushed state, not of what is in memory.
            free = state.store.space().free_after_flush();
            free.extend(state.store.space().tails());
        }
        free.sort_unstable();
        self.check_free(&used, &free, state.store.space().end())?;
        extents::add_collections(&mut state.store, &mut used, &free)?;
        let mut taken: Vec<_> = used.iter().map(|extent| (extent.address, extent.length)).collect();
        taken.extend(&free);
        taken.sort_unstable();
        let leaks = extents::gaps(taken.into_iter(), state.store.space().end());
        report.end = state.store.space().end();
        report.free = free.iter().fold(0, |sum, section| sum.saturating_add(section.1));
        report.leaked = leaks.iter().map(|leak| leak.1).sum();
        for extent in &used {
            let bytes = &mut report.bytes[extent.purpose as usize];
            *bytes = bytes.saturating_add(extent.length);
        }
        report.leaks = leaks;
        Ok(())
    }

    /// Free space lies in the file, once, and is not used.
    fn check_free(&mut self, used: &[Extent], free: &[(u64, u64)], end: u64) -> Result<()> {
        let section =
            |&(address, length): &(u64, u64)| Extent { address, length, purpose: Purpose::FreeSpace, owner: FILE };
        for outside in free.iter().map(section).filter(|section| section.end() > end) {
            let detail = format_args!("its {} bytes lie outside the file, which ends at {end:#x}", outside.length);
            self.tell(FILE, Error::corrupt("free section", outside.address, detail).because(Damage::Bound))?;
        }
        // Free sections are told from managers by their owner, which no object has.
        let mut both: Vec<Extent> = used.to_vec();
        both.extend(free.iter().map(|free| Extent { owner: u32::MAX, ..section(free) }));
        let mut overlaps = Vec::new();
        extents::sort(&mut both, |a, b| {
            if (a.owner == u32::MAX || b.owner == u32::MAX) && overlaps.len() < MAX_OVERLAPS {
                overlaps.push((a, b));
            }
        });
        for (a, b) in overlaps {
            let (free, other) = if a.owner == u32::MAX { (a, b) } else { (b, a) };
            let (from, to) = (free.address, free.end());
            let error = match other.owner {
                u32::MAX => {
                    Error::corrupt("free section", other.address, format_args!("{from:#x} to {to:#x} is free too"))
                }
                _ => Error::corrupt(other.purpose.name(), other.address, format_args!("{from:#x} to {to:#x} is free")),
            };
            let owner = if other.owner == u32::MAX { FILE } else { other.owner };
            self.tell(owner, error.because(Damage::Overlap))?;
        }
        Ok(())
    }
}

/// The finding that says how much space is lost.
pub(super) fn leak_message(report: &Report) -> String {
    let largest = report.leaks.iter().max_by_key(|leak| leak.1).copied().unwrap_or_default();
    format!(
        "{} bytes in {} extents are used by nothing and listed by no free-space manager; the largest: {} bytes at {:#x}",
        report.leaked,
        report.leaks.len(),
        largest.1,
        largest.0
    )
}

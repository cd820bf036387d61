//! The checker: every object that can be reached, every checksum, bound, count and order of its structures, references
//! against reference counts, and all space: nothing used twice, nothing used and free, nothing lost.

mod content;
mod file;
mod report;
mod space;

pub use file::{check_on, check_path, CheckOptions};
pub use report::{Finding, FindingKind, Report, Severity};

use crate::error::Result;
use crate::object::state::State;
use crate::object::walk::Walk;

/// Checks everything that can be reached; the first fault is the error. `flushed` asks of B-tree nodes what every node
/// on disk must keep: the floors below which libhdf5 goes astray.
pub(super) fn check(state: &mut State, flushed: bool) -> Result<()> {
    run(state, flushed, &mut Report::new(0), &mut |finding| match finding.severity {
        Severity::Warning => Ok(()),
        _ => Err(finding.into_error()),
    })
}

/// Checks everything that can be reached, and adds what it finds to the report.
pub(super) fn report(state: &mut State, flushed: bool, report: &mut Report) -> Result<()> {
    let mut totals = Report::new(report.most);
    let before = report.errors;
    run(state, flushed, &mut totals, &mut |finding| {
        report.add(finding);
        Ok(())
    })?;
    let Report { end, bytes, free, leaked, leaks, groups, datasets, named_types, .. } = totals;
    *report = Report { end, bytes, free, leaked, leaks, groups, datasets, named_types, ..std::mem::take(report) };
    // What could not be read may be what uses the rest.
    if leaked > 0 && report.errors == before && report.unchecked == 0 {
        report.add(Finding::of_file(Severity::Warning, FindingKind::Leak, space::leak_message(report)));
    }
    report.leaks.truncate(report.most);
    Ok(())
}

fn run(
    state: &mut State,
    flushed: bool,
    totals: &mut Report,
    sink: &mut dyn FnMut(Finding) -> Result<()>,
) -> Result<()> {
    let mut walk = Walk::new(state, Some(flushed), sink);
    walk.run(state)?;
    walk.check_references()?;
    walk.check_shared(&state.store)?;
    walk.check_space(state, totals)?;
    totals.count(walk.kinds);
    Ok(())
}

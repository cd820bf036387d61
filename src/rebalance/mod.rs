//! Putting right what deletions leave behind: when, how much at a time, and by whom.
//!
//! [`policy`](self::Plan) decides, as pure functions of statistics and time; a file's [`Controller`] counts its
//! operations and keeps the mode; [`serve`], [`complete`] and the background thread carry plans out through the one
//! mechanism, [`Subject::step`], which `object/` implements. Smart watches operations and chooses among the modes.

mod clock;
mod controller;
mod options;
mod policy;
mod smart;
mod stats;
mod subject;
mod window;
mod worker;

pub use clock::{Clock, ManualClock, SystemClock};
pub use controller::Controller;
pub use options::{IncrementalOptions, LazyOptions, Mode, ModeChangeCallback, ModeSet, ProgressCallback, SmartOptions};
pub use policy::Plan;
pub(crate) use policy::SLICE_NS;
pub use stats::{Decision, Factor, ModeChange, Progress, RebalanceStats};
pub use subject::{
    before_close, before_flush, complete, complete_in_slices, serve, serve_read, Host, Limit, StepReport, Subject,
    Survey,
};
pub use window::Kind;
pub use worker::Retired;

#[cfg(test)]
mod sim;
#[cfg(test)]
mod smart_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod worker_tests;

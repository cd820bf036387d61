//! Reads: smart's ratios need them, and nothing else does. No batch is run or paid for by reading.

use super::Controller;
use crate::rebalance::options::Mode;
use crate::rebalance::subject::Survey;
use crate::rebalance::window::Kind;

impl Controller {
    /// Counts one finished read. True, after some of them: call [`serve_read`](crate::rebalance::serve_read), and
    /// [`serve`](crate::rebalance::serve) after the next change.
    #[inline]
    pub fn on_read(&mut self) -> bool {
        self.totals.reads += 1;
        // The pace of the other modes is that of changes.
        self.mode == Mode::Smart && self.on_operation(Kind::Read)
    }

    /// Whether smart is to evaluate.
    pub(in crate::rebalance) fn is_evaluation_due(&self, now_ns: u64) -> bool {
        self.smart.as_ref().is_some_and(|smart| smart.due(now_ns))
    }

    pub(super) fn evaluate_if_due(&mut self, survey: &Survey, now_ns: u64) {
        if self.is_evaluation_due(now_ns) {
            self.evaluate(survey, now_ns);
        }
    }

    /// Whether an evaluation is due after the read that was just counted.
    pub(in crate::rebalance) fn is_read_due(&self) -> bool {
        self.is_evaluation_due(self.looked_ns)
    }

    /// The evaluation that is due after a read.
    pub(in crate::rebalance) fn evaluate_after_read(&mut self, survey: &Survey) {
        self.evaluate_if_due(survey, self.looked_ns);
    }
}

//! One dense store's sweep: packing the nodes of its indexes and emptying the heap blocks that are to be freed.

use crate::error::Result;
use crate::object::dense::{DenseKind, DenseStore};
use crate::rebalance::{Limit, StepReport};
use crate::store::Store;

/// How far a sweep has come.
pub(super) struct Sweep {}

impl Sweep {
    pub fn nodes_remaining(&self) -> u64 {
        0
    }
}

impl<K: DenseKind> DenseStore<K> {
    pub fn begin_sweep(&mut self, _store: &mut Store, _heap: bool) -> Result<Option<Sweep>> {
        Ok(None)
    }
    pub fn sweep(
        &mut self,
        _store: &mut Store,
        _sweep: &mut Sweep,
        _limit: &Limit,
        _report: &mut StepReport,
    ) -> Result<bool> {
        Ok(true)
    }
    pub fn relocate_above(&mut self, _store: &mut Store, _limit: u64) -> Result<u64> {
        Ok(0)
    }
}

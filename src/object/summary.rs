//! What is known of dense stores without visiting them.

/// What one object's dense stores add to the survey.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Summary {
    pub nodes: u64,
    pub underfull: u64,
    pub records: u64,
    pub capacity: u64,
    pub heap_live: u64,
    pub heap_free: u64,
    /// Nodes that a sweep would visit, or 0 when there is nothing to put right.
    pub due: u64,
    /// Those that only one that moves heap objects would visit.
    pub due_for_heap: u64,
}

impl Summary {
    /// With what a sweep would visit, where the trees are sparse or the heap has holes.
    pub fn with_due(self, sparse: bool, holes: bool) -> Self {
        match sparse {
            true => Summary { due: self.nodes, ..self },
            false => Summary { due_for_heap: if holes { self.nodes } else { 0 }, ..self },
        }
    }

    // What a damaged file claims may be too much to add up; it is subtracted again as it was added.
    pub fn add(&mut self, other: &Summary) {
        self.combine(other, u64::wrapping_add);
    }

    pub fn subtract(&mut self, other: &Summary) {
        self.combine(other, u64::wrapping_sub);
    }

    fn combine(&mut self, other: &Summary, combined: fn(u64, u64) -> u64) {
        self.nodes = combined(self.nodes, other.nodes);
        self.underfull = combined(self.underfull, other.underfull);
        self.records = combined(self.records, other.records);
        self.capacity = combined(self.capacity, other.capacity);
        self.heap_live = combined(self.heap_live, other.heap_live);
        self.heap_free = combined(self.heap_free, other.heap_free);
        self.due = combined(self.due, other.due);
        self.due_for_heap = combined(self.due_for_heap, other.due_for_heap);
    }
}

#[cfg(test)]
mod tests {
    use super::Summary;

    #[test]
    fn claims_that_are_too_much_to_add_up() {
        let some = Summary {
            nodes: 1,
            underfull: 2,
            records: 3,
            capacity: 4,
            heap_live: 5,
            heap_free: 6,
            due: 7,
            due_for_heap: 8,
        };
        let [nodes, underfull, records, capacity, heap_live, heap_free, due, due_for_heap] = [u64::MAX; 8];
        let claimed = Summary { nodes, underfull, records, capacity, heap_live, heap_free, due, due_for_heap };
        let mut totals = some;
        totals.add(&claimed);
        totals.add(&claimed);
        totals.subtract(&claimed);
        totals.subtract(&claimed);
        assert_eq!(totals, some);
    }
}

//! Slots with generations, read without a lock.
//!
//! A slot's state is one word: `generation << 32 | flags | pins`. A lookup pins the slot with one atomic add and
//! compares the generation; the value is dropped by whoever unpins last after the removal. A generation that was
//! removed never comes back: a slot whose generations are used up is not used again.

use std::cell::UnsafeCell;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::ops::Deref;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use parking_lot::Mutex;

/// Log2 of the first segment's slots; each further segment doubles.
const FIRST: u32 = 6;
const SEGMENTS: usize = 20;
/// Slots of all segments together: 67 million.
pub(super) const CAPACITY: u32 = ((1u64 << (SEGMENTS as u32 + FIRST)) - (1 << FIRST)) as u32;

const VACANT: u64 = 1 << 31;
const CLOSED: u64 = 1 << 30;
const PINS: u64 = CLOSED - 1;

struct Slot<T> {
    state: AtomicU64,
    value: UnsafeCell<MaybeUninit<T>>,
}

struct Free {
    slots: Vec<u32>,
    /// Slots that were ever handed out.
    used: u32,
}

/// Values under keys of slot and generation.
pub(super) struct Table<T> {
    segments: [AtomicPtr<Slot<T>>; SEGMENTS],
    free: Mutex<Free>,
}

// SAFETY: values are shared between threads by pins and dropped by any of them.
unsafe impl<T: Send + Sync> Sync for Table<T> {}
unsafe impl<T: Send + Sync> Send for Table<T> {}

/// Where a value is: its slot, and which of the slot's successive values it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    pub slot: u32,
    pub generation: u32,
}

/// A value that cannot be dropped while this exists.
pub(super) struct Pin<'a, T> {
    table: &'a Table<T>,
    slot: &'a Slot<T>,
    index: u32,
}

fn position(index: u32) -> (usize, usize) {
    let shifted = index + (1 << FIRST);
    let segment = shifted.ilog2() - FIRST;
    (segment as usize, (shifted - (1 << (segment + FIRST))) as usize)
}

impl<T> Table<T> {
    pub const fn new() -> Self {
        Table {
            segments: [const { AtomicPtr::new(ptr::null_mut()) }; SEGMENTS],
            free: Mutex::new(Free { slots: Vec::new(), used: 0 }),
        }
    }

    #[inline]
    fn slot(&self, index: u32) -> Option<&Slot<T>> {
        if index >= CAPACITY {
            return None;
        }
        let (segment, offset) = position(index);
        let base = self.segments.get(segment)?.load(Ordering::Acquire);
        // SAFETY: a segment that exists has 2^(segment + FIRST) slots, `offset` is below that, and it is never freed
        // while the table lives.
        (!base.is_null()).then(|| unsafe { &*base.add(offset) })
    }

    fn grow(&self, segment: usize) {
        let slots: Box<[Slot<T>]> = (0..1usize << (segment as u32 + FIRST))
            .map(|_| Slot { state: AtomicU64::new(1 << 32 | VACANT), value: UnsafeCell::new(MaybeUninit::uninit()) })
            .collect();
        self.segments[segment].store(Box::into_raw(slots).cast(), Ordering::Release);
    }

    fn take_slot(&self) -> Option<u32> {
        let mut free = self.free.lock();
        if let Some(index) = free.slots.pop() {
            return Some(index);
        }
        if free.used >= CAPACITY {
            return None;
        }
        let index = free.used;
        let (segment, offset) = position(index);
        if offset == 0 {
            self.grow(segment);
        }
        free.used += 1;
        Some(index)
    }

    /// Keeps `value`; `None` when all slots are in use.
    pub fn insert(&self, value: T) -> Option<Key> {
        let index = self.take_slot()?;
        let slot = self.slot(index)?;
        // SAFETY: a vacant slot that is off the free list is this thread's; pins of stale lookups do not read it.
        unsafe { (*slot.value.get()).write(value) };
        let state = slot.state.fetch_and(!VACANT, Ordering::AcqRel);
        Some(Key { slot: index, generation: (state >> 32) as u32 })
    }

    /// The value under `key`, pinned; `None` when it was removed or never existed.
    #[inline]
    pub fn get(&self, key: Key) -> Option<Pin<'_, T>> {
        let slot = self.slot(key.slot)?;
        let state = slot.state.fetch_add(1, Ordering::Acquire);
        let pin = Pin { table: self, slot, index: key.slot };
        // A pin that does not match is undone by its drop.
        (state & (VACANT | CLOSED) == 0 && (state >> 32) as u32 == key.generation).then_some(pin)
    }

    /// Whether a value is under `key`.
    pub fn contains(&self, key: Key) -> bool {
        self.slot(key.slot).is_some_and(|slot| {
            let state = slot.state.load(Ordering::Acquire);
            state & (VACANT | CLOSED) == 0 && (state >> 32) as u32 == key.generation
        })
    }

    /// Takes `key` away from all lookups; the caller's pin is the last way to the value. `None` when it was removed
    /// before. Of several callers exactly one gets the pin.
    pub fn remove(&self, key: Key) -> Option<Pin<'_, T>> {
        self.get(key).filter(Pin::remove)
    }

    /// Drops a value whose slot is in `state`, and makes the slot vacant; false, and nothing is done, where it is not any more.
    fn reclaim(&self, index: u32, slot: &Slot<T>, state: u64) -> bool {
        let generation = (state >> 32) as u32;
        let next = (u64::from(generation.wrapping_add(1)) << 32) | VACANT;
        // Acquire: after all that was done under other pins.
        if slot.state.compare_exchange(state, next, Ordering::Acquire, Ordering::Relaxed).is_err() {
            return false;
        }
        // SAFETY: the exchange has one winner, no pin of the old generation is left, and the slot is not on the free
        // list yet.
        unsafe { (*slot.value.get()).assume_init_drop() };
        if generation != u32::MAX {
            self.free.lock().slots.push(index);
        }
        true
    }
}

impl<T> Pin<'_, T> {
    /// Takes the value away from all lookups, as [`Table::remove`]; false when that was done before.
    pub fn remove(&self) -> bool {
        self.slot.state.fetch_or(CLOSED, Ordering::AcqRel) & CLOSED == 0
    }

    /// [`Pin::remove`] and the drop of this pin: in one step where there is no other, as mostly.
    pub fn close(self) -> bool {
        let state = self.slot.state.load(Ordering::Relaxed);
        // Not dropped with the value, not even if that panics.
        let pin = ManuallyDrop::new(self);
        if state & (VACANT | CLOSED | PINS) == 1 && pin.table.reclaim(pin.index, pin.slot, state) {
            return true;
        }
        ManuallyDrop::into_inner(pin).remove()
    }
}

impl<T> Drop for Pin<'_, T> {
    #[inline]
    fn drop(&mut self) {
        let state = self.slot.state.fetch_sub(1, Ordering::Release);
        if state & (VACANT | CLOSED | PINS) == CLOSED | 1 {
            // A stale lookup may have pinned it again; then its unpin comes here.
            self.table.reclaim(self.index, self.slot, state - 1);
        }
    }
}

impl<T> Deref for Pin<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: `get` saw the value published, and the pin keeps it from being dropped.
        unsafe { (*self.slot.value.get()).assume_init_ref() }
    }
}

impl<T> Drop for Table<T> {
    fn drop(&mut self) {
        for (segment, base) in self.segments.iter_mut().enumerate() {
            let base = *base.get_mut();
            if base.is_null() {
                continue;
            }
            let slots = ptr::slice_from_raw_parts_mut(base, 1 << (segment as u32 + FIRST));
            // SAFETY: made by `grow` with this length; no pin outlives the table.
            let mut slots = unsafe { Box::from_raw(slots) };
            for slot in slots.iter_mut().filter(|slot| slot.state.load(Ordering::Relaxed) & VACANT == 0) {
                // SAFETY: a slot that is not vacant holds a value.
                unsafe { slot.value.get_mut().assume_init_drop() };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;
    use std::sync::Arc;

    #[test]
    fn positions_are_contiguous() {
        let mut expected = (0, 0);
        for index in 0..5000 {
            assert_eq!(position(index), expected);
            expected.1 += 1;
            if expected.1 == 1 << (expected.0 + FIRST as usize) {
                expected = (expected.0 + 1, 0);
            }
        }
        assert_eq!(position(CAPACITY - 1).0, SEGMENTS - 1);
    }

    #[test]
    fn removed_keys_stay_dead() {
        let table = Table::new();
        let first = table.insert("a".to_owned()).unwrap();
        assert_eq!(&*table.get(first).unwrap(), "a");
        assert_eq!(&*table.remove(first).unwrap(), "a");
        assert!(table.get(first).is_none() && table.remove(first).is_none() && !table.contains(first));
        let second = table.insert("b".to_owned()).unwrap();
        assert_eq!((second.slot, second.generation), (first.slot, first.generation + 1));
        assert!(table.get(first).is_none());
        assert!(table.get(Key { slot: u32::MAX, generation: 1 }).is_none());
        assert!(table.get(Key { slot: 63, generation: 1 }).is_none(), "a slot that was never used");
        assert!(table.get(Key { slot: 64, generation: 1 }).is_none(), "a segment that does not exist");
        assert!(table.contains(second));
        assert!(table.get(second).unwrap().close() && !table.contains(second));
        let third = table.insert("c".to_owned()).unwrap();
        assert_eq!((third.slot, third.generation), (first.slot, first.generation + 2));
        let (pin, other) = (table.get(third).unwrap(), table.get(third).unwrap());
        assert!(pin.close() && !table.contains(third));
        assert_eq!(*other, "c", "closed, but pinned");
        assert!(!other.close(), "closed before");
    }

    #[test]
    fn a_pin_keeps_the_value() {
        struct Counted(Arc<AtomicUsize>);
        impl Drop for Counted {
            fn drop(&mut self) {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
        let drops = Arc::new(AtomicUsize::new(0));
        let table = Table::new();
        let keys: Vec<_> = (0..200).map(|_| table.insert(Counted(drops.clone())).unwrap()).collect();
        let pin = table.get(keys[0]).unwrap();
        drop(table.remove(keys[0]).unwrap());
        assert!(table.get(keys[0]).is_none());
        assert_eq!(drops.load(Ordering::Relaxed), 0);
        drop(pin);
        assert_eq!(drops.load(Ordering::Relaxed), 1);
        drop(table);
        assert_eq!(drops.load(Ordering::Relaxed), 200);
    }

    #[test]
    fn threads_race_for_one_slot() {
        let rounds = if cfg!(miri) { 20 } else { 2000 };
        let table = Table::new();
        let current = AtomicU64::new(0);
        let removed = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for round in 0..rounds {
                        let packed = current.load(Ordering::Relaxed);
                        let key = Key { slot: packed as u32, generation: (packed >> 32) as u32 };
                        if let Some(pin) = table.get(key) {
                            assert_eq!(*pin, Box::new(7));
                        }
                        let is_mine = match round % 2 {
                            0 => table.remove(key).is_some(),
                            _ => table.get(key).is_some_and(Pin::close),
                        };
                        if is_mine {
                            removed.fetch_add(1, Ordering::Relaxed);
                        }
                        let key = table.insert(Box::new(7)).unwrap();
                        current.store(u64::from(key.generation) << 32 | u64::from(key.slot), Ordering::Relaxed);
                    }
                });
            }
        });
        assert!(removed.load(Ordering::Relaxed) > 0);
    }
}

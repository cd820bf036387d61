//! Decoded chunks of one dataset: those that were changed since they were written, and some that may be read again.

use std::collections::{HashMap, VecDeque};

/// Bytes that the chunks of one dataset take at most, unless the user says otherwise.
pub const DEFAULT_BOUND: usize = 8 << 20;

/// What a chunk takes beside its elements.
const OVERHEAD: usize = 256;

#[derive(Debug, Clone)]
struct Cached {
    data: Vec<u8>,
    dirty: bool,
    referenced: bool,
}

/// The figures of a dataset's chunk cache, since the dataset was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CacheFigures {
    /// Bytes that it may take, unless a single chunk is larger.
    pub bound: u64,
    /// Bytes that it takes.
    pub bytes: u64,
    /// Chunks in it.
    pub chunks: u64,
    /// Those of them that are not written yet.
    pub unwritten: u64,
    /// Chunks that a call looked for in it, and found.
    pub hits: u64,
    /// Chunks that a call looked for in it, and did not find.
    pub misses: u64,
    /// Chunks that were displaced.
    pub displaced: u64,
}

/// The chunks, by their places.
#[derive(Debug, Clone)]
pub(super) struct ChunkCache {
    chunks: HashMap<Vec<u64>, Cached>,
    /// In the order in which they came; a chunk that was used since it was last looked at gets a second turn.
    order: VecDeque<Vec<u64>>,
    bytes: usize,
    bound: usize,
    hits: u64,
    misses: u64,
    displaced: u64,
}

impl Default for ChunkCache {
    fn default() -> Self {
        let (chunks, order) = (HashMap::new(), VecDeque::new());
        ChunkCache { chunks, order, bytes: 0, bound: DEFAULT_BOUND, hits: 0, misses: 0, displaced: 0 }
    }
}

impl ChunkCache {
    /// Sets the bound; what is beyond it goes with the next call.
    pub fn set_bound(&mut self, bytes: usize) {
        self.bound = bytes;
    }

    /// The figures.
    pub fn figures(&self) -> CacheFigures {
        CacheFigures {
            bound: self.bound as u64,
            bytes: self.bytes as u64,
            chunks: self.chunks.len() as u64,
            unwritten: self.chunks.values().filter(|cached| cached.dirty).count() as u64,
            hits: self.hits,
            misses: self.misses,
            displaced: self.displaced,
        }
    }

    /// A chunk's elements for a call that reads or writes some of them, counted.
    pub fn look_up(&mut self, scaled: &[u64]) -> Option<&[u8]> {
        match self.chunks.contains_key(scaled) {
            true => self.hits += 1,
            false => self.misses += 1,
        }
        self.get(scaled)
    }

    /// A chunk's elements.
    pub fn get(&mut self, scaled: &[u64]) -> Option<&[u8]> {
        let cached = self.chunks.get_mut(scaled)?;
        cached.referenced = true;
        Some(&cached.data)
    }

    /// A chunk's elements, about to be changed.
    pub fn get_mut(&mut self, scaled: &[u64]) -> Option<&mut [u8]> {
        let cached = self.chunks.get_mut(scaled)?;
        (cached.referenced, cached.dirty) = (true, true);
        Some(&mut cached.data)
    }

    /// Keeps a chunk.
    pub fn insert(&mut self, scaled: &[u64], data: Vec<u8>, dirty: bool) {
        self.remove(scaled);
        self.bytes += data.len() + OVERHEAD;
        self.chunks.insert(scaled.to_vec(), Cached { data, dirty, referenced: false });
        self.order.push_back(scaled.to_vec());
    }

    /// Takes a chunk out that was changed.
    pub fn take(&mut self, scaled: &[u64]) -> Option<Vec<u8>> {
        let cached = self.chunks.get_mut(scaled).filter(|cached| cached.dirty)?;
        let data = std::mem::take(&mut cached.data);
        self.bytes -= data.len();
        self.remove(scaled);
        Some(data)
    }

    /// Forgets a chunk, also one that was changed.
    pub fn remove(&mut self, scaled: &[u64]) {
        if let Some(cached) = self.chunks.remove(scaled) {
            self.bytes -= cached.data.len() + OVERHEAD;
            // It stays in the order, where it is skipped.
            if self.order.len() > 2 * self.chunks.len() + 64 {
                self.order.retain(|scaled| self.chunks.contains_key(scaled));
            }
        }
    }

    /// Forgets clean chunks until the rest is within the bound, as far as that goes.
    pub fn trim_clean(&mut self) {
        for _ in 0..2 * self.order.len() {
            if self.bytes <= self.bound {
                return;
            }
            match self.next() {
                Some((scaled, cached)) if cached.dirty => self.keep(scaled, cached),
                Some(_) => self.displaced += 1,
                None => {}
            }
        }
    }

    /// Takes the next chunk out while all are beyond the bound: its place, and its elements if they have to be written.
    pub fn pop_beyond_bound(&mut self) -> Option<(Vec<u64>, Option<Vec<u8>>)> {
        while self.bytes > self.bound && self.chunks.len() > 1 {
            if let Some((scaled, cached)) = self.next() {
                self.displaced += 1;
                return Some((scaled, cached.dirty.then_some(cached.data)));
            }
        }
        None
    }

    /// Takes out the next chunk that was not used since it was last looked at; none if there is one turn less to wait.
    fn next(&mut self) -> Option<(Vec<u64>, Cached)> {
        let scaled = self.order.pop_front()?;
        let cached = self.chunks.get_mut(&scaled)?;
        if std::mem::take(&mut cached.referenced) {
            self.order.push_back(scaled);
            return None;
        }
        let cached = self.chunks.remove(&scaled)?;
        self.bytes -= cached.data.len() + OVERHEAD;
        Some((scaled, cached))
    }

    fn keep(&mut self, scaled: Vec<u64>, cached: Cached) {
        self.bytes += cached.data.len() + OVERHEAD;
        self.order.push_back(scaled.clone());
        self.chunks.insert(scaled, cached);
    }

    /// The places of the changed chunks, in row-major order.
    pub fn dirty(&self) -> Vec<Vec<u64>> {
        let dirty = self.chunks.iter().filter(|(_, cached)| cached.dirty);
        let mut places: Vec<_> = dirty.map(|(scaled, _)| scaled.clone()).collect();
        places.sort_unstable();
        places
    }

    /// A changed chunk has been written.
    pub fn clean(&mut self, scaled: &[u64]) {
        if let Some(cached) = self.chunks.get_mut(scaled) {
            cached.dirty = false;
        }
    }

    /// The places of all chunks.
    pub fn places(&self) -> Vec<Vec<u64>> {
        self.chunks.keys().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_holds_and_no_change_is_lost() {
        let mut cache = ChunkCache::default();
        let mut written = Vec::new();
        for number in 0..100u64 {
            cache.insert(&[number], vec![number as u8; 1 << 20], number % 2 == 0);
            while let Some((scaled, data)) = cache.pop_beyond_bound() {
                written.extend(data.map(|data| (scaled[0], data[0])));
            }
            assert!(cache.bytes <= DEFAULT_BOUND && cache.chunks.len() <= 8);
        }
        written.extend(cache.dirty().into_iter().map(|scaled| (scaled[0], cache.get(&scaled).unwrap()[0])));
        written.sort_unstable();
        assert_eq!(written, (0..100).step_by(2).map(|n| (n, n as u8)).collect::<Vec<_>>());
    }

    #[test]
    fn a_chunk_that_is_used_stays() {
        let mut cache = ChunkCache::default();
        for number in 0..100u64 {
            cache.insert(&[number], vec![0; 1 << 20], false);
            assert!(cache.get(&[0]).is_some(), "{number}");
            cache.trim_clean();
        }
        cache.insert(&[0], vec![7], true);
        cache.remove(&[0]);
        assert!(cache.get(&[0]).is_none() && cache.dirty().is_empty());
    }
}

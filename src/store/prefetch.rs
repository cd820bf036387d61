//! Asking the processor for memory ahead of its use. Edits at random places of a large file wait for memory most of their
//! time; what is asked for together comes together. One of the places outside the C ABI with `unsafe`.

use std::ops::Range;

use super::{BlockId, Hint, Store};

/// Bytes of a cache line, on the processors that matter.
const LINE: usize = 64;

/// Asks for as many cache lines from that of the first of `items` on as they have, and does not wait for them.
#[inline]
pub fn prefetch<T>(items: &[T]) {
    prefetch_lines(items, size_of_val(items).div_ceil(LINE));
}

#[inline(always)]
fn prefetch_lines<T>(items: &[T], lines: usize) {
    #[cfg(target_arch = "x86_64")]
    for line in 0..lines {
        use std::arch::x86_64::{_mm_prefetch, _MM_HINT_T0};
        // SAFETY: a prefetch reads and writes nothing that a program can see, wherever it points to.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(items.as_ptr().wrapping_byte_add(LINE * line).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (items, lines, LINE);
}

impl Store {
    /// Asks the processor for a part of a block that is about to be used.
    #[inline]
    pub fn prefetch(&self, id: BlockId, part: Range<usize>) {
        prefetch(self.cache.bytes_of(id).get(part).unwrap_or_default());
    }

    /// The same for a block that may not be there any more. Where it was is known without looking it up.
    #[inline]
    pub fn prefetch_hint(&self, hint: Hint, part: Range<usize>) {
        prefetch(self.cache.glance(hint, part));
    }

    /// The same with the line in which the part ends, which often is one more.
    #[inline]
    pub fn prefetch_whole(&self, hint: Hint, part: Range<usize>) {
        let bytes = self.cache.glance(hint, part);
        prefetch_lines(bytes, (bytes.as_ptr().addr() % LINE + bytes.len()).div_ceil(LINE));
    }

    /// Where a block is, to be asked for later.
    #[inline]
    pub fn hint(&self, id: BlockId) -> Hint {
        self.cache.hint(id)
    }
}

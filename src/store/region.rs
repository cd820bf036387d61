//! Memory for cached blocks, from the operating system: large regions ask for huge pages, because a large file's blocks
//! are visited at random and would each cost an address translation. One of the places outside the C ABI with `unsafe`.

use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

use parking_lot::Mutex;

/// Regions of this size are mapped, at an address divisible by it: a huge page.
pub const LARGE: usize = 2 << 20;

#[derive(Clone, Copy)]
#[repr(C, align(4096))]
struct Page([u8; 4096]);

const PAGE: usize = size_of::<Page>();

/// Zeroed memory that belongs to this value alone; the length is a multiple of 4096.
pub struct Region {
    start: NonNull<u8>,
    length: usize,
    mapped: bool,
}

// SAFETY: the memory is owned, and reached only through the borrow rules of `Deref` and `DerefMut`.
unsafe impl Send for Region {}
// SAFETY: as above; a shared region is only read.
unsafe impl Sync for Region {}

impl Region {
    /// At least `length` bytes. With `huge`, a mapped region asks for huge pages.
    pub fn new(length: usize, huge: bool) -> Region {
        if length == LARGE {
            if let Some(start) = map(huge) {
                return Region { start, length, mapped: true };
            }
        }
        let pages = vec![Page([0; PAGE]); length.div_ceil(PAGE).max(1)].into_boxed_slice();
        let length = pages.len() * PAGE;
        Region { start: NonNull::from(Box::leak(pages)).cast(), length, mapped: false }
    }
}

/// Large regions of closed files: the next file need not ask the operating system.
static SPARE: Mutex<Vec<Region>> = Mutex::new(Vec::new());
const MAX_SPARE: usize = 2;

/// A large region of a file that was closed, with that file's bytes in it.
pub fn take_spare() -> Option<Region> {
    SPARE.lock().pop()
}

/// Keeps a region for the next file, if it is a large one and few are kept.
pub fn keep_spare(region: Region) {
    let mut spare = SPARE.lock();
    if region.length == LARGE && spare.len() < MAX_SPARE {
        spare.push(region);
    }
}

/// Maps `LARGE` bytes at a multiple of `LARGE`.
fn map(huge: bool) -> Option<NonNull<u8>> {
    use rustix::mm::{madvise, mmap_anonymous, munmap, Advice, MapFlags, ProtFlags};
    let access = ProtFlags::READ | ProtFlags::WRITE;
    // SAFETY: a new private mapping is nobody else's; what is unmapped is what of it lies before and after the aligned
    // part, and is never used.
    unsafe {
        let whole = mmap_anonymous(std::ptr::null_mut(), 2 * LARGE, access, MapFlags::PRIVATE).ok()?.cast::<u8>();
        let before = whole.align_offset(LARGE);
        let start = whole.add(before);
        if before > 0 {
            let _ = munmap(whole.cast(), before);
        }
        let _ = munmap(start.add(LARGE).cast(), LARGE - before);
        #[cfg(target_os = "linux")]
        {
            let advice = if huge { Advice::LinuxHugepage } else { Advice::LinuxNoHugepage };
            let _ = madvise(start.cast(), LARGE, advice); // either does
        }
        NonNull::new(start)
    }
}

impl Deref for Region {
    type Target = [u8];
    #[inline]
    fn deref(&self) -> &[u8] {
        // SAFETY: `new` made `length` initialized bytes at `start`, which live as long as `self`.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }
}

impl DerefMut for Region {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as for `deref`, and `self` is borrowed alone.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.length) }
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: the memory came from `map` or from a leaked box of pages, as `mapped` says, and goes only here.
        unsafe {
            if self.mapped {
                let _ = rustix::mm::munmap(self.start.as_ptr().cast(), self.length);
            } else {
                let pages = std::ptr::slice_from_raw_parts_mut(self.start.as_ptr().cast::<Page>(), self.length / PAGE);
                drop(Box::from_raw(pages));
            }
        }
    }
}

//! libsz, the szip interface of libaec, loaded when it is first needed: who has no data with szip need not have it.

use std::ffi::{c_int, c_void, CStr};
use std::sync::OnceLock;

/// Where it is looked for.
#[cfg(target_os = "macos")]
const NAMES: [&CStr; 2] = [c"libsz.2.dylib", c"libsz.dylib"];
#[cfg(not(target_os = "macos"))]
const NAMES: [&CStr; 2] = [c"libsz.so.2", c"libsz.so"];

/// The parameters of a call, as szlib.h has them.
#[repr(C)]
pub(super) struct Parameters {
    pub options_mask: c_int,
    pub bits_per_pixel: c_int,
    pub pixels_per_block: c_int,
    pub pixels_per_scanline: c_int,
}

type Run = unsafe extern "C" fn(*mut c_void, *mut usize, *const c_void, usize, *mut Parameters) -> c_int;

/// The two functions that are used.
pub(super) struct Library {
    compress: Run,
    decompress: Run,
}

impl Library {
    /// The library; none if this machine has none.
    pub fn get() -> Option<&'static Library> {
        static LIBRARY: OnceLock<Option<Library>> = OnceLock::new();
        LIBRARY.get_or_init(Library::load).as_ref()
    }

    #[cfg(unix)]
    fn load() -> Option<Library> {
        // SAFETY: the names are NUL-terminated; the library's initialization does nothing.
        let handle = NAMES.iter().map(|name| unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) });
        let handle = handle.into_iter().find(|handle| !handle.is_null())?;
        let function = |name: &CStr| {
            // SAFETY: the handle is open, and stays so.
            let found = unsafe { libc::dlsym(handle, name.as_ptr()) };
            // SAFETY: szlib.h declares both functions with this type.
            (!found.is_null()).then(|| unsafe { std::mem::transmute::<*mut c_void, Run>(found) })
        };
        let (compress, decompress) = (function(c"SZ_BufftoBuffCompress")?, function(c"SZ_BufftoBuffDecompress")?);
        Some(Library { compress, decompress })
    }

    #[cfg(not(unix))]
    fn load() -> Option<Library> {
        None
    }

    /// Compresses into `out`; how many bytes it became, none if they do not fit or the parameters are not accepted.
    pub fn compress(&self, parameters: &mut Parameters, data: &[u8], out: &mut [u8]) -> Option<usize> {
        self.run(self.compress, parameters, data, out)
    }

    /// Decompresses into `out`, and how many bytes it became.
    pub fn decompress(&self, parameters: &mut Parameters, data: &[u8], out: &mut [u8]) -> Option<usize> {
        self.run(self.decompress, parameters, data, out)
    }

    fn run(&self, function: Run, parameters: &mut Parameters, data: &[u8], out: &mut [u8]) -> Option<usize> {
        let mut length = out.len();
        // SAFETY: both buffers have the lengths that are said, and the function keeps nothing.
        let status =
            unsafe { function(out.as_mut_ptr().cast(), &raw mut length, data.as_ptr().cast(), data.len(), parameters) };
        (status == 0).then_some(length).filter(|&length| length <= out.len())
    }
}

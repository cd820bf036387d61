//! Values of variable length in a C program's memory.

use std::alloc::{alloc, dealloc, Layout};
use std::ffi::{c_char, c_void, CStr};
use std::slice;

use super::types::{self, h5r_type};
use super::{guard, h5r_status, input};
use crate::datatype::{Class, Datatype, Pointers};
use crate::error::{Error, ErrorKind, Result};

/// A sequence of variable length in memory, and an encoded reference of libhdf5 1.12.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct h5r_vlen {
    /// The number of elements; of a reference, of bytes.
    pub length: usize,
    /// The elements; NULL when there are none.
    pub data: *mut c_void,
}

/// What a C program gives: its pointers are read, and nothing is kept.
pub(super) struct Given;

impl Pointers for Given {
    fn string(&mut self, pointer: u64) -> Result<Vec<u8>> {
        // SAFETY: a string of the caller's data: not NULL, NUL-terminated, and alive during the call, as the functions'
        // documentation asks.
        Ok(unsafe { CStr::from_ptr(pointer as *const c_char) }.to_bytes().to_vec())
    }

    fn bytes(&mut self, pointer: u64, length: usize) -> Result<Vec<u8>> {
        // SAFETY: a sequence of the caller's data, whose elements have these bytes and are alive during the call.
        Ok(unsafe { input::bytes(pointer as *const c_void, length, "a sequence's data")? }.to_vec())
    }

    fn keep(&mut self, _: Vec<u8>) -> Result<u64> {
        Err(Error::internal("a value was kept while writing"))
    }
}

/// Before every value stands its size.
const HEAD: usize = 16;

fn layout(size: usize) -> Option<Layout> {
    Layout::from_size_align(size.checked_add(HEAD)?, HEAD).ok()
}

/// What a read call has kept so far; an error takes it back.
struct Kept(Vec<u64>);

impl Pointers for Kept {
    fn string(&mut self, _: u64) -> Result<Vec<u8>> {
        Err(Error::internal("a string was read from memory while reading"))
    }

    fn bytes(&mut self, _: u64, _: usize) -> Result<Vec<u8>> {
        Err(Error::internal("a sequence was read from memory while reading"))
    }

    fn keep(&mut self, bytes: Vec<u8>) -> Result<u64> {
        let failed =
            || Error::new(ErrorKind::Limit, format!("there is no memory for a value of {} bytes", bytes.len()));
        let layout = layout(bytes.len()).ok_or_else(failed)?;
        // SAFETY: the size is at least HEAD.
        let memory = unsafe { alloc(layout) };
        if memory.is_null() {
            return Err(failed());
        }
        // SAFETY: HEAD bytes and the value fit.
        let pointer = unsafe {
            memory.cast::<usize>().write(bytes.len());
            let value = memory.add(HEAD);
            value.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
            value as u64
        };
        self.0.push(pointer);
        Ok(pointer)
    }
}

/// Runs a read call; what it keeps is the caller's when it succeeds.
pub(super) fn keep<R>(read: impl FnOnce(&mut dyn Pointers) -> Result<R>) -> Result<R> {
    let mut kept = Kept(Vec::new());
    let result = read(&mut kept);
    if result.is_err() {
        // SAFETY: `keep` made them, and nobody else knows them.
        kept.0.into_iter().for_each(|pointer| unsafe { free(pointer) });
    }
    result
}

/// # Safety
/// `Kept::keep` made the pointer, and nobody uses it any more.
unsafe fn free(pointer: u64) {
    let memory = (pointer as *mut u8).wrapping_sub(HEAD);
    // SAFETY: as promised by the caller: the size stands before the value.
    unsafe {
        let size = memory.cast::<usize>().read();
        if let Some(layout) = layout(size) {
            dealloc(memory, layout);
        }
    }
}

/// Gives back what `h5r_dataset_read` or `h5r_attr_read` stored behind the pointers in `count` elements of `type`: the
/// strings, the sequences with all that is in them, and the references. The pointers become NULL, and lengths 0, so that a
/// second call does nothing. Only what h5r made may be in the elements.
///
/// Errors: BAD_HANDLE, ARGUMENT, RANGE. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_vlen_release(r#type: h5r_type, count: u64, data: *mut c_void) -> h5r_status {
    guard::call(|| {
        let datatype = types::resolve(r#type)?;
        if !datatype.has_pointers() {
            return Ok(());
        }
        let length = input::byte_length(&[count], datatype.size())?;
        // SAFETY: as this function's documentation asks of the caller.
        unsafe { release(&datatype, input::bytes_mut(data, length, "data")?) }
    })
}

/// # Safety
/// The pointers in the elements are NULL, or `Kept::keep` made them and nobody uses them any more.
unsafe fn release(datatype: &Datatype, elements: &mut [u8]) -> Result<()> {
    let Some(class) = datatype.as_class().filter(|_| datatype.has_pointers()) else { return Ok(()) };
    let pointer = |bytes: &[u8]| bytes.try_into().map_or(0, u64::from_ne_bytes);
    for element in elements.chunks_exact_mut(datatype.size()) {
        match class {
            Class::Compound { members } => {
                for member in members.iter().filter(|member| member.datatype.has_pointers()) {
                    let part = &mut element[member.offset as usize..(member.offset + member.datatype.size) as usize];
                    // SAFETY: as promised by the caller.
                    unsafe { release(&Datatype::from_description(member.datatype.clone())?, part)? };
                }
            }
            // SAFETY: as promised by the caller.
            Class::Array { base, .. } => unsafe { release(&Datatype::from_description((**base).clone())?, element)? },
            Class::VariableLength { string: Some(_), .. } => {
                let text = pointer(element);
                if text != 0 {
                    // SAFETY: as promised by the caller.
                    unsafe { free(text) };
                }
                element.fill(0);
            }
            Class::VariableLength { base, string: None } => {
                let (length, data) = (pointer(&element[..8]), pointer(&element[8..16]));
                if data != 0 {
                    let base = Datatype::from_description((**base).clone())?;
                    let bytes = input::byte_length(&[length], base.size())?;
                    // SAFETY: as promised by the caller: `data` has `length` elements.
                    unsafe {
                        release(&base, slice::from_raw_parts_mut(data as *mut u8, bytes))?;
                        free(data);
                    }
                }
                element.fill(0);
            }
            Class::Reference { .. } => {
                let data = pointer(&element[8..16]);
                if data != 0 {
                    // SAFETY: as promised by the caller.
                    unsafe { free(data) };
                }
                element.fill(0);
            }
            _ => {}
        }
    }
    Ok(())
}

//! What a datatype is made of.

use std::ffi::{c_char, c_void};

use super::options;
use super::type_make::{h5r_type_layout, wrong_class};
use super::types::{self, h5r_type};
use super::{guard, h5r_object, h5r_status, handle, input};
use crate::datatype::{Class, Datatype};
use crate::error::{Error, ErrorKind, Result};

/// Stores where the bits of an integer, float, bit field or time are, in `layout_out`, which the caller initialised with
/// H5R_TYPE_LAYOUT_INIT.
///
/// Errors: BAD_HANDLE, ARGUMENT, TYPE. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_type_get_layout(r#type: h5r_type, layout_out: *mut h5r_type_layout) -> h5r_status {
    guard::call(|| {
        // SAFETY: as this function's documentation asks of the caller.
        let out = unsafe { options::output(layout_out, "layout_out")? };
        out.set(h5r_type_layout::of(&types::resolve(r#type)?)?);
        Ok(())
    })
}

/// Stores the padding H5R_PAD_..., the character set H5R_CHARSET_... and whether the length is variable, of a string
/// type. Each output may be NULL.
///
/// Errors: BAD_HANDLE, TYPE. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_type_string_info(
    r#type: h5r_type,
    padding_out: *mut i32,
    charset_out: *mut i32,
    is_variable_out: *mut bool,
) -> h5r_status {
    guard::call(|| {
        let datatype = types::resolve(r#type)?;
        let (padding, charset, variable) = match (datatype.as_string(), datatype.as_class()) {
            (Some(string), _) => (string.padding, string.character_set, false),
            (_, Some(Class::VariableLength { string: Some((padding, charset)), .. })) => (*padding, *charset, true),
            _ => return Err(wrong_class("a string", &datatype)),
        };
        // SAFETY: as this function's documentation asks of the caller.
        unsafe {
            optional(padding_out, padding as i32);
            optional(charset_out, charset as i32);
            optional(is_variable_out, variable);
        }
        Ok(())
    })
}

/// # Safety
/// `out` is NULL or valid for one write.
unsafe fn optional<T>(out: *mut T, value: T) {
    if !out.is_null() {
        // SAFETY: as promised by the caller.
        unsafe { out.write(value) };
    }
}

/// Stores whether elements of the type have parts of variable length in memory: strings, sequences or references of
/// libhdf5 1.12. What was read with such a type is given back with `h5r_vlen_release`.
///
/// Errors: BAD_HANDLE, ARGUMENT. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_type_is_variable(r#type: h5r_type, is_variable_out: *mut bool) -> h5r_status {
    guard::call(|| {
        // SAFETY: as this function's documentation asks of the caller.
        let out = unsafe { input::output(is_variable_out, "is_variable_out")? };
        out.set(types::resolve_any(r#type)?.has_pointers());
        Ok(())
    })
}

/// Stores the number of members of a compound, or of names of an enumeration.
///
/// Errors: BAD_HANDLE, ARGUMENT, TYPE. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_type_member_count(r#type: h5r_type, count_out: *mut u64) -> h5r_status {
    guard::call(|| {
        // SAFETY: as this function's documentation asks of the caller.
        let out = unsafe { input::output(count_out, "count_out")? };
        let datatype = types::resolve_any(r#type)?;
        out.set(match datatype.as_class() {
            Some(Class::Compound { members }) => members.len() as u64,
            Some(Class::Enumeration { names, .. }) => names.len() as u64,
            _ => return Err(wrong_class("a compound or enumeration", &datatype)),
        });
        Ok(())
    })
}

fn member_name(datatype: &Datatype, index: u64) -> Result<&[u8]> {
    let (found, count) = match datatype.as_class() {
        Some(Class::Compound { members }) => {
            (members.get(index as usize).map(|member| member.name.as_slice()), members.len())
        }
        Some(Class::Enumeration { names, .. }) => (names.get(index as usize).map(Vec::as_slice), names.len()),
        _ => return Err(wrong_class("a compound or enumeration", datatype)),
    };
    found.ok_or_else(|| no_member(index, count))
}

#[cold]
fn no_member(index: u64, count: usize) -> Error {
    Error::new(ErrorKind::Range, format!("there is no member {index}: the type has {count}, counted from 0"))
}

/// Stores the name of member `index` of a compound or enumeration, with its NUL, in `buffer` of `capacity` bytes, and its
/// length without NUL in `length_out`, which may be NULL. Capacity 0 asks for the length only.
///
/// Errors: BAD_HANDLE, ARGUMENT, RANGE, TYPE, TOO_SMALL. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_type_member_name(
    r#type: h5r_type,
    index: u64,
    buffer: *mut c_char,
    capacity: usize,
    length_out: *mut usize,
) -> h5r_status {
    guard::call(|| {
        let datatype = types::resolve(r#type)?;
        let name = String::from_utf8_lossy(member_name(&datatype, index)?);
        // SAFETY: as this function's documentation asks of the caller.
        unsafe { input::copy_out(&name, buffer, capacity, length_out) }
    })
}

/// Stores the index of the member with this name, of a compound or enumeration.
///
/// Errors: BAD_HANDLE, ARGUMENT, NOT_FOUND, TYPE. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_type_member_index(
    r#type: h5r_type,
    name: *const c_char,
    index_out: *mut u64,
) -> h5r_status {
    guard::call(|| {
        // SAFETY: as this function's documentation asks of the caller.
        let (name, out) = unsafe { (input::text(name, "name")?, input::output(index_out, "index_out")?) };
        let datatype = types::resolve_any(r#type)?;
        let index = match datatype.as_class() {
            Some(Class::Compound { members }) => members.iter().position(|member| member.name == name.as_bytes()),
            Some(Class::Enumeration { names, .. }) => names.iter().position(|other| other == name.as_bytes()),
            _ => return Err(wrong_class("a compound or enumeration", &datatype)),
        };
        let missing = || Error::new(ErrorKind::NotFound, format!("the type has no member '{name}'"));
        out.set(index.ok_or_else(missing)? as u64);
        Ok(())
    })
}

/// Stores where member `index` of a compound begins, in bytes, and its type, which `h5r_type_close` closes. Each output
/// may be NULL.
///
/// Errors: BAD_HANDLE, RANGE, TYPE. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_type_member(
    compound: h5r_type,
    index: u64,
    offset_out: *mut u64,
    type_out: *mut h5r_type,
) -> h5r_status {
    guard::call(|| {
        let datatype = types::resolve(compound)?;
        let Some(Class::Compound { members }) = datatype.as_class() else {
            return Err(wrong_class("a compound", &datatype));
        };
        let member = members.get(index as usize).ok_or_else(|| no_member(index, members.len()))?;
        // SAFETY: as this function's documentation asks of the caller.
        unsafe {
            if !type_out.is_null() {
                optional(type_out, types::token(Datatype::from_description(member.datatype.clone())?)?);
            }
            optional(offset_out, u64::from(member.offset));
        }
        Ok(())
    })
}

/// Stores the value of name `index` of an enumeration, one element of its base, in `value_out`.
///
/// Errors: BAD_HANDLE, ARGUMENT, RANGE, TYPE. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_type_enum_value(enumeration: h5r_type, index: u64, value_out: *mut c_void) -> h5r_status {
    guard::call(|| {
        let datatype = types::resolve(enumeration)?;
        let Some(Class::Enumeration { names, values, .. }) = datatype.as_class() else {
            return Err(wrong_class("an enumeration", &datatype));
        };
        let size = datatype.size();
        let value = values.chunks_exact(size).nth(index as usize).ok_or_else(|| no_member(index, names.len()))?;
        // SAFETY: as this function's documentation asks of the caller.
        unsafe { input::bytes_mut(value_out, size, "value_out")? }.copy_from_slice(value);
        Ok(())
    })
}

/// Stores the type of the elements of an array or sequence, the integer of an enumeration, or the parts of a complex
/// number; `h5r_type_close` closes it.
///
/// Errors: BAD_HANDLE, ARGUMENT, TYPE. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_type_base(r#type: h5r_type, base_out: *mut h5r_type) -> h5r_status {
    guard::call(|| {
        // SAFETY: as this function's documentation asks of the caller.
        let out = unsafe { input::output(base_out, "base_out")? };
        let datatype = types::resolve_any(r#type)?;
        let base = match datatype.as_class() {
            Some(
                Class::Array { base, .. }
                | Class::VariableLength { base, string: None }
                | Class::Enumeration { base, .. }
                | Class::Complex { base },
            ) => base,
            _ => return Err(wrong_class("an array, sequence, enumeration or complex number", &datatype)),
        };
        out.set(types::token(Datatype::from_description((**base).clone())?)?);
        Ok(())
    })
}

/// Stores the number of dimensions of an array type, and, unless it is NULL, the dimensions in `dims_out`, which has
/// room for H5R_MAX_RANK.
///
/// Errors: BAD_HANDLE, ARGUMENT, TYPE. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_type_dims(array: h5r_type, rank_out: *mut usize, dims_out: *mut u64) -> h5r_status {
    guard::call(|| {
        // SAFETY: as this function's documentation asks of the caller.
        let out = unsafe { input::output(rank_out, "rank_out")? };
        let datatype = types::resolve(array)?;
        let Some(Class::Array { dims, .. }) = datatype.as_class() else {
            return Err(wrong_class("an array", &datatype));
        };
        if !dims_out.is_null() && dims.len() <= input::H5R_MAX_RANK {
            for (index, &dim) in dims.iter().enumerate() {
                // SAFETY: as this function's documentation asks of the caller; the rank is at most H5R_MAX_RANK.
                unsafe { dims_out.add(index).write(u64::from(dim)) };
            }
        }
        out.set(dims.len());
        Ok(())
    })
}

/// Stores an opaque type's tag, with its NUL, in `buffer` of `capacity` bytes, and its length without NUL in
/// `length_out`, which may be NULL. Capacity 0 asks for the length only.
///
/// Errors: BAD_HANDLE, ARGUMENT, TYPE, TOO_SMALL. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_type_tag(
    opaque: h5r_type,
    buffer: *mut c_char,
    capacity: usize,
    length_out: *mut usize,
) -> h5r_status {
    guard::call(|| {
        let datatype = types::resolve(opaque)?;
        let Some(Class::Opaque { tag }) = datatype.as_class() else {
            return Err(wrong_class("an opaque type", &datatype));
        };
        // SAFETY: as this function's documentation asks of the caller.
        unsafe { input::copy_out(&String::from_utf8_lossy(tag), buffer, capacity, length_out) }
    })
}

/// Stores the kind of a reference type, H5R_REF_....
///
/// Errors: BAD_HANDLE, ARGUMENT, TYPE. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_type_reference_kind(reference: h5r_type, kind_out: *mut i32) -> h5r_status {
    guard::call(|| {
        // SAFETY: as this function's documentation asks of the caller.
        let out = unsafe { input::output(kind_out, "kind_out")? };
        let datatype = types::resolve(reference)?;
        match datatype.as_class() {
            Some(Class::Reference { kind, .. }) => out.set(i32::from(*kind)),
            _ => return Err(wrong_class("a reference", &datatype)),
        }
        Ok(())
    })
}

/// Stores the type of a dataset's elements, or that a named datatype stands for; `h5r_type_close` closes it.
///
/// Errors: BAD_HANDLE, ARGUMENT, WRONG_KIND (a group), CORRUPT, IO. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_object_type(object: *mut h5r_object, type_out: *mut h5r_type) -> h5r_status {
    guard::with_object(object, |object, file| {
        // SAFETY: as this function's documentation asks of the caller.
        let out = unsafe { input::output(type_out, "type_out")? };
        let (datatype, committed) = object.datatype()?;
        out.set(match committed {
            // What is in a file that an external link leads to is shared there only.
            Some(address) if handle::is_of(file, object) => handle::open_type(datatype, Some((file, address)))?,
            Some(_) => handle::open_type(datatype, None)?,
            None => types::token(datatype)?,
        });
        Ok(())
    })
}

/// Stores the type of an attribute's elements; `h5r_type_close` closes it.
///
/// Errors: BAD_HANDLE, ARGUMENT, NOT_FOUND, CORRUPT, IO. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_attr_type(
    object: *mut h5r_object,
    name: *const c_char,
    type_out: *mut h5r_type,
) -> h5r_status {
    guard::with_object(object, |object, _| {
        // SAFETY: as this function's documentation asks of the caller.
        let (name, out) = unsafe { (input::text(name, "name")?, input::output(type_out, "type_out")?) };
        out.set(types::token(object.attr_info(name)?.datatype)?);
        Ok(())
    })
}

/// Stores whether the type was read from a named datatype, so that what is made with it in that file shares it.
///
/// Errors: BAD_HANDLE, ARGUMENT. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_type_is_committed(r#type: h5r_type, is_committed_out: *mut bool) -> h5r_status {
    guard::call(|| {
        // SAFETY: as this function's documentation asks of the caller.
        let out = unsafe { input::output(is_committed_out, "is_committed_out")? };
        out.set(types::is_committed(r#type)?);
        Ok(())
    })
}

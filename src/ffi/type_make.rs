//! Datatypes that a user makes.

use std::ffi::{c_char, c_void};
use std::mem::{offset_of, size_of};

use super::options::{self, choice, flag, Versioned};
use super::types::{self, h5r_type};
use super::{guard, h5r_object, h5r_status, handle, input};
use crate::datatype::{self, token, Bits, ByteOrder, Class, Datatype, Float, FloatOrder, Normalization, ReferenceKind};
use crate::error::{Error, ErrorKind, Result};

/// Least significant byte first.
pub const H5R_BYTES_LITTLE: i32 = 0;
/// Most significant byte first.
pub const H5R_BYTES_BIG: i32 = 1;
/// Pairs of bytes as on a VAX; floats only.
pub const H5R_BYTES_VAX: i32 = 2;

/// The mantissa is not normalized.
pub const H5R_NORM_NONE: i32 = 0;
/// The mantissa's highest bit is always set, and stored.
pub const H5R_NORM_STORED: i32 = 1;
/// The mantissa's highest bit is always set, and not stored: as in IEEE 754.
pub const H5R_NORM_IMPLIED: i32 = 2;

/// An object, by its address in the file: 8 bytes in memory.
pub const H5R_REF_OBJECT: i32 = 0;
/// A part of a dataset: 12 bytes in memory.
pub const H5R_REF_REGION: i32 = 1;
/// An object, as libhdf5 1.12 and later encode it: an h5r_vlen in memory, as the two that follow.
pub const H5R_REF_STANDARD_OBJECT: i32 = 2;
/// A part of a dataset, as libhdf5 1.12 and later encode it.
pub const H5R_REF_STANDARD_REGION: i32 = 3;
/// An attribute, as libhdf5 1.12 and later encode it.
pub const H5R_REF_STANDARD_ATTR: i32 = 4;

/// The bits of an integer, bit field or float. Start from H5R_TYPE_LAYOUT_INIT.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct h5r_type_layout {
    /// sizeof(h5r_type_layout), set by the INIT macro.
    pub struct_size: usize,
    /// Bytes of an element.
    pub size: u32,
    /// H5R_BYTES_LITTLE, _BIG or (floats) _VAX.
    pub order: i32,
    /// The first bit of the value, counted from the least significant one.
    pub offset: u32,
    /// The number of bits of the value.
    pub precision: u32,
    /// 1: the bits below the value are set; 0: they are clear.
    pub low_pad: i32,
    /// 1: the bits above the value are set; 0: they are clear.
    pub high_pad: i32,
    /// Integers. 1: two's complement; 0: unsigned.
    pub is_signed: i32,
    /// Floats. 1: unused bits between the fields are set; 0: they are clear.
    pub internal_pad: i32,
    /// Floats. H5R_NORM_....
    pub normalization: i32,
    /// Floats. The bit that is the sign.
    pub sign_position: u32,
    /// Floats. The first bit of the exponent.
    pub exponent_position: u32,
    /// Floats. The number of its bits.
    pub exponent_size: u32,
    /// Floats. The first bit of the mantissa.
    pub mantissa_position: u32,
    /// Floats. The number of its bits.
    pub mantissa_size: u32,
    /// Floats. What is added to the exponent.
    pub exponent_bias: u32,
    /// 0.
    pub reserved: u32,
}

// SAFETY: repr(C), integers only; the assertion below says that there is no padding.
unsafe impl Versioned for h5r_type_layout {
    const NAME: &'static str = "type_layout";
    const FIRST_SIZE: usize = 72;
    const INIT: Self = h5r_type_layout {
        struct_size: size_of::<Self>(),
        size: 0,
        order: H5R_BYTES_LITTLE,
        offset: 0,
        precision: 0,
        low_pad: 0,
        high_pad: 0,
        is_signed: 0,
        internal_pad: 0,
        normalization: H5R_NORM_NONE,
        sign_position: 0,
        exponent_position: 0,
        exponent_size: 0,
        mantissa_position: 0,
        mantissa_size: 0,
        exponent_bias: 0,
        reserved: 0,
    };
}

const _: () = assert!(size_of::<h5r_type_layout>() == offset_of!(h5r_type_layout, reserved) + 4);

const ORDERS: [FloatOrder; 3] = [FloatOrder::Little, FloatOrder::Big, FloatOrder::Vax];
const NORMALIZATIONS: [Normalization; 3] = [Normalization::None, Normalization::Stored, Normalization::Implied];

fn narrow<T: TryFrom<u32>>(field: &str, value: u32, accepted: &str) -> Result<T> {
    T::try_from(value).map_err(|_| Error::range(field, value, accepted))
}

impl h5r_type_layout {
    fn bits(&self) -> Result<Bits> {
        Ok(Bits {
            order: choice("order", self.order, &ORDERS)?,
            low_pad: flag("low_pad", self.low_pad)?,
            high_pad: flag("high_pad", self.high_pad)?,
            offset: narrow("offset", self.offset, "0..65535")?,
            precision: narrow("precision", self.precision, "1..65535")?,
        })
    }

    fn float(&self) -> Result<Float> {
        Ok(Float {
            bits: self.bits()?,
            internal_pad: flag("internal_pad", self.internal_pad)?,
            normalization: choice("normalization", self.normalization, &NORMALIZATIONS)?,
            sign_position: narrow("sign_position", self.sign_position, "0..255")?,
            exponent_position: narrow("exponent_position", self.exponent_position, "0..255")?,
            exponent_size: narrow("exponent_size", self.exponent_size, "1..255")?,
            mantissa_position: narrow("mantissa_position", self.mantissa_position, "0..255")?,
            mantissa_size: narrow("mantissa_size", self.mantissa_size, "1..255")?,
            exponent_bias: self.exponent_bias,
        })
    }

    fn set_bits(&mut self, bits: &Bits) {
        self.order = bits.order as i32;
        (self.low_pad, self.high_pad) = (i32::from(bits.low_pad), i32::from(bits.high_pad));
        (self.offset, self.precision) = (u32::from(bits.offset), u32::from(bits.precision));
    }

    /// The layout of a type of one of the classes that have one.
    pub(super) fn of(datatype: &Datatype) -> Result<Self> {
        let description = datatype.description()?;
        let mut layout = h5r_type_layout { size: description.size, ..Versioned::INIT };
        match &description.class {
            Class::FixedPoint { bits, signed } => {
                layout.set_bits(bits);
                layout.is_signed = i32::from(*signed);
            }
            Class::BitField(bits) => layout.set_bits(bits),
            Class::Time { order, precision } => {
                (layout.order, layout.precision) = (*order as i32, u32::from(*precision));
            }
            Class::FloatingPoint(float) => {
                layout.set_bits(&float.bits);
                layout.internal_pad = i32::from(float.internal_pad);
                layout.normalization = float.normalization as i32;
                layout.sign_position = u32::from(float.sign_position);
                layout.exponent_position = u32::from(float.exponent_position);
                layout.exponent_size = u32::from(float.exponent_size);
                layout.mantissa_position = u32::from(float.mantissa_position);
                layout.mantissa_size = u32::from(float.mantissa_size);
                layout.exponent_bias = float.exponent_bias;
            }
            _ => return Err(wrong_class("an integer, float, bit field or time", datatype)),
        }
        Ok(layout)
    }
}

#[cold]
pub(super) fn wrong_class(wanted: &str, datatype: &Datatype) -> Error {
    Error::new(ErrorKind::Type, format!("{wanted} is needed, this is a {datatype}"))
}

/// Runs a call that makes a type.
///
/// # Safety
/// `out` is NULL or valid for one write.
unsafe fn make(out: *mut h5r_type, body: impl FnOnce() -> Result<Datatype>) -> h5r_status {
    guard::call(|| {
        // SAFETY: as promised by the caller.
        let out = unsafe { input::output(out, "type_out")? };
        out.set(types::token(body()?)?);
        Ok(())
    })
}

/// As [`make`], but the token is always a new one, so that members can be added.
///
/// # Safety
/// As [`make`].
unsafe fn make_new(out: *mut h5r_type, body: impl FnOnce() -> Result<Datatype>) -> h5r_status {
    guard::call(|| {
        // SAFETY: as promised by the caller.
        let out = unsafe { input::output(out, "type_out")? };
        out.set(handle::open_type(body()?, None)?);
        Ok(())
    })
}

/// Makes the type of integers with this layout: any precision, at any bit. `h5r_type_close` closes it, as it closes what
/// the calls below make.
///
/// Errors: RANGE, ARGUMENT. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_type_integer(layout: *const h5r_type_layout, type_out: *mut h5r_type) -> h5r_status {
    // SAFETY: as this function's documentation asks of the caller.
    unsafe {
        make(type_out, || {
            let layout = options::read(layout)?;
            Datatype::integer(layout.size, flag("is_signed", layout.is_signed)?, layout.bits()?)
        })
    }
}

/// Makes the type of floats with this layout.
///
/// Errors: RANGE, ARGUMENT (fields that overlap). Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_type_float(layout: *const h5r_type_layout, type_out: *mut h5r_type) -> h5r_status {
    // SAFETY: as this function's documentation asks of the caller.
    unsafe {
        make(type_out, || {
            let layout = options::read(layout)?;
            Datatype::float(layout.size, layout.float()?)
        })
    }
}

/// Makes the type of bit fields with this layout.
///
/// Errors: RANGE, ARGUMENT. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_type_bitfield(layout: *const h5r_type_layout, type_out: *mut h5r_type) -> h5r_status {
    // SAFETY: as this function's documentation asks of the caller.
    unsafe {
        make(type_out, || {
            let layout = options::read(layout)?;
            Datatype::bit_field(layout.size, layout.bits()?)
        })
    }
}

/// Makes the type of complex numbers of two `part`s, a float type. libhdf5 reads it since 2.0.
///
/// Errors: BAD_HANDLE, ARGUMENT. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_type_complex(part: h5r_type, type_out: *mut h5r_type) -> h5r_status {
    // SAFETY: as this function's documentation asks of the caller.
    unsafe { make(type_out, || Datatype::complex(&types::resolve(part)?)) }
}

/// Makes the type of times: seconds since 1970 in 32 or 64 bits, in the order H5R_BYTES_LITTLE or _BIG.
///
/// Errors: RANGE, ARGUMENT. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_type_time(bits: u32, order: i32, type_out: *mut h5r_type) -> h5r_status {
    // SAFETY: as this function's documentation asks of the caller.
    unsafe {
        make(type_out, || {
            let order = choice("order", order, &[FloatOrder::Little, FloatOrder::Big])?;
            Datatype::time(narrow("bits", bits, "32 or 64")?, order)
        })
    }
}

/// Makes the type of strings of variable length: `char *` in memory. `padding` is H5R_PAD_..., `charset`
/// H5R_CHARSET_....
///
/// Errors: RANGE, ARGUMENT. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_type_string_variable(padding: i32, charset: i32, type_out: *mut h5r_type) -> h5r_status {
    // SAFETY: as this function's documentation asks of the caller.
    unsafe {
        make(type_out, || {
            let (padding, charset) = types::string_properties(padding, charset)?;
            Datatype::variable_string(padding, charset)
        })
    }
}

/// Makes the type of sequences of variable length of `base`: `h5r_vlen` in memory.
///
/// Errors: BAD_HANDLE, ARGUMENT. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_type_vlen(base: h5r_type, type_out: *mut h5r_type) -> h5r_status {
    // SAFETY: as this function's documentation asks of the caller.
    unsafe { make(type_out, || Datatype::sequence(&types::resolve(base)?)) }
}

/// Makes the type of `size` opaque bytes with a tag of at most 248 bytes.
///
/// Errors: RANGE, ARGUMENT. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_type_opaque(size: usize, tag: *const c_char, type_out: *mut h5r_type) -> h5r_status {
    // SAFETY: as this function's documentation asks of the caller.
    unsafe {
        make(type_out, || {
            let size = u32::try_from(size).map_err(|_| Error::range("opaque size", size, "1..4294967295 bytes"))?;
            Datatype::opaque(size, input::text(tag, "tag")?)
        })
    }
}

/// Makes the type of arrays of `base` with `rank` dimensions, 1 to 32, none of them 0.
///
/// Errors: BAD_HANDLE, RANGE, ARGUMENT. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_type_array(
    base: h5r_type,
    rank: usize,
    dims: *const u64,
    type_out: *mut h5r_type,
) -> h5r_status {
    // SAFETY: as this function's documentation asks of the caller.
    unsafe {
        make(type_out, || {
            let dims = input::dims(rank, dims, "dims")?.iter();
            let dims = dims.map(|&dim| u32::try_from(dim).map_err(|_| Error::range("dimension", dim, "1..2^32-1")));
            Datatype::array(&types::resolve(base)?, &dims.collect::<Result<Vec<_>>>()?)
        })
    }
}

/// Makes the type of references of a kind, H5R_REF_....
///
/// Errors: RANGE, ARGUMENT. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_type_reference(kind: i32, type_out: *mut h5r_type) -> h5r_status {
    // SAFETY: as this function's documentation asks of the caller.
    unsafe { make(type_out, || Datatype::reference(reference_kind(kind)?)) }
}

pub(super) fn reference_kind(kind: i32) -> Result<ReferenceKind> {
    use ReferenceKind::*;
    choice("kind", kind, &[Object, Region, StandardObject, StandardRegion, StandardAttribute])
}

/// Makes a compound type of `size` bytes without members; `h5r_type_insert` adds them.
///
/// Errors: RANGE, ARGUMENT. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_type_compound(size: usize, type_out: *mut h5r_type) -> h5r_status {
    // SAFETY: as this function's documentation asks of the caller.
    unsafe {
        make_new(type_out, || {
            let size = u32::try_from(size).map_err(|_| Error::range("compound size", size, "1..4294967295 bytes"));
            Datatype::compound(size?)
        })
    }
}

/// Adds a member at `offset` bytes to a compound type: it overlaps no other and lies within the compound's size.
///
/// Errors: BAD_HANDLE, ARGUMENT, RANGE, TYPE, EXISTS (the name), LIMIT. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_type_insert(
    compound: h5r_type,
    name: *const c_char,
    offset: u64,
    member: h5r_type,
) -> h5r_status {
    guard::call(|| {
        // SAFETY: as this function's documentation asks of the caller.
        let (name, member) = (unsafe { input::text(name, "name")? }, types::resolve(member)?);
        made(compound)?.update(|datatype| datatype.with_member(name, offset, &member))
    })
}

/// Makes an enumeration type without names that the integer type `base` stores; `h5r_type_enum_insert` adds them.
///
/// Errors: BAD_HANDLE, ARGUMENT. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_type_enum(base: h5r_type, type_out: *mut h5r_type) -> h5r_status {
    // SAFETY: as this function's documentation asks of the caller.
    unsafe { make_new(type_out, || Datatype::enumeration(&types::resolve(base)?)) }
}

/// Adds a name for `value`, one element of the enumeration's base. Neither the name nor the value is there yet.
///
/// Errors: BAD_HANDLE, ARGUMENT, TYPE, EXISTS, LIMIT. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_type_enum_insert(
    enumeration: h5r_type,
    name: *const c_char,
    value: *const c_void,
) -> h5r_status {
    guard::call(|| {
        // SAFETY: as this function's documentation asks of the caller.
        let name = unsafe { input::text(name, "name")? };
        let entry = made(enumeration)?;
        let size = entry.datatype().size();
        // SAFETY: as above: `value` is one element.
        let value = unsafe { input::bytes(value, size, "value")? };
        entry.update(|datatype| datatype.with_value(name, value))
    })
}

/// The entry of a type to which something can be added.
fn made(r#type: h5r_type) -> Result<super::table::Pin<'static, handle::TypeEntry>> {
    match token::predefined(r#type) {
        Some(datatype) => Err(wrong_class("a compound or enumeration", &datatype)),
        None => handle::type_entry(r#type),
    }
}

/// Makes a copy of a type: what is added to one does not change the other. A named datatype's copy is not named.
///
/// Errors: BAD_HANDLE, ARGUMENT. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_type_copy(r#type: h5r_type, type_out: *mut h5r_type) -> h5r_status {
    guard::call(|| {
        // SAFETY: as this function's documentation asks of the caller.
        let out = unsafe { input::output(type_out, "type_out")? };
        out.set(match token::predefined(r#type) {
            Some(_) => r#type,
            None => handle::open_type(types::resolve_any(r#type)?, None)?,
        });
        Ok(())
    })
}

/// Stores the type as a named datatype at `path`, absolute or relative to `loc`, with the groups on the way that are
/// missing. `object_out` may be NULL. Datasets and attributes made with the type that `h5r_object_type` gives for that
/// object share it.
///
/// Errors: BAD_HANDLE, ARGUMENT, EXISTS, WRONG_KIND, READ_ONLY, IO, FAILED. Any thread.
#[no_mangle]
pub unsafe extern "C" fn h5r_type_commit(
    loc: *mut h5r_object,
    path: *const c_char,
    r#type: h5r_type,
    object_out: *mut *mut h5r_object,
) -> h5r_status {
    guard::with_object(loc, |object, file| {
        let datatype = types::resolve(r#type)?;
        // SAFETY: as this function's documentation asks of the caller.
        let committed = object.commit_type(unsafe { input::text(path, "path")? }, &datatype)?;
        // SAFETY: as above.
        if let Ok(out) = unsafe { input::output(object_out, "object_out") } {
            out.set(handle::open_object(file, committed)? as *mut h5r_object);
        }
        Ok(())
    })
}

const _: () = {
    assert!(datatype::MAX_TAG == 248 && datatype::POINTER == 8 && datatype::SEQUENCE == 16);
    assert!(ByteOrder::Little as i32 == H5R_BYTES_LITTLE && FloatOrder::Vax as i32 == H5R_BYTES_VAX);
    assert!(Normalization::Stored as i32 == H5R_NORM_STORED && Normalization::Implied as i32 == H5R_NORM_IMPLIED);
};

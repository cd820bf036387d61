//! Conversion of elements between two datatypes.
//!
//! The rule: the value is kept as exactly as the target allows. Integers beyond the target's range become its nearest
//! bound. Floats to integers are cut toward zero, then bounded; NaN becomes 0. To floats, the nearest value, ties to even;
//! beyond the target's largest finite value, infinity. This is what libhdf5 does between native numbers, where
//! C defines it. Where C leaves it open (NaN or 2^31 as a 32-bit integer), and in libhdf5's generic path for byte-swapped numbers
//! (-0.5 becomes the smallest integer in 1.14 and 2.0), its results differ by version; here they follow the rule.

use super::{half, number::ByteOrder, number::Number, string, Datatype, FixedString, Repr};
use crate::error::{Error, ErrorKind, Result};

/// How elements of one type become elements of another; found once, run many times.
#[derive(Debug, Clone, Copy)]
pub struct Conversion {
    source_size: usize,
    target_size: usize,
    step: Step,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Copy,
    Swap,
    Numbers { kernel: Kernel, swap_source: bool, swap_target: bool },
    Strings { source: FixedString, target: FixedString },
}

type Kernel = fn(&[u8], &mut [u8]);

/// Bytes of a block of swapped source elements: small enough for the first-level cache.
const BLOCK: usize = 4096;

impl Conversion {
    /// The conversion from `source` to `target`; an error that names both when there is none.
    pub fn between(source: &Datatype, target: &Datatype) -> Result<Self> {
        let step = match (&source.0, &target.0) {
            (a, b) if a == b => Step::Copy,
            (Repr::Number(a, _), Repr::Number(b, _)) if a == b => Step::Swap,
            (&Repr::Number(a, order_a), &Repr::Number(b, order_b)) => Step::Numbers {
                kernel: kernel(a, b),
                swap_source: is_swapped(a, order_a),
                swap_target: is_swapped(b, order_b),
            },
            (&Repr::String(source), &Repr::String(target)) if string::is_convertible(source, target) => {
                Step::Strings { source, target }
            }
            _ => return Err(Error::new(ErrorKind::Type, format!("there is no conversion from {source} to {target}"))),
        };
        Ok(Conversion { source_size: source.size(), target_size: target.size(), step })
    }

    /// Whether elements stay as they are, so that no buffer in between is needed.
    #[inline]
    pub fn is_copy(&self) -> bool {
        matches!(self.step, Step::Copy)
    }

    /// Bytes of a source element.
    pub fn source_size(&self) -> usize {
        self.source_size
    }

    /// Bytes of a target element.
    pub fn target_size(&self) -> usize {
        self.target_size
    }

    /// Converts all elements of `from` into `to`, which holds as many of the target type.
    pub fn run(&self, from: &[u8], to: &mut [u8]) -> Result<()> {
        let count = from.len() / self.source_size;
        if from.len() != count * self.source_size || Some(to.len()) != count.checked_mul(self.target_size) {
            return Err(Error::new(
                ErrorKind::Type,
                format!(
                    "{} bytes of elements of {} do not match {} bytes of elements of {}",
                    from.len(),
                    self.source_size,
                    to.len(),
                    self.target_size
                ),
            ));
        }
        match self.step {
            Step::Copy => to.copy_from_slice(from),
            Step::Swap => {
                to.copy_from_slice(from);
                swap(to, self.target_size);
            }
            Step::Strings { source, target } => string::convert(source, target, from, to),
            Step::Numbers { kernel, swap_source: false, swap_target } => {
                // In blocks, so that what is swapped is still in the cache.
                let blocks = from.chunks(BLOCK).zip(to.chunks_mut(BLOCK / self.source_size * self.target_size));
                for (from, to) in blocks {
                    kernel(from, to);
                    if swap_target {
                        swap(to, self.target_size);
                    }
                }
            }
            Step::Numbers { kernel, swap_target, .. } => self.run_swapped(kernel, swap_target, from, to),
        }
        Ok(())
    }

    fn run_swapped(&self, kernel: Kernel, swap_target: bool, from: &[u8], to: &mut [u8]) {
        let mut buffer = [0u8; BLOCK];
        let blocks = from.chunks(BLOCK).zip(to.chunks_mut(BLOCK / self.source_size * self.target_size));
        for (from, to) in blocks {
            let swapped = &mut buffer[..from.len()];
            swapped.copy_from_slice(from);
            swap(swapped, self.source_size);
            kernel(swapped, to);
            if swap_target {
                swap(to, self.target_size);
            }
        }
    }
}

/// Converts `count` elements of `source` in `from` to elements of `target` in `to`.
pub fn convert(source: &Datatype, from: &[u8], target: &Datatype, to: &mut [u8], count: usize) -> Result<()> {
    let conversion = Conversion::between(source, target)?;
    let part = |bytes: usize, size: usize| count.checked_mul(size).filter(|&needed| needed <= bytes);
    match (part(from.len(), source.size()), part(to.len(), target.size())) {
        (Some(from_length), Some(to_length)) => conversion.run(&from[..from_length], &mut to[..to_length]),
        _ => Err(Error::new(
            ErrorKind::TooSmall,
            format!(
                "{count} elements need {} and {} bytes each, the buffers have {} and {}",
                source.size(),
                target.size(),
                from.len(),
                to.len()
            ),
        )),
    }
}

fn is_swapped(number: Number, order: ByteOrder) -> bool {
    number.size() > 1 && (order == ByteOrder::Big) != cfg!(target_endian = "big")
}

/// Reverses the bytes of every element.
fn swap(bytes: &mut [u8], size: usize) {
    match size {
        2 => swap_elements::<2>(bytes),
        4 => swap_elements::<4>(bytes),
        8 => swap_elements::<8>(bytes),
        _ => {}
    }
}

fn swap_elements<const SIZE: usize>(bytes: &mut [u8]) {
    for element in bytes.as_chunks_mut::<SIZE>().0 {
        element.reverse();
    }
}

/// A number in memory, as the processor has it.
trait Native: Copy {
    type Bytes: Copy;
    fn chunks(bytes: &[u8]) -> &[Self::Bytes];
    fn chunks_mut(bytes: &mut [u8]) -> &mut [Self::Bytes];
    fn load(bytes: Self::Bytes) -> Self;
    fn store(self) -> Self::Bytes;
}

/// The value of one type as another's.
trait ConvertTo<T> {
    fn converted(self) -> T;
}

/// A half, to tell it from a `u16`.
#[derive(Clone, Copy)]
struct Half(u16);

macro_rules! native {
    ($($type:ty, $size:literal;)*) => {$(
        impl Native for $type {
            type Bytes = [u8; $size];
            #[inline(always)]
            fn chunks(bytes: &[u8]) -> &[[u8; $size]] {
                bytes.as_chunks().0
            }
            #[inline(always)]
            fn chunks_mut(bytes: &mut [u8]) -> &mut [[u8; $size]] {
                bytes.as_chunks_mut().0
            }
            #[inline(always)]
            fn load(bytes: [u8; $size]) -> Self {
                <$type>::from_ne_bytes(bytes)
            }
            #[inline(always)]
            fn store(self) -> [u8; $size] {
                self.to_ne_bytes()
            }
        }
    )*};
}

native! { i8, 1; i16, 2; i32, 4; i64, 8; u8, 1; u16, 2; u32, 4; u64, 8; Half, 2; f32, 4; f64, 8; }

impl Half {
    #[inline(always)]
    fn from_ne_bytes(bytes: [u8; 2]) -> Self {
        Half(u16::from_ne_bytes(bytes))
    }
    #[inline(always)]
    fn to_ne_bytes(self) -> [u8; 2] {
        self.0.to_ne_bytes()
    }
}

/// Integers to integers: bounded.
macro_rules! integers {
    ($from:ty => $($to:ty)*) => {$(
        impl ConvertTo<$to> for $from {
            #[inline(always)]
            #[allow(unused_comparisons)]
            fn converted(self) -> $to {
                <$to>::try_from(self).unwrap_or(if self < 0 { <$to>::MIN } else { <$to>::MAX })
            }
        }
    )*};
}

/// Rust's `as`: integers to floats round to nearest even; floats to integers are cut and bounded, NaN is 0.
macro_rules! casts {
    ($from:ty => $($to:ty)*) => {$(
        impl ConvertTo<$to> for $from {
            #[inline(always)]
            fn converted(self) -> $to {
                self as $to
            }
        }
    )*};
}

macro_rules! integer {
    ($($from:ty)*) => {$(
        integers! { $from => i8 i16 i32 i64 u8 u16 u32 u64 }
        casts! { $from => f32 f64 }
        impl ConvertTo<Half> for $from {
            #[inline(always)]
            fn converted(self) -> Half {
                // The step over f64 is exact where the result is finite.
                Half(half::from_f64(self as f64))
            }
        }
        impl ConvertTo<$from> for Half {
            #[inline(always)]
            fn converted(self) -> $from {
                half::to_f32(self.0) as $from
            }
        }
    )*};
}

integer! { i8 i16 i32 i64 u8 u16 u32 u64 }
casts! { f32 => i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 }
casts! { f64 => i8 i16 i32 i64 u8 u16 u32 u64 f64 }

impl ConvertTo<f32> for f64 {
    #[inline(always)]
    fn converted(self) -> f32 {
        let bounded = if self.abs() > f64::from(f32::MAX) { f64::INFINITY.copysign(self) } else { self };
        bounded as f32
    }
}

impl ConvertTo<Half> for f32 {
    #[inline(always)]
    fn converted(self) -> Half {
        Half(half::from_f64(f64::from(self)))
    }
}

impl ConvertTo<Half> for f64 {
    #[inline(always)]
    fn converted(self) -> Half {
        Half(half::from_f64(self))
    }
}

impl ConvertTo<f32> for Half {
    #[inline(always)]
    fn converted(self) -> f32 {
        half::to_f32(self.0)
    }
}

impl ConvertTo<f64> for Half {
    #[inline(always)]
    fn converted(self) -> f64 {
        f64::from(half::to_f32(self.0))
    }
}

impl ConvertTo<Half> for Half {
    #[inline(always)]
    fn converted(self) -> Half {
        self
    }
}

fn run<S: Native + ConvertTo<T>, T: Native>(from: &[u8], to: &mut [u8]) {
    for (from, to) in S::chunks(from).iter().zip(T::chunks_mut(to)) {
        *to = S::load(*from).converted().store();
    }
}

fn kernel(source: Number, target: Number) -> Kernel {
    match source {
        Number::I8 => kernel_to::<i8>(target),
        Number::I16 => kernel_to::<i16>(target),
        Number::I32 => kernel_to::<i32>(target),
        Number::I64 => kernel_to::<i64>(target),
        Number::U8 => kernel_to::<u8>(target),
        Number::U16 => kernel_to::<u16>(target),
        Number::U32 => kernel_to::<u32>(target),
        Number::U64 => kernel_to::<u64>(target),
        Number::F16 => kernel_to::<Half>(target),
        Number::F32 => kernel_to::<f32>(target),
        Number::F64 => kernel_to::<f64>(target),
    }
}

/// Converts to every number.
trait ToAll:
    Native
    + ConvertTo<i8>
    + ConvertTo<i16>
    + ConvertTo<i32>
    + ConvertTo<i64>
    + ConvertTo<u8>
    + ConvertTo<u16>
    + ConvertTo<u32>
    + ConvertTo<u64>
    + ConvertTo<Half>
    + ConvertTo<f32>
    + ConvertTo<f64>
{
}

macro_rules! to_all {
    ($($type:ty)*) => {$(impl ToAll for $type {})*};
}

to_all! { i8 i16 i32 i64 u8 u16 u32 u64 Half f32 f64 }

fn kernel_to<S: ToAll>(target: Number) -> Kernel {
    match target {
        Number::I8 => run::<S, i8>,
        Number::I16 => run::<S, i16>,
        Number::I32 => run::<S, i32>,
        Number::I64 => run::<S, i64>,
        Number::U8 => run::<S, u8>,
        Number::U16 => run::<S, u16>,
        Number::U32 => run::<S, u32>,
        Number::U64 => run::<S, u64>,
        Number::F16 => run::<S, Half>,
        Number::F32 => run::<S, f32>,
        Number::F64 => run::<S, f64>,
    }
}

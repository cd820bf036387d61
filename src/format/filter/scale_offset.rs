//! Scale-offset: integers less their least, or floats scaled by a power of ten and rounded, in as few bits as they need.
//!
//! Twenty parameters: the kind of scaling (0: decimal digits of a float, 2: integers), the digits or bits, the elements of a
//! chunk, the class, size, sign and byte order of an element, whether there is a fill value, and its bytes. A chunk is the
//! number of bits (4 bytes), the size of the least value and the value (1 and 16 bytes), and the packed values. All bits set
//! are the fill value.

use super::packing::{holds, load, store, BitReader, BitWriter};
use crate::format::message::datatype::{ByteOrder, Class, Datatype};
use crate::format::message::fill::Fill;

/// How many parameters there are.
const PARAMETERS: usize = 20;

/// Bytes ahead of the packed values.
const HEADER: usize = 21;

/// How many times its size a chunk becomes at most that is not one value, or is written here.
pub(super) const MAX_RATIO: usize = 64;

/// A chunk of so many bytes is not written with no bits at all, so that what comes out of few bytes has a limit.
const MOST_FROM_NOTHING: usize = 32 << 20;

/// The kinds of scaling. The format has another one for floats, 1, which libhdf5 never had.
const DECIMAL: u32 = 0;
const INTEGER: u32 = 2;

/// What the parameters say.
struct Plan {
    count: usize,
    /// Bytes of an element: 1, 2, 4 or 8.
    size: usize,
    is_big: bool,
    scale: Scale,
    fill: Option<u64>,
}

#[derive(Clone, Copy)]
enum Scale {
    /// In so many bits; 0: as few as they need.
    Integer { is_signed: bool, bits: u32 },
    /// So many decimal digits.
    Decimal(i32),
}

/// Values that are ready to be packed.
struct Packed {
    bits: u32,
    /// The least value, as it is stored.
    least: u64,
    /// What an element becomes; none where all bits are needed, and elements stay as they are.
    values: Option<Vec<u64>>,
}

impl Plan {
    fn of(parameters: &[u32]) -> Result<Plan, &'static str> {
        let [kind, factor, count, class, size, sign, order, has_fill, fill @ ..] = parameters else {
            return Err("it has less than eight parameters");
        };
        if parameters.len() != PARAMETERS {
            return Err("it has not twenty parameters");
        }
        let (factor, bits) = (*factor as i32, 8 * u64::from(*size));
        let scale = match (*class, *kind, *size, *sign) {
            (0, INTEGER, 1 | 2 | 4 | 8, 0 | 1) if i64::from(factor) <= bits as i64 => {
                Scale::Integer { is_signed: *sign == 1, bits: factor.max(0) as u32 }
            }
            (1, DECIMAL, 4 | 8, _) => Scale::Decimal(factor),
            _ => return Err("its parameters describe no numbers that it knows"),
        };
        let fill = u64::from(fill[0]) | u64::from(fill[1]) << 32;
        let fill = (*has_fill != 0).then_some(fill & u64::MAX >> (64 - bits));
        let is_big = match *order {
            0 => false,
            1 => true,
            _ => return Err("its parameters name no byte order"),
        };
        Ok(Plan { count: *count as usize, size: *size as usize, is_big, scale, fill })
    }

    /// Bits of an element.
    fn width(&self) -> u32 {
        8 * self.size as u32
    }

    /// Whether chunks are stored as they are.
    fn is_copy(&self) -> bool {
        matches!(self.scale, Scale::Integer { bits, .. } if bits == self.width())
    }

    fn bytes(&self) -> usize {
        self.count.saturating_mul(self.size)
    }

    fn least_bits(&self) -> u32 {
        u32::from(self.bytes() > MOST_FROM_NOTHING)
    }
}

/// As many bits as `most` values need.
fn bits_for(most: u64) -> u32 {
    most.saturating_sub(1).checked_ilog2().map_or(0, |bits| bits + 1)
}

/// The packed value that stands for the fill value.
fn code(bits: u32) -> u64 {
    if bits == 0 {
        0
    } else {
        u64::MAX >> (64 - bits)
    }
}

/// Decodes data that become at most as many bytes as `out` has; how many they became.
pub(super) fn decode(parameters: &[u32], data: &[u8], out: &mut [u8]) -> Result<usize, &'static str> {
    const LARGE: &str = "the data become larger than what was stored";
    const SHORT: &str = "the packed data end early";
    let plan = Plan::of(parameters)?;
    if plan.is_copy() {
        out.get_mut(..data.len()).ok_or(LARGE)?.copy_from_slice(data);
        return Ok(data.len());
    }
    let out = out.get_mut(..plan.bytes()).ok_or(LARGE)?;
    let (header, packed) = data.split_at_checked(HEADER).ok_or(SHORT)?;
    let bits = load(&header[..4], false) as u32;
    if bits > plan.width() {
        return Err("more bits than an element has");
    }
    if !holds(packed.len(), plan.count as u64, bits.into()) {
        return Err(SHORT);
    }
    let length = usize::from(header[4]).min(8);
    let least = load(&header[5..5 + length], false);
    let reader = BitReader::new(packed);
    let elements = out.chunks_exact_mut(plan.size);
    if bits == plan.width() {
        // In the byte order of the machine that wrote them, which is taken to be little-endian.
        let stored = packed.chunks_exact(plan.size);
        elements.zip(stored).for_each(|(out, element)| store(load(element, false), plan.is_big, out));
        return Ok(plan.bytes());
    }
    let plan = (&plan, bits);
    match plan.0.scale {
        Scale::Integer { .. } => unpack(plan, reader, elements, |packed| packed.wrapping_add(least)),
        Scale::Decimal(digits) if plan.0.size == 4 => {
            let (scale, least) = (10f32.powf(digits as f32), f32::from_bits(least as u32));
            unpack(plan, reader, elements, |packed| (packed as i32 as f32 / scale + least).to_bits().into());
        }
        Scale::Decimal(digits) => {
            let (scale, least) = (10f64.powf(f64::from(digits)), f64::from_bits(least));
            unpack(plan, reader, elements, |packed| (packed as i64 as f64 / scale + least).to_bits());
        }
    }
    Ok(plan.0.bytes())
}

/// Makes elements of packed values.
fn unpack(
    (plan, bits): (&Plan, u32),
    mut reader: BitReader<'_>,
    elements: std::slice::ChunksExactMut<'_, u8>,
    value: impl Fn(u64) -> u64,
) {
    let code = plan.fill.map(|fill| (code(bits), fill));
    for element in elements {
        let packed = reader.take(bits);
        let value = match code {
            Some((code, fill)) if packed == code => fill,
            _ => value(packed),
        };
        store(value, plan.is_big, element);
    }
}

/// Encodes the elements of a chunk.
pub(super) fn encode(parameters: &[u32], data: &[u8], out: &mut Vec<u8>) -> Result<(), &'static str> {
    let plan = Plan::of(parameters)?;
    out.clear();
    if plan.is_copy() {
        out.extend_from_slice(data);
        return Ok(());
    }
    if data.len() != plan.bytes() || data.is_empty() {
        return Err("the data are not the elements that its parameters say");
    }
    let elements = data.chunks_exact(plan.size).map(|element| load(element, plan.is_big));
    let packed = match plan.scale {
        Scale::Integer { is_signed, bits } => integers(&plan, is_signed, bits, elements)?,
        Scale::Decimal(digits) if plan.size == 4 => singles(&plan, digits, elements)?,
        Scale::Decimal(digits) => doubles(&plan, digits, elements)?,
    };
    out.extend_from_slice(&packed.bits.to_le_bytes());
    out.push(8);
    out.extend_from_slice(&packed.least.to_le_bytes());
    out.extend_from_slice(&[0; 8]);
    let Some(values) = packed.values else {
        let begin = out.len();
        out.resize(begin + data.len(), 0);
        let stored = out[begin..].chunks_exact_mut(plan.size);
        data.chunks_exact(plan.size)
            .zip(stored)
            .for_each(|(element, stored)| store(load(element, plan.is_big), false, stored));
        return Ok(());
    };
    let mut writer = BitWriter::new(out);
    values.into_iter().for_each(|value| writer.put(value, packed.bits));
    writer.finish();
    Ok(())
}

fn integers(
    plan: &Plan,
    is_signed: bool,
    bits: u32,
    elements: impl Iterator<Item = u64> + Clone,
) -> Result<Packed, &'static str> {
    let whole = code(plan.width());
    let sign = if is_signed { whole / 2 + 1 } else { 0 };
    // With the sign bit exchanged, the order is that of unsigned numbers.
    let values = elements.clone().filter(|&value| Some(value) != plan.fill).map(|value| value ^ sign);
    let (least, most) = values.fold((u64::MAX, 0), |(least, most), value| (least.min(value), most.max(value)));
    let (least, most) = if least > most { (sign, sign) } else { (least, most) };
    let (span, has_fill) = (most - least, plan.fill.is_some());
    let least = least ^ sign;
    let extended = if is_signed && least & sign != 0 { least | !whole } else { least };
    let bits = match bits {
        0 if span > whole - 2 => {
            // libhdf5 says the least value here for one type only.
            let least = if is_signed && plan.size == 1 && !has_fill { extended } else { 0 };
            return Ok(Packed { bits: plan.width(), least, values: None });
        }
        0 => bits_for(span + 1 + u64::from(has_fill)).max(plan.least_bits()),
        // libhdf5 cuts what does not fit.
        bits if span > code(bits) || has_fill && span == code(bits) => {
            return Err("values that do not fit into the bits that its parameters say");
        }
        bits => bits,
    };
    let value = |value: u64| if Some(value) == plan.fill { code(bits) } else { value.wrapping_sub(least) & whole };
    let values = (bits < plan.width()).then(|| elements.map(value).collect());
    Ok(Packed { bits, least: extended, values })
}

/// Floats are scaled with the arithmetic of their own type, as libhdf5 does it.
macro_rules! scaled {
    ($name:ident, $float:ident, $bits:ident) => {
        fn $name(
            plan: &Plan,
            digits: i32,
            elements: impl Iterator<Item = u64> + Clone,
        ) -> Result<Packed, &'static str> {
            let width = $bits::BITS;
            let scale = (10 as $float).powf(digits as $float);
            let elements = elements.map(|bits| $float::from_bits(bits as $bits));
            if elements.clone().any(|value| !(value * scale).is_finite()) {
                return Err("values that are not finite, or too large with their digits");
            }
            let fill = plan.fill.map(|fill| $float::from_bits(fill as $bits));
            // libhdf5 compares once with a power that is a double, and once with one of the type.
            let near = 10f64.powf(f64::from(-digits));
            let is_fill = |value: $float| fill.is_some_and(|fill| f64::from(value - fill).abs() < near);
            let mut values = elements.clone().filter(|&value| !is_fill(value));
            let first = values.next().unwrap_or(0.0);
            let widen = |(least, most): ($float, $float), value: $float| {
                (if value < least { value } else { least }, if value > most { value } else { most })
            };
            let (least, most) = values.fold((first, first), widen);
            let span = (most * scale - least * scale).round();
            if span > (2 as $float).powf((width - 1) as $float) {
                return Ok(Packed { bits: width, least: 0, values: None });
            }
            let bits = bits_for(span as u64 + 1 + u64::from(fill.is_some())).max(plan.least_bits());
            let least_bits = u64::from(least.to_bits());
            if bits >= width {
                return Ok(Packed { bits: width, least: least_bits, values: None });
            }
            let near = (10 as $float).powf(-digits as $float);
            let value = |value: $float| {
                if fill.is_some_and(|fill| (value - fill).abs() < near) {
                    return Ok(code(bits));
                }
                let scaled = (value * scale - least * scale).round();
                if (0.0..=span).contains(&scaled) {
                    Ok(scaled as u64)
                } else {
                    Err("values between those that are the fill value and those that are not")
                }
            };
            let values = elements.map(value).collect::<Result<Vec<u64>, &'static str>>()?;
            Ok(Packed { bits, least: least_bits, values: Some(values) })
        }
    };
}

scaled!(singles, f32, u32);
scaled!(doubles, f64, u64);

/// Whether chunks can be written with these parameters.
pub(super) fn check(parameters: &[u32]) -> Result<(), &'static str> {
    Plan::of(parameters).map(|_| ())
}

/// The parameters for chunks of so many elements of a type; `given` are the kind of scaling, and the digits or bits.
pub(super) fn parameters(given: &[u32], datatype: &Datatype, count: u32, fill: &Fill) -> Result<Vec<u32>, String> {
    let (bits, class, sign) = match &datatype.class {
        Class::FixedPoint { bits, signed } => (bits, 0, u32::from(*signed)),
        Class::FloatingPoint(float) => (&float.bits, 1, 0),
        _ => return Err("types other than integers and floats".into()),
    };
    let order = match bits.order {
        ByteOrder::Little => 0,
        ByteOrder::Big => 1,
        ByteOrder::Vax => return Err("numbers in VAX byte order".into()),
    };
    let (kind, factor) = match given {
        [] if class == 0 => (INTEGER, 0),
        [kind, factor] => (*kind, *factor),
        _ => {
            return Err(
                "other parameters than the kind of scaling (0: decimal digits, 2: integers) and its factor".into()
            )
        }
    };
    let mut all = vec![kind, factor, count, class, datatype.size, sign, order, 0];
    all.resize(PARAMETERS, 0);
    let value = match fill {
        Fill::Undefined => None,
        Fill::Default => Some(0),
        Fill::Value(value) if value.len() <= 8 => Some(load(value, order == 1)),
        Fill::Value(_) => return Err("numbers of more than 8 bytes".into()),
    };
    if let Some(value) = value {
        all[7] = 1;
        all[8] = value as u32;
        all[9] = (value >> 32) as u32;
    }
    check(&all).map(|()| all).map_err(|_| {
        let sizes = "integers of 1, 2, 4 or 8 bytes with 2 and at most their bits, floats of 4 or 8 with 0 and digits";
        format!(
            "{datatype_size}-byte numbers with the parameters {kind} and {factor}; it takes {sizes}",
            datatype_size = datatype.size
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plan(kind: u32, factor: i32, count: usize, size: u32, sign: u32, order: u32, fill: Option<u64>) -> Vec<u32> {
        let mut all = vec![kind, factor as u32, count as u32, u32::from(kind == DECIMAL), size, sign, order];
        all.extend([u32::from(fill.is_some()), fill.unwrap_or(0) as u32, (fill.unwrap_or(0) >> 32) as u32]);
        all.resize(PARAMETERS, 0);
        all
    }

    fn bytes(values: &[u64], size: u32, order: u32) -> Vec<u8> {
        let mut all = vec![0; values.len() * size as usize];
        let elements = all.chunks_exact_mut(size as usize);
        elements.zip(values).for_each(|(element, &value)| store(value, order == 1, element));
        all
    }

    proptest! {
        #[test]
        fn integers_come_back(
            values in proptest::collection::vec(any::<u64>(), 1..40), narrow in 0..64u32, base: u64,
            log in 0..4u32, sign in 0..2u32, order in 0..2u32, fill: Option<u8>,
        ) {
            let size = 1 << log;
            let values: Vec<u64> = values.iter().map(|value| (value >> narrow).wrapping_add(base)).collect();
            let fill = fill.map(|fill| values[usize::from(fill) % values.len()] & code(8 * size));
            let parameters = plan(INTEGER, 0, values.len(), size, sign, order, fill);
            let data = bytes(&values, size, order);
            let (mut packed, mut out) = (Vec::new(), vec![0x55; data.len()]);
            encode(&parameters, &data, &mut packed).unwrap();
            prop_assert_eq!(decode(&parameters, &packed, &mut out), Ok(data.len()));
            prop_assert_eq!(&out, &data);
            prop_assert!(packed.len() <= HEADER + 1 + data.len());
            let end = HEADER + (packed.len() - HEADER).saturating_sub(2);
            prop_assert!(packed[0] == 0 || decode(&parameters, &packed[..end], &mut out).is_err());
            prop_assert!(decode(&parameters, &packed, &mut out[1..]).is_err());
        }

        #[test]
        fn floats_keep_their_digits(values in proptest::collection::vec(-1e6..1e6f64, 1..40), digits in 0..5i32, order in 0..2u32) {
            for (size, error) in [(8, 1e-9), (4, 0.2)] {
                let to_bits = |value: f64| if size == 8 { value.to_bits() } else { u64::from((value as f32).to_bits()) };
                let of_bits = |bits: u64| if size == 8 { f64::from_bits(bits) } else { f64::from(f32::from_bits(bits as u32)) };
                let values: Vec<u64> = values.iter().map(|&value| to_bits(value)).collect();
                let data = bytes(&values, size, order);
                let parameters = plan(DECIMAL, digits, values.len(), size, 0, order, Some(to_bits(-7.5)));
                let (mut packed, mut out) = (Vec::new(), vec![0x55; data.len()]);
                encode(&parameters, &data, &mut packed).unwrap();
                prop_assert_eq!(decode(&parameters, &packed, &mut out), Ok(data.len()));
                for (element, value) in out.chunks(size as usize).zip(values) {
                    let (found, wanted) = (of_bits(load(element, order == 1)), of_bits(value));
                    prop_assert!((found - wanted).abs() <= 1.01 * 10f64.powi(-digits) + error, "{} for {}", found, wanted);
                }
            }
        }

        #[test]
        fn damage_is_no_danger(
            factor: u32, count in 0..40u32, class in 0..3u32, log in 0..5u32, sign in 0..3u32, order in 0..3u32,
            fill: u32, data in proptest::collection::vec(any::<u8>(), 0..80),
        ) {
            for kind in 0..3 {
                let mut parameters = vec![kind, factor % 70, count, class, 1 << log, sign, order, fill & 1, fill, fill];
                parameters.resize(PARAMETERS, 0);
                let mut out = vec![0; 200];
                let _ = decode(&parameters, &data, &mut out);
                let _ = encode(&parameters, &data, &mut Vec::new());
            }
        }
    }

    #[test]
    fn bits_are_counted() {
        let found: Vec<u32> = [1, 2, 3, 4, 5, 8, 9, 1 << 63, (1 << 63) + 1].into_iter().map(bits_for).collect();
        assert_eq!(found, [0, 1, 2, 2, 3, 3, 4, 63, 64]);
        let mut packed = Vec::new();
        encode(&plan(INTEGER, 0, 4, 2, 1, 0, Some(0)), &bytes(&[0, 0xfffd, 0xfffe, 4], 2, 0), &mut packed).unwrap();
        // Four bits for -3, -2, 4 and a fill value of 0; the least is -3.
        assert_eq!(packed[..5], [4, 0, 0, 0, 8]);
        assert_eq!(packed[5..13], [0xfd, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
        assert_eq!(packed[21..], [0xf0, 0x17, 0]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let encode =
            |parameters: &[u32], values: &[u64], size| encode(parameters, &bytes(values, size, 0), &mut Vec::new());
        assert!(encode(&plan(INTEGER, 3, 2, 2, 0, 0, None), &[10, 17], 2).is_ok());
        assert!(encode(&plan(INTEGER, 3, 2, 2, 0, 0, None), &[10, 18], 2).unwrap_err().contains("do not fit"));
        assert!(encode(&plan(INTEGER, 3, 2, 2, 0, 0, Some(5)), &[10, 17], 2).is_err());
        assert!(encode(&plan(INTEGER, 3, 3, 2, 0, 0, Some(5)), &[5, 10, 16], 2).is_ok());
        let float = |value: f64| encode(&plan(DECIMAL, 2, 2, 8, 0, 0, None), &[value.to_bits(), 0], 8);
        assert!(float(1.5).is_ok());
        assert!(float(f64::NAN).is_err() && float(f64::INFINITY).is_err() && float(1e307).is_err());
    }
}

//! The Datatype message (specification, IV.A.2.d), versions 1 to 5, every class. The raw bytes are always kept, so that
//! what is only carried along is written back as it was.

use crate::error::Result;

/// The deepest nesting that is followed.
pub const MAX_DEPTH: usize = 32;

/// A datatype as a file describes it. Two are equal that describe the same elements, in whatever version; the order in which
/// members or names are listed does not count, as in libhdf5.
#[derive(Debug, Clone)]
pub struct Datatype {
    /// The version of the description.
    pub version: u8,
    /// Bytes of an element.
    pub size: u32,
    /// The class and its properties.
    pub class: Class,
    /// The encoded description, without what may follow it.
    pub raw: Vec<u8>,
}

/// The order of an element's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteOrder {
    /// Least significant first.
    Little,
    /// Most significant first.
    Big,
    /// VAX: pairs of bytes, mixed.
    Vax,
}

/// How the mantissa of a float is normalized.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Normalization {
    /// Not.
    None = 0,
    /// Its most significant bit is always set, and stored.
    Stored = 1,
    /// Its most significant bit is always set, and not stored (IEEE).
    Implied = 2,
}

/// How a string ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StringPadding {
    /// With a NUL.
    NullTerminated = 0,
    /// Filled up with NULs.
    NullPadded = 1,
    /// Filled up with spaces.
    SpacePadded = 2,
}

/// A string's character set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CharacterSet {
    /// ASCII.
    Ascii = 0,
    /// UTF-8.
    Utf8 = 1,
}

/// Where the bits of a number are, and what is in the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bits {
    /// The order of the bytes.
    pub order: ByteOrder,
    /// The bits below are set.
    pub low_pad: bool,
    /// The bits above are set.
    pub high_pad: bool,
    /// The first bit.
    pub offset: u16,
    /// The number of bits.
    pub precision: u16,
}

/// The fields of a floating-point number, as bit positions and lengths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Float {
    /// Order, padding, offset and precision.
    pub bits: Bits,
    /// Unused bits between the fields are set.
    pub internal_pad: bool,
    /// The mantissa's normalization.
    pub normalization: Normalization,
    /// The position of the sign bit.
    pub sign_position: u8,
    /// The position of the exponent.
    pub exponent_position: u8,
    /// The exponent's bits.
    pub exponent_size: u8,
    /// The position of the mantissa.
    pub mantissa_position: u8,
    /// The mantissa's bits.
    pub mantissa_size: u8,
    /// What is added to the exponent.
    pub exponent_bias: u32,
}

/// A member of a compound datatype.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: Vec<u8>,
    /// Where it begins in the element.
    pub offset: u32,
    /// Its datatype. A version 1 array member is an array datatype here.
    pub datatype: Datatype,
}

/// A datatype's class and properties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Class {
    /// An integer.
    FixedPoint {
        /// Where its bits are.
        bits: Bits,
        /// Two's complement, else unsigned.
        signed: bool,
    },
    /// A float.
    FloatingPoint(Float),
    /// A time (never implemented by libhdf5).
    Time {
        /// The order of the bytes.
        order: ByteOrder,
        /// The number of bits.
        precision: u16,
    },
    /// A string of fixed length.
    String {
        /// How it ends.
        padding: StringPadding,
        /// Its characters.
        charset: CharacterSet,
    },
    /// A field of bits.
    BitField(Bits),
    /// Bytes without a meaning.
    Opaque {
        /// What they are, without its padding of NULs.
        tag: Vec<u8>,
    },
    /// A record.
    Compound {
        /// Its members, in the order of their description.
        members: Vec<Member>,
    },
    /// A reference.
    Reference {
        /// 0 object, 1 region; since version 4 also 2 object, 3 region, 4 attribute in the new encoding.
        kind: u8,
        /// The version of the new encoding.
        version: u8,
    },
    /// An enumeration.
    Enumeration {
        /// The integer that stores it.
        base: Box<Datatype>,
        /// The names.
        names: Vec<Vec<u8>>,
        /// The values, one after the other, in the base's encoding.
        values: Vec<u8>,
    },
    /// A sequence or string of variable length.
    VariableLength {
        /// A string: its padding and characters; else a sequence.
        string: Option<(StringPadding, CharacterSet)>,
        /// The datatype of the elements.
        base: Box<Datatype>,
    },
    /// An array.
    Array {
        /// Its dimensions.
        dims: Vec<u32>,
        /// The datatype of the elements.
        base: Box<Datatype>,
    },
    /// A complex number in rectangular form (version 5).
    Complex {
        /// The datatype of its two parts.
        base: Box<Datatype>,
    },
}

impl Class {
    /// The number that the format gives the class.
    pub fn number(&self) -> u8 {
        match self {
            Class::FixedPoint { .. } => 0,
            Class::FloatingPoint(_) => 1,
            Class::Time { .. } => 2,
            Class::String { .. } => 3,
            Class::BitField(_) => 4,
            Class::Opaque { .. } => 5,
            Class::Compound { .. } => 6,
            Class::Reference { .. } => 7,
            Class::Enumeration { .. } => 8,
            Class::VariableLength { .. } => 9,
            Class::Array { .. } => 10,
            Class::Complex { .. } => 11,
        }
    }
}

impl PartialEq for Datatype {
    fn eq(&self, other: &Self) -> bool {
        if self.size != other.size {
            return false;
        }
        match (&self.class, &other.class) {
            (Class::Compound { members: a }, Class::Compound { members: b }) => {
                a.len() == b.len() && (a == b || sorted_members(a) == sorted_members(b))
            }
            (
                Class::Enumeration { base: a, names: names_a, values: values_a },
                Class::Enumeration { base: b, names: names_b, values: values_b },
            ) => {
                let named = |names, values| sorted_names(names, values, self.size);
                a == b && names_a.len() == names_b.len() && named(names_a, values_a) == named(names_b, values_b)
            }
            (a, b) => a == b,
        }
    }
}

impl Eq for Datatype {}

fn sorted_members(members: &[Member]) -> Vec<&Member> {
    let mut sorted: Vec<_> = members.iter().collect();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    sorted
}

fn sorted_names<'a>(names: &'a [Vec<u8>], values: &'a [u8], size: u32) -> Vec<(&'a [u8], &'a [u8])> {
    let values = values.chunks_exact(size.max(1) as usize);
    let mut sorted: Vec<_> = names.iter().map(Vec::as_slice).zip(values).collect();
    sorted.sort_unstable();
    sorted
}

impl Datatype {
    /// Decodes the datatype that begins `bytes`; `raw.len()` is what it took of them.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        super::datatype_decode::decode(bytes)
    }

    /// A datatype of `class` with elements of `size` bytes, and its encoded description: in version 1 where that says
    /// everything, else in the lowest version that does and that libhdf5 1.8 writes.
    pub fn new(class: Class, size: u32) -> Self {
        let version = super::datatype_encode::version(&class);
        let raw = super::datatype_encode::encode(&class, version, size);
        Datatype { version, size, class, raw }
    }

    /// A two's complement or unsigned integer of `size` bytes, all bits used.
    pub fn fixed_point(size: u8, signed: bool, order: ByteOrder) -> Self {
        let bits = Bits { order, low_pad: false, high_pad: false, offset: 0, precision: 8 * u16::from(size) };
        Self::new(Class::FixedPoint { bits, signed }, u32::from(size))
    }

    /// An IEEE float of 2, 4 or 8 bytes; `None` for another size.
    pub fn floating_point(size: u8, order: ByteOrder) -> Option<Self> {
        let (exponent_size, mantissa_size) = match size {
            2 => (5, 10),
            4 => (8, 23),
            8 => (11, 52),
            _ => return None,
        };
        let precision = 8 * u16::from(size);
        let float = Float {
            bits: Bits { order, low_pad: false, high_pad: false, offset: 0, precision },
            internal_pad: false,
            normalization: Normalization::Implied,
            sign_position: 8 * size - 1,
            exponent_position: mantissa_size,
            exponent_size,
            mantissa_position: 0,
            mantissa_size,
            exponent_bias: (1 << (exponent_size - 1)) - 1,
        };
        Some(Self::new(Class::FloatingPoint(float), u32::from(size)))
    }

    /// A string of `size` bytes.
    pub fn string(size: u32, padding: StringPadding, charset: CharacterSet) -> Self {
        Self::new(Class::String { padding, charset }, size)
    }

    /// Whether it is a compound or an enumeration without a member. No file has such a compound.
    pub fn is_empty_record(&self) -> bool {
        match &self.class {
            Class::Compound { members } => members.is_empty(),
            Class::Enumeration { names, .. } => names.is_empty(),
            _ => false,
        }
    }

    /// Whether an element, or a part of it, is a reference into a global heap: of variable length, or a reference to
    /// a region or in the new encoding. Such values are not complete without the file that they are in.
    pub fn refers_to_heap(&self) -> bool {
        self.any(&|class| match class {
            Class::VariableLength { .. } => true,
            Class::Reference { kind, .. } => *kind != 0,
            _ => false,
        })
    }

    /// Whether an element, or a part of it, is of variable length or a reference in the new encoding.
    pub fn has_pointers(&self) -> bool {
        self.any(&|class| match class {
            Class::VariableLength { .. } => true,
            Class::Reference { kind, .. } => *kind > 1,
            _ => false,
        })
    }

    /// Whether an element, or a part of it, is a sequence or a string of variable length.
    pub fn has_variable_length(&self) -> bool {
        self.any(&|class| matches!(class, Class::VariableLength { .. }))
    }

    fn any(&self, is: &dyn Fn(&Class) -> bool) -> bool {
        is(&self.class)
            || match &self.class {
                Class::Compound { members } => members.iter().any(|member| member.datatype.any(is)),
                Class::Enumeration { base, .. } | Class::Array { base, .. } | Class::Complex { base } => base.any(is),
                _ => false,
            }
    }
}

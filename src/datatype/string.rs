//! Fixed-length strings: their message and their conversion.

use std::fmt;

use super::{Datatype, FixedString, Repr, STRING, VERSION_1};
use crate::format::codec::Writer;

/// What follows the characters of a string that is shorter than its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Padding {
    /// At least one zero byte.
    NullTerminated,
    /// Zero bytes, none when the string fills its type.
    NullPadded,
    /// Spaces, none when the string fills its type (Fortran).
    SpacePadded,
}

/// How characters are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CharacterSet {
    /// US ASCII.
    Ascii,
    /// Unicode in UTF-8.
    Utf8,
}

impl fmt::Display for Padding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Padding::NullTerminated => "null-terminated",
            Padding::NullPadded => "null-padded",
            Padding::SpacePadded => "space-padded",
        })
    }
}

impl fmt::Display for CharacterSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CharacterSet::Ascii => "ASCII",
            CharacterSet::Utf8 => "UTF-8",
        })
    }
}

pub(super) fn to_message(string: FixedString) -> Vec<u8> {
    let mut w = Writer::new();
    let character_set = (string.character_set as u8) << 4;
    w.u8(VERSION_1 | STRING).bytes(&[string.padding as u8 | character_set, 0, 0]).u32(string.size);
    w.finish()
}

pub(super) fn from_message(message: &[u8]) -> Option<Datatype> {
    if message[0] & 0x0f != STRING || message[2..4] != [0, 0] {
        return None;
    }
    let padding = match message[1] & 0x0f {
        0 => Padding::NullTerminated,
        1 => Padding::NullPadded,
        2 => Padding::SpacePadded,
        _ => return None,
    };
    let character_set = match message[1] >> 4 {
        0 => CharacterSet::Ascii,
        1 => CharacterSet::Utf8,
        _ => return None,
    };
    let size = u32::from_le_bytes([message[4], message[5], message[6], message[7]]);
    (size > 0).then_some(Datatype(Repr::String(FixedString { size, padding, character_set })))
}

/// Whether elements of `source` can be converted to `target`: as in libhdf5, except that ASCII is taken as the UTF-8 it is.
pub(super) fn is_convertible(source: FixedString, target: FixedString) -> bool {
    source.character_set == target.character_set || source.character_set == CharacterSet::Ascii
}

/// Converts every element: the characters, as many as fit, then the target's padding.
pub(super) fn convert(source: FixedString, target: FixedString, from: &[u8], to: &mut [u8]) {
    let elements = from.chunks_exact(source.size as usize).zip(to.chunks_exact_mut(target.size as usize));
    let fill = if target.padding == Padding::SpacePadded { b' ' } else { 0 };
    for (from, to) in elements {
        let characters = match source.padding {
            Padding::SpacePadded => from.len() - from.iter().rev().take_while(|&&byte| byte == b' ').count(),
            _ => from.iter().position(|&byte| byte == 0).unwrap_or(from.len()),
        };
        let kept = characters.min(to.len());
        to[..kept].copy_from_slice(&from[..kept]);
        to[kept..].fill(fill);
        if target.padding == Padding::NullTerminated {
            if let Some(last) = to.last_mut() {
                *last = 0;
            }
        }
    }
}

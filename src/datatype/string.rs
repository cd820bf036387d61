//! Fixed-length strings: their message and their conversion.

use super::message::{self, CharacterSet, Class, StringPadding};
use super::{Datatype, FixedString, Repr};

/// How a padding is called in messages to the user.
pub(super) fn padding_name(padding: StringPadding) -> &'static str {
    match padding {
        StringPadding::NullTerminated => "null-terminated",
        StringPadding::NullPadded => "null-padded",
        StringPadding::SpacePadded => "space-padded",
    }
}

/// How a character set is called.
pub(super) fn set_name(set: CharacterSet) -> &'static str {
    match set {
        CharacterSet::Ascii => "ASCII",
        CharacterSet::Utf8 => "UTF-8",
    }
}

/// The message of a string.
pub(super) fn message(string: FixedString) -> [u8; 8] {
    let [a, b, c, d] = string.size.to_le_bytes();
    [0x13, string.padding as u8 | (string.character_set as u8) << 4, 0, 0, a, b, c, d]
}

/// The string that the decoded message describes.
pub(super) fn from_message(message: &message::Datatype) -> Option<Datatype> {
    let Class::String { padding, charset } = message.class else { return None };
    Some(Datatype(Repr::String(FixedString { size: message.size, padding, character_set: charset })))
}

/// Whether elements of `source` can be converted to `target`: as in libhdf5, except that ASCII is taken as the UTF-8 it is.
pub(super) fn is_convertible(source: FixedString, target: FixedString) -> bool {
    source.character_set == target.character_set || source.character_set == CharacterSet::Ascii
}

/// Converts every element: the characters, as many as fit, then the target's padding.
pub(super) fn convert(source: FixedString, target: FixedString, from: &[u8], to: &mut [u8]) {
    let elements = from.chunks_exact(source.size as usize).zip(to.chunks_exact_mut(target.size as usize));
    let fill = if target.padding == StringPadding::SpacePadded { b' ' } else { 0 };
    for (from, to) in elements {
        let characters = match source.padding {
            StringPadding::SpacePadded => from.len() - from.iter().rev().take_while(|&&byte| byte == b' ').count(),
            _ => from.iter().position(|&byte| byte == 0).unwrap_or(from.len()),
        };
        let kept = characters.min(to.len());
        to[..kept].copy_from_slice(&from[..kept]);
        to[kept..].fill(fill);
        if target.padding == StringPadding::NullTerminated {
            if let Some(last) = to.last_mut() {
                *last = 0;
            }
        }
    }
}

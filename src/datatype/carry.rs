//! The elements of a file as those of a copy: what they own in the global heap is stored anew.

use super::message::{self, Class};
use super::{plan, Datatype};
use crate::error::{Error, Result};
use crate::format::Sizes;

/// Where copied elements get what they own.
pub trait Carry {
    /// The bytes of a heap object of the source.
    fn object(&mut self, address: u64, index: u32) -> Result<Vec<u8>>;
    /// Stores a heap object for the copy.
    fn store(&mut self, bytes: &[u8]) -> Result<(u64, u32)>;
    /// Whether the copy is in the same file, where references mean the same.
    fn keeps_references(&self) -> bool;
    /// Whether elements go on referring to a heap object of the source.
    fn stays(&self, _address: u64, _index: u32) -> bool {
        false
    }
}

impl Datatype {
    /// Whether elements have parts that mean something in their file only: values in its global heap, and references.
    pub fn is_bound_to_file(&self) -> Result<bool> {
        Ok(self.has_pointers() || self.as_class().is_some() && has_references(&self.description()?))
    }

    /// Makes elements those of a copy, in place. The type is in its form in a file; both files have the same `sizes`.
    /// References become null where the copy does not keep them.
    pub fn carry(&self, elements: &mut [u8], sizes: Sizes, heap: &mut dyn Carry) -> Result<()> {
        carry(&self.description()?, elements, sizes, heap)
    }
}

fn has_references(datatype: &message::Datatype) -> bool {
    match &datatype.class {
        Class::Reference { .. } => true,
        Class::Compound { members } => members.iter().any(|member| has_references(&member.datatype)),
        Class::Array { base, .. } | Class::VariableLength { base, .. } => has_references(base),
        _ => false,
    }
}

fn carry(datatype: &message::Datatype, elements: &mut [u8], sizes: Sizes, heap: &mut dyn Carry) -> Result<()> {
    let (size, offset) = (datatype.size as usize, usize::from(sizes.offset));
    if !datatype.has_pointers() && (heap.keeps_references() || !has_references(datatype)) {
        return Ok(());
    }
    for element in elements.chunks_exact_mut(size) {
        match &datatype.class {
            Class::Compound { members } => {
                for member in members {
                    let range = member.offset as usize..(member.offset + member.datatype.size) as usize;
                    carry(&member.datatype, &mut element[range], sizes, heap)?;
                }
            }
            Class::Array { base, .. } => carry(base, element, sizes, heap)?,
            Class::VariableLength { base, .. } if size == offset + 8 => {
                let (address, index) = plan::heap_id(&element[4..], offset);
                if address == 0 || heap.stays(address, index) {
                    continue;
                }
                let length = u32::from_le_bytes([element[0], element[1], element[2], element[3]]) as usize;
                let mut object = heap.object(address, index)?;
                let needed = length.checked_mul(base.size as usize).filter(|&needed| needed <= object.len());
                let Some(needed) = needed else {
                    let detail = format_args!("{length} elements of {} bytes in {}", base.size, object.len());
                    return Err(Error::corrupt("value of variable length", address, detail));
                };
                object.truncate(needed);
                carry(base, &mut object, sizes, heap)?;
                plan::put_heap_id(&mut element[4..], offset, heap.store(&object)?);
            }
            Class::Reference { .. } if !heap.keeps_references() => element.fill(0),
            Class::Reference { kind: 2.., .. } if size == offset + 10 && !plan::is_inline(element) => {
                let (address, index) = plan::heap_id(&element[6..], offset);
                if address != 0 && !heap.stays(address, index) {
                    let object = heap.object(address, index)?;
                    plan::put_heap_id(&mut element[6..], offset, heap.store(&object)?);
                }
            }
            Class::VariableLength { .. } => {
                let what = format_args!("copying values of variable length in elements of {size} bytes");
                return Err(Error::unsupported(what));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datatype::{ByteOrder, CharacterSet, Number, ReferenceKind, StringPadding};

    /// Heap objects by index; the copy's get the address 2.
    struct Heap(Vec<Vec<u8>>, bool);

    impl Carry for Heap {
        fn object(&mut self, _: u64, index: u32) -> Result<Vec<u8>> {
            let missing = || Error::corrupt("heap", 1, format_args!("no object {index}"));
            self.0.get(index as usize).cloned().ok_or_else(missing)
        }
        fn store(&mut self, bytes: &[u8]) -> Result<(u64, u32)> {
            self.0.push(bytes.to_vec());
            Ok((2, self.0.len() as u32 - 1))
        }
        fn keeps_references(&self) -> bool {
            self.1
        }
    }

    fn element(length: u32, address: u64, index: u32) -> Vec<u8> {
        [&length.to_le_bytes()[..], &address.to_le_bytes(), &index.to_le_bytes()].concat()
    }

    #[test]
    fn nested_values_get_objects_of_their_own() {
        let sizes = Sizes::EIGHT;
        let text = Datatype::variable_string(StringPadding::NullTerminated, CharacterSet::Utf8).unwrap();
        let list = Datatype::sequence(&text).unwrap().to_file(sizes).unwrap();
        let strings = [element(2, 1, 0), element(0, 0, 0)].concat();
        let mut heap = Heap(vec![b"ab".to_vec(), strings], false);
        let mut raw = element(2, 1, 1);
        list.carry(&mut raw, sizes, &mut heap).unwrap();
        assert_eq!(raw, element(2, 2, 3));
        assert_eq!(heap.0[2], b"ab");
        assert_eq!(heap.0[3], [element(2, 2, 2), element(0, 0, 0)].concat());
        let mut damaged = element(3, 1, 0);
        assert!(text.to_file(sizes).unwrap().carry(&mut damaged, sizes, &mut heap).is_err());
    }

    #[test]
    fn references_are_kept_within_a_file_only() {
        let sizes = Sizes::EIGHT;
        let reference = Datatype::reference(ReferenceKind::Object).unwrap();
        let number = Datatype::number(Number::U16, ByteOrder::Little);
        assert!(reference.is_bound_to_file().unwrap() && !number.is_bound_to_file().unwrap());
        let record = Datatype::compound(10).unwrap();
        let record = record.with_member("n", 0, &number).unwrap().with_member("r", 2, &reference).unwrap();
        let before = [7, 0, 1, 2, 3, 4, 5, 6, 7, 8];
        let (mut kept, mut gone) = (before, before);
        record.carry(&mut kept, sizes, &mut Heap(Vec::new(), true)).unwrap();
        record.carry(&mut gone, sizes, &mut Heap(Vec::new(), false)).unwrap();
        assert_eq!((kept, gone), (before, [7, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
        let region = Datatype::reference(ReferenceKind::StandardRegion).unwrap().to_file(sizes).unwrap();
        let mut raw = [3, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let mut heap = Heap(vec![vec![1, 2]], true);
        region.carry(&mut raw, sizes, &mut heap).unwrap();
        assert_eq!((raw[6], raw[14], heap.0.len()), (2, 1, 2), "a heap object is owned by one element");
    }
}

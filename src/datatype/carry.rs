//! The elements of a file as those of a copy: what they own in the global heap is stored anew.

use super::message::{self, Class, Member};
use super::references::has_references;
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
        Ok(self.has_pointers() || self.has_references())
    }

    /// The elements of a copy, of this type's form in a file with the sizes `to`. The type is in its form in a file with the
    /// sizes `from`. References become null where the copy does not keep them.
    pub fn carry(&self, elements: &[u8], from: Sizes, to: Sizes, heap: &mut dyn Carry) -> Result<Vec<u8>> {
        let offsets = (usize::from(from.offset), usize::from(to.offset));
        let source = self.description()?;
        let target = if from.offset == to.offset { source.clone() } else { self.to_file(to)?.description()? };
        carry(&source, &target, elements, offsets, heap)
    }
}

/// The form of elements in the source and in the copy differs in the sizes of addresses only, which are `offsets`.
fn carry(
    source: &message::Datatype,
    target: &message::Datatype,
    elements: &[u8],
    offsets: (usize, usize),
    heap: &mut dyn Carry,
) -> Result<Vec<u8>> {
    if !source.has_pointers() && (heap.keeps_references() || !has_references(&source.class)) {
        return Ok(elements.to_vec());
    }
    let (size, new_size) = (source.size as usize, target.size as usize);
    let count = elements.len() / size.max(1);
    let mut all = vec![0; count.checked_mul(new_size).ok_or_else(|| Error::range("elements", count, "less"))?];
    for (element, copy) in elements.chunks_exact(size).zip(all.chunks_exact_mut(new_size)) {
        if size == new_size {
            copy.copy_from_slice(element);
        }
        carry_one((source, target), element, copy, offsets, heap)?;
    }
    Ok(all)
}

fn carry_one(
    (source, target): (&message::Datatype, &message::Datatype),
    element: &[u8],
    copy: &mut [u8],
    (offset, new_offset): (usize, usize),
    heap: &mut dyn Carry,
) -> Result<()> {
    let offsets = (offset, new_offset);
    match (&source.class, &target.class) {
        (Class::Compound { members }, Class::Compound { members: new_members }) => {
            for (member, new_member) in members.iter().zip(new_members) {
                let value = carry(&member.datatype, &new_member.datatype, &element[range(member)], offsets, heap)?;
                copy[range(new_member)].copy_from_slice(&value);
            }
        }
        (Class::Array { base, .. }, Class::Array { base: new_base, .. }) => {
            copy.copy_from_slice(&carry(base, new_base, element, offsets, heap)?);
        }
        (Class::VariableLength { base, .. }, Class::VariableLength { base: new_base, .. })
            if element.len() == offset + 8 =>
        {
            let (address, index) = plan::heap_id(&element[4..], offset);
            if address == 0 || heap.stays(address, index) {
                return Ok(());
            }
            let length = u32::from_le_bytes([element[0], element[1], element[2], element[3]]) as usize;
            let mut object = heap.object(address, index)?;
            let needed = length.checked_mul(base.size as usize).filter(|&needed| needed <= object.len());
            let Some(needed) = needed else {
                let detail = format_args!("{length} elements of {} bytes in {}", base.size, object.len());
                return Err(Error::corrupt("value of variable length", address, detail));
            };
            object.truncate(needed);
            let object = carry(base, new_base, &object, offsets, heap)?;
            copy[..4].copy_from_slice(&element[..4]);
            plan::put_heap_id(&mut copy[4..], new_offset, heap.store(&object)?);
        }
        (Class::VariableLength { .. }, _) => {
            let what = format_args!("copying values of variable length in elements of {} bytes", element.len());
            return Err(Error::unsupported(what));
        }
        (Class::Reference { .. }, _) if !heap.keeps_references() => copy.fill(0),
        // Of the same file: in the same form.
        (Class::Reference { kind: 2.., .. }, _) if element.len() == offset + 10 && !plan::is_inline(element) => {
            let (address, index) = plan::heap_id(&element[6..], offset);
            if address != 0 && !heap.stays(address, index) {
                let object = heap.object(address, index)?;
                plan::put_heap_id(&mut copy[6..], offset, heap.store(&object)?);
            }
        }
        _ if element.len() == copy.len() => copy.copy_from_slice(element),
        _ => return Err(Error::internal("elements whose copies have another size")),
    }
    Ok(())
}

fn range(member: &Member) -> std::ops::Range<usize> {
    member.offset as usize..member.offset as usize + member.datatype.size as usize
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
        let copy = list.carry(&element(2, 1, 1), sizes, sizes, &mut heap).unwrap();
        assert_eq!(copy, element(2, 2, 3));
        assert_eq!(heap.0[2], b"ab");
        assert_eq!(heap.0[3], [element(2, 2, 2), element(0, 0, 0)].concat());
        assert!(text.to_file(sizes).unwrap().carry(&element(3, 1, 0), sizes, sizes, &mut heap).is_err());
    }

    #[test]
    fn elements_get_the_form_of_the_other_file() {
        let (four, eight) = (Sizes { offset: 4, length: 4 }, Sizes::EIGHT);
        let text = Datatype::variable_string(StringPadding::NullTerminated, CharacterSet::Utf8).unwrap();
        let (list, number) = (Datatype::sequence(&text).unwrap(), Datatype::number(Number::U16, ByteOrder::Little));
        let record = Datatype::compound(24).unwrap();
        let record = record.with_member("n", 16, &number).unwrap().with_member("l", 0, &list).unwrap();
        let array = Datatype::array(&record, &[2]).unwrap();
        let (small, large) = (array.to_file(four).unwrap(), array.to_file(eight).unwrap());
        assert_eq!((small.size(), large.size()), (40, 48));
        let pair = |one: &[u8], n: u8| [one, &[n, 0, 0, 0, 0, 0, 0, 0]].concat();
        let short = |length: u32, index: u32| [length, 1, index].map(u32::to_le_bytes).concat();
        let strings = [short(2, 0), short(0, 0)].concat();
        let mut heap = Heap(vec![b"ab".to_vec(), strings], false);
        let raw = [pair(&short(2, 1), 5), pair(&[0; 12], 6)].concat();
        let copy = small.carry(&raw, four, eight, &mut heap).unwrap();
        assert_eq!(copy, [pair(&element(2, 2, 4), 5), pair(&[0; 16], 6)].concat());
        assert_eq!(heap.0[4], [element(2, 2, 2), element(0, 2, 3)].concat());
        let again = large.carry(&copy, eight, four, &mut heap).unwrap();
        assert_eq!(again, [pair(&[2, 0, 0, 0, 2, 0, 0, 0, 7, 0, 0, 0], 5), pair(&[0; 12], 6)].concat());
        assert_eq!(heap.0[2], b"ab");
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
        let kept = record.carry(&before, sizes, sizes, &mut Heap(Vec::new(), true)).unwrap();
        let gone = record.carry(&before, sizes, sizes, &mut Heap(Vec::new(), false)).unwrap();
        assert_eq!((&kept[..], &gone[..]), (&before[..], &[7, 0, 0, 0, 0, 0, 0, 0, 0, 0][..]));
        let region = Datatype::reference(ReferenceKind::StandardRegion).unwrap().to_file(sizes).unwrap();
        let raw = [3, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let mut heap = Heap(vec![vec![1, 2]], true);
        let raw = region.carry(&raw, sizes, sizes, &mut heap).unwrap();
        assert_eq!((raw[6], raw[14], heap.0.len()), (2, 1, 2), "a heap object is owned by one element");
    }
}

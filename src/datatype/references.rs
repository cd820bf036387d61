//! The objects of a file that elements refer to.

use super::message::{self, Class};
use super::{plan, Datatype};
use crate::error::{Error, Result};
use crate::format::Sizes;

/// Who looks for references.
pub trait Refer {
    /// The bytes of a heap object.
    fn object(&mut self, address: u64, index: u32) -> Result<Vec<u8>>;
    /// A reference leads to the object header at this address, or into it.
    fn found(&mut self, address: u64);
}

impl Datatype {
    /// Whether elements have references, of any kind.
    pub fn has_references(&self) -> bool {
        self.as_class().is_some_and(has_references)
    }

    /// Tells every object that elements refer to, null references aside. The type is in its form in a file.
    pub fn each_reference(&self, elements: &[u8], sizes: Sizes, to: &mut dyn Refer) -> Result<()> {
        match self.has_references() {
            true => visit(&self.description()?, elements, sizes, to),
            false => Ok(()),
        }
    }
}

pub(super) fn has_references(class: &Class) -> bool {
    match class {
        Class::Reference { .. } => true,
        Class::Compound { members } => members.iter().any(|member| has_references(&member.datatype.class)),
        Class::Array { base, .. } | Class::VariableLength { base, .. } => has_references(&base.class),
        _ => false,
    }
}

fn visit(datatype: &message::Datatype, elements: &[u8], sizes: Sizes, to: &mut dyn Refer) -> Result<()> {
    if !has_references(&datatype.class) {
        return Ok(());
    }
    let (size, offset) = (datatype.size as usize, usize::from(sizes.offset));
    for element in elements.chunks_exact(size) {
        match &datatype.class {
            Class::Compound { members } => {
                for member in members {
                    let range = member.offset as usize..(member.offset + member.datatype.size) as usize;
                    visit(&member.datatype, &element[range], sizes, to)?;
                }
            }
            Class::Array { base, .. } => visit(base, element, sizes, to)?,
            Class::VariableLength { base, .. } if size == offset + 8 => {
                let (address, index) = plan::heap_id(&element[4..], offset);
                if address != 0 {
                    let values = to.object(address, index)?;
                    visit(base, &values[..values.len() - values.len() % base.size as usize], sizes, to)?;
                }
            }
            Class::Reference { kind, .. } => reference(*kind, element, offset, to)?,
            _ => return Err(unknown(size)),
        }
    }
    Ok(())
}

/// One reference. A token of another file may be an address of this one, too, if the other is this one by another name.
fn reference(kind: u8, element: &[u8], offset: usize, to: &mut dyn Refer) -> Result<()> {
    let told = |bytes: &[u8], to: &mut dyn Refer| match bytes.iter().rev().fold(0, |n, &byte| n << 8 | u64::from(byte))
    {
        0 => {}
        address => to.found(address),
    };
    match kind {
        _ if element.iter().all(|&byte| byte == 0) => {}
        0 if element.len() == offset => told(element, to),
        1 if element.len() == offset + 4 => {
            let (address, index) = plan::heap_id(element, offset);
            if address != 0 {
                let object = to.object(address, index)?;
                told(object.get(..offset).ok_or_else(|| unknown(object.len()))?, to);
            }
        }
        2.. if element.len() == offset + 10 && plan::is_inline(element) => {
            let token = element.get(3..3 + usize::from(element[2])).filter(|token| token.len() <= 8);
            told(token.ok_or_else(|| unknown(element.len()))?, to);
        }
        2.. if element.len() == offset + 10 => {
            let (address, index) = plan::heap_id(&element[6..], offset);
            let object = to.object(address, index)?;
            let length = object.first().map_or(0, |&length| usize::from(length));
            let token = object.get(1..1 + length).filter(|token| token.len() <= 8);
            told(token.ok_or_else(|| unknown(object.len()))?, to);
        }
        _ => return Err(unknown(element.len())),
    }
    Ok(())
}

fn unknown(size: usize) -> Error {
    Error::unsupported(format_args!("references in elements of {size} bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datatype::{Number, ReferenceKind};

    /// Heap objects by index, and what was found.
    struct Heap(Vec<Vec<u8>>, Vec<u64>);

    impl Refer for Heap {
        fn object(&mut self, _: u64, index: u32) -> Result<Vec<u8>> {
            let missing = || Error::corrupt("heap", 1, format_args!("no object {index}"));
            self.0.get(index as usize).cloned().ok_or_else(missing)
        }
        fn found(&mut self, address: u64) {
            self.1.push(address);
        }
    }

    fn found(datatype: &Datatype, elements: &[u8], objects: &[Vec<u8>]) -> Result<Vec<u64>> {
        let mut heap = Heap(objects.to_vec(), Vec::new());
        datatype.to_file(Sizes::EIGHT)?.each_reference(elements, Sizes::EIGHT, &mut heap).map(|()| heap.1)
    }

    fn id(index: u32) -> Vec<u8> {
        [&1u64.to_le_bytes()[..], &index.to_le_bytes()].concat()
    }

    #[test]
    fn references_are_found_wherever_they_stand() {
        let object = Datatype::reference(ReferenceKind::Object).unwrap();
        let number = Datatype::little(Number::I32);
        let record = Datatype::compound(12).unwrap().with_member("n", 0, &number).unwrap();
        let record = record.with_member("r", 4, &object).unwrap();
        let one = |n: u8| [&[9; 4][..], &u64::from(n).to_le_bytes()].concat();
        let two = [one(7), one(0), one(8)].concat();
        assert_eq!(found(&record, &two, &[]).unwrap(), [7, 8]);
        let list = Datatype::sequence(&object).unwrap();
        let element = [&2u32.to_le_bytes()[..], &id(0)].concat();
        let values = [5u64.to_le_bytes(), 6u64.to_le_bytes()].concat();
        assert_eq!(found(&list, &element, std::slice::from_ref(&values)).unwrap(), [5, 6]);
        assert!(found(&list, &element, &[]).is_err(), "what cannot be read is no reference to nothing");
        assert!(found(&list, &[0; 16], &[]).unwrap().is_empty());
        let region = Datatype::reference(ReferenceKind::Region).unwrap();
        assert_eq!(found(&region, &id(0), &[values]).unwrap(), [5]);
        assert!(!Datatype::sequence(&number).unwrap().has_references() && list.has_references());
    }

    #[test]
    fn references_since_1_12_stand_in_the_element_or_in_the_heap() {
        let object = Datatype::reference(ReferenceKind::StandardObject).unwrap();
        let mut inline = vec![2, 0, 8];
        inline.extend(0x1234u64.to_le_bytes());
        inline.resize(18, 0);
        assert_eq!(found(&object, &inline, &[]).unwrap(), [0x1234]);
        let element = [&[4, 0][..], &20u32.to_le_bytes(), &id(0)].concat();
        let heap = [&[8][..], &0x5678u64.to_le_bytes(), b"\x04\0name"].concat();
        assert_eq!(found(&object, &element, &[heap]).unwrap(), [0x5678]);
        assert!(found(&object, &element, &[vec![40, 1]]).is_err());
    }
}

//! The heap objects that elements in a file own, and that are given back with them.

use super::message::{self, Class};
use super::{plan, Datatype};
use crate::error::Result;
use crate::format::Sizes;

/// Where values of variable length are given back.
pub trait Release {
    /// The bytes of a heap object.
    fn object(&mut self, address: u64, index: u32) -> Result<Vec<u8>>;
    /// Gives a heap object back, if it is there.
    fn remove(&mut self, address: u64, index: u32) -> Result<()>;
}

impl Datatype {
    /// Gives back what the elements `old` own and the elements `new` in their places (none, where there are none any
    /// more) do not. The type is in its form in a file.
    pub fn release(&self, old: &[u8], new: Option<&[u8]>, sizes: Sizes, heap: &mut dyn Release) -> Result<()> {
        match self.has_pointers() {
            true => release(&self.description()?, old, new, sizes, heap),
            false => Ok(()),
        }
    }
}

fn release(
    datatype: &message::Datatype,
    old: &[u8],
    new: Option<&[u8]>,
    sizes: Sizes,
    heap: &mut dyn Release,
) -> Result<()> {
    let (size, offset) = (datatype.size as usize, usize::from(sizes.offset));
    for (index, element) in old.chunks_exact(size).enumerate() {
        let replaced = new.and_then(|new| new.get(index * size..(index + 1) * size));
        match &datatype.class {
            Class::Compound { members } => {
                for member in members.iter().filter(|member| member.datatype.has_pointers()) {
                    let range = member.offset as usize..(member.offset + member.datatype.size) as usize;
                    let new = replaced.and_then(|new| new.get(range.clone()));
                    release(&member.datatype, &element[range], new, sizes, heap)?;
                }
            }
            Class::Array { base, .. } => release(base, element, replaced, sizes, heap)?,
            Class::VariableLength { base, .. } if size == offset + 8 => {
                let (address, object) = plan::heap_id(&element[4..], offset);
                if address == 0 || replaced.is_some_and(|new| plan::heap_id(&new[4..], offset) == (address, object)) {
                    continue;
                }
                if base.has_pointers() {
                    let values = heap.object(address, object)?;
                    let whole = values.len() - values.len() % base.size as usize;
                    release(base, &values[..whole], None, sizes, heap)?;
                }
                heap.remove(address, object)?;
            }
            Class::Reference { kind: 2.., .. } if size == offset + 10 && !plan::is_inline(element) => {
                let (address, object) = plan::heap_id(&element[6..], offset);
                let kept = |new: &[u8]| !plan::is_inline(new) && plan::heap_id(&new[6..], offset) == (address, object);
                if address != 0 && !replaced.is_some_and(kept) {
                    heap.remove(address, object)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

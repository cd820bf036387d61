//! The file's own free-space managers (specification, "Disk Format: Level 1H"): reading what a closed file says about its
//! free space, and writing it.
//!
//! libhdf5 keeps one manager for metadata and one for raw data (its "dichotomy"; global heaps count as raw data), and
//! serves each request from one of them only.

use super::{Seal, Store};
use crate::error::{Error, Result};
use crate::format::free_space::{FreeSpaceHeader, SectionWriter, CLIENT_FILE};

const WHAT: &str = "free-space manager";

/// Classes of sections that a file has: simple ones, and two of paged files.
const CLASSES: u16 = 3;
/// A section of a file without pages.
const SIMPLE: u8 = 0;
/// One of a file with pages that is for a page or more.
const LARGE: u8 = 2;

/// Address and bytes of each.
type Extents = Vec<(u64, u64)>;

/// What a file says about its free space.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Told {
    /// Free extents, ascending and disjoint.
    pub free: Extents,
    /// Free, too, but the rest of the last page of something large (see [`Space::tail`](super::Space::tail)).
    pub tails: Extents,
    /// What the managers themselves take.
    pub own: Extents,
}

/// Reads the managers at these addresses. An error where a checksum does not hold, or where what they say cannot be
/// true: sections outside the file, on each other, on the managers themselves, or on `used` extents.
pub fn read_all(store: &mut Store, addresses: &[u64], used: &[(u64, u64)]) -> Result<Told> {
    let header_length = FreeSpaceHeader::length(store.sizes()) as u64;
    let mut told = Told::default();
    for &address in addresses {
        let (header, sections) = read(store, address)?;
        if header.client != CLIENT_FILE {
            return Err(Error::corrupt(WHAT, address, format_args!("client {}, not a file", header.client)));
        }
        told.own.push((address, header_length));
        if header.serialized > 0 {
            told.own.push((header.sections, header.allocated));
        }
        for Section { address, size, class } in sections {
            let tail = if class == LARGE { store.space().rest_of_page(address).min(size) } else { 0 };
            told.tails.extend((tail > 0).then_some((address, tail)));
            told.free.extend((tail < size).then_some((address.saturating_add(tail), size - tail)));
        }
    }
    told.free.sort_unstable();
    let free = told.free.iter().chain(&told.tails);
    let mut all: Vec<_> = free.chain(&told.own).chain(used).copied().collect();
    all.sort_unstable();
    let mut end = 0;
    for (address, length) in all {
        store.check_extent(address, length, WHAT)?;
        if address < end {
            return Err(Error::corrupt(WHAT, address, "what it says to be free is used, or said twice"));
        }
        end = address + length;
    }
    Ok(told)
}

/// A free extent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Section {
    /// Where it begins.
    pub address: u64,
    /// Its bytes.
    pub size: u64,
    /// For what it is, in a file with pages.
    pub class: u8,
}

/// The manager at `address` and its sections.
pub fn read(store: &mut Store, address: u64) -> Result<(FreeSpaceHeader, Vec<Section>)> {
    let sizes = store.sizes();
    let length = FreeSpaceHeader::length(sizes) as u64;
    let bytes = store.read_bytes(address, length, WHAT)?;
    if !Seal::At(length as u32 - 4).holds(&bytes) {
        return Err(Error::checksum(WHAT, address));
    }
    let header = FreeSpaceHeader::parse(&bytes, sizes)?;
    let mut sections = Vec::new();
    if header.serialized > 0 {
        let list = store.read_bytes(header.sections, header.used, WHAT)?;
        if header.used < 4 || !Seal::At(header.used as u32 - 4).holds(&list) {
            return Err(Error::checksum("free-space section list", header.sections));
        }
        header.read_sections(
            &list,
            address,
            sizes,
            |class| (u16::from(class) < CLASSES).then_some(0),
            |section| {
                sections.push(Section { address: section.address, size: section.size, class: section.class });
                Ok(())
            },
        )?;
    }
    Ok((header, sections))
}

/// Writes managers of these free extents at the end of the file, where they take none of them: the addresses of metadata's
/// and raw data's. Metadata's is the last, because libhdf5 1.10 cuts off the end that it is at before it changes it.
pub fn write(store: &mut Store, free: Extents) -> Result<(Option<u64>, Option<u64>)> {
    let (metadata, raw) = share(free);
    let raw = write_one(store, raw)?;
    Ok((write_one(store, metadata)?, raw))
}

/// Half of the bytes for each, the smaller extents for metadata. The extent in the middle is cut, if it is large.
fn share(mut free: Extents) -> (Extents, Extents) {
    const CUT: u64 = 8192;
    free.sort_unstable_by_key(|&(address, length)| (length, address));
    let mut left = free.iter().map(|extent| extent.1).sum::<u64>() / 2;
    let (mut metadata, mut raw) = (Vec::new(), Vec::new());
    for (address, length) in free {
        let part = match length {
            _ if length <= left => length,
            CUT.. => left & !7,
            _ => 0,
        };
        left -= part;
        if part > 0 {
            metadata.push((address, part));
        }
        if part < length {
            raw.push((address + part, length - part));
        }
    }
    (metadata, raw)
}

/// Writes one manager; none where there is nothing to say.
fn write_one(store: &mut Store, mut sections: Extents) -> Result<Option<u64>> {
    if sections.is_empty() {
        return Ok(None);
    }
    sections.sort_unstable_by_key(|&(address, length)| (length, address));
    let sizes = store.sizes();
    let bits = (8 * u16::from(sizes.offset.min(sizes.length))).min(63);
    let mut header = FreeSpaceHeader::new(CLIENT_FILE, CLASSES, bits, (1 << bits) - 1);
    header.serialized = sections.len() as u64;
    header.total_count = header.serialized;
    header.total_space = sections.iter().map(|section| section.1).sum();
    let groups = sections.chunk_by(|a, b| a.1 == b.1).count() as u64;
    header.used = header.list_length(sizes, groups, 0);
    header.allocated = header.used;
    let length = FreeSpaceHeader::length(sizes);
    let address = store.allocate_at_end(length as u64)?;
    header.sections = store.allocate_at_end(header.used)?;
    let id = store.create_block_at(address, length, Seal::At(length as u32 - 4));
    store.bytes_mut(id).copy_from_slice(&header.encode(sizes));
    let list = store.create_block_at(header.sections, header.used as usize, Seal::At(header.used as u32 - 4));
    let mut writer = SectionWriter::new(store.bytes_mut(list), &header, address, sizes);
    for group in sections.chunk_by(|a, b| a.1 == b.1) {
        writer.size(group[0].1, group.len() as u64);
        for section in group {
            writer.section(section.0, SIMPLE, &[]);
        }
    }
    Ok(Some(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A store whose file ends at 100,000.
    fn store() -> Store {
        let mut store = Store::in_memory();
        let id = store.create_block(100_000 - 48, Seal::None).unwrap().0;
        store.bytes_mut(id)[0] = 1;
        store
    }

    fn written(store: &mut Store, free: &[(u64, u64)]) -> Vec<u64> {
        let (metadata, raw) = write(store, free.to_vec()).unwrap();
        store.flush(|_| vec![0; 48]).unwrap();
        metadata.into_iter().chain(raw).collect()
    }

    #[test]
    fn what_is_written_is_read() {
        let mut store = store();
        let free = [(100, 50), (1000, 20_000), (30_000, 50), (40_000, 9000), (60_000, 1)];
        let managers = written(&mut store, &free);
        assert_eq!(managers.len(), 2);
        let told = read_all(&mut store, &managers, &[(0, 48), (48, 52)]).unwrap();
        // The largest extent is in two parts, one for each manager.
        assert_eq!(told.free.len(), free.len() + 1);
        let mut joined = told.free.clone();
        joined.dedup_by(|next, before| {
            let adjacent = before.0 + before.1 == next.0;
            before.1 += if adjacent { next.1 } else { 0 };
            adjacent
        });
        assert_eq!(joined, free);
        assert_eq!(told.own.iter().map(|own| own.1).sum::<u64>(), store.space().end() - 100_000);
        assert_eq!(written(&mut store, &[]), []);
    }

    #[test]
    fn what_cannot_be_true_is_an_error() {
        let mut store = store();
        let one = written(&mut store, &[(1000, 200)]);
        let other = written(&mut store, &[(1100, 200)]);
        assert!(read_all(&mut store, &one, &[]).is_ok());
        assert!(read_all(&mut store, &[one[0], other[0]], &[]).is_err(), "one extent twice");
        assert!(read_all(&mut store, &[one[0], one[0]], &[]).is_err(), "one manager twice");
        assert!(read_all(&mut store, &one, &[(1199, 1)]).is_err(), "in use");
        let outside = written(&mut store, &[(1 << 40, 200)]);
        assert!(read_all(&mut store, &outside, &[]).is_err(), "outside the file");
        let own = written(&mut store, &[(one[0], 8)]);
        assert!(read_all(&mut store, &[one[0], own[0]], &[]).is_err(), "a manager's own bytes");
        store.write_raw(one[0] + 8, &[0xff]).unwrap();
        assert!(read_all(&mut store, &one, &[]).is_err(), "damaged");
    }

    #[test]
    fn both_kinds_of_data_get_half() {
        let (metadata, raw) = share(vec![(0, 1 << 20)]);
        assert_eq!((metadata, raw), (vec![(0, 1 << 19)], vec![(1 << 19, 1 << 19)]));
        let (metadata, raw) = share((0..10).map(|i| (i * 10_000, 100 + i)).collect());
        assert_eq!((metadata.len(), raw.len()), (5, 5));
        assert!(metadata.iter().all(|small| raw.iter().all(|large| small.1 < large.1)));
    }
}

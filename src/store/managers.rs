//! The file's own free-space managers (specification, "Disk Format: Level 1H"), as another library left them.

use super::{Seal, Store};
use crate::error::{Error, Result};
use crate::format::free_space::FreeSpaceHeader;

/// Takes over what the manager at `address` holds, and the space of the manager itself. A damaged one is left alone:
/// its space is lost until the file is repacked, never handed out twice.
pub fn take_over(store: &mut Store, address: u64) -> Result<()> {
    let (header, sections) = match read(store, address) {
        Ok(found) => found,
        Err(_) => return Ok(()),
    };
    for (at, size) in sections {
        if store.check_extent(at, size, "free section").is_ok() && !store.space().overlaps_free(at, size) {
            store.space_mut().add_free(at, size);
        }
    }
    store.free(address, FreeSpaceHeader::length(store.sizes()) as u64);
    if header.serialized > 0 && store.check_extent(header.sections, header.allocated, "section list").is_ok() {
        store.free(header.sections, header.allocated);
    }
    Ok(())
}

/// The manager at `address` and its sections: address and bytes of each.
pub fn read(store: &mut Store, address: u64) -> Result<(FreeSpaceHeader, Vec<(u64, u64)>)> {
    const WHAT: &str = "free-space manager";
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
            |_| Some(0),
            |section| {
                sections.push((section.address, section.size));
                Ok(())
            },
        )?;
    }
    Ok((header, sections))
}

//! The format's fletcher32: 16-bit words, most significant byte first, an odd last byte as the high one.

/// Checks the checksum behind the data, and gives the data.
pub(super) fn decode(data: &[u8]) -> Result<&[u8], &'static str> {
    let Some((bytes, stored)) = data.split_last_chunk::<4>() else { return Err("shorter than its checksum") };
    let (found, stored) = (checksum(bytes), u32::from_le_bytes(*stored));
    // libhdf5 before 1.6.3 wrote both halves with their bytes exchanged, and all versions since read both.
    let exchanged = (found & 0x00ff_00ff) << 8 | (found >> 8) & 0x00ff_00ff;
    if stored != found && stored != exchanged {
        return Err("its checksum does not hold");
    }
    Ok(bytes)
}

/// What goes behind the data.
pub(super) fn encode(data: &[u8]) -> [u8; 4] {
    checksum(data).to_le_bytes()
}

fn checksum(data: &[u8]) -> u32 {
    let (mut low, mut high) = (0u32, 0u32);
    for block in data.chunks(720) {
        for pair in block.chunks(2) {
            low += u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0));
            high += low;
        }
        low = (low & 0xffff) + (low >> 16);
        high = (high & 0xffff) + (high >> 16);
    }
    low = (low & 0xffff) + (low >> 16);
    high = (high & 0xffff) + (high >> 16);
    high << 16 | low
}

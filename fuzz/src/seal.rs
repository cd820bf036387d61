//! Puts checksums right where no parsing is needed to find them, so that what stands behind them is met.

use h5r::format::checksum::checksum;
use h5r::format::superblock::SIGNATURE;

/// Bytes of a redo record's footer.
const FOOTER: usize = 36;

/// Seals a superblock of version 2 or 3 at the file's beginning, and a redo record at its end.
pub fn seal(bytes: &mut [u8]) {
    seal_superblock(bytes);
    seal_record(bytes);
}

fn seal_superblock(bytes: &mut [u8]) {
    if !bytes.starts_with(&SIGNATURE) {
        return;
    }
    let (Some(2 | 3), Some(&width)) = (bytes.get(8), bytes.get(9)) else { return };
    let covered = 12 + 4 * usize::from(width);
    if let Some((superblock, rest)) = bytes.split_at_mut_checked(covered) {
        if let Some(sum) = rest.first_chunk_mut() {
            *sum = checksum(superblock).to_le_bytes();
        }
    }
}

/// A record belongs to the superblock with the flag clear, and covers itself.
fn seal_record(bytes: &mut [u8]) {
    let Some(footer) = bytes.len().checked_sub(FOOTER).filter(|&at| bytes[at..].starts_with(b"h5r redo")) else {
        return;
    };
    let mut before = bytes[..48.min(footer)].to_vec();
    h5r::format::superblock::clear_flags(&mut before, h5r::format::superblock::COMMITTING);
    bytes[footer + 12..][..4].copy_from_slice(&crc32(&before).to_le_bytes());
    let field = |at: usize| bytes[footer + at..].first_chunk().map_or(0, |field| u64::from_le_bytes(*field));
    let length = field(24).checked_mul(16).and_then(|table| table.checked_add(field(16)));
    let start = length.and_then(|length| usize::try_from(length).ok()).and_then(|length| footer.checked_sub(length));
    if let Some(start) = start {
        let (end, sum) = (footer + FOOTER - 4, crc32(&bytes[start..footer + FOOTER - 4]));
        bytes[end..].copy_from_slice(&sum.to_le_bytes());
    }
}

/// CRC-32 (IEEE 802.3), bit by bit: files here are small.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 })
    })
}

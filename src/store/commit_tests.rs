use super::recover::{recover, Recovery};
use super::*;
use crate::format::superblock::{Superblock, COMMITTING};

const BLOCK: u64 = 64;

/// A file of blocks, each filled with one byte, and the log of its changes.
struct Disk {
    store: Store,
    log: std::sync::Arc<parking_lot::Mutex<Vec<Change>>>,
    addresses: Vec<u64>,
    superblock: Superblock,
}

impl Disk {
    fn new(durability: Durability) -> Self {
        let backend = RecordingBackend::new(Box::new(MemoryBackend::new()));
        let log = backend.log();
        let mut store = Store::new(Box::new(backend), Sizes::EIGHT, 0, 48, false).unwrap();
        store.set_durability(durability);
        Disk { store, log, addresses: Vec::new(), superblock: Superblock { root: 48, ..Superblock::new(2) } }
    }

    fn add(&mut self, fill: u8) {
        let (id, address) = self.store.create_block(BLOCK as usize, Seal::None).unwrap();
        self.store.bytes_mut(id).fill(fill);
        self.addresses.push(address);
    }

    fn change(&mut self, index: usize, fill: u8) {
        let id = self.store.block(self.addresses[index], BLOCK, Seal::None, "block").unwrap();
        self.store.bytes_mut(id).fill(fill);
    }

    fn flush(&mut self) {
        let superblock = &self.superblock;
        self.store.flush(|end| superblock.encode(end)).unwrap();
    }
}

fn replay(changes: &[Change]) -> Vec<u8> {
    let mut backend = MemoryBackend::new();
    for change in changes {
        match change {
            Change::Write(offset, bytes) => backend.write_at(&mut [IoSlice::new(bytes)], *offset).unwrap(),
            Change::SetLength(length) => backend.set_len(*length).unwrap(),
            Change::Sync => {}
        }
    }
    let bytes = backend.shared().lock().clone();
    bytes
}

/// What opening makes of these bytes: what it did, and what a reader then sees.
fn reopened(bytes: &[u8], read_only: bool) -> (Recovery, Vec<u8>) {
    let superblock = Superblock::parse(&bytes[..48], 0).unwrap();
    let memory = MemoryBackend::with_bytes(bytes.to_vec());
    let (mut backend, superblock, recovery) = recover(Box::new(memory), superblock, read_only).unwrap();
    assert_eq!(superblock.flags & COMMITTING, 0);
    let length = backend.len().unwrap();
    assert!(length >= superblock.end);
    let mut seen = vec![0; superblock.end as usize];
    backend.read_at(&mut seen, 0).unwrap();
    (recovery, seen)
}

#[test]
fn after_every_change_of_a_flush_the_file_is_the_old_or_the_new_one() {
    let mut disk = Disk::new(Durability::Process);
    (0..4).for_each(|fill| disk.add(fill));
    disk.flush();
    let begun = disk.log.lock().len();
    let old = replay(&disk.log.lock());
    disk.change(1, 11);
    disk.change(3, 13);
    disk.add(4);
    disk.flush();
    let log = disk.log.lock().clone();
    let new = replay(&log);
    let mut outcomes = Vec::new();
    for count in begun..=log.len() {
        let crashed = replay(&log[..count]);
        let (recovery, seen) = reopened(&crashed, false);
        assert_eq!(seen, reopened(&crashed, true).1, "{count}");
        assert!(seen == old || seen == new, "{count}: {recovery:?}");
        outcomes.push((recovery, seen == new));
    }
    let applied = (Recovery::Applied { blocks: 3, bytes: 2 * BLOCK + 48 }, true);
    let nothing = |new| (Recovery::Nothing, new);
    // Nothing, the new block, the record's blocks, its end, the flag, two blocks in place, the superblock, the cut.
    let discarded = |new| (Recovery::Discarded, new);
    let expected = [
        nothing(false),
        discarded(false),
        discarded(false),
        discarded(false),
        applied,
        applied,
        applied,
        discarded(true),
        nothing(true),
    ];
    assert_eq!(outcomes, expected);
}

#[test]
fn without_a_record_there_are_mixtures() {
    let mut disk = Disk::new(Durability::None);
    (0..4).for_each(|fill| disk.add(fill));
    disk.flush();
    let old = replay(&disk.log.lock());
    let begun = disk.log.lock().len();
    disk.change(1, 11);
    disk.change(3, 13);
    disk.flush();
    let log = disk.log.lock().clone();
    let new = replay(&log);
    let mixed = |count: usize| {
        let seen = reopened(&replay(&log[..count]), false).1;
        seen != old && seen != new
    };
    assert!((begun..=log.len()).any(mixed));
}

#[test]
fn syncs_and_bytes_of_a_flush_are_as_few_as_they_can_be() {
    let mut disk = Disk::new(Durability::Power);
    (0..4).for_each(|fill| disk.add(fill));
    disk.flush();
    // Nothing in place: the blocks before the superblock, and that before the return.
    let first = disk.store.counters();
    assert_eq!((first.syncs, first.record_bytes, first.bytes_written), (2, 0, 4 * BLOCK));
    disk.change(1, 11);
    disk.flush();
    // No new block: the record with the flag, the block in place, the superblock.
    let second = disk.store.counters();
    assert_eq!((second.syncs - first.syncs, second.bytes_written - first.bytes_written), (3, BLOCK));
    assert_eq!(second.record_bytes, BLOCK + 48 + 2 * 16 + 36);
    disk.add(4);
    disk.change(2, 12);
    disk.flush();
    assert_eq!(disk.store.counters().syncs - second.syncs, 4);
}

#[test]
#[allow(clippy::single_range_in_vec_init)]
fn only_the_changed_part_and_the_checksum_are_written() {
    for (part, seal, written) in [
        (100..104, Seal::Within(4), vec![4..8, 100..104]),
        (100..104, Seal::At(508), vec![100..104, 508..512]),
        (500..504, Seal::At(504), vec![500..508]),
        (8..12, Seal::Within(4), vec![4..12]),
        (10..20, Seal::None, vec![10..20]),
        (10..400, Seal::Within(4), vec![0..512]),
    ] {
        let mut disk = Disk::new(Durability::Process);
        let (id, address) = disk.store.create_block(512, seal).unwrap();
        disk.store.bytes_mut(id).fill(7);
        disk.flush();
        disk.store.part_mut(id, part.clone()).unwrap().fill(9);
        let before = disk.store.counters();
        disk.flush();
        let bytes: u64 = written.iter().map(|part| part.end - part.start).sum();
        let after = disk.store.counters();
        assert_eq!(after.bytes_written - before.bytes_written, bytes, "{part:?} {seal:?}");
        assert_eq!(after.record_bytes - before.record_bytes, bytes + 48 + 16 * (written.len() as u64 + 1) + 36);
        let file = replay(&disk.log.lock());
        let block = &file[address as usize..][..512];
        assert!(seal.holds(block) && block[part.clone()].iter().all(|&byte| byte == 9), "{part:?} {seal:?}");
    }
}

#[test]
fn what_stands_behind_a_checksum_is_not_recorded() {
    const LENGTH: usize = 512;
    let (before, after) = (Seal::At(LENGTH as u32 - 4), Seal::At(96));
    let mut disk = Disk::new(Durability::Process);
    let (id, address) = disk.store.create_block(LENGTH, before).unwrap();
    disk.store.bytes_mut(id).fill(7);
    disk.flush();
    let (begun, counted) = (disk.log.lock().len(), disk.store.counters());
    // A node that lost most of its records.
    disk.store.bytes_mut(id).fill(9);
    disk.store.set_seal(id, after);
    disk.flush();
    assert_eq!(disk.store.counters().record_bytes - counted.record_bytes, 100 + 48 + 2 * 16 + 36);
    assert_eq!(disk.store.counters().bytes_written - counted.bytes_written, LENGTH as u64);
    let log = disk.log.lock().clone();
    for count in begun..=log.len() {
        for read_only in [false, true] {
            let (recovery, seen) = reopened(&replay(&log[..count]), read_only);
            let block = &seen[address as usize..][..LENGTH];
            let is_old = before.holds(block) && block[..LENGTH - 4].iter().all(|&byte| byte == 7);
            let is_new = after.holds(block) && block[..96].iter().all(|&byte| byte == 9);
            assert!(is_old || is_new, "{count}: {recovery:?}");
        }
    }
}

/// Bytes of blocks 3 and 4 move to blocks 0 and 1; what the file is after each change of the flush behind that `then` comes in.
/// Block 4 is `changed` before.
fn moved_and_flushed(changed: bool, then: impl FnOnce(&mut Disk, [BlockId; 2])) -> (Disk, u64) {
    let mut disk = Disk::new(Durability::Process);
    (10..15).for_each(|fill| disk.add(fill));
    disk.flush();
    let (begun, counted) = (disk.log.lock().len(), disk.store.counters().record_bytes);
    let old = replay(&disk.log.lock());
    let mut id = |number: usize| disk.store.block(disk.addresses[number], BLOCK, Seal::None, "block").unwrap();
    let [to0, to1, from0, from1] = [0, 1, 3, 4].map(&mut id);
    if changed {
        disk.store.bytes_mut(from1)[31] = 99;
    }
    let moves = [(to0, 5, from0, 10, 20, 0), (to0, 40, from1, 30, 7, 1), (to1, 0, from1, 0, 30, 1)];
    let mut list = Vec::new();
    for (to, at, from, start, length, source) in moves {
        disk.store.bytes_mut(to);
        let (from, to) = (disk.store.hint(from), disk.store.hint(to));
        disk.store.copy_bytes((from, start), (to, at), length);
        list.push(Moved { at: at as u32, from: start as u32, length: length as u16, source });
    }
    let (sources, targets) = ([(from0, true), (from1, !changed)], [(to0, 0..2), (to1, 2..3)]);
    disk.store.note_moves(list, sources.into_iter(), targets.into_iter());
    then(&mut disk, [to0, from1]);
    disk.flush();
    let log = disk.log.lock().clone();
    let new = reopened(&replay(&log), false).1;
    let mut reached = [false; 2];
    for count in begun..=log.len() {
        let crashed = replay(&log[..count]);
        let (recovery, seen) = reopened(&crashed, false);
        assert_eq!(seen, reopened(&crashed, true).1, "{count}");
        assert!(seen == old || seen == new, "{count}: {recovery:?}");
        reached[usize::from(seen == new)] = true;
    }
    assert_eq!(reached, [true; 2]);
    let recorded = disk.store.counters().record_bytes - counted;
    (disk, recorded)
}

#[test]
fn what_moved_is_recorded_by_where_it_stands() {
    // The superblock and its entry, two sources, two targets, three pieces, their numbers, the footer.
    const ALL: u64 = 48 + 16 + 2 * 8 + 2 * 16 + 3 * 12 + 24 + 36;
    let (disk, recorded) = moved_and_flushed(false, |_, _| ());
    assert_eq!(recorded, ALL);
    let file = replay(&disk.log.lock());
    let block = |number: usize| &file[disk.addresses[number] as usize..][..BLOCK as usize];
    let expected = |number: u8, moved: &[(std::ops::Range<usize>, u8)]| {
        let mut block = vec![number; BLOCK as usize];
        moved.iter().for_each(|(part, fill)| block[part.clone()].fill(*fill));
        block
    };
    assert_eq!(block(0), expected(10, &[(5..25, 13), (40..47, 14)]));
    assert_eq!(block(1), expected(11, &[(0..30, 14)]));

    // A source that is about to be written over has its bytes recorded: two pieces, with an entry each, and itself.
    let (_, recorded) = moved_and_flushed(false, |disk, [_, source]| disk.store.bytes_mut(source).fill(77));
    assert_eq!(recorded, ALL - 16 - 2 * 12 + (16 + 7) + (16 + 30) + (16 + BLOCK));
    // Nor is it in the file what was changed there before, wherever that block is by now.
    let (_, recorded) = moved_and_flushed(true, |disk, _| disk.store.free(disk.addresses[4], BLOCK));
    assert_eq!(recorded, ALL - 16 - 2 * 12 + (16 + 7) + (16 + 30));
    // So is a block that was changed after bytes moved to it: all of it, and its two pieces are not needed.
    let (_, recorded) = moved_and_flushed(false, |disk, [target, _]| disk.store.bytes_mut(target)[3] = 77);
    assert_eq!(recorded, ALL - 16 - 2 * 12 + (16 + BLOCK));
    let (_, recorded) =
        moved_and_flushed(false, |disk, [target, _]| disk.store.part_mut(target, 3..4).unwrap()[0] = 77);
    assert_eq!(recorded, ALL - 16 - 2 * 12 + (16 + BLOCK));
}

use super::*;
use crate::format::header::{OldPrefix, SIGNATURE};
use crate::store::MemoryBackend;
use proptest::prelude::*;

fn new(kind: u8, body: &[u8]) -> NewMessage<'_> {
    NewMessage { kind, flags: 0, order: 0, body }
}

/// Type, flags, creation order and body of each message.
type Contents = Vec<(u8, u8, u16, Vec<u8>)>;

/// Writes the store out and opens what was written.
struct Disk {
    store: Store,
    bytes: std::sync::Arc<parking_lot::Mutex<Vec<u8>>>,
}

impl Disk {
    fn new() -> Self {
        let backend = MemoryBackend::new();
        let bytes = backend.shared();
        let sizes = crate::format::Sizes::EIGHT;
        Disk { store: Store::new(Box::new(backend), sizes, 0, 48, false).unwrap(), bytes }
    }

    fn flush(&mut self) {
        self.store.flush(|_| vec![0; 48]).unwrap();
    }

    fn reopen(&mut self, read_only: bool) -> Store {
        self.flush();
        let bytes = self.bytes.lock().clone();
        let end = bytes.len() as u64;
        let sizes = crate::format::Sizes::EIGHT;
        Store::new(Box::new(MemoryBackend::with_bytes(bytes)), sizes, 0, end, read_only).unwrap()
    }
}

/// The messages without continuations, as a sorted list.
fn contents(header: &ObjectHeader, store: &mut Store) -> Contents {
    let mut all = Vec::new();
    for (index, message) in header.messages().iter().enumerate() {
        if message.kind != kind::CONTINUATION {
            let body = header.body(store, index).unwrap().to_vec();
            all.push((message.kind, message.flags, message.order, body));
        }
    }
    all.sort();
    all
}

#[test]
fn attributes_that_come_and_go_leave_nothing() {
    for spare in [0, 100, 400] {
        let mut disk = Disk::new();
        let group = [new(kind::LINK_INFO, &[0; 18]), new(kind::GROUP_INFO, &[0; 2])];
        let mut header = ObjectHeader::create(&mut disk.store, &HeaderOptions::default(), &group, spare).unwrap();
        disk.flush();
        let before = disk.bytes.lock().len();
        for round in 0..20u8 {
            for i in 0..20 {
                header.insert(&mut disk.store, &new(kind::ATTRIBUTE, &[i; 60])).unwrap();
                header.check(&mut disk.store).unwrap();
            }
            if round % 3 == 0 {
                disk.flush();
            }
            assert!(header.chunk_count() <= 2);
            while let Some(index) = header.find(kind::ATTRIBUTE) {
                header.remove(&mut disk.store, index).unwrap();
                header.check(&mut disk.store).unwrap();
            }
            assert_eq!(header.chunk_count(), 1);
        }
        disk.flush();
        disk.flush();
        assert_eq!(disk.bytes.lock().len(), before, "spare {spare}");
        header.delete(&mut disk.store).unwrap();
        disk.flush();
        disk.flush();
        assert_eq!(disk.store.space().end(), 48);
    }
}

#[test]
fn times_and_flags_are_kept() {
    let mut disk = Disk::new();
    let times = Times { access: 1, modification: 2, change: 3, birth: 4 };
    let options =
        HeaderOptions { times: Some(times), phase_change: Some((20, 10)), track_order: true, index_order: true };
    let mut header = ObjectHeader::create(&mut disk.store, &options, &[], 300).unwrap();
    header.touch(&mut disk.store, 99).unwrap();
    let index = header.insert(&mut disk.store, &NewMessage { order: 7, ..new(kind::ATTRIBUTE, b"x") }).unwrap();
    header.set_order(&mut disk.store, index, 8).unwrap();
    let mut store = disk.reopen(false);
    let header = ObjectHeader::open(&mut store, header.address()).unwrap();
    assert_eq!(header.prefix().times, Some(Times { change: 99, ..times }));
    assert_eq!((header.phase_change(), header.is_order_tracked(), header.is_order_indexed()), ((20, 10), true, true));
    assert_eq!(header.messages()[0].order, 8);
}

#[test]
fn link_counts_take_a_message_only_above_one() {
    let mut disk = Disk::new();
    let mut header = ObjectHeader::create(&mut disk.store, &HeaderOptions::default(), &[], 30).unwrap();
    assert_eq!(header.link_count(&mut disk.store).unwrap(), 1);
    for count in [2, 70_000, 1] {
        header.set_link_count(&mut disk.store, count).unwrap();
        assert_eq!(header.link_count(&mut disk.store).unwrap(), count);
    }
    assert!(header.messages().is_empty());
}

#[test]
fn unknown_messages_are_refused_or_marked() {
    let flags = [
        (0, true, true),
        (message_flag::FAIL_IF_UNKNOWN, false, false),
        (message_flag::FAIL_IF_UNKNOWN_FOR_WRITE, false, true),
        (message_flag::MARK_IF_UNKNOWN, true, true),
    ];
    for (flags, writable, readable) in flags {
        let mut disk = Disk::new();
        let unknown = NewMessage { kind: 0x42, flags, order: 0, body: b"from the future" };
        let address =
            ObjectHeader::create(&mut disk.store, &HeaderOptions::default(), &[unknown], 9).unwrap().address();
        let opened = ObjectHeader::open(&mut disk.reopen(true), address);
        assert_eq!(opened.is_ok(), readable, "{flags:#x}");
        let opened = ObjectHeader::open(&mut disk.store, address);
        assert_eq!(opened.is_ok(), writable, "{flags:#x}");
        let Ok(mut header) = opened else { continue };
        header.touch(&mut disk.store, 5).unwrap();
        let marked = if flags == 0 { 0 } else { message_flag::MARK_IF_UNKNOWN | message_flag::WAS_UNKNOWN };
        let header = ObjectHeader::open(&mut disk.reopen(false), address).unwrap();
        assert_eq!(header.messages()[0].flags, marked);
    }
}

#[test]
fn long_messages_are_refused_and_longest_ones_kept() {
    let mut disk = Disk::new();
    let mut header = ObjectHeader::create(&mut disk.store, &HeaderOptions::default(), &[], 0).unwrap();
    let error = header.insert(&mut disk.store, &new(kind::ATTRIBUTE, &[1; 65_536])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
    for i in 0..5 {
        header.insert(&mut disk.store, &new(kind::ATTRIBUTE, &[i; 65_535])).unwrap();
        header.check(&mut disk.store).unwrap();
    }
    assert!(header.chunk_count() <= 2);
    while let Some(index) = header.find(kind::ATTRIBUTE) {
        header.remove(&mut disk.store, index).unwrap();
        header.check(&mut disk.store).unwrap();
    }
}

#[test]
fn a_first_chunk_with_much_free_space_is_cut() {
    let mut disk = Disk::new();
    let bodies = vec![vec![7; 50_000]; 3];
    let messages: Vec<_> = bodies.iter().map(|body| new(kind::ATTRIBUTE, body)).collect();
    let mut header = ObjectHeader::create(&mut disk.store, &HeaderOptions::default(), &messages, 0).unwrap();
    while let Some(index) = header.find(kind::ATTRIBUTE) {
        header.remove(&mut disk.store, index).unwrap();
        header.check(&mut disk.store).unwrap();
    }
    let mut store = disk.reopen(false);
    let header = ObjectHeader::open(&mut store, header.address()).unwrap();
    header.check(&mut store).unwrap();
    assert!(header.file_bytes() < 70_000);
}

#[test]
fn continuation_chunks_move_down() {
    let mut disk = Disk::new();
    let (_, hole) = disk.store.create_block(1000, Seal::None).unwrap();
    let mut header = ObjectHeader::create(&mut disk.store, &HeaderOptions::default(), &[], 0).unwrap();
    for i in 0..4 {
        header.insert(&mut disk.store, &new(kind::ATTRIBUTE, &[i; 70])).unwrap();
    }
    disk.store.free(hole, 1000);
    let expected = contents(&header, &mut disk.store);
    assert_eq!(header.relocate_above(&mut disk.store, header.address()).unwrap(), 1);
    header.check(&mut disk.store).unwrap();
    let mut store = disk.reopen(false);
    let header = ObjectHeader::open(&mut store, header.address()).unwrap();
    assert_eq!(contents(&header, &mut store), expected);
}

/// A header as another writer may leave it: NIL messages anywhere, gaps, chains of chunks. Returns its messages.
fn foreign(disk: &mut Disk, form: Form, layout: &[Vec<(u8, usize)>]) -> (u64, Contents) {
    let mut expected = Vec::new();
    let mut next: Option<Continuation> = None;
    let sizes = disk.store.sizes();
    let mut count = 0;
    for (k, chunk) in layout.iter().enumerate().rev() {
        let mut area = Vec::new();
        let mut nil = false;
        let mut put = |kind: u8, body: &[u8]| {
            let mut head = [0; 8];
            let n = form.put_prefix(&mut head, kind, body.len(), 0, 3);
            area.extend_from_slice(&head[..n]);
            area.extend_from_slice(body);
            count += 1;
        };
        for &(kind, length) in chunk {
            nil |= kind == kind::NIL;
            let body = vec![kind; form.padded(length)];
            put(kind, &body);
            if kind != kind::NIL {
                expected.push((kind, 0, if form == Form::Tracked { 3 } else { 0 }, body));
            }
        }
        if let Some(continuation) = next {
            put(kind::CONTINUATION, &continuation.encode(sizes));
        }
        if !nil && form != Form::Old {
            area.extend_from_slice(&[0; 3]);
        }
        let mut head = Writer::new();
        if k == 0 {
            let options = HeaderOptions { track_order: form == Form::Tracked, ..Default::default() };
            let old = (form == Form::Old).then_some(OldPrefix { messages: count, links: 1 });
            let prefix = prefix_for(&options, area.len() as u64).unwrap();
            Prefix { old, flags: if old.is_some() { 0 } else { prefix.flags }, ..prefix }.encode(&mut head);
        } else {
            head.bytes(form.signature());
        }
        head.bytes(&area).zeros(form.trailer());
        let length = head.len();
        let seal = if form == Form::Old { Seal::None } else { Seal::At(length as u32 - 4) };
        let (id, address) = disk.store.create_block(length, seal).unwrap();
        disk.store.bytes_mut(id).copy_from_slice(head.as_slice());
        next = Some(Continuation { address, length: length as u64 });
    }
    expected.sort();
    (next.unwrap().address, expected)
}

fn form() -> impl Strategy<Value = Form> {
    prop_oneof![Just(Form::Old), Just(Form::New), Just(Form::Tracked)]
}

#[test]
fn old_headers_become_new_ones_with_all_they_have() {
    let layouts = [
        vec![vec![(0x20, 24), (0x21, 40), (kind::MODIFICATION_TIME, 8)], vec![(0x22, 700), (0, 64), (0x23, 8)]],
        vec![vec![(0x20, 8)], vec![(0x21, 8)], vec![(0x22, 60_000)]],
        vec![vec![(0x20, 8), (0x21, 65_000), (0x22, 16)]],
    ];
    for layout in layouts {
        let mut disk = Disk::new();
        let (address, mut expected) = foreign(&mut disk, Form::Old, &layout);
        let mut header = ObjectHeader::open(&mut disk.store, address).unwrap();
        if let Some(index) = header.find(kind::MODIFICATION_TIME) {
            header.overwrite(&mut disk.store, index, 0, &plain::encode_modification_time(77)).unwrap();
            expected.retain(|message| message.0 != kind::MODIFICATION_TIME);
        }
        let timed = header.find(kind::MODIFICATION_TIME).is_some();
        header.set_link_count(&mut disk.store, 3).unwrap();
        disk.flush();
        header.upgrade(&mut disk.store).unwrap();
        header.check(&mut disk.store).unwrap();
        let mut store = disk.reopen(false);
        let read = ObjectHeader::open(&mut store, address).unwrap();
        assert_eq!(read.prefix().times.map(|times| times.modification), timed.then_some(77));
        assert_eq!((read.is_old(), read.link_count(&mut store).unwrap()), (false, 3));
        assert_eq!(without_count(contents(&read, &mut store)), expected);
        run(&mut disk, header, expected, &[]);
    }
}

#[derive(Debug, Clone)]
enum Step {
    Insert(u8, usize),
    Replace(prop::sample::Index, usize),
    Overwrite(prop::sample::Index, u8),
    Remove(prop::sample::Index),
    Count(u32),
    Flush,
}

fn length() -> impl Strategy<Value = usize> {
    prop_oneof![6 => 0usize..80, 2 => 80usize..700, 1 => 60_000usize..65_536]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (0x20u8..0x28, length()).prop_map(|(kind, length)| Step::Insert(kind, length)),
        2 => (any::<prop::sample::Index>(), length()).prop_map(|(at, length)| Step::Replace(at, length)),
        1 => (any::<prop::sample::Index>(), any::<u8>()).prop_map(|(at, value)| Step::Overwrite(at, value)),
        4 => any::<prop::sample::Index>().prop_map(Step::Remove),
        1 => (1u32..4).prop_map(Step::Count),
        1 => Just(Step::Flush),
    ]
}

/// A body as the header keeps it.
fn padded(header: &ObjectHeader, mut body: Vec<u8>) -> Vec<u8> {
    body.resize(header.form().padded(body.len()), 0);
    body
}

/// Applies a step to the header and to the model.
fn apply(disk: &mut Disk, header: &mut ObjectHeader, model: &mut Contents, step: &Step) {
    let store = &mut disk.store;
    let own: Vec<usize> = (0..header.messages().len())
        .filter(|&i| ![kind::CONTINUATION, kind::REFERENCE_COUNT].contains(&header.messages()[i].kind))
        .collect();
    // Takes the message out of the model, and returns its index in the header.
    let pick = |at: &prop::sample::Index, model: &mut Contents, store: &mut Store| {
        let index = *at.get(&own);
        let message = header.messages()[index];
        let body = header.body(store, index).unwrap().to_vec();
        let entry = (message.kind, message.flags, message.order, body);
        let position = model.iter().position(|other| *other == entry).unwrap();
        (index, model.swap_remove(position))
    };
    match step {
        Step::Insert(kind, length) => {
            let body: Vec<u8> = (0..*length).map(|i| (i as u8) ^ kind).collect();
            let order = if header.is_order_tracked() { model.len() as u16 } else { 0 };
            let message = NewMessage { kind: *kind, flags: 4, order, body: &body };
            if body.len() > header.max_body() {
                assert_eq!(header.insert(store, &message).unwrap_err().kind(), ErrorKind::Limit);
                return;
            }
            header.insert(store, &message).unwrap();
            model.push((*kind, 4, order, padded(header, body)));
        }
        Step::Replace(..) | Step::Overwrite(..) | Step::Remove(_) if own.is_empty() => {}
        Step::Replace(_, length) if *length > header.max_body() => {}
        Step::Replace(at, length) => {
            let (index, (kind, flags, order, _)) = pick(at, model, store);
            let body = vec![0xab; *length];
            header.replace(store, index, &body).unwrap();
            model.push((kind, flags, order, padded(header, body)));
        }
        Step::Overwrite(at, value) => {
            let (index, (kind, flags, order, mut body)) = pick(at, model, store);
            if let Some(first) = body.first_mut() {
                *first = *value;
                header.overwrite(store, index, 0, &[*value]).unwrap();
            }
            model.push((kind, flags, order, body));
        }
        Step::Remove(at) => {
            let (index, _) = pick(at, model, store);
            header.remove(store, index).unwrap();
        }
        Step::Count(count) => {
            header.set_link_count(store, *count).unwrap();
            assert_eq!(header.link_count(store).unwrap(), *count);
        }
        Step::Flush => disk.flush(),
    }
}

fn without_count(mut all: Contents) -> Contents {
    all.retain(|message| message.0 != kind::REFERENCE_COUNT);
    all
}

fn run(disk: &mut Disk, mut header: ObjectHeader, mut model: Contents, steps: &[Step]) {
    for step in steps {
        apply(disk, &mut header, &mut model, step);
        header.check(&mut disk.store).unwrap();
        model.sort();
        assert_eq!(without_count(contents(&header, &mut disk.store)), model);
    }
    let mut store = disk.reopen(false);
    let reopened = ObjectHeader::open(&mut store, header.address()).unwrap();
    reopened.check(&mut store).unwrap();
    assert_eq!(without_count(contents(&reopened, &mut store)), model);
    // All space is accounted for: nothing but the header is left in the file.
    let bytes = header.file_bytes();
    header.delete(&mut disk.store).unwrap();
    disk.flush();
    disk.flush();
    assert_eq!(disk.store.space().end(), 48, "a header of {bytes} bytes");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn edits_agree_with_a_list(
        steps in proptest::collection::vec(step(), 1..60),
        spare in 0usize..300,
        track_order: bool,
        timed: bool,
    ) {
        let mut disk = Disk::new();
        let times = timed.then(Times::default);
        let options = HeaderOptions { times, track_order, ..Default::default() };
        let header = ObjectHeader::create(&mut disk.store, &options, &[], spare).unwrap();
        run(&mut disk, header, Vec::new(), &steps);
    }

    #[test]
    fn edits_of_foreign_headers_agree_with_a_list(
        layout in proptest::collection::vec(
            proptest::collection::vec((prop_oneof![Just(0u8), 0x20u8..0x28], 16usize..120), 1..6), 1..5),
        steps in proptest::collection::vec(step(), 1..40),
        form in form(),
        flush_first: bool,
    ) {
        let mut disk = Disk::new();
        let (address, model) = foreign(&mut disk, form, &layout);
        if flush_first {
            disk.flush();
        }
        let header = ObjectHeader::open(&mut disk.store, address).unwrap();
        prop_assert_eq!(contents(&header, &mut disk.store), model.clone());
        header.check(&mut disk.store).unwrap();
        run(&mut disk, header, model, &steps);
    }

    #[test]
    fn damaged_headers_never_panic(
        layout in proptest::collection::vec(
            proptest::collection::vec((prop_oneof![Just(0u8), 0x10u8..0x28], 16usize..40), 1..4), 1..4),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        form in form(),
    ) {
        let mut disk = Disk::new();
        let (address, _) = foreign(&mut disk, form, &layout);
        disk.flush();
        let mut bytes = disk.bytes.lock().clone();
        for (at, value) in damage {
            let at = at.index(bytes.len() - 48) + 48;
            bytes[at] = value;
        }
        // With the checksums put right again, so that the damage is seen.
        for at in 48..bytes.len() - 8 {
            if bytes[at..at + 4] == SIGNATURE {
                if let Ok(prefix) = Prefix::parse(&bytes[at..]) {
                    let length = prefix.chunk_length().unwrap_or(u64::MAX);
                    if let Some(chunk) = usize::try_from(length).ok().and_then(|n| bytes.get_mut(at..at.checked_add(n)?)) {
                        let n = chunk.len();
                        Seal::At(n as u32 - 4).put(chunk);
                    }
                }
            }
        }
        let end = bytes.len() as u64;
        let sizes = crate::format::Sizes::EIGHT;
        let mut store = Store::new(Box::new(MemoryBackend::with_bytes(bytes)), sizes, 0, end, false).unwrap();
        if let Ok(mut header) = ObjectHeader::open(&mut store, address) {
            let _ = header.check(&mut store);
            let _ = header.insert(&mut store, &new(0x20, &[1; 100]));
            if !header.messages().is_empty() {
                let _ = header.remove(&mut store, 0);
            }
        }
    }
}

//! One function for each decoder of `h5r::format`, and for recovery. The first byte chooses the sizes of offsets and
//! lengths, where they matter.

use h5r::datatype::Datatype;
use h5r::error::Result;
use h5r::format::btree2::{self, Geometry};
use h5r::format::doubling_table::DoublingTable;
use h5r::format::filter::{self, Codec, Skip};
use h5r::format::fractal_heap::{self, HeapParams};
use h5r::format::free_space::FreeSpaceHeader;
use h5r::format::header::{Form, Messages, Prefix};
use h5r::format::local_heap::{free_blocks, LocalHeap};
use h5r::format::message::attribute::{self, Attribute};
use h5r::format::message::attribute_info::AttributeInfo;
use h5r::format::message::dataspace::Dataspace;
use h5r::format::message::external_files::ExternalFiles;
use h5r::format::message::file_space::FileSpaceInfo;
use h5r::format::message::fill::FillValue;
use h5r::format::message::group_info::GroupInfo;
use h5r::format::message::layout::Layout;
use h5r::format::message::link::{self, Link};
use h5r::format::message::link_info::LinkInfo;
use h5r::format::message::shared::Shared;
use h5r::format::message::{datatype, filter_pipeline, plain};
use h5r::format::reference::{self, Part};
use h5r::format::selection::Selected;
use h5r::format::shared_table::{decode_list, decode_table, encode_list, encode_table};
use h5r::format::superblock::Superblock;
use h5r::format::symbol_table::SymbolTableMessage;
use h5r::format::{btree1, extensible_array, fixed_array, global_heap, group_tree, symbol_table, Sizes};
use h5r::store::recover::recover;
use h5r::store::MemoryBackend;

/// A decoder with its name.
pub type Decoder = (&'static str, fn(&[u8]));

/// All of them.
pub const DECODERS: [Decoder; 17] = [
    ("superblock", superblock),
    ("object_header", object_header),
    ("messages", messages),
    ("datatype", datatype),
    ("btree1", btree1),
    ("btree2", btree2),
    ("fractal_heap", fractal_heap),
    ("doubling_table", doubling_table),
    ("free_space", free_space),
    ("fixed_array", fixed_array),
    ("extensible_array", extensible_array),
    ("old_heaps", old_heaps),
    ("redo_record", redo_record),
    ("node_geometry", node_geometry),
    ("filters", filters),
    ("shared_table", shared_table),
    ("references", references),
];

/// The input's sizes, and what is left of it.
fn sized(input: &[u8]) -> Option<(Sizes, &[u8])> {
    let (&first, rest) = input.split_first()?;
    let width = |bits: u8| [8, 4, 2, 8][usize::from(bits & 3)];
    Some((Sizes { offset: width(first), length: width(first >> 2) }, rest))
}

/// Up to three filters with parameters of any kind; what they decode they encode, and decode again.
pub fn filters(input: &[u8]) {
    const LOSSLESS: [u16; 4] = [filter::DEFLATE, filter::SHUFFLE, filter::LZF, filter::NBIT];
    let Some((&[count, mask, size_low, size_high], mut rest)) = input.split_first_chunk::<4>() else { return };
    let mut pipeline = Vec::new();
    for _ in 0..count % 4 {
        let Some((&[id, values], after)) = rest.split_first_chunk::<2>() else { return };
        let id = filter::KNOWN[usize::from(id) % filter::KNOWN.len()];
        let Some((values, after)) = after.split_at_checked(usize::from(values % 32)) else { return };
        // A byte below 128 is the parameter; the others are large ones.
        let value = |&byte: &u8| if byte < 128 { u32::from(byte) } else { (byte as i8 as u32) << (byte & 7) };
        let client_data = values.iter().map(value).collect();
        pipeline.push(filter_pipeline::Filter { id, flags: 0, name: Vec::new(), client_data });
        rest = after;
    }
    let size = usize::from(u16::from_le_bytes([size_low, size_high]));
    let Ok(data) = filter::decode(&pipeline, mask.into(), rest, size, "chunk", 0) else { return };
    assert_eq!(data.len(), size);
    let mut codec = Codec::default();
    let Ok(encoded) = codec.encode(&pipeline, &data, Skip::default()) else { return };
    let again = filter::decode(&pipeline, encoded.mask, encoded.bytes, size, "chunk", 0).expect("what was encoded");
    if mask == 0 && pipeline.iter().all(|filter| LOSSLESS.contains(&filter.id)) {
        assert!(again == data);
    }
}

/// The shared message table and a list of its records; what was decoded is encoded the same.
pub fn shared_table(input: &[u8]) {
    let Some((sizes, rest)) = sized(input) else { return };
    let Some((&count, bytes)) = rest.split_first() else { return };
    if let Ok(indexes) = decode_table(bytes, count, sizes) {
        let encoded = encode_table(&indexes, sizes);
        assert_eq!(decode_table(&encoded, count, sizes).expect("what was encoded"), indexes);
        for index in &indexes {
            let _ = (index.list_length(sizes), index.list_end(sizes));
        }
    }
    if let Ok(records) = decode_list(bytes, count.into(), sizes) {
        let encoded = encode_list(&records, sizes);
        assert_eq!(decode_list(&encoded, count.into(), sizes).expect("what was encoded"), records);
    }
}

/// The superblock, where it is looked for, and its encoder.
pub fn superblock(input: &[u8]) {
    let found = Superblock::locate(input.len() as u64, |at, buffer| {
        buffer.copy_from_slice(&input[at as usize..][..buffer.len()]);
        Ok(())
    });
    if let Ok(found) = found {
        let end = found.end;
        let _ = (found.len(), end.checked_add(found.base).map(|_| found.encode(end)));
    }
}

/// An object header's prefix and its messages.
pub fn object_header(input: &[u8]) {
    let Some((&form, area)) = input.split_first() else { return };
    if let Ok(prefix) = Prefix::parse(area) {
        let _ = (prefix.len(), prefix.chunk_length());
    }
    let form = [Form::New, Form::Tracked, Form::Old][usize::from(form % 3)];
    let mut walk = Messages::new(area, form);
    let mut bytes = 0;
    for message in walk.by_ref().flatten() {
        bytes += form.prefix_len() + message.body.len();
    }
    assert!(bytes + walk.gap() <= area.len());
}

/// Every kind of message but the datatype.
pub fn messages(input: &[u8]) {
    let Some((sizes, body)) = sized(input) else { return };
    let _ = (Dataspace::decode(body, sizes).map(|space| space.elements()), LinkInfo::decode(body, sizes));
    let _ = (FillValue::decode(body), FillValue::decode_old(body), GroupInfo::decode(body));
    let _ = (Layout::decode(body, sizes), ExternalFiles::decode(body, sizes), filter_pipeline::decode(body));
    let _ = (AttributeInfo::decode(body, sizes), FileSpaceInfo::decode(body, sizes), Shared::decode(body, sizes));
    if let Ok(attribute) = Attribute::decode(body) {
        assert_eq!(attribute::name_of(body).ok(), Some(attribute.name));
        let mut again = Vec::new();
        let _ = (attribute.data_offset(), attribute.encode(&mut again));
    }
    if let Ok(link) = Link::decode(body, sizes) {
        let mut again = Vec::new();
        let _ = (link::name_of(body), link::creation_order_of(body), link.encode(sizes, &mut again));
    }
    let _ = (link::external_parts(body), plain::comment(body), plain::reference_count(body));
    let _ = (plain::modification_time(body), plain::modification_time_old(body), plain::BTreeK::decode(body));
    let _ = (plain::Continuation::decode(body, sizes), plain::DriverInfo::decode(body));
    let _ = plain::SharedMessageTable::decode(body, sizes);
}

/// The datatype message; what was decoded is shown, encoded and asked.
pub fn datatype(input: &[u8]) {
    if let Ok(decoded) = datatype::Datatype::decode(input) {
        let _ = (decoded.refers_to_heap(), format!("{decoded:?}").len());
    }
    if let Ok(decoded) = Datatype::from_message(input) {
        let again = Datatype::from_message(&decoded.to_message());
        assert_eq!(again.map(|again| again.size()).ok(), Some(decoded.size()), "encoded and decoded again");
        let _ = (decoded.to_string(), decoded.as_number(), decoded.as_string(), decoded.refers_to_heap());
    }
}

/// Nodes of the chunks' version 1 B-tree.
pub fn btree1(input: &[u8]) {
    let Some((sizes, [k, rank, node @ ..])) = sized(input) else { return };
    let (k, rank) = (u16::from(*k), usize::from(*rank % 33));
    let _ = btree1::node_size(k, rank, sizes);
    if let Ok(node) = btree1::parse_node(node, k, rank, sizes) {
        assert!(node.entries.iter().all(|entry| entry.offsets.iter().count() == rank));
    }
}

/// The version 2 B-tree's header, and pages of its geometry.
pub fn btree2(input: &[u8]) {
    let Some((sizes, bytes)) = sized(input) else { return };
    let Ok(header) = btree2::Header::parse(bytes, sizes) else { return };
    assert_eq!(btree2::Header::parse(&header.encode(sizes), sizes).ok(), Some(header.clone()));
    let _ = geometry(header.node_size, header.record_size, header.split, header.merge, sizes);
}

/// The layout of B-tree nodes from any parameters.
pub fn node_geometry(input: &[u8]) {
    let Some((sizes, [a, b, c, d, e, f, split, merge, ..])) = sized(input) else { return };
    let (node, record) = (u32::from_le_bytes([*a, *b, *c, *d]), u16::from_le_bytes([*e, *f]));
    let _ = geometry(node, record, *split, *merge, sizes);
}

/// Every position that a geometry gives lies inside its page.
fn geometry(node: u32, record: u16, split: u8, merge: u8, sizes: Sizes) -> Result<()> {
    let geometry = Geometry::new(node, record, split, merge, sizes)?;
    for number in 0..geometry.usable_levels() {
        let level = *geometry.level(number);
        let most = usize::from(level.max);
        assert!(level.floor <= level.capacity && level.capacity <= level.max, "{level:?}");
        assert!(geometry.used(number, most) + 4 <= geometry.node_size(), "{level:?}");
        assert!(geometry.record(most.saturating_sub(1)).end <= geometry.node_size(), "{level:?}");
        if number > 0 {
            assert!(geometry.pointers(number, most, most, 1).end <= geometry.node_size(), "{level:?}");
        }
    }
    Ok(())
}

/// The fractal heap's header and the prefixes of its blocks.
pub fn fractal_heap(input: &[u8]) {
    let Some((sizes, bytes)) = sized(input) else { return };
    let _ = fractal_heap::Header::length_of(bytes, sizes);
    let Ok(header) = fractal_heap::Header::parse(bytes, sizes) else { return };
    assert_eq!(header.encode().len(), header.length());
    let _ = (header.direct_overhead(), header.direct_checksum(), header.length_width());
    table(&header.table);
    for rows in 0..=header.table.max_rows {
        assert!(header.entry_position(rows * header.table.width) + 4 == header.indirect_length(rows));
        header.table.capacity(rows, header.direct_overhead());
    }
    let _ = (header.check_prefix(bytes, b"FHDB", 7, 0), header.check_prefix(bytes, b"FHIB", 7, 0));
}

/// The doubling table from any parameters.
pub fn doubling_table(input: &[u8]) {
    let Some((width, rest)) = input.split_first_chunk::<2>() else { return };
    let Some(([start, direct, bits, rows], _)) = rest.split_first_chunk::<4>() else { return };
    let power = |bits: u8| 1u64.checked_shl(bits.into()).unwrap_or(3);
    let params = HeapParams {
        id_length: 8,
        max_managed: 64,
        width: u16::from_le_bytes(*width),
        start_block: power(*start),
        max_direct: power(*direct),
        max_bits: u16::from(*bits),
        start_rows: u16::from(*rows),
        checksums: true,
    };
    if let Ok(made) = DoublingTable::new(&params) {
        table(&made);
    }
}

/// Offsets are found where entries begin.
fn table(table: &DoublingTable) {
    for row in 0..table.max_rows {
        let entry = row * table.width;
        let offset = table.entry_offset(entry);
        assert_eq!(table.locate(offset), (row, 0), "{table:?}");
        if row < table.direct_rows {
            assert_eq!(table.slot(offset).offset, offset, "{table:?}");
        } else {
            // Only of the rows before: in a table of width 1, of all of them.
            assert!(table.child_rows(row) <= row, "{table:?}");
        }
    }
    let _ = (table.slot(table.limit() - 1), table.capacity(table.max_rows, 25));
}

/// A free-space manager's header and section list.
pub fn free_space(input: &[u8]) {
    let Some((sizes, bytes)) = sized(input) else { return };
    let Ok(header) = FreeSpaceHeader::parse(bytes, sizes) else { return };
    assert_eq!(FreeSpaceHeader::parse(&header.encode(sizes), sizes).ok(), Some(header));
    let list = bytes.get(FreeSpaceHeader::length(sizes)..).unwrap_or_default();
    let mut visited = 0;
    let lengths = |class| [Some(0), Some(8), Some(2), None][usize::from(class % 4u8)];
    let _ = header.read_sections(list, 7, sizes, lengths, |_| {
        visited += 1;
        Ok(())
    });
    assert!(visited <= list.len());
}

/// The fixed array's header, its data block's layout and its elements.
pub fn fixed_array(input: &[u8]) {
    let Some((sizes, bytes)) = sized(input) else { return };
    let Ok(header) = fixed_array::Header::parse(bytes, sizes) else { return };
    if let Some(block) = header.data_block(sizes) {
        let _ = fixed_array::page_is_initialized(bytes, block.pages);
    }
    let _ = header.element.decode(bytes, sizes);
}

/// The extensible array's header and its blocks' layout.
pub fn extensible_array(input: &[u8]) {
    let Some((sizes, bytes)) = sized(input) else { return };
    let Ok(header) = extensible_array::Header::parse(bytes, sizes) else { return };
    let _ = (header.index_block_size(sizes), header.prefix_size(sizes));
    for number in 0..header.secondaries() {
        let secondary = header.secondary(number);
        let _ = (header.secondary_size(secondary, sizes), header.data_block_size(secondary, sizes));
    }
}

/// Global and local heaps.
pub fn old_heaps(input: &[u8]) {
    let Some((sizes, bytes)) = sized(input) else { return };
    let _ = (global_heap::parse_length(bytes, sizes), LocalHeap::parse(bytes, sizes));
    let _ = (group_tree::Node::parse(bytes, 4, sizes), symbol_table::parse_node(bytes, 4, sizes));
    let _ = (SymbolTableMessage::decode(bytes, sizes), free_blocks(bytes, Some(8), sizes));
}

/// Recovery from what may be a redo record, for reading and for writing. The input is a file, which is sealed.
pub fn redo_record(input: &[u8]) {
    let mut bytes = input.to_vec();
    super::seal::seal(&mut bytes);
    let read = |at: u64, buffer: &mut [u8]| -> Result<()> {
        buffer.copy_from_slice(&bytes[at as usize..][..buffer.len()]);
        Ok(())
    };
    let Ok(superblock) = Superblock::locate(bytes.len() as u64, read) else { return };
    for read_only in [true, false] {
        let backend = Box::new(MemoryBackend::with_bytes(bytes.clone()));
        let Ok((mut backend, _, _)) = recover(backend, superblock.clone(), read_only) else { continue };
        let length = backend.len().unwrap_or(0);
        assert!(length <= bytes.len() as u64, "{length} bytes from {}", bytes.len());
        let mut all = vec![0; length as usize];
        assert!(backend.read_at(&mut all, 0).is_ok());
    }
}

/// References of both encodings, and the elements that they select; what was decoded is encoded, and decoded again.
pub fn references(input: &[u8]) {
    let Some((sizes, bytes)) = sized(input) else { return };
    let old = reference::decode_old_region(bytes, sizes).map(|(address, selected)| (address, Part::Region(selected)));
    let decoded = reference::decode(bytes).map(|decoded| (decoded.address, decoded.part));
    for (address, part) in [decoded, old].into_iter().flatten() {
        let rank = match &part {
            Part::Region(Selected::Points { rank, .. }) => *rank,
            Part::Region(Selected::Regular { start, .. }) => start.len(),
            Part::Region(Selected::Blocks(blocks)) => blocks.first().map_or(1, |(first, _)| first.len()),
            _ => 1,
        };
        let listed = |part: &Part| match part {
            Part::Region(selected) => selected.blocks().ok(),
            _ => None,
        };
        if let Part::Region(selected) = &part {
            let _ = (selected.runs(&vec![9; rank], 1000), selected.runs(&[5, 7], 1000));
            let _ = (selected.unlimited_dimension(), selected.clone().regular());
        }
        if let Ok(encoded) = reference::encode(address, &part, rank, sizes) {
            let again = reference::decode(&encoded).expect("what was encoded");
            assert_eq!(again.address, address & (u64::MAX >> (64 - 8 * u32::from(sizes.offset))));
            // Regular blocks may have become a list.
            let same = listed(&part).is_some() && listed(&again.part) == listed(&part);
            assert!(again.part == part || same, "{part:?}");
            let outside = reference::encode_outside(&encoded, b"file").expect("a reference with a token");
            let outside = reference::decode(&outside).expect("what was encoded");
            assert!(outside.file.as_deref() == Some(b"file") && outside.part == again.part);
        }
    }
}

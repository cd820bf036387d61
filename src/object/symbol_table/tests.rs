//! Symbol tables against a map.

use std::collections::BTreeMap;

use super::*;
use crate::format::local_heap::{put_free_blocks, LocalHeap};
use crate::format::message::plain::BTreeK;
use crate::format::Sizes;
use crate::store::MemoryBackend;
use proptest::prelude::*;

/// An empty table as libhdf5 makes it: the empty name stands first in the heap.
fn create(store: &mut Store) -> SymbolTableMessage {
    let (sizes, k) = (store.sizes(), store.k());
    let (id, tree) = store.create_block(group_tree::node_len(k.group_internal, sizes), Seal::None).unwrap();
    let root = Node { level: 0, left: UNDEFINED, right: UNDEFINED, keys: vec![0], children: Vec::new() };
    root.put(store.bytes_mut(id), sizes);
    let (id, data) = store.create_block(88, Seal::None).unwrap();
    let free = put_free_blocks(store.bytes_mut(id), &[(8, 80)], sizes);
    let (id, heap) = store.create_block(LocalHeap::length(sizes) as usize, Seal::None).unwrap();
    LocalHeap { size: 88, free, data }.put(store.bytes_mut(id), sizes);
    SymbolTableMessage { tree, heap }
}

fn store(sizes: Sizes, group_internal: u16, group_leaf: u16) -> Store {
    let mut store = Store::new(Box::new(MemoryBackend::new()), sizes, 0, 48, false).unwrap();
    store.set_k(BTreeK { group_internal, group_leaf, ..BTreeK::DEFAULT });
    store
}

type Model = BTreeMap<Vec<u8>, LinkTarget>;

fn agrees(table: &mut SymbolTable, store: &mut Store, model: &Model) {
    table.check(store).unwrap();
    let listed = table.list(store).unwrap();
    assert!(listed.iter().map(|(name, target)| (name, target)).eq(model.iter()), "{listed:?} {model:?}");
    assert_eq!(table.len(store).unwrap(), model.len() as u64);
}

/// The table as it is read from the file.
fn reopened(table: &mut SymbolTable, store: &mut Store, message: SymbolTableMessage) -> SymbolTable {
    table.prepare(store).unwrap();
    SymbolTable::open(store, message).unwrap()
}

fn name(number: u16) -> Vec<u8> {
    match number % 7 {
        0 => format!("{number}").into_bytes(),
        1 => format!("{}{number:05}", "long_".repeat(usize::from(number % 30))).into_bytes(),
        _ => format!("name{number:05}").into_bytes(),
    }
}

fn target(number: u16) -> LinkTarget {
    match number % 3 {
        0 => LinkTarget::Soft(format!("/there/{number}").into_bytes()),
        _ => LinkTarget::Hard(u64::from(number) + 1),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn edits_agree_with_a_map(
        steps in proptest::collection::vec((any::<bool>(), 0u16..150), 1..400),
        k in (1u16..4, 1u16..4),
        width in prop_oneof![Just(8u8), Just(4u8)],
    ) {
        let mut store = store(Sizes { offset: width, length: width }, k.0, k.1);
        let message = create(&mut store);
        let mut table = SymbolTable::open(&mut store, message).unwrap();
        let mut model = Model::new();
        for (number, (insert, which)) in steps.into_iter().enumerate() {
            let name = name(which);
            prop_assert_eq!(table.find(&mut store, &name).unwrap(), model.get(&name).cloned());
            if insert && !model.contains_key(&name) {
                table.insert(&mut store, &name, &target(which)).unwrap();
                model.insert(name, target(which));
            } else {
                prop_assert_eq!(table.remove(&mut store, &name).unwrap(), model.remove(&name));
            }
            if number % 16 == 0 {
                agrees(&mut table, &mut store, &model);
                table = reopened(&mut table, &mut store, message);
                agrees(&mut table, &mut store, &model);
            }
        }
        agrees(&mut table, &mut store, &model);
        while let Some((name, target)) = model.pop_first() {
            prop_assert_eq!(table.remove(&mut store, &name).unwrap(), Some(target));
        }
        agrees(&mut table, &mut store, &model);
        table.delete(&mut store).unwrap();
        store.flush(|_| vec![0; 48]).unwrap();
        prop_assert_eq!(store.space().end(), 48, "something is left in the file");
    }

    #[test]
    fn damage_is_an_error_and_no_panic(
        count in 1u16..60,
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
    ) {
        let backend = MemoryBackend::new();
        let bytes = backend.shared();
        let k = BTreeK { group_internal: 1, group_leaf: 1, ..BTreeK::DEFAULT };
        let mut store = Store::new(Box::new(backend), Sizes::EIGHT, 0, 48, false).unwrap();
        store.set_k(k);
        let message = create(&mut store);
        let mut table = SymbolTable::open(&mut store, message).unwrap();
        (0..count).for_each(|i| table.insert(&mut store, &name(i), &target(i)).unwrap());
        table.prepare(&mut store).unwrap();
        store.flush(|_| vec![0; 48]).unwrap();
        let mut bytes = bytes.lock().clone();
        for (at, value) in damage {
            let at = at.index(bytes.len() - 48) + 48;
            bytes[at] = value;
        }
        let end = bytes.len() as u64;
        let mut store = Store::new(Box::new(MemoryBackend::with_bytes(bytes)), Sizes::EIGHT, 0, end, false).unwrap();
        store.set_k(k);
        if let Ok(mut table) = SymbolTable::open(&mut store, message) {
            let _ = (table.check(&mut store), table.list(&mut store), table.len(&mut store));
            for i in 0..count {
                let _ = table.find(&mut store, &name(i));
                let _ = table.insert(&mut store, &name(i + 60), &target(i));
                let _ = table.remove(&mut store, &name(i));
            }
            let _ = table.prepare(&mut store);
        }
    }
}

#[test]
fn names_in_their_order_fill_the_nodes_of_the_tree() {
    let mut store = store(Sizes::EIGHT, 16, 4);
    let message = create(&mut store);
    let mut table = SymbolTable::open(&mut store, message).unwrap();
    for i in 0..5000 {
        table.insert(&mut store, format!("n{i:05}").as_bytes(), &LinkTarget::Hard(i + 1)).unwrap();
    }
    table.check(&mut store).unwrap();
    let (mut nodes, mut leaves) = (0, 0);
    table
        .walk(&mut store, &mut |_, _, met| {
            match met {
                Met::Node(_) => nodes += 1,
                Met::Leaf(_) => leaves += 1,
            }
            Ok(())
        })
        .unwrap();
    // Leaves are halved, as in libhdf5; tree nodes keep nine parts of ten.
    assert!(leaves <= 5000 / 4 + 1, "{leaves}");
    assert!(nodes <= leaves / 28 + 5, "{nodes}");
}

use super::tests::{params, scattered, Model};
use crate::error::ErrorKind;
use crate::format::btree2::Pointer;

const NODE_SIZE: u32 = 512;

/// A tree of depth 2, as a flush leaves it, and its nodes with their levels.
fn grown() -> (Model, Vec<(usize, Pointer)>) {
    let mut model = Model::new(params(NODE_SIZE));
    scattered(20_011).for_each(|value| model.insert(value, 0));
    model.flush();
    assert_eq!(model.tree.depth(), 2);
    let mut nodes = Vec::new();
    let note = &mut |_: &mut _, level, node| {
        nodes.push((level, node));
        Ok(())
    };
    model.tree.each_node(&mut model.store, true, note).unwrap();
    (model, nodes)
}

/// Makes all children of a node this one.
fn point(model: &mut Model, level: usize, node: Pointer, child: Pointer) {
    let Model { store, tree, .. } = model;
    let (id, count) = (store.cached(node.address).unwrap(), usize::from(node.nrec));
    for index in 0..=count {
        let place = tree.geometry.pointers(level, count, index, 1);
        tree.geometry.encode(child, &mut store.bytes_mut(id)[place]);
    }
}

/// Listing fails once it has told as many nodes as the file has room for.
fn is_refused(model: &mut Model) {
    let Model { store, tree, .. } = model;
    let room = store.space().end() / u64::from(NODE_SIZE);
    let mut told = 0;
    let result = tree.nodes_above(store, 0, &mut |_, _| told += 1);
    let error = result.expect_err(&format!("{told} nodes in a file with room for {room}"));
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains("point to each other"), "{error}");
    assert_eq!(told, room);
}

#[test]
fn every_node_is_told_once() {
    let (mut model, nodes) = grown();
    let mut addresses: Vec<u64> = nodes.iter().map(|(_, node)| node.address).collect();
    addresses.sort_unstable();
    assert!(addresses.len() > 400);
    for limit in [0, addresses[100]] {
        let mut told = Vec::new();
        model.tree.nodes_above(&mut model.store, limit, &mut |address, _| told.push(address)).unwrap();
        told.sort_unstable();
        assert!(told.iter().eq(addresses.iter().filter(|&&address| address >= limit)), "{limit}");
    }
}

#[test]
fn nodes_whose_children_are_all_the_same_are_not_listed_more_often_than_they_can_stand() {
    let (mut model, nodes) = grown();
    for &(level, node) in nodes.iter().filter(|(level, _)| *level > 0) {
        let Model { store, tree, .. } = &mut model;
        let (id, count) = (store.cached(node.address).unwrap(), node.nrec.into());
        let children = (0..=count).map(|index| tree.geometry.pointer(store.bytes(id), level, count, index));
        let most = children.max_by_key(|child| child.nrec).unwrap();
        point(&mut model, level, node, most);
    }
    is_refused(&mut model);
}

/// Five nodes, which without a bound would be told 435,625 times.
#[test]
fn few_nodes_of_a_deep_tree_are_not_listed_for_ever() {
    let (mut model, nodes) = grown();
    let leaf = nodes.iter().find(|(level, _)| *level == 0).unwrap().1;
    let inner: Vec<Pointer> = nodes.iter().filter(|(level, _)| *level == 1).map(|(_, node)| *node).collect();
    let mut child = leaf;
    for (level, node) in (1..=4).zip(inner) {
        let node = Pointer { nrec: model.tree.geometry.level(level).max, ..node };
        point(&mut model, level, node, child);
        child = node;
    }
    let tree = &mut model.tree;
    (tree.depth, tree.header.root, tree.header.root_nrec) = (4, child.address, child.nrec);
    is_refused(&mut model);
}

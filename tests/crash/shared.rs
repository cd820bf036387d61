//! Files whose object header messages are shared: uses are lost until none is left.

use h5r::object::{Object, ObjectKind, Order};

use crate::common::random::Random;
use crate::record::Recorder;

/// Of the object's attributes, some are renamed, replaced or deleted.
fn change_attributes(object: &Object, random: &mut Random) {
    for name in object.attr_names(Order::Name).unwrap() {
        match random.below(5) {
            0 => object.attr_rename(&name, &format!("{name}'")).unwrap(),
            1 => object.attr_write_null(&name, &crate::workloads::i32()).unwrap(),
            2 | 3 => object.attr_delete(&name).unwrap(),
            _ => {}
        }
    }
}

/// Attributes and objects go, those of all groups in each round, and in the end what is left of them.
pub fn shared(r: &mut Recorder, random: &mut Random) {
    for round in 0..3 {
        let root = r.root();
        change_attributes(&root, random);
        for (name, _) in root.links(Order::Name).unwrap() {
            let object = root.open(&name).unwrap();
            change_attributes(&object, random);
            if object.kind().unwrap() == ObjectKind::Group && object.link_exists("data").unwrap() {
                change_attributes(&object.open("data").unwrap(), random);
                if random.one_in(4) {
                    object.link_delete("data").unwrap();
                }
            }
            drop(object);
            if round == 2 || random.one_in(5) {
                root.link_delete(&name).unwrap();
            }
        }
        drop(root);
        match round {
            0 => r.flush(),
            1 => r.reopen(),
            _ => r.file().rebalance().unwrap(),
        }
    }
    r.flush();
    r.root().attr_write("last", &crate::workloads::i32(), &[], &[1; 4]).unwrap();
}

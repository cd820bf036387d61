//! Objects are copied within a file: what another library wrote, and what was copied before.

use h5r::object::{CopyOptions, Object, ObjectKind, Order};

use crate::common::random::Random;
use crate::record::Recorder;

/// The path of an object in a group or one level below it, or that of the group.
fn any_path(group: &Object, random: &mut Random) -> Option<String> {
    let below = group.links(Order::Name).unwrap();
    let (name, _) = below.get(random.below(below.len().max(1) as u64) as usize)?;
    let object = group.open(name).ok()?;
    if object.kind().unwrap() == ObjectKind::Group && random.one_in(2) {
        if let Some(inner) = any_path(&object, random) {
            return Some(format!("{name}/{inner}"));
        }
    }
    Some(name.clone())
}

/// Copies are made of anything, changed, copied again and deleted.
pub fn copies(r: &mut Recorder, random: &mut Random) {
    for round in 0..12u8 {
        let root = r.root();
        if let Some(from) = any_path(&root, random) {
            let to = format!("copy{round}/of it");
            root.copy(&from, &root, &to, &CopyOptions::default()).unwrap();
            let made = root.open(&to).unwrap();
            made.attr_write("round", &crate::workloads::i32(), &[], &[round; 4]).unwrap();
        }
        if random.one_in(3) {
            let gone = format!("copy{}", random.below(u64::from(round) + 1));
            if root.link_exists(&gone).unwrap() {
                root.link_delete(&gone).unwrap();
            }
        }
        drop(root);
        match random.below(4) {
            0 => r.reopen(),
            1 => {}
            _ => r.flush(),
        }
    }
    r.file().rebalance().unwrap();
    r.flush();
}

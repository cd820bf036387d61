//! The records of dense attributes (specification III.A.2 "Version 2 B-trees", record types 8 and 9).

use crate::error::Result;
use crate::format::header::message_flag;
use crate::format::message::attribute;
use crate::heap::HeapParams;
use crate::object::dense::DenseKind;

/// Dense attributes: name records of type 8, creation-order records of type 9, 8-byte heap IDs.
pub(super) struct AttributeKind;

impl DenseKind for AttributeKind {
    const NAME_TYPE: u8 = 8;
    const NAME_SIZE: usize = 17;
    const HASH_AT: usize = 13;
    const NAME_ID_AT: usize = 0;
    const ORDER_TYPE: u8 = 9;
    const ORDER_SIZE: usize = 13;
    const ORDER_ID_AT: usize = 0;
    const ID_LEN: usize = 8;

    fn heap_params() -> HeapParams {
        HeapParams::ATTRIBUTES
    }

    fn name(object: &[u8]) -> Result<&[u8]> {
        attribute::name_of(object)
    }

    fn name_record(id: &[u8], order: u64, hash: u32, record: &mut [u8]) {
        record[..8].copy_from_slice(id);
        record[8] = 0;
        record[9..13].copy_from_slice(&(order as u32).to_le_bytes());
        record[13..17].copy_from_slice(&hash.to_le_bytes());
    }

    fn order_record(id: &[u8], order: u64, record: &mut [u8]) {
        record[..8].copy_from_slice(id);
        record[8] = 0;
        record[9..13].copy_from_slice(&(order as u32).to_le_bytes());
    }

    fn order_of_record(record: &[u8]) -> u64 {
        u64::from(u32::from_le_bytes([record[9], record[10], record[11], record[12]]))
    }

    fn order_of(name_record: &[u8], _object: &[u8]) -> Option<u64> {
        Some(Self::order_of_record(name_record))
    }

    fn is_shared(record: &[u8]) -> bool {
        record[8] & message_flag::SHARED != 0
    }

    fn set_shared(record: &mut [u8], shared: bool) {
        record[8] = if shared { message_flag::SHARED } else { 0 };
    }
}

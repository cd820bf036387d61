//! Elements that take more than the conversion of numbers and strings, in datasets with a filter of the user's: the raw data are
//! read and written without the file's lock, and converted under it if the dataset is then what it was.

use super::bridge::to_file;
use super::dataset::{DatasetState, Remade, Selection};
use super::elements::{check_buffer, is_simple, Returned};
use super::header::ObjectHeader;
use super::state::{Slot, State};
use super::{value, Object};
use parking_lot::Mutex;

use crate::datatype::{Converter, Datatype, Pointers};
use crate::error::Result;
use crate::store::Store;

/// How elements get between memory and file.
pub(super) enum Transfer {
    /// With no more than the conversion of numbers and strings.
    Simple,
    /// Converted as a whole.
    Converted,
    /// Converted as a whole, and through a filter of the user's.
    Called,
}

impl Transfer {
    pub fn of(
        array: &mut DatasetState,
        store: &mut Store,
        header: &ObjectHeader,
        memory: &Datatype,
    ) -> Result<Transfer> {
        Ok(match is_simple(memory, array.datatype()) {
            true => Transfer::Simple,
            false if array.calls_back(store, header)? => Transfer::Called,
            false => Transfer::Converted,
        })
    }
}

impl Object {
    /// Reads selected elements, as [`State::read_elements`].
    pub(super) fn read_elements_called(
        &self,
        memory: &Datatype,
        selection: Option<&Selection<'_>>,
        out: &mut [u8],
        pointers: &mut dyn Pointers,
    ) -> Result<()> {
        const WHAT: &str = "reading dataset";
        let mut is_done = false;
        while !is_done {
            let (file, length, seen) = self.read(WHAT, "", |state, slot| {
                let array = state.objects.get(slot)?.array()?.1;
                let count = array.selected(selection)?;
                check_buffer(count, memory, out.len())?;
                let file = array.datatype().clone();
                Ok((file.clone(), value::value_size(count, &file)?, array.changes()))
            })?;
            let mut raw = vec![0; length];
            self.read_called(&file, selection, &mut raw)?;
            is_done =
                self.read(WHAT, "", |state, slot| match state.objects.get(slot)?.array()?.1.changes() == seen {
                    true => state.convert_elements(&file, memory, &raw, out, pointers).map(|()| true),
                    false => Ok(false),
                })?;
        }
        Ok(())
    }

    /// Writes selected elements, as [`State::write_elements`].
    pub(super) fn write_elements_called(
        &self,
        memory: &Datatype,
        selection: Option<&Selection<'_>>,
        data: &[u8],
        pointers: &mut dyn Pointers,
    ) -> Result<()> {
        const WHAT: &str = "writing dataset";
        loop {
            let (file, length, seen, keeps) = self.read(WHAT, "", |state, slot| {
                state.store.check_writable()?;
                let array = state.objects.get(slot)?.array()?.1;
                let file = array.datatype().clone();
                let converter = Converter::to_file(memory, &file, state.store.sizes())?;
                let count = array.selected(selection)?;
                check_buffer(count, memory, data.len())?;
                let length = value::value_size(count, &file)?;
                Ok((file.clone(), length, array.all_changes(), converter.keeps_some(&file)))
            })?;
            let mut old = Vec::new();
            if keeps || file.has_pointers() {
                old.resize(length, 0);
                self.read_called(&file, selection, &mut old)?;
            }
            let converted = self.change(WHAT, "", |state, slot| {
                let State { store, objects, heap, .. } = state;
                if objects.get(slot)?.array()?.1.all_changes() != seen {
                    return Ok(None);
                }
                let converter = Converter::to_file(memory, &file, store.sizes())?;
                let mut new = if keeps { old.clone() } else { vec![0; length] };
                to_file(&converter, data, &mut new, (store, heap), pointers)?;
                Ok(Some(new))
            })?;
            let Some(new) = converted else { continue };
            let written = self.write_called_after(&file, selection, &new, Some(seen));
            match written {
                Ok(true) => self.give_back(WHAT, &file, &old, Some(&new))?,
                _ => self.give_back(WHAT, &file, &new, Some(&old).filter(|old| !old.is_empty()))?,
            }
            if written? {
                return Ok(());
            }
        }
    }

    /// Appends rows, as [`State::append_elements`].
    pub(super) fn append_elements_called(
        &self,
        memory: &Datatype,
        rows: u64,
        data: &[u8],
        pointers: &mut dyn Pointers,
    ) -> Result<()> {
        const WHAT: &str = "appending to dataset";
        let (file, new) = self.change(WHAT, "", |state, slot| {
            let (file, count) = state.check_rows(slot, memory, rows, data)?;
            let State { store, heap, .. } = state;
            let mut new = vec![0; value::value_size(count, &file)?];
            let converter = Converter::to_file(memory, &file, store.sizes())?;
            to_file(&converter, data, &mut new, (store, heap), pointers)?;
            Ok((file, new))
        })?;
        // Places behind the last row may have a fill value each.
        let old = Mutex::new(vec![0; new.len()]);
        let appended = self.append_called(&file, rows, &new, Some(&old));
        match appended {
            Ok(()) => self.give_back(WHAT, &file, &old.into_inner(), Some(&new)),
            Err(_) => self.give_back(WHAT, &file, &new, None).and(appended),
        }
    }

    /// Gives back what the elements `gone` own and those in their places do not.
    fn give_back(&self, what: &str, file: &Datatype, gone: &[u8], kept: Option<&Vec<u8>>) -> Result<()> {
        if !file.has_pointers() {
            return Ok(());
        }
        self.change(what, "", |state, slot| {
            let State { store, objects, heap, .. } = state;
            let (sizes, fill) = (store.sizes(), &mut objects.get(slot)?.array()?.1.fill_objects(store, heap)?);
            file.release(gone, kept.map(Vec::as_slice), sizes, &mut Returned { store, heap, fill })
        })
    }
}

impl State {
    /// Changes dimensions, as [`State::set_extent`], after the user's filter was called: with the values that are lost, and what
    /// is left of chunks that are cut. False, and nothing is changed, if the dataset is not what it was.
    pub(super) fn set_extent_called(
        &mut self,
        slot: Slot,
        dims: &[u64],
        remade: &Remade,
        lost: &[Vec<u8>],
    ) -> Result<bool> {
        let State { store, objects, heap, .. } = self;
        let (header, array) = objects.get(slot)?.array()?;
        if !array.set_extent_called(store, header, dims, remade)? {
            return Ok(false);
        }
        let (file, sizes, fill) = (array.datatype().clone(), store.sizes(), &mut array.fill_objects(store, heap)?);
        lost.iter().try_for_each(|raw| file.release(raw, None, sizes, &mut Returned { store, heap, fill }))?;
        Ok(true)
    }
}

/// What new dimensions cut off: what lies behind them in one dimension, and before them in those that came earlier.
pub(super) fn cut_off(old: &[u64], new: &[u64]) -> Vec<(Vec<u64>, Vec<u64>)> {
    if old.len() != new.len() {
        return Vec::new();
    }
    let block = |dimension: usize| {
        let (mut start, mut block) = (vec![0; old.len()], old.to_vec());
        (0..dimension).for_each(|d| block[d] = new[d].min(old[d]));
        (start[dimension], block[dimension]) = (new[dimension], old[dimension] - new[dimension]);
        (start, block)
    };
    (0..old.len()).filter(|&d| new[d] < old[d]).map(block).collect()
}

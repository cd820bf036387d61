//! What a user does with a dataset that is open.

use super::DatasetInfo;
use crate::datatype::Datatype;
use crate::error::Result;
use crate::object::elements::check_plain;
use crate::object::state::State;
use crate::object::Object;

impl Object {
    /// The dataset's type in its form in memory, dimensions and storage. A virtual one has the dimensions that its sources
    /// make now. Of a chunked dataset all of the chunks' index is read.
    pub fn dataset_info(&self) -> Result<DatasetInfo> {
        self.follow_sources("describing dataset")?;
        self.read("describing dataset", "", |state, slot| {
            let State { store, objects, .. } = state;
            let mut info = objects.get(slot)?.array()?.1.info(store)?;
            info.datatype = info.datatype.to_memory()?;
            Ok(info)
        })
    }

    /// The dataset's dimensions, none for a null dataspace; of a virtual dataset, as its sources make them now.
    pub fn dataset_dims(&self) -> Result<Option<Vec<u64>>> {
        self.follow_sources("describing dataset")?;
        self.read("describing dataset", "", |state, slot| Ok(state.objects.get(slot)?.array()?.1.dims()))
    }

    /// Changes a chunked dataset's dimensions, within its maximum ones. Chunks outside are freed.
    pub fn dataset_set_extent(&self, dims: &[u64]) -> Result<()> {
        let mut is_called = false;
        self.change_array("changing dimensions", |state, slot| {
            let State { store, objects, .. } = state;
            let (header, array) = objects.get(slot)?.array()?;
            is_called = array.is_remade_by(dims) && array.calls_back(store, header)?;
            if is_called {
                return Ok(());
            }
            state.set_extent(slot, dims)?;
            state.note_chunks(slot)
        })?;
        match is_called {
            true => self.set_extent_remade("changing dimensions", dims),
            false => Ok(()),
        }
    }

    /// Appends rows to a chunked dataset along its first dimension: `data` are their elements, of type `memory`.
    pub fn dataset_append(&self, memory: &Datatype, rows: u64, data: &[u8]) -> Result<()> {
        check_plain(memory)?;
        let mut is_called = false;
        self.change_array("appending to dataset", |state, slot| {
            let State { store, objects, .. } = state;
            let (header, array) = objects.get(slot)?.array()?;
            is_called = array.calls_back(store, header)?;
            match is_called {
                true => Ok(()),
                false => array.append(store, header, memory, rows, data),
            }
        })?;
        match is_called {
            true => self.append_called(memory, rows, data, None),
            false => Ok(()),
        }
    }
}

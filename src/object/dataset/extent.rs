//! Chunked datasets that grow and shrink.

use super::{own_body, DatasetState, Selection, Storage};
use crate::datatype::Datatype;
use crate::error::{Error, ErrorKind, Result};
use crate::format::message::dataspace::Dataspace;
use crate::format::message::kind;
use crate::object::header::ObjectHeader;
use crate::store::Store;

impl DatasetState {
    /// Changes the dimensions, within the maximum ones. Chunks outside are freed; where the dataset grows again later, it
    /// has the fill value.
    pub fn set_extent(&mut self, store: &mut Store, header: &mut ObjectHeader, dims: &[u64]) -> Result<()> {
        store.check_writable()?;
        let max = self.check_can_resize()?;
        if dims.len() != max.len() {
            return Err(Error::range("number of dimensions", dims.len(), max.len()));
        }
        if let Some((dim, max)) = dims.iter().zip(&max).find(|(dim, max)| dim > max) {
            return Err(Error::range("dimension", dim, format_args!("0..{max}")));
        }
        let size = dims.iter().try_fold(self.datatype.size() as u64, |size, &dim| size.checked_mul(dim));
        let Some(size) = size.filter(|&size| size < i64::MAX as u64) else {
            let message = format!("a dataset of {dims:?} elements is larger than a file can be");
            return Err(Error::new(ErrorKind::Limit, message));
        };
        if dims == self.dataspace.dims() {
            return Ok(());
        }
        own_body(store, header, kind::DATASPACE, "dataspace")?;
        if dims.iter().zip(self.dataspace.dims()).any(|(new, old)| new < old) {
            self.shape += 1;
            self.change_chunks(store, header, |io, store| io.shrink(store, dims))?;
        }
        let dataspace = Dataspace::Simple { dims: dims.to_vec(), max_dims: Some(max) };
        let Some(index) = header.find(kind::DATASPACE) else { return Err(self.changed(header)) };
        header.replace(store, index, &dataspace.encode(store.sizes()))?;
        (self.dataspace, self.size) = (dataspace, size);
        Ok(())
    }

    /// Appends rows along the first dimension, whose elements of type `memory` are `data`.
    pub fn append(
        &mut self,
        store: &mut Store,
        header: &mut ObjectHeader,
        memory: &Datatype,
        rows: u64,
        data: &[u8],
    ) -> Result<()> {
        store.check_writable()?;
        self.check_can_resize()?;
        let mut dims = self.dataspace.dims().to_vec();
        if dims.is_empty() {
            return Err(Error::new(ErrorKind::WrongKind, "a scalar has no rows"));
        }
        let (start, mut count) = ([vec![dims[0]], vec![0; dims.len() - 1]].concat(), dims.clone());
        count[0] = rows;
        let needed = count.iter().try_fold(memory.size() as u64, |bytes, &count| bytes.checked_mul(count));
        if needed != Some(data.len() as u64) {
            let message = format!("{rows} rows of {:?} elements do not match a buffer of {}", &dims[1..], data.len());
            return Err(Error::new(ErrorKind::Argument, message));
        }
        crate::datatype::Conversion::between(memory, &self.datatype)?;
        self.chunk_io(store, header)?.check_changeable()?;
        let Some(sum) = dims[0].checked_add(rows) else { return Err(Error::range("rows", rows, "a sum below 2^64")) };
        dims[0] = sum;
        self.set_extent(store, header, &dims)?;
        let selection = Selection { start: Some(&start), count: Some(&count), ..Selection::default() };
        self.write(store, header, memory, Some(&selection), data)
    }

    /// The maximum dimensions of a dataset whose dimensions can change.
    fn check_can_resize(&self) -> Result<Vec<u64>> {
        let Storage::Chunked(chunked) = &self.storage else {
            let message = "only a chunked dataset can change its dimensions";
            return Err(Error::new(ErrorKind::WrongKind, message));
        };
        if chunked.flags & super::chunked::EDGES_UNFILTERED != 0 {
            return Err(Error::unsupported("changing the dimensions of a dataset whose edge chunks are not filtered"));
        }
        Ok(self.max_dims().to_vec())
    }
}

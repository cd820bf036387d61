//! Filters of the user's: a table of the process, as libhdf5 has it. This is the only state that this layer has.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};

use super::{known_name, KNOWN};
use crate::error::{Error, ErrorKind, Result};
use crate::format::message::filter_pipeline::FIRST_NAMED;

/// What a filter of the user's does. It is called from any thread, also from several at once, and by some calls with the file, or two
/// files, locked (`h5r_filter_callback` names them): it must not use these, nor wait for a thread that does, or neither goes on.
pub trait UserFilter: Send + Sync {
    /// Whether it encodes, and whether it decodes.
    fn directions(&self) -> (bool, bool);

    /// Encodes: `out` becomes the result.
    fn encode(&self, parameters: &[u32], data: &[u8], out: &mut Vec<u8>) -> std::result::Result<(), String>;

    /// Decodes data that become at most as many bytes as `out` has; how many they became.
    fn decode(&self, parameters: &[u32], data: &[u8], out: &mut [u8]) -> std::result::Result<usize, String>;
}

struct Entry {
    name: String,
    filter: Box<dyn UserFilter>,
    /// Calls that are on their way.
    running: Mutex<usize>,
    idle: Condvar,
}

static TABLE: RwLock<BTreeMap<u16, Arc<Entry>>> = RwLock::new(BTreeMap::new());

thread_local! {
    static IS_RUNNING: Cell<bool> = const { Cell::new(false) };
}

/// Nothing that is locked here can be left half-done by a panic.
fn counted(entry: &Entry) -> MutexGuard<'_, usize> {
    entry.running.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A call on its way; its end is told to who waits for it.
struct Call(Arc<Entry>);

impl Call {
    fn begin(id: u16) -> Option<Call> {
        let table = TABLE.read().unwrap_or_else(PoisonError::into_inner);
        let entry = table.get(&id)?.clone();
        // Counted before the table is free again, so that removing the filter waits for it.
        *counted(&entry) += 1;
        drop(table);
        IS_RUNNING.set(true);
        Some(Call(entry))
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        IS_RUNNING.set(false);
        *counted(&self.0) -= 1;
        self.0.idle.notify_all();
    }
}

/// Whether this thread is in a call of a user's filter.
pub fn is_running() -> bool {
    IS_RUNNING.get()
}

/// Enters a filter; its name is stored with new datasets.
///
/// Fails for numbers that this library or the format has, and those that are taken.
pub fn register(id: u16, name: &str, filter: Box<dyn UserFilter>) -> Result<()> {
    if id < FIRST_NAMED {
        return Err(Error::range(
            "filter id",
            id,
            format_args!("{FIRST_NAMED}..65535: the others are the format's own"),
        ));
    }
    if KNOWN.contains(&id) {
        let message = format!("the filter {id} ({}) is one of h5r's own", known_name(id));
        return Err(Error::new(ErrorKind::Exists, message));
    }
    let mut table = TABLE.write().unwrap_or_else(PoisonError::into_inner);
    if table.contains_key(&id) {
        return Err(Error::new(ErrorKind::Exists, format!("the filter {id} is registered already")));
    }
    let entry = Entry { name: name.to_string(), filter, running: Mutex::new(0), idle: Condvar::new() };
    table.insert(id, Arc::new(entry));
    Ok(())
}

/// Takes a filter out, and waits for its calls to end.
pub fn unregister(id: u16) -> Result<()> {
    let removed = TABLE.write().unwrap_or_else(PoisonError::into_inner).remove(&id);
    let Some(entry) = removed else {
        return Err(Error::new(ErrorKind::NotFound, format!("no filter {id} is registered")));
    };
    let mut running = counted(&entry);
    while *running > 0 {
        running = entry.idle.wait(running).unwrap_or_else(PoisonError::into_inner);
    }
    Ok(())
}

/// Whether a filter of this number encodes, and whether it decodes; none if there is none.
pub(super) fn directions(id: u16) -> Option<(bool, bool)> {
    let table = TABLE.read().unwrap_or_else(PoisonError::into_inner);
    table.get(&id).map(|entry| entry.filter.directions())
}

/// The name that a filter was registered with.
pub(super) fn registered_name(id: u16) -> Option<String> {
    let table = TABLE.read().unwrap_or_else(PoisonError::into_inner);
    table.get(&id).map(|entry| entry.name.clone())
}

const NOT_REGISTERED: Cow<'static, str> = Cow::Borrowed("a filter that is not known");

pub(super) fn encode(
    id: u16,
    parameters: &[u32],
    data: &[u8],
    out: &mut Vec<u8>,
) -> std::result::Result<(), Cow<'static, str>> {
    let call = Call::begin(id).ok_or(NOT_REGISTERED)?;
    call.0.filter.encode(parameters, data, out).map_err(Cow::Owned)
}

pub(super) fn decode(
    id: u16,
    parameters: &[u32],
    data: &[u8],
    out: &mut [u8],
) -> std::result::Result<usize, Cow<'static, str>> {
    let call = Call::begin(id).ok_or(NOT_REGISTERED)?;
    call.0.filter.decode(parameters, data, out).map_err(Cow::Owned)
}

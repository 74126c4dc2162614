//! Objects: a tree of handles with reference counts, contexts, and callbacks at their end.
//!
//! Deleting an object cleans up its children first and itself last, then lets go of one reference
//! of each; an object without a reference is destroyed. Handles are looked up, never
//! followed: one that is stale or invented is a violation with the name of the function.
// UNSAFETY: functions that images call.
#![expect(unsafe_code)]

use std::collections::{HashMap, VecDeque};
use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use super::call;
use super::checks::{self, Parent};
use super::child_list::ChildList;
use super::collection::Collection;
use super::context::{self, Context};
use super::device;
use super::dpc::Dpc;
use super::image;
use super::layout::WDF_OBJECT_ATTRIBUTES;
use super::lock::{SpinLock, WaitLock};
use super::lookaside::Lookaside;
use super::memory::Memory;
use super::queue::Queue;
use super::queue_state;
use super::registry::Key;
use super::request::Request;
use super::string::Text;
use super::timer::Timer;
use super::violation;
use super::work_item::WorkItem;
use crate::native::kernel::loaded::Loaded;
use crate::native::kernel::nt::{NtStatus, STATUS_SUCCESS};
use crate::native::kernel::points;
use crate::native::wdf::Handle;

/// What an object is.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Driver,
    DeviceInit(Box<device::Init>),
    Device(Arc<device::Device>),
    General,
    SpinLock(Arc<SpinLock>),
    WaitLock(Arc<WaitLock>),
    WorkItem(Arc<WorkItem>),
    Timer(Arc<Timer>),
    Queue(Arc<Queue>),
    File,
    Request(Arc<Request>),
    Memory(Arc<Memory>),
    Collection(Arc<Collection>),
    Text(Arc<Text>),
    Dpc(Arc<Dpc>),
    Key(Arc<Key>),
    ChildList(Arc<ChildList>),
    WmiInstance,
    Lookaside(Arc<Lookaside>),
}

/// One object.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) kind: Kind,
    pub(super) parent: Option<usize>,
    pub(super) contexts: Vec<Context>,
    /// Its own, until it is deleted, and those that the driver took.
    references: usize,
    deleted: bool,
    /// Whether the driver has asked for it.
    delete_called: bool,
}

/// The objects of a driver.
#[derive(Debug, Default)]
pub(super) struct Objects {
    last: usize,
    live: HashMap<usize, Object>,
    /// The requests that were completed last.
    completed: VecDeque<usize>,
}

/// How many completed requests are remembered, for reports.
const COMPLETED: usize = 1024;

/// Handles are not addresses of anything: following one faults.
const TAG: usize = 0x5744_4600_0000_0000;

pub(super) fn handle(id: usize) -> Handle {
    ptr::without_provenance_mut(TAG | id << 4)
}

pub(super) fn id(handle: Handle) -> Option<usize> {
    let address = handle.addr();
    (address & !0xff_ffff_fff0 == TAG).then_some((address & 0xff_ffff_fff0) >> 4)
}

impl Objects {
    pub(super) fn get(&self, handle: Handle) -> Option<&Object> {
        self.live.get(&id(handle)?)
    }

    pub(super) fn get_mut(&mut self, handle: Handle) -> Option<&mut Object> {
        self.live.get_mut(&id(handle)?)
    }

    pub(super) fn insert(&mut self, kind: Kind, parent: Option<usize>) -> Handle {
        self.last += 1;
        let object = Object {
            kind,
            parent,
            contexts: Vec::new(),
            references: 1,
            deleted: false,
            delete_called: false,
        };
        self.live.insert(self.last, object);
        handle(self.last)
    }

    pub(super) fn remove(&mut self, handle: Handle) -> Option<Object> {
        self.live.remove(&id(handle)?)
    }

    /// Remembers that a request is completed.
    pub(super) fn remember_completed(&mut self, request: Handle) {
        self.completed.extend(id(request));
        if self.completed.len() > COMPLETED {
            self.completed.pop_front();
        }
    }

    /// Returns `true` if a handle was one of a request that is completed, not long ago.
    pub(super) fn was_completed(&self, request: Handle) -> bool {
        id(request).is_some_and(|id| self.completed.contains(&id))
    }

    /// Finds an object by its context.
    pub(super) fn with_context(&self, address: *const c_void) -> Option<Handle> {
        let mut objects = self.live.iter();
        let owns = |object: &Object| object.contexts.iter().any(|own| own.is_at(address));
        objects.find_map(|(&id, object)| owns(object).then(|| handle(id)))
    }

    /// The objects of a kind, in the order in which they were made.
    pub(super) fn all(&self, wanted: impl Fn(&Kind) -> bool) -> Vec<Handle> {
        let of_kind = self.live.iter().filter(|(_, object)| wanted(&object.kind));
        let mut ids: Vec<_> = of_kind.map(|(&id, _)| id).collect();
        ids.sort_unstable();
        ids.into_iter().map(handle).collect()
    }

    /// An object and everything below it that is not deleted yet, marked as deleted: children
    /// before parents, the youngest first.
    fn take_tree(&mut self, root: usize) -> Vec<usize> {
        let mut children: Vec<_> = self
            .live
            .iter()
            .filter(|(_, object)| object.parent == Some(root) && !object.deleted)
            .map(|(&id, _)| id)
            .collect();
        children.sort_unstable_by(|a, b| b.cmp(a));
        let mut tree: Vec<_> = children
            .into_iter()
            .flat_map(|child| self.take_tree(child))
            .collect();
        if let Some(object) = self.live.get_mut(&root) {
            object.deleted = true;
            tree.push(root);
        }
        tree
    }

    /// Lets go of a reference. Returns the object if it was the last.
    fn release(&mut self, id: usize) -> Option<Object> {
        let object = self.live.get_mut(&id)?;
        object.references = object.references.saturating_sub(1);
        (object.references == 0)
            .then(|| self.live.remove(&id))
            .flatten()
    }
}

/// Makes an object with its context. The attributes have been checked.
pub(super) fn make(
    image: &Loaded,
    kind: Kind,
    parent: Option<Handle>,
    attributes: Option<WDF_OBJECT_ATTRIBUTES>,
) -> Result<Handle, NtStatus> {
    points::may_fail()?;
    let given = attributes.map(|attributes| attributes.ParentObject);
    let parent = given.filter(|parent| !parent.is_null()).or(parent);
    let mut state = image.framework().lock();
    if let Some(parent) = parent
        && state
            .objects
            .get(parent)
            .is_none_or(|parent| parent.deleted)
    {
        drop(state);
        violation(format_args!("the parent {parent:p} is not an object"));
    }
    let handle = state.objects.insert(kind, parent.and_then(id));
    if let Some(attributes) = attributes
        && let Some(object) = state.objects.get_mut(handle)
    {
        // SAFETY: the attributes have been checked, and their type information read.
        object
            .contexts
            .extend(unsafe { context::Context::new(attributes) });
    }
    Ok(handle)
}

/// Deletes an object and everything below it, and calls their callbacks.
pub(super) fn delete_tree(image: &Loaded, root: Handle) {
    let Some(root) = id(root) else { return };
    let tree = image.framework().lock().objects.take_tree(root);
    for &id in &tree {
        stop_working(image, id);
        for callback in callbacks(image, id, Context::cleanup) {
            call::object(image, "EvtCleanupCallback", callback, handle(id));
        }
    }
    for &id in &tree {
        release(image, id);
    }
}

/// What an object of the calling driver is, if there is one with this handle.
pub(super) fn kind(object: Handle) -> Option<Kind> {
    kind_in(&image(), object)
}

/// What an object of a driver is, if there is one with this handle.
pub(super) fn kind_in(image: &Loaded, object: Handle) -> Option<Kind> {
    let state = image.framework().lock();
    state.objects.get(object).map(|object| object.kind.clone())
}

/// The parent of an object, or null.
pub(super) fn parent(object: Handle) -> Handle {
    let image = image();
    let state = image.framework().lock();
    let parent = state.objects.get(object).and_then(|object| object.parent);
    parent.map_or(ptr::null_mut(), handle)
}

/// Returns `true` if an object is a device or below one.
pub(super) fn has_device(image: &Loaded, object: Handle) -> bool {
    let above = ancestors(image, object);
    above.iter().any(|kind| matches!(kind, Kind::Device(_)))
}

/// What an object and everything above it is, from the object up.
pub(super) fn ancestors(image: &Loaded, object: Handle) -> Vec<Kind> {
    let state = image.framework().lock();
    let mut kinds = Vec::new();
    let mut next = id(object);
    while let Some(object) = next.and_then(|id| state.objects.live.get(&id)) {
        kinds.push(object.kind.clone());
        next = object.parent;
    }
    kinds
}

/// Takes a reference to an object that exists.
pub(super) fn take_reference(image: &Loaded, object: Handle) {
    if let Some(found) = image.framework().lock().objects.get_mut(object) {
        found.references += 1;
    }
}

/// Lets go of a reference, and destroys the object if it was the last.
pub(super) fn release(image: &Loaded, id: usize) {
    let destroy = callbacks(image, id, Context::destroy);
    let last = image
        .framework()
        .lock()
        .objects
        .live
        .get(&id)
        .is_some_and(|o| o.references == 1);
    if last {
        for callback in destroy {
            call::object(image, "EvtDestroyCallback", callback, handle(id));
        }
    }
    drop(image.framework().lock().objects.release(id));
}

fn callbacks(image: &Loaded, id: usize, which: fn(&Context) -> usize) -> Vec<usize> {
    let state = image.framework().lock();
    let object = state.objects.live.get(&id);
    object.map_or_else(Vec::new, |object| {
        object.contexts.iter().map(which).collect()
    })
}

/// Work items and timers finish before they are deleted.
fn stop_working(image: &Loaded, id: usize) {
    match kind_in(image, handle(id)) {
        Some(Kind::WorkItem(item)) => item.flush(),
        Some(Kind::Timer(timer)) => timer.finish(),
        Some(Kind::Dpc(dpc)) => dpc.finish(image),
        Some(Kind::Collection(collection)) => collection.clear(image),
        _ => {}
    }
}

/// `WdfObjectCreate`.
pub(crate) unsafe extern "win64" fn create(
    _globals: *const c_void,
    attributes: *const WDF_OBJECT_ATTRIBUTES,
    output: *mut Handle,
) -> NtStatus {
    // SAFETY: its arguments are valid; the driver guarantees it.
    unsafe { create_simple("WdfObjectCreate", attributes, output, Kind::General) }
}

/// Makes an object that has nothing but attributes; its parent is the driver unless they say.
///
/// # Safety
///
/// The attributes are null or readable, and the output is valid for a write.
pub(super) unsafe fn create_simple(
    function: &'static str,
    attributes: *const WDF_OBJECT_ATTRIBUTES,
    output: *mut Handle,
    kind: Kind,
) -> NtStatus {
    if output.is_null() {
        violation("the output is null");
    }
    let image = image();
    // SAFETY: they are valid; the driver guarantees it.
    let attributes = unsafe { checks::attributes(function, attributes, Parent::Optional, false) };
    let driver = image
        .framework()
        .lock()
        .driver
        .as_ref()
        .map(|driver| driver.handle);
    match attributes.and_then(|attributes| make(&image, kind, driver, attributes)) {
        Ok(handle) => {
            // SAFETY: the output is valid; the driver guarantees it.
            unsafe { output.write(handle) };
            STATUS_SUCCESS
        }
        Err(status) => status,
    }
}

/// Notes that the driver deletes an object. `None` for one that is being deleted with its parent already, which the parent's
/// cleanup callback may do.
fn begin_delete(image: &Loaded, object: Handle) -> Option<Kind> {
    let mut state = image.framework().lock();
    let found = state.objects.get_mut(object);
    if let Some(found) = found.filter(|found| !found.delete_called) {
        found.delete_called = true;
        return (!found.deleted).then(|| found.kind.clone());
    }
    drop(state);
    violation(format_args!("{object:p} is not an object"))
}

/// `WdfObjectDelete`.
pub(crate) extern "win64" fn delete(_globals: *const c_void, object: Handle) {
    let image = image();
    let Some(kind) = begin_delete(&image, object) else {
        return;
    };
    match kind {
        Kind::General
        | Kind::SpinLock(_)
        | Kind::WaitLock(_)
        | Kind::Timer(_)
        | Kind::WorkItem(_)
        | Kind::Collection(_)
        | Kind::Text(_)
        | Kind::Dpc(_)
        | Kind::Key(_)
        | Kind::WmiInstance
        | Kind::Lookaside(_) => {}
        Kind::Memory(memory) if !matches!(*memory, Memory::OfRequest(..)) => {}
        Kind::Device(device) if device.init.control => {
            device::remove(&image, object);
            return;
        }
        Kind::Driver | Kind::Device(_) | Kind::DeviceInit(_) => {
            violation("drivers and Plug and Play devices are deleted by the framework")
        }
        Kind::Queue(queue) => queue_state::close(&image, &queue),
        Kind::ChildList(_) => violation("a child list is deleted with its device"),
        Kind::File | Kind::Request(_) | Kind::Memory(_) => {
            violation("what belongs to a request of a program is deleted by the framework")
        }
    }
    delete_tree(&image, object);
}

/// `WdfObjectReferenceActual`.
pub(crate) extern "win64" fn reference(_globals: *const c_void, object: Handle) {
    let image = image();
    let mut state = image.framework().lock();
    let Some(found) = state.objects.get_mut(object) else {
        drop(state);
        violation(format_args!("{object:p} is not an object"));
    };
    found.references += 1;
}

/// `WdfObjectDereferenceActual`.
pub(crate) extern "win64" fn dereference(_globals: *const c_void, object: Handle) {
    let image = image();
    let found = image
        .framework()
        .lock()
        .objects
        .get(object)
        .map(|o| (o.references, o.deleted));
    match (found, id(object)) {
        (Some((references, deleted)), Some(id)) if references > 1 || deleted => release(&image, id),
        _ => violation(format_args!(
            "{object:p} has no reference left that the driver took"
        )),
    }
}

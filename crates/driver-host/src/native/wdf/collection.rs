//! Collections: ordered references to objects.
// UNSAFETY: functions that images call.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::ptr;
use std::sync::{Arc, Mutex, PoisonError};

use super::layout::WDF_OBJECT_ATTRIBUTES;
use super::object::{self, Kind};
use super::{Handle, misuse, violation};
use crate::native::kernel::loaded::Loaded;
use crate::native::kernel::nt::{NtStatus, STATUS_SUCCESS};

/// A `WDFCOLLECTION`: the numbers of objects, each of which it refers to once for each place.
#[derive(Debug, Default)]
pub(crate) struct Collection(Mutex<Vec<usize>>);

impl Collection {
    fn change<T>(&self, change: impl FnOnce(&mut Vec<usize>) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Appends an object that exists.
    pub(super) fn add(&self, image: &Loaded, object: Handle) {
        object::take_reference(image, object);
        self.change(|items| items.extend(object::id(object)));
    }

    /// Lets go of everything: the collection is deleted.
    pub(super) fn clear(&self, image: &Loaded) {
        for item in self.change(std::mem::take) {
            object::release(image, item);
        }
    }
}

fn find(collection: Handle) -> Arc<Collection> {
    match object::kind(collection) {
        Some(Kind::Collection(found)) => found,
        _ => violation(format_args!("{collection:p} is not a collection")),
    }
}

/// `WdfCollectionCreate`.
pub(crate) unsafe extern "win64" fn create(
    _globals: *const c_void,
    attributes: *const WDF_OBJECT_ATTRIBUTES,
    output: *mut Handle,
) -> NtStatus {
    let kind = Kind::Collection(Arc::default());
    // SAFETY: the driver passes attributes and an output, as `WdfCollectionCreate` requires.
    unsafe { object::create_simple("WdfCollectionCreate", attributes, output, kind) }
}

/// `WdfCollectionGetCount`.
pub(crate) extern "win64" fn count(_globals: *const c_void, collection: Handle) -> u32 {
    find(collection).change(|items| items.len() as u32)
}

/// `WdfCollectionAdd`.
pub(crate) extern "win64" fn add(
    _globals: *const c_void,
    collection: Handle,
    item: Handle,
) -> NtStatus {
    let collection = find(collection);
    if object::kind(item).is_none() {
        violation(format_args!("{item:p} is not an object"));
    }
    collection.add(&super::image(), item);
    STATUS_SUCCESS
}

/// `WdfCollectionRemove`.
pub(crate) extern "win64" fn remove(_globals: *const c_void, collection: Handle, item: Handle) {
    if object::kind(item).is_none() {
        violation(format_args!("{item:p} is not an object"));
    }
    let found = find(collection).change(|items| {
        let place = items.iter().position(|&own| object::id(item) == Some(own));
        place.map(|place| items.remove(place))
    });
    let_go(found, || format!("{item:p} is not in the collection"));
}

/// `WdfCollectionRemoveItem`.
pub(crate) extern "win64" fn remove_item(_globals: *const c_void, collection: Handle, place: u32) {
    let found = find(collection).change(|items| {
        let place = place as usize;
        (place < items.len()).then(|| items.remove(place))
    });
    let_go(found, || format!("the collection has no item {place}"));
}

fn let_go(found: Option<usize>, text: impl FnOnce() -> String) {
    match found {
        Some(item) => object::release(&super::image(), item),
        None => misuse(text()),
    }
}

fn at(collection: Handle, place: impl FnOnce(&[usize]) -> Option<&usize>) -> Handle {
    let found = find(collection).change(|items| place(items).copied());
    found.map_or(ptr::null_mut(), object::handle)
}

/// `WdfCollectionGetItem`.
pub(crate) extern "win64" fn item(
    _globals: *const c_void,
    collection: Handle,
    place: u32,
) -> Handle {
    at(collection, |items| items.get(place as usize))
}

/// `WdfCollectionGetFirstItem`.
pub(crate) extern "win64" fn first(_globals: *const c_void, collection: Handle) -> Handle {
    at(collection, <[usize]>::first)
}

/// `WdfCollectionGetLastItem`.
pub(crate) extern "win64" fn last(_globals: *const c_void, collection: Handle) -> Handle {
    at(collection, <[usize]>::last)
}

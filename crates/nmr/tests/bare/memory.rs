//! Memory: every allocation may fail, and the end of a binding needs none.
// UNSAFETY: an allocator that fails on demand.
#![expect(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr;
use std::sync::{Arc, Mutex};

use exnpi::{ClientCalls, Exnpi, ProviderCalls};
use nmr::{
    Client, Error, Guid, Identity, Module, Offer, Processor, Registration, Result, Shared, Slot,
    SpreadSlot,
};
use nmr_sys::{STATUS_INSUFFICIENT_RESOURCES, STATUS_PENDING, STATUS_SUCCESS};

use crate::client::adder;
use crate::registrar::{clean_up, detach, nmr, offer};

/// The system's allocator, of which a thread can run out.
struct Scarce;

thread_local! {
    /// How many allocations this thread may still make.
    static LEFT: Cell<usize> = const { Cell::new(usize::MAX) };
}

#[global_allocator]
static SCARCE: Scarce = Scarce;

// SAFETY: what it gives comes from the system's allocator.
unsafe impl GlobalAlloc for Scarce {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some(left) = LEFT.get().checked_sub(1) else {
            return ptr::null_mut();
        };
        LEFT.set(left);
        // SAFETY: the requirements are those of this function.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the requirements are those of this function.
        unsafe { System.dealloc(memory, layout) }
    }
}

/// Runs something with so many allocations.
fn with_memory<T>(allocations: usize, run: impl FnOnce() -> T) -> T {
    LEFT.set(allocations);
    let result = run();
    LEFT.set(usize::MAX);
    result
}

const FAILURE: Option<Error> = Some(Error::INSUFFICIENT_RESOURCES);

#[test]
fn a_slot_and_a_shared_value_may_fail() {
    let slot = || Slot::<exnpi::ProviderDispatch>::new();
    assert_eq!(with_memory(0, slot).err(), FAILURE);
    assert_eq!(with_memory(0, || Shared::new(0)).err(), FAILURE);
}

struct Only;

impl Processor for Only {
    fn number() -> usize {
        0
    }
}

#[test]
fn every_allocation_of_a_slot_for_many_processors_may_fail() {
    let slot = || SpreadSlot::<exnpi::ProviderDispatch, Only>::new();
    for allocations in 0..2 {
        assert_eq!(with_memory(allocations, slot).err(), FAILURE);
    }
    assert!(with_memory(2, slot).is_ok());
}

#[test]
fn a_registration_may_fail_and_drops_the_module() {
    let (slot, client) = adder();
    let result = with_memory(0, || Registration::new(client));
    assert_eq!(result.err(), FAILURE);
    assert_eq!(Arc::strong_count(&slot), 1);
}

#[test]
fn an_attach_may_fail_and_leaves_the_slot_vacant() {
    let (slot, client) = adder();
    let _registration = Registration::new(client).unwrap();
    nmr().deregister.set(STATUS_SUCCESS);
    assert_eq!(with_memory(0, offer), STATUS_INSUFFICIENT_RESOURCES);
    assert_eq!(Arc::strong_count(&slot), 2);
    assert_eq!(offer(), STATUS_SUCCESS);
    detach();
    clean_up();
}

/// A client that takes its connection, or none.
///
/// Second, the reasons for which offers came to nothing.
struct Takes(bool, Mutex<Vec<Error>>);

struct Deaf;

impl ClientCalls for Deaf {
    fn changed(&self, _sum: u32) {}
}

impl Module<Client<Exnpi>> for Takes {
    type Binding = Deaf;

    fn identity(&self) -> Identity {
        Identity::new(Guid::from_u128(0x0c2e3c0e_9a83_4b58_a9cb_7c5a6b6b5e0f))
    }

    fn attach(&self, offer: Offer<'_, Client<Exnpi>>) -> Result<Deaf> {
        if self.0 {
            offer.peer()?;
        }
        Ok(Deaf)
    }

    fn declined(&self, reason: Error) {
        self.1.lock().unwrap().push(reason);
    }
}

#[test]
fn every_allocation_of_an_attach_may_fail() {
    for takes in [false, true] {
        let client = Registration::new(Takes(takes, Mutex::new(Vec::with_capacity(2)))).unwrap();
        nmr().deregister.set(STATUS_SUCCESS);
        for allocations in 0..2 {
            let status = with_memory(allocations, offer);
            assert_eq!(status, STATUS_INSUFFICIENT_RESOURCES);
        }
        // What the module does not decide itself it is told: the context, and the connection that it
        // does not take.
        let told = if takes { 1 } else { 2 };
        assert_eq!(
            *client.1.lock().unwrap(),
            vec![Error::INSUFFICIENT_RESOURCES; told]
        );
        assert_eq!(with_memory(2, offer), STATUS_SUCCESS);
        detach();
        clean_up();
    }
}

#[test]
fn a_provider_without_functions_is_no_provider_to_call() {
    let client = Registration::new(Takes(false, Mutex::default())).unwrap();
    nmr().deregister.set(STATUS_SUCCESS);
    nmr().has_no_table.set(true);
    assert_eq!(offer(), STATUS_SUCCESS);
    assert_eq!(*client.1.lock().unwrap(), [Error::NO_INTERFACE]);
    detach();
    clean_up();
}

#[test]
fn calls_and_the_end_of_everything_need_no_memory() {
    let (slot, client) = adder();
    let registration = Registration::new(client).unwrap();
    assert_eq!(offer(), STATUS_SUCCESS);
    with_memory(0, || {
        let call = slot.enter().unwrap();
        let second = call.clone();
        assert_eq!(call.add(1), 5);
        detach();
        assert_eq!(nmr().detach_status.get(), STATUS_PENDING);
        drop((call, second));
        clean_up();
        drop(registration);
    });
    assert_eq!(nmr().completions.get(), 1);
    assert_eq!(Arc::strong_count(&slot), 1);
}

//! The C side: `c/modules.h` and `c/guards.h`.
// UNSAFETY: foreign functions.
#![expect(unsafe_code)]

use std::ffi::c_void;
use std::hint::black_box;

use nmr_sys::{
    NPI_CLIENT_ATTACH_PROVIDER_FN, NPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN,
    NPI_CLIENT_DETACH_PROVIDER_FN, NPI_PROVIDER_ATTACH_CLIENT_FN,
    NPI_PROVIDER_CLEANUP_BINDING_CONTEXT_FN, NPI_PROVIDER_DETACH_CLIENT_FN,
};

use crate::calls::{CounterDispatch, Pair};
use crate::raw::Client;

/// The six callbacks of a client and a provider.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Callbacks {
    /// Offers a provider to the client.
    pub attach_provider: NPI_CLIENT_ATTACH_PROVIDER_FN,
    /// Asks the client to stop.
    pub detach_provider: NPI_CLIENT_DETACH_PROVIDER_FN,
    /// The last use of the client's context.
    pub clean_up_client: NPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN,
    /// Offers a client to the provider.
    pub attach_client: NPI_PROVIDER_ATTACH_CLIENT_FN,
    /// Asks the provider to stop.
    pub detach_client: NPI_PROVIDER_DETACH_CLIENT_FN,
    /// The last use of the provider's context.
    pub clean_up_provider: NPI_PROVIDER_CLEANUP_BINDING_CONTEXT_FN,
}

unsafe extern "C" {
    static bench_minimal: Callbacks;

    fn bench_cycle(client: *const Client, times: u64) -> u64;

    fn bench_peer_new(table: *const CounterDispatch, context: *mut c_void) -> *mut GuardedPeer;
    fn bench_bare(peer: *mut GuardedPeer, thread: u32, times: u64) -> u32;
    fn bench_exchange(peer: *mut GuardedPeer, thread: u32, times: u64) -> u32;
    fn bench_add(peer: *mut GuardedPeer, thread: u32, times: u64) -> u32;
    fn bench_sharded(peer: *mut GuardedPeer, thread: u32, times: u64) -> u32;
    fn bench_rwlock(peer: *mut GuardedPeer, thread: u32, times: u64) -> u32;
    fn bench_mutex(peer: *mut GuardedPeer, thread: u32, times: u64) -> u32;
}

/// `struct peer` of `guards.c`.
#[repr(C)]
struct GuardedPeer {
    opaque: [u8; 0],
}

/// How a call is guarded in C.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Guard {
    /// It is not: the bare call through a table.
    Bare,
    /// A word with compare-exchange in and out, as `EX_RUNDOWN_REF`.
    Exchange,
    /// A word that is added to and subtracted from.
    Add,
    /// The same, with a word for each thread.
    Sharded,
    /// A read-write lock.
    RwLock,
    /// A count under a mutex.
    Mutex,
}

/// A peer with all guards of C.
#[derive(Debug)]
pub struct Guarded(*mut GuardedPeer);

impl Guarded {
    /// Guards for the peer of a pair. They are never freed.
    #[must_use]
    pub fn leak(pair: &'static Pair) -> Self {
        let (table, context) = pair.raw();
        // SAFETY: the table and the context must be those of a peer that stays: the pair is static.
        Self(unsafe { bench_peer_new(table, context) })
    }

    /// Makes guarded calls on behalf of a thread.
    pub fn call(&self, guard: Guard, thread: u32, times: u64) {
        let repeat = match guard {
            Guard::Bare => bench_bare,
            Guard::Exchange => bench_exchange,
            Guard::Add => bench_add,
            Guard::Sharded => bench_sharded,
            Guard::RwLock => bench_rwlock,
            Guard::Mutex => bench_mutex,
        };
        // SAFETY: the peer must be one of `bench_peer_new`: it is.
        let sum = unsafe { repeat(self.0, thread, times) };
        black_box(sum);
    }
}

// SAFETY: the guards are for use from any thread.
unsafe impl Send for Guarded {}
// SAFETY: as above.
unsafe impl Sync for Guarded {}

/// The callbacks in C.
#[must_use]
pub fn callbacks() -> Callbacks {
    // SAFETY: the static must be initialized and never written: it is a constant of C.
    unsafe { bench_minimal }
}

/// Lets a client register, attach to one provider and leave, `times` times, from C.
pub fn cycle(client: &'static Client, times: u64) {
    // SAFETY: what is registered must live as long as the registration: it lives for ever.
    let failures = unsafe { bench_cycle(client, times) };
    assert_eq!(failures, 0);
}

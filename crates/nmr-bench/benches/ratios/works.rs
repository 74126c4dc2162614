//! What is measured.

use std::hint::black_box;
use std::sync::Mutex;

use nmr_bench::Work;
use nmr_bench::c::{Callbacks, Guard, Guarded};
use nmr_bench::callbacks::{Memory, Nothing, callbacks};
use nmr_bench::calls::{self, Pair};
use nmr_bench::floor;
use nmr_bench::guards;
use nmr_bench::lives::{Beside, Life, Lives, NPI};
use nmr_bench::many::{AllPairs, Fan, Part};
use nmr_bench::pending::{By, Pending};
use nmr_bench::raw::{self, Client, Provider};
use nmr_bench::setting::Setting;
use nmr_bench::together::Threads;

const MINIMAL: Callbacks = callbacks::<Nothing>();
const ALLOCATING: Callbacks = callbacks::<Memory>();

/// One thing that is measured.
pub(crate) struct Variant {
    pub(crate) name: &'static str,
    /// How many can be done at once.
    pub(crate) unit: u64,
    pub(crate) prepare: fn() -> Box<dyn Work>,
}

const fn variant(name: &'static str, prepare: fn() -> Box<dyn Work>) -> Variant {
    Variant {
        name,
        unit: 1,
        prepare,
    }
}

const fn of_many(name: &'static str, unit: u64, prepare: fn() -> Box<dyn Work>) -> Variant {
    Variant {
        name,
        unit,
        prepare,
    }
}

// Calls.

fn in_c(guard: Guard) -> Box<dyn Work> {
    let peer = Guarded::leak(Pair::leak());
    Box::new(move |times| peer.call(guard, 0, times))
}

pub(crate) static C_BARE: Variant = variant("C, the bare call", || in_c(Guard::Bare));
pub(crate) static C_ADD: Variant = variant("C, add and subtract", || in_c(Guard::Add));
pub(crate) static C_EXCHANGE: Variant = variant("C, as EX_RUNDOWN_REF", || in_c(Guard::Exchange));
pub(crate) static C_SHARDED: Variant = variant("C, a word a thread", || in_c(Guard::Sharded));
pub(crate) static C_RWLOCK: Variant = variant("C, a read-write lock", || in_c(Guard::RwLock));
pub(crate) static C_MUTEX: Variant = variant("C, a mutex", || in_c(Guard::Mutex));

pub(crate) static GUARDED: Variant = variant("a call with its enter and drop", || {
    let pair = Pair::leak();
    Box::new(|times| calls::guarded(pair.peer(), 0, times))
});
pub(crate) static BATCH: Variant = variant("a call in a batch", || {
    let pair = Pair::leak();
    Box::new(|times| calls::batch(pair.peer(), 0, times))
});

pub(crate) static GUARDED_APART: Variant = variant("2 threads, two peers", || {
    let pairs = [Pair::leak(), Pair::leak()];
    Box::new(Threads::new(2, move |thread, times| {
        calls::guarded(pairs[thread as usize].peer(), thread, times);
    }))
});
pub(crate) static GUARDED_TOGETHER: Variant = variant("2 threads, one peer", || {
    let pair = Pair::leak();
    Box::new(Threads::new(2, |thread, times| {
        calls::guarded(pair.peer(), thread, times);
    }))
});
pub(crate) static C_ADD_TOGETHER: Variant = variant("C, add and subtract, 2 threads", || {
    in_c_together(Guard::Add)
});
pub(crate) static C_SHARDED_TOGETHER: Variant = variant("C, a word a thread, 2 threads", || {
    in_c_together(Guard::Sharded)
});

fn in_c_together(guard: Guard) -> Box<dyn Work> {
    let peer = Guarded::leak(Pair::leak());
    Box::new(Threads::new(2, move |thread, times| {
        peer.call(guard, thread, times);
    }))
}

pub(crate) static SPREAD: Variant = variant("counted for each processor", || guards::spread(1));
pub(crate) static SPREAD_TOGETHER: Variant = variant("the same, 2 threads", || guards::spread(2));

// Cycles of a client.

/// The locks that a cycle needs at least: to register, and after the attach; to deregister, and after the
/// detach; to wait. The registrar takes one after each callback, which makes eight.
const LOCKS: u32 = 5;

fn modules_without_registrar(callbacks: &Callbacks) -> (&'static Client, &'static Provider) {
    let client = Client::that_attaches(floor::ATTACH_DIRECTLY, NPI, callbacks);
    (client, Provider::leak(NPI, callbacks))
}

fn life(setting: Setting, callbacks: &Callbacks, beside: Beside) -> Box<dyn Work> {
    Box::new(Life::new(setting, callbacks, raw::cycle, beside))
}

pub(crate) static FLOOR: Variant = variant("its six callbacks", || {
    let (client, provider) = modules_without_registrar(&MINIMAL);
    Box::new(|times| floor::floor(client, provider, times))
});
/// What any registrar takes that has a lock, calls no module under it, and checks nothing.
pub(crate) static FLOOR_AND_LOCKS: Variant = variant("its six callbacks and five locks", || {
    let (client, provider) = modules_without_registrar(&MINIMAL);
    let lock = Mutex::new(0_u64);
    Box::new(move |times| {
        for _ in 0..times {
            floor::floor(client, provider, 1);
            for _ in 0..LOCKS {
                *black_box(&lock).lock().unwrap() += 1;
            }
        }
    })
});

pub(crate) static LIFE: Variant =
    variant("a cycle", || life(Setting::Off, &MINIMAL, Beside::Nothing));
pub(crate) static LIFE_IN_TESTS: Variant = variant("a cycle, watched", || {
    life(Setting::Tests, &MINIMAL, Beside::Nothing)
});
pub(crate) static LIFE_ALONE: Variant = variant("a cycle, no provider", || {
    Box::new(Life::alone(Setting::Off, &MINIMAL))
});
pub(crate) static BESIDE_10: Variant = variant("beside 10 registrations", || {
    life(Setting::Off, &MINIMAL, Beside::Registrations(10))
});
pub(crate) static BESIDE_100_000: Variant = variant("beside 100,000 registrations", || {
    life(Setting::Off, &MINIMAL, Beside::Registrations(100_000))
});
pub(crate) static BESIDE_10_PAIRS: Variant = variant("beside 10 bound pairs", || {
    life(Setting::Off, &MINIMAL, Beside::Pairs(10))
});
pub(crate) static BESIDE_100_000_PAIRS: Variant = variant("beside 100,000 bound pairs", || {
    life(Setting::Off, &MINIMAL, Beside::Pairs(100_000))
});
pub(crate) static ONE_THREAD: Variant = variant("1 thread", || {
    Box::new(Lives::apart(Setting::Off, &MINIMAL, 1))
});
pub(crate) static TWO_THREADS: Variant = variant("2 threads, 2 interfaces", || {
    Box::new(Lives::apart(Setting::Off, &MINIMAL, 2))
});
pub(crate) static TWO_THREADS_TOGETHER: Variant = variant("2 threads, 1 interface", || {
    Box::new(Lives::of_one_interface(Setting::Off, &MINIMAL, 2))
});

// Many bindings.

fn fan(count: u32, part: Part) -> Box<dyn Work> {
    Box::new(Fan::new(Setting::Off, &ALLOCATING, count, part))
}

fn all_pairs(count: u32) -> Box<dyn Work> {
    Box::new(AllPairs::new(Setting::Off, &ALLOCATING, count))
}

fn pending(clients: u32, by: By) -> Box<dyn Work> {
    Box::new(Pending::new(Setting::Off, clients, by))
}

pub(crate) static REGISTERS: Variant = of_many("1,000 clients register", 1_000, || {
    Box::new(Fan::new(
        Setting::Off,
        &MINIMAL,
        1_000,
        Part::ClientsRegister,
    ))
});
pub(crate) static DEREGISTERS: Variant = of_many("1,000 clients deregister", 1_000, || {
    Box::new(Fan::new(Setting::Off, &MINIMAL, 1_000, Part::ClientsLeave))
});
pub(crate) static LEAVES_100: Variant = of_many("a provider leaves 100 clients", 100, || {
    fan(100, Part::ProviderLeaves)
});
pub(crate) static LEAVES_10_000: Variant =
    of_many("a provider leaves 10,000 clients", 10_000, || {
        fan(10_000, Part::ProviderLeaves)
    });
pub(crate) static LEFT_BY_100: Variant =
    of_many("100 clients leave", 100, || fan(100, Part::ClientsLeave));
pub(crate) static LEFT_BY_10_000: Variant = of_many("10,000 clients leave", 10_000, || {
    fan(10_000, Part::ClientsLeave)
});
pub(crate) static ALL_10: Variant = of_many("10 × 10", 100, || all_pairs(10));
pub(crate) static ALL_300: Variant = of_many("300 × 300", 90_000, || all_pairs(300));

// Detaches that end later.

pub(crate) static COMPLETED_HERE: Variant = variant("completed by the same thread", || {
    pending(1, By::SameThread)
});
pub(crate) static COMPLETED_THERE: Variant = variant("completed by another thread", || {
    pending(1, By::AnotherThread)
});
pub(crate) static COMPLETED_THERE_1000: Variant =
    of_many("1,000 completed by another thread", 1_000, || {
        pending(1_000, By::AnotherThread)
    });

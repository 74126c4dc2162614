//! Events, locks, levels.

use super::SUCCESS;
use super::TIMEOUT;
use super::common::host;
use super::common::inside::Memory;
use super::driver;
use super::reports;

#[test]
fn events() {
    let names = [
        "KeInitializeEvent",
        "KeSetEvent",
        "KeClearEvent",
        "KeResetEvent",
        "KeReadStateEvent",
        "KeWaitForSingleObject",
        "KeDelayExecutionThread",
        "KeQueryUnbiasedInterruptTime",
    ];
    driver(&names, |kernel| {
        const SYNCHRONIZATION: usize = 1;
        let (event, now) = (Memory::fresh(3), Memory::new(&[0]));
        let at = event.address();
        let wait = || kernel.number("KeWaitForSingleObject", &[at, 0, 0, 0, now.address()]);
        let state = || kernel.number("KeReadStateEvent", &[at]);
        kernel.call("KeInitializeEvent", &[at, SYNCHRONIZATION, 1]);
        assert_eq!((state(), wait(), state()), (1, SUCCESS, 0));
        assert_eq!(wait(), TIMEOUT);
        assert_eq!(kernel.number("KeSetEvent", &[at, 0, 0]), 0);
        assert_eq!(kernel.number("KeSetEvent", &[at, 0, 0]), 1);
        assert_eq!((kernel.number("KeResetEvent", &[at]), state()), (1, 0));
        kernel.call("KeSetEvent", &[at, 0, 0]);
        assert_eq!(state(), 1);
        kernel.call("KeClearEvent", &[at]);
        assert_eq!(state(), 0);

        let time = || kernel.call("KeQueryUnbiasedInterruptTime", &[]);
        let millisecond = Memory::new(&[(-10_000_i64).cast_unsigned()]);
        let before = time();
        kernel.call("KeDelayExecutionThread", &[0, 0, millisecond.address()]);
        assert!(time() >= before + 10_000);
    });
}

#[test]
fn fast_mutexes() {
    let names = [
        "ExAcquireFastMutex",
        "ExTryToAcquireFastMutex",
        "ExReleaseFastMutex",
        "ExAcquireFastMutexUnsafe",
        "ExReleaseFastMutexUnsafe",
        "KeEnterCriticalRegion",
        "KeLeaveCriticalRegion",
        "KeGetCurrentIrql",
    ];
    let found = reports(&host(), &names, |kernel| {
        // The count of a free one is 1.
        let mutex = Memory::new(&[1, 0, 0, 0, 0, 0, 0]);
        let at = mutex.address();
        let state = || (mutex.number(0), kernel.byte("KeGetCurrentIrql", &[]));
        kernel.call("ExAcquireFastMutex", &[at]);
        assert_eq!(state(), (0, 1));
        kernel.call("ExReleaseFastMutex", &[at]);
        assert_eq!(state(), (1, 0));
        assert_eq!(kernel.byte("ExTryToAcquireFastMutex", &[at]), 1);
        assert_eq!(state(), (0, 1));
        kernel.call("ExReleaseFastMutex", &[at]);

        kernel.call("KeEnterCriticalRegion", &[]);
        kernel.call("ExAcquireFastMutexUnsafe", &[at]);
        assert_eq!(state(), (0, 0));
        kernel.call("ExReleaseFastMutexUnsafe", &[at]);
        assert_eq!(state(), (1, 0));
        kernel.call("KeLeaveCriticalRegion", &[]);
        // The only mistake.
        kernel.call("ExAcquireFastMutexUnsafe", &[at]);
    });
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("outside of a critical region"),
        "{found:?}"
    );
}

#[test]
fn levels() {
    let names = [
        "KeGetCurrentIrql",
        "KfRaiseIrql",
        "KfLowerIrql",
        "KeRaiseIrql",
        "KeRaiseIrqlToDpcLevel",
        "KeLowerIrql",
    ];
    driver(&names, |kernel| {
        let level = || kernel.byte("KeGetCurrentIrql", &[]);
        assert_eq!((kernel.byte("KfRaiseIrql", &[1]), level()), (0, 1));
        assert_eq!((kernel.byte("KeRaiseIrqlToDpcLevel", &[]), level()), (1, 2));
        let before = Memory::fresh(1);
        kernel.call("KeRaiseIrql", &[5, before.address()]);
        assert_eq!((before.bytes()[0], level()), (2, 5));
        kernel.call("KeLowerIrql", &[2]);
        assert_eq!(level(), 2);
        kernel.call("KfLowerIrql", &[0]);
        assert_eq!(level(), 0);
    });
}

#[test]
fn mutexes() {
    let names = [
        "KeInitializeMutex",
        "KeReleaseMutex",
        "KeReadStateMutex",
        "KeWaitForMutexObject",
    ];
    driver(&names, |kernel| {
        let (mutex, now) = (Memory::fresh(7), Memory::new(&[0]));
        let at = mutex.address();
        let wait = || kernel.number("KeWaitForMutexObject", &[at, 0, 0, 0, now.address()]);
        let state = || kernel.number("KeReadStateMutex", &[at]).cast_signed();
        let release = || kernel.number("KeReleaseMutex", &[at, 0]).cast_signed();
        kernel.call("KeInitializeMutex", &[at, 0]);
        assert_eq!((state(), wait(), state()), (1, SUCCESS, 0));
        assert_eq!((wait(), state()), (SUCCESS, -1));
        assert_eq!((release(), release(), state()), (-1, 0, 1));
    });
}

#[test]
fn push_locks() {
    let names = [
        "ExInitializePushLock",
        "ExAcquirePushLockExclusiveEx",
        "ExReleasePushLockExclusiveEx",
        "ExAcquirePushLockSharedEx",
        "ExReleasePushLockSharedEx",
    ];
    driver(&names, |kernel| {
        let lock = Memory::fresh(1);
        let state = |name, expected| {
            kernel.call(name, &[lock.address(), 0]);
            assert_eq!(lock.word(0).cast_signed(), expected, "{name}");
        };
        state("ExInitializePushLock", 0);
        state("ExAcquirePushLockExclusiveEx", -1);
        state("ExReleasePushLockExclusiveEx", 0);
        state("ExAcquirePushLockSharedEx", 1);
        state("ExAcquirePushLockSharedEx", 2);
        state("ExReleasePushLockSharedEx", 1);
        state("ExReleasePushLockSharedEx", 0);
    });
}

#[test]
fn resources() {
    let names = [
        "ExInitializeResourceLite",
        "ExAcquireResourceExclusiveLite",
        "ExAcquireResourceSharedLite",
        "ExReleaseResourceLite",
        "ExIsResourceAcquiredExclusiveLite",
        "ExDeleteResourceLite",
    ];
    let found = reports(&host(), &names, |kernel| {
        let resource = Memory::new(&[7; 13]);
        let at = resource.address();
        let state = || resource.word(2).cast_signed();
        let mine = || kernel.byte("ExIsResourceAcquiredExclusiveLite", &[at]);
        assert_eq!(kernel.number("ExInitializeResourceLite", &[at]), SUCCESS);
        assert_eq!((state(), mine()), (0, 0));
        assert_eq!(kernel.byte("ExAcquireResourceExclusiveLite", &[at, 0]), 1);
        assert_eq!((state(), mine()), (-1, 1));
        kernel.call("ExReleaseResourceLite", &[at]);
        assert_eq!((state(), mine()), (0, 0));
        assert_eq!(kernel.byte("ExAcquireResourceSharedLite", &[at, 0]), 1);
        assert_eq!((state(), mine()), (1, 0));
        // The only mistake.
        kernel.call("ExDeleteResourceLite", &[at]);
    });
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("a thread holds the resource"),
        "{found:?}"
    );
}

#[test]
fn rundown_protection() {
    let names = [
        "ExInitializeRundownProtection",
        "ExReInitializeRundownProtection",
        "ExAcquireRundownProtection",
        "ExReleaseRundownProtection",
        "ExWaitForRundownProtectionRelease",
        "ExRundownCompleted",
    ];
    driver(&names, |kernel| {
        let reference = Memory::new(&[7]);
        let at = reference.address();
        let acquire = || kernel.byte("ExAcquireRundownProtection", &[at]);
        kernel.call("ExInitializeRundownProtection", &[at]);
        assert_eq!((acquire(), reference.word(0)), (1, 2));
        kernel.call("ExReleaseRundownProtection", &[at]);
        assert_eq!(reference.word(0), 0);
        kernel.call("ExWaitForRundownProtectionRelease", &[at]);
        assert_eq!((acquire(), reference.word(0)), (0, 1));
        kernel.call("ExReInitializeRundownProtection", &[at]);
        assert_eq!(reference.word(0), 0);
        kernel.call("ExRundownCompleted", &[at]);
        assert_eq!((acquire(), reference.word(0)), (0, 1));
    });
}

#[test]
fn remove_locks() {
    const DELETE_PENDING: u32 = 0xc000_0056;
    let names = [
        "IoInitializeRemoveLockEx",
        "IoAcquireRemoveLockEx",
        "IoReleaseRemoveLockEx",
        "IoReleaseRemoveLockAndWaitEx",
    ];
    driver(&names, |kernel| {
        let lock = Memory::fresh(4);
        let at = lock.address();
        let count = || lock.number(4);
        let acquire = || kernel.number("IoAcquireRemoveLockEx", &[at, 1, 0, 0, 0x20]);
        kernel.call("IoInitializeRemoveLockEx", &[at, 0x4c4d_524e, 0, 0, 0x20]);
        assert_eq!(count(), 1);
        assert_eq!([acquire(), acquire()], [0, 0]);
        assert_eq!(count(), 3);
        kernel.call("IoReleaseRemoveLockEx", &[at, 1, 0x20]);
        assert_eq!(count(), 2);
        kernel.call("IoReleaseRemoveLockAndWaitEx", &[at, 1, 0x20]);
        assert_eq!((acquire(), count()), (DELETE_PENDING, 0));
    });
}

#[test]
fn spin_locks() {
    let names = [
        "KeInitializeSpinLock",
        "KeAcquireSpinLockRaiseToDpc",
        "KeReleaseSpinLock",
        "KeAcquireSpinLockAtDpcLevel",
        "KeReleaseSpinLockFromDpcLevel",
        "KeAcquireInStackQueuedSpinLock",
        "KeReleaseInStackQueuedSpinLock",
        "KeGetCurrentIrql",
    ];
    driver(&names, |kernel| {
        let (lock, handle) = (Memory::fresh(1), Memory::fresh(3));
        let (at, queued) = (lock.address(), handle.address());
        let state = || (lock.word(0) != 0, kernel.byte("KeGetCurrentIrql", &[]));
        kernel.call("KeInitializeSpinLock", &[at]);
        assert_eq!(state(), (false, 0));
        assert_eq!(kernel.byte("KeAcquireSpinLockRaiseToDpc", &[at]), 0);
        assert_eq!(state(), (true, 2));
        kernel.call("KeReleaseSpinLockFromDpcLevel", &[at]);
        assert_eq!(state(), (false, 2));
        kernel.call("KeAcquireSpinLockAtDpcLevel", &[at]);
        assert_eq!(state(), (true, 2));
        kernel.call("KeReleaseSpinLock", &[at, 0]);
        assert_eq!(state(), (false, 0));
        kernel.call("KeAcquireInStackQueuedSpinLock", &[at, queued]);
        assert_eq!(state(), (true, 2));
        kernel.call("KeReleaseInStackQueuedSpinLock", &[queued]);
        assert_eq!(state(), (false, 0));
    });
}

#[test]
fn the_cancel_spin_lock() {
    let names = [
        "IoAcquireCancelSpinLock",
        "IoReleaseCancelSpinLock",
        "KeGetCurrentIrql",
    ];
    driver(&names, |kernel| {
        let (level, before) = (|| kernel.byte("KeGetCurrentIrql", &[]), Memory::fresh(1));
        kernel.call("IoAcquireCancelSpinLock", &[before.address()]);
        assert_eq!((level(), before.bytes()[0]), (2, 0));
        kernel.call("IoReleaseCancelSpinLock", &[0]);
        assert_eq!(level(), 0);
    });
}

#[test]
fn semaphores_and_waits_for_several_objects() {
    let names = [
        "KeInitializeSemaphore",
        "KeReleaseSemaphore",
        "KeReadStateSemaphore",
        "KeWaitForMultipleObjects",
    ];
    driver(&names, |kernel| {
        const WAIT_ANY: usize = 1;
        let semaphores = [(); 2].map(|()| Memory::fresh(4));
        let [first, second] = semaphores.each_ref().map(Memory::address);
        let state = |at| kernel.number("KeReadStateSemaphore", &[at]);
        let release = || kernel.number("KeReleaseSemaphore", &[second, 0, 1, 0]);
        for at in [first, second] {
            kernel.call("KeInitializeSemaphore", &[at, 0, 3]);
        }
        assert_eq!((release(), release()), (0, 1));
        assert_eq!([first, second].map(state), [0, 2]);
        let (objects, now) = (
            Memory::new(&[first as u64, second as u64]),
            Memory::new(&[0]),
        );
        let arguments = [2, objects.address(), WAIT_ANY, 0, 0, 0, now.address(), 0];
        let wait = || kernel.number("KeWaitForMultipleObjects", &arguments);
        assert_eq!([wait(), wait(), wait()], [1, 1, TIMEOUT]);
    });
}

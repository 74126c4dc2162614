/*
 * A spin lock, in the place of a driver's KSPIN_LOCK: detach callbacks may run at DISPATCH_LEVEL.
 * It is never held across a call into the NMR or into a peer.
 */
#ifndef LOCK_H
#define LOCK_H

#include <stdatomic.h>

#ifdef _WIN32
#include <windows.h>
#define lock_yield() SwitchToThread()
#else
#include <sched.h>
#define lock_yield() sched_yield()
#endif

struct lock {
    atomic_flag taken;
};

static inline void lock_init(struct lock *lock)
{
    atomic_flag_clear(&lock->taken);
}

static inline void lock_acquire(struct lock *lock)
{
    while (atomic_flag_test_and_set_explicit(&lock->taken, memory_order_acquire)) {
        lock_yield(); /* unlike in the kernel, the holder may have lost its processor */
    }
}

static inline void lock_release(struct lock *lock)
{
    atomic_flag_clear_explicit(&lock->taken, memory_order_release);
}

#endif

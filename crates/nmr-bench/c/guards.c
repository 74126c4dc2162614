/*
 * Calls through a table of function pointers, guarded in the ways that drivers guard them, each in a
 * loop of its own.
 */
#define _POSIX_C_SOURCE 200809L /* for the read-write lock */

#include "guards.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#ifdef _WIN32
typedef SRWLOCK rwlock;
typedef SRWLOCK mutex;
#define RWLOCK_INIT(lock) InitializeSRWLock(lock)
#define MUTEX_INIT(lock) InitializeSRWLock(lock)
#define READ_LOCK(lock) AcquireSRWLockShared(lock)
#define READ_UNLOCK(lock) ReleaseSRWLockShared(lock)
#define MUTEX_LOCK(lock) AcquireSRWLockExclusive(lock)
#define MUTEX_UNLOCK(lock) ReleaseSRWLockExclusive(lock)
#else
#include <pthread.h>
typedef pthread_rwlock_t rwlock;
typedef pthread_mutex_t mutex;
#define RWLOCK_INIT(lock) pthread_rwlock_init(lock, NULL)
#define MUTEX_INIT(lock) pthread_mutex_init(lock, NULL)
#define READ_LOCK(lock) pthread_rwlock_rdlock(lock)
#define READ_UNLOCK(lock) pthread_rwlock_unlock(lock)
#define MUTEX_LOCK(lock) pthread_mutex_lock(lock)
#define MUTEX_UNLOCK(lock) pthread_mutex_unlock(lock)
#endif

/* No two of these share what a processor fetches together. */
#define APART 128
#define SHARDS 64

/* Bit 0 of a counting word: the peer is going. The rest is the number of calls, times two. */
#define GOING ((uintptr_t)1)
#define CALL ((uintptr_t)2)

struct shard {
    alignas(APART) atomic_uintptr_t word;
};

struct peer {
    /* Who is called: next to the word that guards it, as in a real module's binding. */
    alignas(APART) atomic_uintptr_t word;
    const struct bench_table *table;
    PVOID context;
    bool open;
    alignas(APART) rwlock rwlock;
    alignas(APART) mutex mutex;
    uintptr_t count; /* under the mutex */
    struct shard shards[SHARDS];
};

struct peer *bench_peer_new(const struct bench_table *table, PVOID context)
{
    struct peer *peer = aligned_alloc(APART, sizeof(*peer));
    if (peer == NULL) {
        abort();
    }
    *peer = (struct peer){.table = table, .context = context, .open = true};
    RWLOCK_INIT(&peer->rwlock);
    MUTEX_INIT(&peer->mutex);
    return peer;
}

static inline ULONG call(const struct peer *peer, ULONG value)
{
    return peer->table->add(peer->context, value);
}

/* The loop around every guard: `times` calls, each after `ENTER` and before `LEAVE`. */
#define LOOP(name, ENTER, LEAVE)                                       \
    ULONG bench_##name(struct peer *peer, ULONG thread, uint64_t times) \
    {                                                                  \
        ULONG sum = 0;                                                 \
        while (times-- > 0) {                                          \
            if (ENTER) {                                               \
                sum += call(peer, thread);                             \
                LEAVE;                                                 \
            }                                                          \
        }                                                              \
        return sum;                                                    \
    }

/* Nothing. */
LOOP(bare, true, (void)0)

/* What the last to leave does, out of the way of the others. */
static void last(void)
{
    abort();
}

/*
 * A word that is exchanged if it is still what was read, on the way in and on the way out: what
 * EX_RUNDOWN_REF does.
 */
static inline bool enter_by_exchange(atomic_uintptr_t *word)
{
    uintptr_t now = atomic_load_explicit(word, memory_order_relaxed);
    do {
        if (now & GOING) {
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(word, &now, now + CALL, memory_order_acquire,
                                                    memory_order_relaxed));
    return true;
}

static inline void leave_by_exchange(atomic_uintptr_t *word)
{
    uintptr_t now = atomic_load_explicit(word, memory_order_relaxed);
    do {
        if (now & GOING) {
            last();
            return;
        }
    } while (!atomic_compare_exchange_weak_explicit(word, &now, now - CALL, memory_order_release,
                                                    memory_order_relaxed));
}

LOOP(exchange, enter_by_exchange(&peer->word), leave_by_exchange(&peer->word))

/* A word that is added to and subtracted from, whatever it was. */
static inline void leave(atomic_uintptr_t *word)
{
    if (atomic_fetch_sub_explicit(word, CALL, memory_order_acq_rel) == (CALL | GOING)) {
        last();
    }
}

static inline bool enter(atomic_uintptr_t *word)
{
    if (atomic_fetch_add_explicit(word, CALL, memory_order_acquire) & GOING) {
        leave(word);
        return false;
    }
    return true;
}

LOOP(add, enter(&peer->word), leave(&peer->word))

/* The same with a word for each thread. */
LOOP(sharded, enter(&peer->shards[thread % SHARDS].word), leave(&peer->shards[thread % SHARDS].word))

/* A lock that many can hold. */
static inline bool enter_by_lock(struct peer *peer)
{
    READ_LOCK(&peer->rwlock);
    if (!peer->open) {
        READ_UNLOCK(&peer->rwlock);
        return false;
    }
    return true;
}

LOOP(rwlock, enter_by_lock(peer), READ_UNLOCK(&peer->rwlock))

/* A count under a mutex. */
static inline bool enter_by_mutex(struct peer *peer)
{
    bool open;
    MUTEX_LOCK(&peer->mutex);
    open = peer->open;
    if (open) {
        peer->count++;
    }
    MUTEX_UNLOCK(&peer->mutex);
    return open;
}

static inline void leave_by_mutex(struct peer *peer)
{
    MUTEX_LOCK(&peer->mutex);
    peer->count--;
    if (!peer->open && peer->count == 0) {
        last();
    }
    MUTEX_UNLOCK(&peer->mutex);
}

LOOP(mutex, enter_by_mutex(peer), leave_by_mutex(peer))

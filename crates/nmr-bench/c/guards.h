/* What `guards.c` gives to the Rust side, which declares the same in `src/c.rs`. */
#ifndef NMR_BENCH_GUARDS_H
#define NMR_BENCH_GUARDS_H

#include "netioddk.h"

/* The dispatch table of the module that is called. */
struct bench_table {
    ULONG(NTAPI *add)(PVOID context, ULONG thread);
};

struct peer;

/* Guards for one peer. They are never freed. */
struct peer *bench_peer_new(const struct bench_table *table, PVOID context);

/* `times` guarded calls on behalf of a thread, whose number is the argument of each. */
typedef ULONG bench_loop(struct peer *peer, ULONG thread, uint64_t times);

bench_loop bench_bare, bench_exchange, bench_add, bench_sharded, bench_rwlock, bench_mutex;

#endif

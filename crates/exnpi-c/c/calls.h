/*
 * The calls that one end of a binding has in progress into its peer. A detach callback closes them;
 * the last call to end after that completes the detach.
 */
#ifndef CALLS_H
#define CALLS_H

#include <stdbool.h>

#include "lock.h"
#include "netioddk.h"

struct calls {
    struct lock lock;
    unsigned count;
    bool open;
};

/* No calls yet, and none allowed. */
void calls_init(struct calls *calls);

/* The peer is attached: calls are allowed. */
void calls_open(struct calls *calls);

/* Begins a call. Returns false if the peer is not attached, or no longer. */
bool calls_enter(struct calls *calls);

/*
 * Ends a call. Returns true to the last one of a binding that is detaching, whose caller completes
 * the detach and uses the binding no more.
 */
bool calls_leave(struct calls *calls);

/* Allows no more calls, and returns what the detach callback is to return. */
NTSTATUS calls_close(struct calls *calls);

#endif

#include "calls.h"

void calls_init(struct calls *calls)
{
    lock_init(&calls->lock);
    calls->count = 0;
    calls->open = false;
}

void calls_open(struct calls *calls)
{
    lock_acquire(&calls->lock);
    calls->open = true;
    lock_release(&calls->lock);
}

bool calls_enter(struct calls *calls)
{
    bool entered;
    lock_acquire(&calls->lock);
    entered = calls->open;
    if (entered) {
        calls->count++;
    }
    lock_release(&calls->lock);
    return entered;
}

bool calls_leave(struct calls *calls)
{
    bool last;
    lock_acquire(&calls->lock);
    calls->count--;
    last = calls->count == 0 && !calls->open;
    lock_release(&calls->lock);
    return last;
}

NTSTATUS calls_close(struct calls *calls)
{
    bool busy;
    lock_acquire(&calls->lock);
    calls->open = false;
    busy = calls->count != 0;
    lock_release(&calls->lock);
    return busy ? STATUS_PENDING : STATUS_SUCCESS;
}

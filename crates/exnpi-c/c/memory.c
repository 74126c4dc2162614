#include "memory.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

static _Atomic uint64_t failing;
static _Atomic uint64_t allocated;

/* Counts down to the allocation that is to fail, and tells whether it is this one. */
static bool fails(void)
{
    uint64_t left = atomic_load(&failing);
    while (left != 0) {
        if (atomic_compare_exchange_weak(&failing, &left, left - 1)) {
            return left == 1;
        }
    }
    return false;
}

void *memory_allocate(size_t size)
{
    void *block = fails() ? NULL : calloc(1, size);
    if (block != NULL) {
        atomic_fetch_add(&allocated, 1);
    }
    return block;
}

void memory_free(void *block)
{
    if (block != NULL) {
        atomic_fetch_sub(&allocated, 1);
        free(block);
    }
}

void exnpi_c_fail_allocation(uint64_t n)
{
    atomic_store(&failing, n);
}

uint64_t exnpi_c_failing_allocation(void)
{
    return atomic_load(&failing);
}

uint64_t exnpi_c_allocated(void)
{
    return atomic_load(&allocated);
}

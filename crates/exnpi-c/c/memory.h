/*
 * The memory of the modules, in the place of ExAllocatePool2 and ExFreePool. A test can make an
 * allocation fail, and sees what was not freed.
 */
#ifndef MEMORY_H
#define MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* Allocates memory and fills it with zeros. Returns NULL if there is none. */
void *memory_allocate(size_t size);

/* Frees memory that was allocated, or does nothing if it is NULL. */
void memory_free(void *block);

/* Makes the n-th allocation from now fail: 1 is the next one, and 0 takes it back. */
void exnpi_c_fail_allocation(uint64_t n);

/* Which allocation is to fail, counted from now; 0 if none is. */
uint64_t exnpi_c_failing_allocation(void);

/* How many blocks are not freed. */
uint64_t exnpi_c_allocated(void);

#endif

/*
 * nmr_kernel.h: what a test asks of the kernel that the headers in `kernel` declare for modules. On
 * x86-64 Linux only. Its functions have the system's convention, and may be called from any thread.
 */
#ifndef NMR_KERNEL_H
#define NMR_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nmr_convention.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * To be called after an unload: waits until the routines of all work items have returned, writes a line
 * for every block of pool that is not freed to standard error, and returns how many there are.
 */
size_t NMR_HOST_API nmr_kernel_finish(void);

/* Waits until the routines of all work items have returned. */
void NMR_HOST_API nmr_kernel_drain(void);

/* How many blocks of pool are in use. */
size_t NMR_HOST_API nmr_kernel_pool_blocks(void);

/* Makes the n-th allocation from now fail: 1 is the next one, and 0 takes it back. */
void NMR_HOST_API nmr_kernel_fail_allocation(uint64_t n);

/* Whether the allocation that is to fail is still to come. */
bool NMR_HOST_API nmr_kernel_will_fail_allocation(void);

/* Sets a value of the registry, for RtlQueryRegistryValues. Path and name are texts of UTF-16. */
void NMR_HOST_API nmr_kernel_set_registry_value(const uint16_t *path, const uint16_t *name,
                                                uint32_t type, const void *data, size_t size);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* NMR_KERNEL_H */

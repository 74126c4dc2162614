/* What `modules.c` gives to the Rust side, which declares the same in `src/c.rs`. */
#ifndef NMR_BENCH_MODULES_H
#define NMR_BENCH_MODULES_H

#include "netioddk.h"

/* The six callbacks of a client and a provider. */
struct bench_callbacks {
    PNPI_CLIENT_ATTACH_PROVIDER_FN attach_provider;
    PNPI_CLIENT_DETACH_PROVIDER_FN detach_provider;
    PNPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN clean_up_client;
    PNPI_PROVIDER_ATTACH_CLIENT_FN attach_client;
    PNPI_PROVIDER_DETACH_CLIENT_FN detach_client;
    PNPI_PROVIDER_CLEANUP_BINDING_CONTEXT_FN clean_up_provider;
};

/* They do nothing but what the NMR asks of them. */
extern const struct bench_callbacks bench_minimal;

/* A client, which is its own registration context. */
struct bench_client {
    NPI_CLIENT_CHARACTERISTICS characteristics;
    /* NmrClientAttachProvider. */
    NTSTATUS(NTAPI *attach)(HANDLE, PVOID, const VOID *, PVOID *, const VOID **);
};

/* A provider, likewise. */
struct bench_provider {
    NPI_PROVIDER_CHARACTERISTICS characteristics;
};

/* A client registers, attaches to one provider and leaves, that many times. Returns 0. */
uint64_t bench_cycle(struct bench_client *client, uint64_t times);

#endif

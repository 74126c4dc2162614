/*
 * A well-behaved client and a well-behaved provider of a small interface: what the checks misuse,
 * and the bystanders that must not notice.
 */
#ifndef MODULES_H
#define MODULES_H

#include <stdbool.h>

#include "netioddk.h"

/* What a provider does for its clients. */
typedef struct {
    ULONG(NTAPI *Double)(PVOID ProviderBindingContext, ULONG value);
} PROVIDER_DISPATCH;

extern const NPIID npi;
extern const NPI_MODULEID client_id;
extern const NPI_MODULEID provider_id;

/* Correct characteristics, to be spoiled. Their callbacks take a struct module as context. */
extern const NPI_CLIENT_CHARACTERISTICS client_characteristics;
extern const NPI_PROVIDER_CHARACTERISTICS provider_characteristics;

/* A registration, with room for one binding. */
struct module {
    HANDLE handle;
    HANDLE binding;
    PVOID provider_context;                    /* a client's */
    const PROVIDER_DISPATCH *provider_dispatch; /* a client's */
    bool pends;                                /* its detach callback answers STATUS_PENDING */
    unsigned attached;
    unsigned detached;
    unsigned cleaned;
};

struct pair {
    struct module client;
    struct module provider;
};

/* Registers both, so that they attach. */
void pair_start(struct pair *pair);

/* Whether the two are attached and can call each other, and nothing else has happened to them. */
bool pair_is_well(const struct pair *pair);

/* Deregisters both and waits. Returns whether that ended their binding as it should. */
bool pair_stop(struct pair *pair);

#endif

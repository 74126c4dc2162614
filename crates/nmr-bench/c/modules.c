/*
 * A client and a provider in C that are made of nothing but callbacks, and two loops: the client's
 * whole life with the registrar, and the same six callbacks without one.
 */
#include "modules.h"

#include <stdlib.h>

/* What a real module keeps for each binding. */
struct binding {
    uint64_t state[8];
};

static const int table = 1;

static NTSTATUS attach_to_provider(HANDLE handle, PVOID client, PVOID context)
{
    const struct bench_client *self = client;
    PVOID provider_context;
    const VOID *provider_table;
    return self->attach(handle, context, &table, &provider_context, &provider_table);
}

static NTSTATUS NTAPI detach(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
    return STATUS_SUCCESS;
}

/* The least that a module can do: its registration is all that it knows of a binding. */

static NTSTATUS NTAPI attach_provider(HANDLE handle, PVOID client, PNPI_REGISTRATION_INSTANCE provider)
{
    UNREFERENCED_PARAMETER(provider);
    return attach_to_provider(handle, client, client);
}

static NTSTATUS NTAPI attach_client(HANDLE handle, PVOID provider, PNPI_REGISTRATION_INSTANCE client,
                                    PVOID client_context, const VOID *client_table,
                                    PVOID *context, const VOID **dispatch)
{
    UNREFERENCED_PARAMETER(handle);
    UNREFERENCED_PARAMETER(client);
    UNREFERENCED_PARAMETER(client_context);
    UNREFERENCED_PARAMETER(client_table);
    *context = provider;
    *dispatch = &table;
    return STATUS_SUCCESS;
}

static VOID NTAPI clean_up(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
}

/* What a real module does: it allocates its part of the binding in the attach. */

static NTSTATUS NTAPI attach_provider_allocating(HANDLE handle, PVOID client,
                                                 PNPI_REGISTRATION_INSTANCE provider)
{
    struct binding *binding = calloc(1, sizeof(*binding));
    NTSTATUS status;
    UNREFERENCED_PARAMETER(provider);
    if (binding == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    status = attach_to_provider(handle, client, binding);
    if (status != STATUS_SUCCESS) {
        free(binding);
    }
    return status;
}

static NTSTATUS NTAPI attach_client_allocating(HANDLE handle, PVOID provider,
                                               PNPI_REGISTRATION_INSTANCE client,
                                               PVOID client_context, const VOID *client_table,
                                               PVOID *context, const VOID **dispatch)
{
    UNREFERENCED_PARAMETER(handle);
    UNREFERENCED_PARAMETER(provider);
    UNREFERENCED_PARAMETER(client);
    UNREFERENCED_PARAMETER(client_context);
    UNREFERENCED_PARAMETER(client_table);
    *context = calloc(1, sizeof(struct binding));
    *dispatch = &table;
    return *context == NULL ? STATUS_INSUFFICIENT_RESOURCES : STATUS_SUCCESS;
}

static VOID NTAPI clean_up_allocating(PVOID context)
{
    free(context);
}

const struct bench_callbacks bench_minimal = {
    attach_provider, detach, clean_up, attach_client, detach, clean_up,
};

const struct bench_callbacks bench_allocating = {
    attach_provider_allocating, detach, clean_up_allocating,
    attach_client_allocating,   detach, clean_up_allocating,
};

/* What stands for a binding where there is no registrar. It is its own handle. */
struct offer {
    const struct bench_client *client;
    const struct bench_provider *provider;
    PVOID client_context;
    PVOID provider_context;
};

/* What stands for NmrClientAttachProvider. */
NTSTATUS NTAPI bench_attach_directly(HANDLE handle, PVOID context, const VOID *dispatch,
                                     PVOID *provider_context, const VOID **provider_dispatch)
{
    struct offer *offer = handle;
    NTSTATUS status = offer->provider->characteristics.ProviderAttachClient(
        offer, (PVOID)offer->provider,
        &offer->client->characteristics.ClientRegistrationInstance, context, dispatch,
        provider_context, provider_dispatch);
    offer->client_context = context;
    offer->provider_context = *provider_context;
    return status;
}

uint64_t bench_floor(struct bench_client *client, struct bench_provider *provider, uint64_t times)
{
    const NPI_CLIENT_CHARACTERISTICS *c = &client->characteristics;
    const NPI_PROVIDER_CHARACTERISTICS *p = &provider->characteristics;
    uint64_t failures = 0;
    while (times-- > 0) {
        struct offer offer = {client, provider, NULL, NULL};
        failures += c->ClientAttachProvider(&offer, client, &p->ProviderRegistrationInstance)
                    != STATUS_SUCCESS;
        failures += c->ClientDetachProvider(offer.client_context) != STATUS_SUCCESS;
        failures += p->ProviderDetachClient(offer.provider_context) != STATUS_SUCCESS;
        c->ClientCleanupBindingContext(offer.client_context);
        p->ProviderCleanupBindingContext(offer.provider_context);
    }
    return failures;
}

uint64_t bench_cycle(struct bench_client *client, uint64_t times)
{
    uint64_t failures = 0;
    while (times-- > 0) {
        HANDLE handle;
        failures += NmrRegisterClient(&client->characteristics, client, &handle) != STATUS_SUCCESS;
        failures += NmrDeregisterClient(handle) != STATUS_PENDING;
        failures += NmrWaitForClientDeregisterComplete(handle) != STATUS_SUCCESS;
    }
    return failures;
}

/* A client and a provider in C that are made of nothing but callbacks, and the client's cycle. */
#include "modules.h"

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

const struct bench_callbacks bench_minimal = {
    attach_provider, detach, clean_up, attach_client, detach, clean_up,
};

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

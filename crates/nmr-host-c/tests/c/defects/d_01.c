/*
 * A client that keeps the handle of its registration, and not that of the binding. It goes unnoticed
 * while the client goes first. When its provider does, the client completes with the wrong handle.
 */
#include "defects.h"

static struct {
    HANDLE handle;
    PVOID provider_context;
    const VOID *provider_dispatch;
} client;

/* What the client should have kept. */
static HANDLE forgotten;

static NTSTATUS NTAPI attach(HANDLE binding, PVOID context, PNPI_REGISTRATION_INSTANCE provider)
{
    UNREFERENCED_PARAMETER(provider);
    forgotten = binding;
    return NmrClientAttachProvider(binding, context, NULL, &client.provider_context,
                                   &client.provider_dispatch);
}

/* The last call ends later. */
static NTSTATUS NTAPI detach(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
    return STATUS_PENDING;
}

static void last_call_ended(void)
{
    NmrClientDetachProviderComplete(client.handle);
}

void d_01(void)
{
    static NPI_CLIENT_CHARACTERISTICS characteristics;
    static struct module provider;
    characteristics = client_with(attach, detach);
    provider_start(&provider);
    NmrRegisterClient(&characteristics, &client, &client.handle);
    NmrDeregisterProvider(provider.handle);
    last_call_ended();

    NmrClientDetachProviderComplete(forgotten);
    NmrWaitForProviderDeregisterComplete(provider.handle);
    NmrDeregisterClient(client.handle);
    NmrWaitForClientDeregisterComplete(client.handle);
}

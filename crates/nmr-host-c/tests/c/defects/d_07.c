/* A provider whose detach callback checks its argument, and answers that it is wrong. */
#include "defects.h"

struct hook {
    bool is_live;
};

static NTSTATUS NTAPI attach(HANDLE binding, PVOID context, PNPI_REGISTRATION_INSTANCE client,
                             PVOID client_context, const VOID *client_dispatch,
                             PVOID *own_context, const VOID **own_dispatch)
{
    static const PROVIDER_DISPATCH dispatch = {NULL};
    UNREFERENCED_PARAMETER(binding);
    UNREFERENCED_PARAMETER(client);
    UNREFERENCED_PARAMETER(client_context);
    UNREFERENCED_PARAMETER(client_dispatch);
    *own_context = context;
    *own_dispatch = &dispatch;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI detach(PVOID context)
{
    struct hook *hook = context;
    return hook->is_live ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

void d_07(void)
{
    static NPI_PROVIDER_CHARACTERISTICS characteristics;
    static struct module client;
    static struct hook hook = {true};
    HANDLE provider;
    characteristics = provider_with(attach, detach);
    NmrRegisterProvider(&characteristics, &hook, &provider);
    client_start(&client);
    hook.is_live = false;
    client_stop(&client);
    NmrDeregisterProvider(provider);
    NmrWaitForProviderDeregisterComplete(provider);
}

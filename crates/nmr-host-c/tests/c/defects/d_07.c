/* A provider whose detach callback checks its argument, and answers that it is wrong. */
#include "defects.h"

struct hook {
    bool is_live;
};

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
    characteristics = provider_with(accept_client, detach);
    NmrRegisterProvider(&characteristics, &hook, &provider);
    client_start(&client);
    hook.is_live = false;
    client_stop(&client);
    NmrDeregisterProvider(provider);
    NmrWaitForProviderDeregisterComplete(provider);
}

/* A provider whose detach callback waits for the last call, as if it ran at PASSIVE_LEVEL. */
#include "defects.h"

/* What the tests of this driver have in place of a service of the kernel. */
static void wait_for_last_call(void)
{
    nmr_host_may_block();
}

static NTSTATUS NTAPI detach(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
    wait_for_last_call();
    return STATUS_SUCCESS;
}

void d_06(void)
{
    static NPI_PROVIDER_CHARACTERISTICS characteristics;
    static struct module client;
    static int context;
    HANDLE provider;
    characteristics = provider_with(accept_client, detach);
    NmrRegisterProvider(&characteristics, &context, &provider);
    client_start(&client);
    client_stop(&client);
    NmrDeregisterProvider(provider);
    NmrWaitForProviderDeregisterComplete(provider);
}

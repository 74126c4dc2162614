/* A driver whose start fails because registering does, and which then undoes all of its start. */
#include "defects.h"

static HANDLE provider_handle;

static void stop(void)
{
    if (NmrDeregisterProvider(provider_handle) == STATUS_PENDING) {
        NmrWaitForProviderDeregisterComplete(provider_handle);
    }
}

static void start(void)
{
    static struct module provider;
    NTSTATUS status = NmrRegisterProvider(&provider_characteristics, &provider, &provider_handle);
    if (status != STATUS_SUCCESS) {
        stop();
    }
}

void d_02(void)
{
    nmr_host_fail_call(1, STATUS_INSUFFICIENT_RESOURCES);
    start();
}

/*
 * Loads the two drivers of the guide, uses them, and unloads them, the provider first. Then loads and
 * unloads the provider many times while threads call it.
 */
#include <pthread.h>
#include <stdio.h>

#include <ntddk.h>

#include "client.h"
#include "exnpi.h"

/* What lets the registrar watch the calls between the modules. */
static const struct nmr_host_interface interface = {
    .npi = &EXNPI_NPIID,
    .client = {.size = sizeof(EXNPI_CLIENT_DISPATCH), .functions = 1},
    .provider = {.size = sizeof(EXNPI_PROVIDER_DISPATCH), .functions = 1},
};

DRIVER_INITIALIZE ClientDriverEntry;
DRIVER_INITIALIZE ProviderDriverEntry;

static void add(ULONG value)
{
    ULONG sum;

    if (ClientAdd(value, &sum) == STATUS_SUCCESS) {
        printf("add(%u) = %u\n", (unsigned)value, (unsigned)sum);
    } else {
        printf("add(%u): no provider\n", (unsigned)value);
    }
}

static _Atomic BOOLEAN stop;
static _Atomic ULONG answers;

static void *keep_adding(void *unused)
{
    ULONG sum;

    while (!stop) {
        if (ClientAdd(1, &sum) == STATUS_SUCCESS) {
            answers++;
        }
    }
    return unused;
}

/* Returns whether the provider was called each time before it left. */
static BOOLEAN come_and_go(DRIVER_OBJECT *provider)
{
    pthread_t callers[2];

    for (int caller = 0; caller < 2; caller++) {
        if (pthread_create(&callers[caller], NULL, keep_adding, NULL) != 0) {
            return FALSE;
        }
    }
    for (int visit = 0; visit < 50; visit++) {
        ULONG before = answers;

        if (ProviderDriverEntry(provider, NULL) != STATUS_SUCCESS) {
            return FALSE;
        }
        while (answers == before) {
            sched_yield();
        }
        provider->DriverUnload(provider);
    }
    stop = TRUE;
    for (int caller = 0; caller < 2; caller++) {
        pthread_join(callers[caller], NULL);
    }
    return TRUE;
}

int main(void)
{
    DRIVER_OBJECT client;
    DRIVER_OBJECT provider;

#if defined(__linux__) && defined(__x86_64__)
    if (!nmr_host_wrap(&interface, false)) {
        return 1;
    }
#else
    UNREFERENCED_PARAMETER(interface);
#endif
    if (ClientDriverEntry(&client, NULL) != STATUS_SUCCESS) {
        return 1;
    }
    add(1);
    if (ProviderDriverEntry(&provider, NULL) != STATUS_SUCCESS) {
        return 1;
    }
    add(2);
    add(3);
    provider.DriverUnload(&provider);
    add(4);
    printf("it comes and goes: %s\n", come_and_go(&provider) ? "yes" : "no");
    client.DriverUnload(&client);
    printf("%zu reports\n", nmr_host_finish());
    return 0;
}

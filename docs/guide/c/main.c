/* Loads the two drivers of the guide, uses them, and unloads them, the provider first. */
#include <stdio.h>

#include <ntddk.h>

#include "client.h"

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

int main(void)
{
    DRIVER_OBJECT client;
    DRIVER_OBJECT provider;

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
    client.DriverUnload(&client);
    printf("%zu reports\n", nmr_host_finish());
    return 0;
}

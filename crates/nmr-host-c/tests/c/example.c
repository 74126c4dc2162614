/*
 * A client that completes its detach and says that there was nothing to complete: the example of
 * docs/verifier.md. Prints what the registrar has to say about it.
 */
#include <stdio.h>

#include "modules.h"
#include "nmr_host.h"

/* begin */
static NTSTATUS NTAPI detach_provider(PVOID context)
{
    struct module *client = context;
    NmrClientDetachProviderComplete(client->binding);
    return STATUS_SUCCESS; /* wrong: it was completed, so this is STATUS_PENDING */
}
/* end */

static NPI_CLIENT_CHARACTERISTICS adder;

int main(void)
{
    static struct module client;
    static struct module provider;
    char text[512];

    nmr_host_set_policy("report=collect");
    nmr_host_name_module(&client_id, "Adder");
    nmr_host_name_module(&provider_id, "Summer");
    adder = client_characteristics;
    adder.ClientDetachProvider = detach_provider;
    NmrRegisterProvider(&provider_characteristics, &provider, &provider.handle);
    NmrRegisterClient(&adder, &client, &client.handle);
    NmrDeregisterClient(client.handle);
    NmrWaitForClientDeregisterComplete(client.handle);
    NmrDeregisterProvider(provider.handle);
    NmrWaitForProviderDeregisterComplete(provider.handle);
    for (size_t index = 0; nmr_host_report(index, NULL, text, sizeof text) != 0; index++) {
        printf("%s\n", text);
    }
    return nmr_host_finish() == 1 ? 0 : 1;
}

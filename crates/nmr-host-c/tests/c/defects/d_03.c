/*
 * A provider that ends its interface by itself: it drains its calls and says that it is done, and
 * only then deregisters. Its detach callback relies on that and never completes.
 */
#include "defects.h"

static struct {
    HANDLE handle;
    HANDLE binding;
} provider;

static NTSTATUS NTAPI attach(HANDLE binding, PVOID context, PNPI_REGISTRATION_INSTANCE client,
                             PVOID client_context, const VOID *client_dispatch,
                             PVOID *own_context, const VOID **own_dispatch)
{
    provider.binding = binding;
    return accept_client(binding, context, client, client_context, client_dispatch, own_context,
                         own_dispatch);
}

static NTSTATUS NTAPI detach(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
    return STATUS_PENDING;
}

static void close_interface(void)
{
    NmrProviderDetachClientComplete(provider.binding);
    NmrDeregisterProvider(provider.handle);
    NmrWaitForProviderDeregisterComplete(provider.handle);
}

void d_03(void)
{
    static NPI_PROVIDER_CHARACTERISTICS characteristics;
    static struct module client;
    characteristics = provider_with(attach, detach);
    client_start(&client);
    NmrRegisterProvider(&characteristics, &provider, &provider.handle);
    close_interface();
    client_stop(&client);
}

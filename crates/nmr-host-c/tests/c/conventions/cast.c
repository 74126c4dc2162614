/*
 * Callbacks of the compiler's own convention, which a cast hides. Each registration has one of them,
 * as the second argument says: 0 a client's attach callback, 1 its detach callback, 2 a provider's
 * attach callback, 3 its cleanup callback.
 */
#include <nmr_host.h>

#include <stdio.h>
#include <stdlib.h>

static const NPIID npi = {0x3b1a52ce, 0x77aa, 0x4b0c, {8, 7, 6, 5, 4, 3, 2, 1}};
static const NPI_MODULEID id = {sizeof(NPI_MODULEID), MIT_GUID, {{0x33, 0, 0, {0}}}};
static void *noted;

static NTSTATUS attach(HANDLE binding, void *context, PNPI_REGISTRATION_INSTANCE provider)
{
    noted = context;
    printf("called with %p %p %p\n", binding, context, (void *)(uintptr_t)provider);
    return STATUS_NOINTERFACE;
}

static NTSTATUS detach(void *context)
{
    noted = context;
    return STATUS_SUCCESS;
}

static void clean_up(void *context)
{
    free(context);
}

static NTSTATUS attach_client(HANDLE binding, void *context, PNPI_REGISTRATION_INSTANCE client,
                              void *client_context, const void *client_dispatch, void **own,
                              const void **dispatch)
{
    printf("called with %p %p %p %p %p\n", binding, context, (void *)(uintptr_t)client, client_context,
           (void *)(uintptr_t)client_dispatch);
    *own = binding;
    *dispatch = NULL;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI good_attach(HANDLE binding, PVOID context, PNPI_REGISTRATION_INSTANCE provider)
{
    printf("%d", binding == context && provider == NULL);
    return STATUS_NOINTERFACE;
}

static NTSTATUS NTAPI good_detach(PVOID context)
{
    noted = context;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI good_attach_client(HANDLE binding, PVOID context,
                                         PNPI_REGISTRATION_INSTANCE client, PVOID client_context,
                                         const VOID *client_dispatch, PVOID *own,
                                         const VOID **dispatch)
{
    printf("%p %p %p %p %p", binding, context, (void *)(uintptr_t)client, client_context,
           (void *)(uintptr_t)client_dispatch);
    *own = binding;
    *dispatch = NULL;
    return STATUS_SUCCESS;
}

int main(int count, char **arguments)
{
    NPI_CLIENT_CHARACTERISTICS client = {
        0, sizeof client, good_attach, good_detach, NULL,
        {0, sizeof(NPI_REGISTRATION_INSTANCE), &npi, &id, 0, NULL},
    };
    NPI_PROVIDER_CHARACTERISTICS provider = {
        0, sizeof provider, good_attach_client, good_detach, NULL,
        {0, sizeof(NPI_REGISTRATION_INSTANCE), &npi, &id, 0, NULL},
    };
    static NPI_CLIENT_CHARACTERISTICS the_client;
    static NPI_PROVIDER_CHARACTERISTICS the_provider;
    HANDLE handle;
    NTSTATUS status;
    uint32_t rule = 0;
    int which = count > 1 ? atoi(arguments[1]) : 0;
    nmr_host_set_policy("report=collect");
    if (which == 0) {
        client.ClientAttachProvider = (PNPI_CLIENT_ATTACH_PROVIDER_FN)attach;
    } else if (which == 1) {
        client.ClientDetachProvider = (PNPI_CLIENT_DETACH_PROVIDER_FN)detach;
    } else if (which == 2) {
        provider.ProviderAttachClient = (PNPI_PROVIDER_ATTACH_CLIENT_FN)attach_client;
    } else {
        provider.ProviderCleanupBindingContext =
            (PNPI_PROVIDER_CLEANUP_BINDING_CONTEXT_FN)clean_up;
    }
    the_client = client;
    the_provider = provider;
    status = which < 2 ? NmrRegisterClient(&the_client, NULL, &handle)
                       : NmrRegisterProvider(&the_provider, NULL, &handle);
    nmr_host_report(0, &rule, NULL, 0);
    printf("status 0x%08x, %zu reports, V-%02u\n", (unsigned)status, nmr_host_report_count(),
           (unsigned)rule);
    return 0;
}

/*
 * A provider completes a request of a client that has left. The client's context is static, so nothing is
 * freed and touched: only the call shows it, and it goes through a callback that the client has passed.
 */
#include "defects.h"

typedef VOID NTAPI COMPLETE(ULONG result);

/* The provider's table, which says how long it is. */
typedef struct {
    ULONG size;
    NTSTATUS(NTAPI *submit)(PVOID context, COMPLETE *complete);
} REQUESTS;

static COMPLETE *pending;
static unsigned completed;

static NTSTATUS NTAPI submit(PVOID context, COMPLETE *complete)
{
    UNREFERENCED_PARAMETER(context);
    pending = complete;
    return STATUS_PENDING;
}

static const REQUESTS requests = {sizeof requests, submit};

static VOID NTAPI complete(ULONG result)
{
    completed += result;
}

static NTSTATUS NTAPI accept_requests(HANDLE binding, PVOID context, PNPI_REGISTRATION_INSTANCE client,
                                      PVOID client_context, const VOID *client_dispatch,
                                      PVOID *own_context, const VOID **own_dispatch)
{
    UNREFERENCED_PARAMETER(binding);
    UNREFERENCED_PARAMETER(client);
    UNREFERENCED_PARAMETER(client_context);
    UNREFERENCED_PARAMETER(client_dispatch);
    *own_context = context;
    *own_dispatch = &requests;
    return STATUS_SUCCESS;
}

static const REQUESTS *provider_requests;
static PVOID provider_context;

static NTSTATUS NTAPI attach_and_submit(HANDLE binding, PVOID context, PNPI_REGISTRATION_INSTANCE provider)
{
    const VOID *dispatch = NULL;
    NTSTATUS status;
    UNREFERENCED_PARAMETER(provider);
    status = NmrClientAttachProvider(binding, context, NULL, &provider_context, &dispatch);
    provider_requests = dispatch;
    return status;
}

static NTSTATUS NTAPI leave(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
    return STATUS_SUCCESS;
}

void d_11(void)
{
    static const size_t functions[] = {offsetof(REQUESTS, submit)};
    static const struct nmr_host_callback callbacks[] = {{offsetof(REQUESTS, submit), 1}};
    static const struct nmr_host_table_layout table = {
        .size = {.offset = offsetof(REQUESTS, size), .width = sizeof requests.size},
        .functions = functions,
        .function_count = 1,
        .callbacks = callbacks,
        .callback_count = 1,
    };
    static NPI_CLIENT_CHARACTERISTICS client;
    static NPI_PROVIDER_CHARACTERISTICS provider;
    static int state;
    struct nmr_host_layout layout = {.npi = &npi, .provider = {.table = &table}};
    HANDLE client_handle, provider_handle;
    client = client_with(attach_and_submit, leave);
    provider = provider_with(accept_requests, leave);
    if (!nmr_host_declare(&layout) || !nmr_host_wrap_layout(&layout, false)) {
        return;
    }
    NmrRegisterProvider(&provider, &state, &provider_handle);
    NmrRegisterClient(&client, &state, &client_handle);
    provider_requests->submit(provider_context, complete);
    pending(1);
    provider_requests->submit(provider_context, complete);
    NmrDeregisterClient(client_handle);
    NmrWaitForClientDeregisterComplete(client_handle);
    pending(1);
    if (completed != 2) {
        printf("%u completed\n", completed);
    }
    NmrDeregisterProvider(provider_handle);
    NmrWaitForProviderDeregisterComplete(provider_handle);
}

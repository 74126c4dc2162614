/* A client that builds its dispatch table among the local variables of its attach callback. */
#include "defects.h"

typedef struct {
    VOID(NTAPI *Changed)(PVOID ClientBindingContext);
} CLIENT_DISPATCH;

static HANDLE handle;

static VOID NTAPI changed(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
}

static NTSTATUS NTAPI attach(HANDLE binding, PVOID context, PNPI_REGISTRATION_INSTANCE provider)
{
    CLIENT_DISPATCH dispatch = {changed};
    PVOID provider_context;
    const VOID *provider_dispatch;
    UNREFERENCED_PARAMETER(provider);
    return NmrClientAttachProvider(binding, context, &dispatch, &provider_context,
                                   &provider_dispatch);
}

static NTSTATUS NTAPI detach(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
    return STATUS_SUCCESS;
}

void d_04(void)
{
    static NPI_CLIENT_CHARACTERISTICS characteristics;
    static NPI_PROVIDER_CHARACTERISTICS provider_characteristics;
    static int context;
    HANDLE provider;
    characteristics = client_with(attach, detach);
    provider_characteristics = provider_with(accept_client, detach);
    NmrRegisterProvider(&provider_characteristics, &context, &provider);
    NmrRegisterClient(&characteristics, &context, &handle);
    NmrDeregisterClient(handle);
    NmrWaitForClientDeregisterComplete(handle);
    NmrDeregisterProvider(provider);
    NmrWaitForProviderDeregisterComplete(provider);
}

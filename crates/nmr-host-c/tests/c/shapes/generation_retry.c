/*
 * A client with tables of two generations. It offers the newer one, and the older one to a provider that
 * declines that.
 */
#include "shapes.h"

typedef struct _GENERATION_CLIENT {
    HANDLE NmrBindingHandle;
    PVOID ProviderContext;
    const PROVIDER_TABLE *Provider;
    ULONG Generation;
    EX_RUNDOWN_REF Rundown;
} GENERATION_CLIENT;

static NTSTATUS GenerationInvoke(PVOID ClientBindingContext, PVOID Argument, ULONG *Result)
{
    GENERATION_CLIENT *client = ClientBindingContext;
    UNREFERENCED_PARAMETER(Argument);
    *Result = client->Generation;
    return STATUS_SUCCESS;
}

static const CLIENT_TABLE Tables[] = {
    {2, sizeof(CLIENT_TABLE), GenerationInvoke},
    {1, sizeof(CLIENT_TABLE), GenerationInvoke},
};
static const NPI_MODULEID GenerationId = MODULE_ID(0x03);
static HANDLE Handle;

NPI_CLIENT_ATTACH_PROVIDER_FN GenerationAttachProvider;
NPI_CLIENT_DETACH_PROVIDER_FN GenerationDetachProvider;
NPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN GenerationCleanup;

NTSTATUS GenerationAttachProvider(HANDLE NmrBindingHandle, PVOID ClientContext,
                                  PNPI_REGISTRATION_INSTANCE Provider)
{
    NTSTATUS status = STATUS_NOINTERFACE;
    GENERATION_CLIENT *client;
    ULONG i;
    UNREFERENCED_PARAMETER(ClientContext);
    UNREFERENCED_PARAMETER(Provider);
    client = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof *client, 'neGC');
    if (client == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    client->NmrBindingHandle = NmrBindingHandle;
    ExInitializeRundownProtection(&client->Rundown);
    for (i = 0; i < ARRAYSIZE(Tables) && status == STATUS_NOINTERFACE; i++) {
        client->Generation = Tables[i].Version;
        status = NmrClientAttachProvider(NmrBindingHandle, client, &Tables[i],
                                         &client->ProviderContext,
                                         (const VOID **)&client->Provider);
#ifdef BUG
        status = STATUS_NOINTERFACE == status && i == 0 ? status : STATUS_NOINTERFACE;
#endif
    }
    if (!NT_SUCCESS(status)) {
#ifndef BUG
        ExFreePoolWithTag(client, 'neGC');
#endif
        return status;
    }
    if (ExAcquireRundownProtection(&client->Rundown)) {
        ULONG version = 0;
        NT_VERIFY(client->Provider->Open(client->ProviderContext, 1, &version) == STATUS_SUCCESS);
        client->Provider->Close(client->ProviderContext);
        ExReleaseRundownProtection(&client->Rundown);
    }
    return status;
}

NTSTATUS GenerationDetachProvider(PVOID ClientBindingContext)
{
    UNREFERENCED_PARAMETER(ClientBindingContext);
    return STATUS_SUCCESS;
}

VOID GenerationCleanup(PVOID ClientBindingContext)
{
    ExFreePoolWithTag(ClientBindingContext, 'neGC');
}

static const NPI_CLIENT_CHARACTERISTICS Characteristics = {
    0,
    sizeof(NPI_CLIENT_CHARACTERISTICS),
    GenerationAttachProvider,
    GenerationDetachProvider,
    GenerationCleanup,
    {0, sizeof(NPI_REGISTRATION_INSTANCE), &SHAPE_NPIID, &GenerationId, 0, NULL},
};

static VOID GenerationUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    NT_VERIFY(NmrDeregisterClient(Handle) == STATUS_PENDING);
    NT_VERIFY(NmrWaitForClientDeregisterComplete(Handle) == STATUS_SUCCESS);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = GenerationUnload;
    return NmrRegisterClient(&Characteristics, &Handle, &Handle);
}

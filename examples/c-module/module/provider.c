/* The QUOTA provider: grants each of its clients a number of bytes. */
#include "modules.h"

#define PROVIDER_TAG 'rPtQ'

/* {6f0b6a0e-52e1-4a4f-9d0c-0c3a1f5b7d21} */
const NPIID QUOTA_NPIID = {0x6f0b6a0e, 0x52e1, 0x4a4f, {0x9d, 0x0c, 0x0c, 0x3a, 0x1f, 0x5b, 0x7d, 0x21}};

typedef struct _PROVIDER_BINDING {
    HANDLE NmrBindingHandle;
    PVOID ClientContext;
    const QUOTA_CLIENT_DISPATCH *Client;
    KSPIN_LOCK Lock; /* for what follows */
    ULONG Granted;
    ULONG Calls; /* into the client, in progress */
    BOOLEAN Told;
    BOOLEAN Detaching;
} PROVIDER_BINDING;

static ULONG Limit;
static HANDLE ProviderHandle;

static NPI_PROVIDER_ATTACH_CLIENT_FN ProviderAttachClient;
static NPI_PROVIDER_DETACH_CLIENT_FN ProviderDetachClient;
static NPI_PROVIDER_CLEANUP_BINDING_CONTEXT_FN ProviderCleanupBindingContext;

/* {b7e0a3d5-9a2e-4a9b-8f61-3d8c8f0d5e11} */
const NPI_MODULEID ProviderModuleId = {
    sizeof(NPI_MODULEID),
    MIT_GUID,
    {{0xb7e0a3d5, 0x9a2e, 0x4a9b, {0x8f, 0x61, 0x3d, 0x8c, 0x8f, 0x0d, 0x5e, 0x11}}},
};

static const QUOTA_CHARACTERISTICS Quota = {QUOTA_VERSION};

static const NPI_PROVIDER_CHARACTERISTICS Characteristics = {
    0,
    sizeof(NPI_PROVIDER_CHARACTERISTICS),
    ProviderAttachClient,
    ProviderDetachClient,
    ProviderCleanupBindingContext,
    {0, sizeof(NPI_REGISTRATION_INSTANCE), &QUOTA_NPIID, &ProviderModuleId, 0, &Quota},
};

/* Ends a call into the client. The last one of a binding that detaches completes the detach. */
static VOID EndCall(PROVIDER_BINDING *Binding)
{
    HANDLE handle = Binding->NmrBindingHandle;
    BOOLEAN last;
    KIRQL irql;
    KeAcquireSpinLock(&Binding->Lock, &irql);
    Binding->Calls--;
    last = Binding->Calls == 0 && Binding->Detaching;
    KeReleaseSpinLock(&Binding->Lock, irql);
    if (last) {
        NmrProviderDetachClientComplete(handle);
    }
}

static BOOLEAN Charge(PVOID ProviderBindingContext, ULONG Bytes)
{
    PROVIDER_BINDING *binding = ProviderBindingContext;
    BOOLEAN granted, tell;
    ULONG sum;
    KIRQL irql;
    KeAcquireSpinLock(&binding->Lock, &irql);
    granted = Bytes <= Limit - binding->Granted;
    binding->Granted += granted ? Bytes : 0;
    sum = binding->Granted;
    tell = !granted && !binding->Told && !binding->Detaching;
    if (tell) {
        binding->Told = TRUE;
        binding->Calls++;
    }
    KeReleaseSpinLock(&binding->Lock, irql);
    if (tell) {
        binding->Client->Exhausted(binding->ClientContext, sum);
        EndCall(binding);
    }
    return granted;
}

static const QUOTA_PROVIDER_DISPATCH Dispatch = {Charge};

static NTSTATUS ProviderAttachClient(HANDLE NmrBindingHandle, PVOID ProviderContext,
                                     PNPI_REGISTRATION_INSTANCE Client, PVOID ClientContext,
                                     const VOID *ClientDispatch, PVOID *BindingContext,
                                     const VOID **ProviderDispatch)
{
    const QUOTA_CHARACTERISTICS *quota = Client->NpiSpecificCharacteristics;
    PROVIDER_BINDING *binding;
    UNREFERENCED_PARAMETER(ProviderContext);

    *BindingContext = NULL;
    *ProviderDispatch = NULL;
    if (quota == NULL || quota->Version != QUOTA_VERSION || ClientDispatch == NULL) {
        return STATUS_NOINTERFACE;
    }
    binding = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof *binding, PROVIDER_TAG);
    if (binding == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    KeInitializeSpinLock(&binding->Lock);
    binding->NmrBindingHandle = NmrBindingHandle;
    binding->ClientContext = ClientContext;
    binding->Client = ClientDispatch;
    *BindingContext = binding;
    *ProviderDispatch = &Dispatch;
    return STATUS_SUCCESS;
}

static NTSTATUS ProviderDetachClient(PVOID ProviderBindingContext)
{
    PROVIDER_BINDING *binding = ProviderBindingContext;
    BOOLEAN busy;
    KIRQL irql;
    KeAcquireSpinLock(&binding->Lock, &irql);
    binding->Detaching = TRUE;
    busy = binding->Calls != 0;
    KeReleaseSpinLock(&binding->Lock, irql);
    return busy ? STATUS_PENDING : STATUS_SUCCESS;
}

static VOID ProviderCleanupBindingContext(PVOID ProviderBindingContext)
{
    ExFreePoolWithTag(ProviderBindingContext, PROVIDER_TAG);
}

NTSTATUS ProviderRegister(ULONG BytesPerClient)
{
    Limit = BytesPerClient;
    return NmrRegisterProvider(&Characteristics, NULL, &ProviderHandle);
}

NTSTATUS ProviderDeregister(VOID)
{
    return NmrDeregisterProvider(ProviderHandle);
}

VOID ProviderWait(VOID)
{
    (VOID)NmrWaitForProviderDeregisterComplete(ProviderHandle);
}

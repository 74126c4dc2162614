/*
 * An EXNPI provider: the fragments of Microsoft's pages put together, without their mistakes. It keeps a
 * sum for each of its clients.
 */
#include <ntddk.h>

#include "exnpi.h"

#define BINDING_CONTEXT_POOL_TAG 'tpcb'

const NPIID EXNPI_NPIID = EXNPI_NPIID_INIT;

static NPI_PROVIDER_ATTACH_CLIENT_FN ProviderAttachClient;
static NPI_PROVIDER_DETACH_CLIENT_FN ProviderDetachClient;
static NPI_PROVIDER_CLEANUP_BINDING_CONTEXT_FN ProviderCleanupBindingContext;

static const EXNPI_PROVIDER_CHARACTERISTICS NpiSpecificCharacteristics = {
    .Version = EXNPI_VERSION,
};

/* {c0d5e7b2-0f4a-4d86-8c39-91a7f3e2d622} */
static const NPI_MODULEID ProviderModuleId = {
    .Length = sizeof(NPI_MODULEID),
    .Type = MIT_GUID,
    .Guid = {0xc0d5e7b2, 0x0f4a, 0x4d86, {0x8c, 0x39, 0x91, 0xa7, 0xf3, 0xe2, 0xd6, 0x22}},
};

/* The NMR and the clients read it until the wait in Unload has returned. */
static const NPI_PROVIDER_CHARACTERISTICS ProviderCharacteristics = {
    .Length = sizeof(NPI_PROVIDER_CHARACTERISTICS),
    .ProviderAttachClient = ProviderAttachClient,
    .ProviderDetachClient = ProviderDetachClient,
    .ProviderCleanupBindingContext = ProviderCleanupBindingContext,
    .ProviderRegistrationInstance = {
        .Size = sizeof(NPI_REGISTRATION_INSTANCE),
        .NpiId = &EXNPI_NPIID,
        .ModuleId = &ProviderModuleId,
        .NpiSpecificCharacteristics = &NpiSpecificCharacteristics,
    },
};

/* The provider's part of a binding. */
typedef struct _PROVIDER_BINDING_CONTEXT {
    HANDLE NmrBindingHandle;
    PVOID ClientBindingContext;
    const EXNPI_CLIENT_DISPATCH *ClientDispatch;
    KSPIN_LOCK Lock;       /* for the rest */
    BOOLEAN Attached;
    ULONG CallsInProgress; /* into the client */
    ULONG Sum;
} PROVIDER_BINDING_CONTEXT;

static HANDLE ProviderHandle;

/* Adds a value, and begins a call into the client unless it is detaching. */
static ULONG AddAndEnter(PROVIDER_BINDING_CONTEXT *Binding, ULONG Value, BOOLEAN *Entered)
{
    ULONG Sum;
    KIRQL Irql;

    KeAcquireSpinLock(&Binding->Lock, &Irql);
    Sum = Binding->Sum += Value;
    *Entered = Binding->Attached;
    if (Binding->Attached) {
        Binding->CallsInProgress++;
    }
    KeReleaseSpinLock(&Binding->Lock, Irql);
    return Sum;
}

/* Ends a call. The last one of a binding that is detaching completes the detach. */
static VOID LeaveClient(PROVIDER_BINDING_CONTEXT *Binding)
{
    BOOLEAN Last;
    KIRQL Irql;

    KeAcquireSpinLock(&Binding->Lock, &Irql);
    Binding->CallsInProgress--;
    Last = !Binding->Attached && Binding->CallsInProgress == 0;
    KeReleaseSpinLock(&Binding->Lock, Irql);
    if (Last) {
        NmrProviderDetachClientComplete(Binding->NmrBindingHandle);
    }
}

static ULONG NTAPI ProviderAdd(PVOID ProviderBindingContext, ULONG Value)
{
    PROVIDER_BINDING_CONTEXT *Binding = ProviderBindingContext;
    BOOLEAN Entered;
    ULONG Sum = AddAndEnter(Binding, Value, &Entered);

    if (Entered) {
        Binding->ClientDispatch->Changed(Binding->ClientBindingContext, Sum);
        LeaveClient(Binding);
    }
    return Sum;
}

static const EXNPI_PROVIDER_DISPATCH ProviderDispatchTable = {ProviderAdd};

static NTSTATUS NTAPI
ProviderAttachClient(HANDLE NmrBindingHandle, PVOID ProviderContext,
                     PNPI_REGISTRATION_INSTANCE ClientRegistrationInstance,
                     PVOID ClientBindingContext, const VOID *ClientDispatch,
                     PVOID *ProviderBindingContext, const VOID **ProviderDispatch)
{
    const EXNPI_CLIENT_CHARACTERISTICS *Client =
        ClientRegistrationInstance->NpiSpecificCharacteristics;
    PROVIDER_BINDING_CONTEXT *Binding;

    UNREFERENCED_PARAMETER(ProviderContext);
    *ProviderBindingContext = NULL;
    *ProviderDispatch = NULL;
    if (Client == NULL || Client->Version != EXNPI_VERSION || ClientDispatch == NULL) {
        return STATUS_NOINTERFACE;
    }
    Binding = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof *Binding, BINDING_CONTEXT_POOL_TAG);
    if (Binding == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Binding->NmrBindingHandle = NmrBindingHandle;
    Binding->ClientBindingContext = ClientBindingContext;
    Binding->ClientDispatch = ClientDispatch;
    KeInitializeSpinLock(&Binding->Lock);
    /* Only ProviderAdd calls the client, and that is called when the client is attached. */
    Binding->Attached = TRUE;
    *ProviderBindingContext = Binding;
    *ProviderDispatch = &ProviderDispatchTable;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI ProviderDetachClient(PVOID ProviderBindingContext)
{
    PROVIDER_BINDING_CONTEXT *Binding = ProviderBindingContext;
    BOOLEAN Busy;
    KIRQL Irql;

    KeAcquireSpinLock(&Binding->Lock, &Irql);
    Binding->Attached = FALSE;
    Busy = Binding->CallsInProgress != 0;
    KeReleaseSpinLock(&Binding->Lock, Irql);
    return Busy ? STATUS_PENDING : STATUS_SUCCESS;
}

static VOID NTAPI ProviderCleanupBindingContext(PVOID ProviderBindingContext)
{
    ExFreePoolWithTag(ProviderBindingContext, BINDING_CONTEXT_POOL_TAG);
}

static DRIVER_UNLOAD Unload;

DRIVER_INITIALIZE DriverEntry;

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = Unload;
    return NmrRegisterProvider(&ProviderCharacteristics, NULL, &ProviderHandle);
}

static VOID Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    if (NmrDeregisterProvider(ProviderHandle) == STATUS_PENDING) {
        NmrWaitForProviderDeregisterComplete(ProviderHandle);
    }
}

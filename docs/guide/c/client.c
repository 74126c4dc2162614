/*
 * An EXNPI client: the fragments of Microsoft's pages put together, without their mistakes. It uses one
 * provider at a time, from any thread.
 */
#include <ntddk.h>

#include "client.h"
#include "exnpi.h"

#define BINDING_CONTEXT_POOL_TAG 'tpcb'

static NPI_CLIENT_ATTACH_PROVIDER_FN ClientAttachProvider;
static NPI_CLIENT_DETACH_PROVIDER_FN ClientDetachProvider;
static NPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN ClientCleanupBindingContext;

static const EXNPI_CLIENT_CHARACTERISTICS NpiSpecificCharacteristics = {
    .Version = EXNPI_VERSION,
};

/* {8a3c6f0e-52d1-4b7d-9c0e-6f1d2b8e4a11} */
static const NPI_MODULEID ClientModuleId = {
    .Length = sizeof(NPI_MODULEID),
    .Type = MIT_GUID,
    .Guid = {0x8a3c6f0e, 0x52d1, 0x4b7d, {0x9c, 0x0e, 0x6f, 0x1d, 0x2b, 0x8e, 0x4a, 0x11}},
};

/* The NMR and the providers read it until the wait in Unload has returned. */
static const NPI_CLIENT_CHARACTERISTICS ClientCharacteristics = {
    .Length = sizeof(NPI_CLIENT_CHARACTERISTICS),
    .ClientAttachProvider = ClientAttachProvider,
    .ClientDetachProvider = ClientDetachProvider,
    .ClientCleanupBindingContext = ClientCleanupBindingContext,
    .ClientRegistrationInstance = {
        .Size = sizeof(NPI_REGISTRATION_INSTANCE),
        .NpiId = &EXNPI_NPIID,
        .ModuleId = &ClientModuleId,
        .NpiSpecificCharacteristics = &NpiSpecificCharacteristics,
    },
};

/* The client's part of a binding. */
typedef struct _CLIENT_BINDING_CONTEXT {
    HANDLE NmrBindingHandle;
    PVOID ProviderBindingContext;
    const EXNPI_PROVIDER_DISPATCH *ProviderDispatch;
    BOOLEAN Attached;      /* under Registration.Lock, as is the next */
    ULONG CallsInProgress; /* into the provider */
} CLIENT_BINDING_CONTEXT;

/* The client's registration context. */
static struct {
    KSPIN_LOCK Lock;
    CLIENT_BINDING_CONTEXT *Binding; /* to the one provider in use, under Lock */
} Registration;

static HANDLE ClientHandle;
static _Atomic ULONG Changes;

static VOID NTAPI ClientChanged(PVOID ClientBindingContext, ULONG Sum)
{
    UNREFERENCED_PARAMETER(ClientBindingContext);
    UNREFERENCED_PARAMETER(Sum);
    Changes++;
}

static const EXNPI_CLIENT_DISPATCH ClientDispatch = {ClientChanged};

/* Begins a call into the provider. NULL if none is attached. */
static CLIENT_BINDING_CONTEXT *EnterProvider(VOID)
{
    CLIENT_BINDING_CONTEXT *Binding;
    KIRQL Irql;

    KeAcquireSpinLock(&Registration.Lock, &Irql);
    Binding = Registration.Binding;
    if (Binding != NULL && Binding->Attached) {
        Binding->CallsInProgress++;
    } else {
        Binding = NULL;
    }
    KeReleaseSpinLock(&Registration.Lock, Irql);
    return Binding;
}

/* Ends it. The last call of a binding that is detaching completes the detach. */
static VOID LeaveProvider(CLIENT_BINDING_CONTEXT *Binding)
{
    BOOLEAN Last;
    KIRQL Irql;

    KeAcquireSpinLock(&Registration.Lock, &Irql);
    Binding->CallsInProgress--;
    Last = !Binding->Attached && Binding->CallsInProgress == 0;
    KeReleaseSpinLock(&Registration.Lock, Irql);
    if (Last) {
        /* The binding context may be gone when this returns. */
        NmrClientDetachProviderComplete(Binding->NmrBindingHandle);
    }
}

NTSTATUS ClientAdd(ULONG Value, ULONG *Sum)
{
    CLIENT_BINDING_CONTEXT *Binding = EnterProvider();

    if (Binding == NULL) {
        return STATUS_NOINTERFACE;
    }
    *Sum = Binding->ProviderDispatch->Add(Binding->ProviderBindingContext, Value);
    LeaveProvider(Binding);
    return STATUS_SUCCESS;
}

/* Makes a binding the one in use, unless there is one. */
static BOOLEAN ClaimProvider(CLIENT_BINDING_CONTEXT *Binding)
{
    BOOLEAN Free;
    KIRQL Irql;

    KeAcquireSpinLock(&Registration.Lock, &Irql);
    Free = Registration.Binding == NULL;
    if (Free) {
        Registration.Binding = Binding;
    }
    KeReleaseSpinLock(&Registration.Lock, Irql);
    return Free;
}

/* Opens a binding for calls, or closes it for good. Returns whether calls are in progress. */
static BOOLEAN SetAttached(CLIENT_BINDING_CONTEXT *Binding, BOOLEAN Attached)
{
    BOOLEAN Busy;
    KIRQL Irql;

    KeAcquireSpinLock(&Registration.Lock, &Irql);
    Binding->Attached = Attached;
    if (!Attached) {
        Registration.Binding = NULL;
    }
    Busy = Binding->CallsInProgress != 0;
    KeReleaseSpinLock(&Registration.Lock, Irql);
    return Busy;
}

static NTSTATUS NTAPI
ClientAttachProvider(HANDLE NmrBindingHandle, PVOID ClientContext,
                     PNPI_REGISTRATION_INSTANCE ProviderRegistrationInstance)
{
    const EXNPI_PROVIDER_CHARACTERISTICS *Provider =
        ProviderRegistrationInstance->NpiSpecificCharacteristics;
    CLIENT_BINDING_CONTEXT *Binding;
    const VOID *ProviderDispatch;
    NTSTATUS Status;

    UNREFERENCED_PARAMETER(ClientContext);
    if (Provider == NULL || Provider->Version != EXNPI_VERSION) {
        return STATUS_NOINTERFACE;
    }
    Binding = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof *Binding, BINDING_CONTEXT_POOL_TAG);
    if (Binding == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Binding->NmrBindingHandle = NmrBindingHandle;
    if (!ClaimProvider(Binding)) {
        ExFreePoolWithTag(Binding, BINDING_CONTEXT_POOL_TAG);
        return STATUS_NOINTERFACE;
    }
    /* From here on the provider may call ClientChanged: the context is complete. */
    Status = NmrClientAttachProvider(NmrBindingHandle, Binding, &ClientDispatch,
                                     &Binding->ProviderBindingContext, &ProviderDispatch);
    if (Status != STATUS_SUCCESS) {
        /* There will be no cleanup callback. */
        SetAttached(Binding, FALSE);
        ExFreePoolWithTag(Binding, BINDING_CONTEXT_POOL_TAG);
        return Status;
    }
    Binding->ProviderDispatch = ProviderDispatch;
    SetAttached(Binding, TRUE);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI ClientDetachProvider(PVOID ClientBindingContext)
{
    /* The thread that ends the last call completes the detach, perhaps before this returns. */
    return SetAttached(ClientBindingContext, FALSE) ? STATUS_PENDING : STATUS_SUCCESS;
}

static VOID NTAPI ClientCleanupBindingContext(PVOID ClientBindingContext)
{
    ExFreePoolWithTag(ClientBindingContext, BINDING_CONTEXT_POOL_TAG);
}

static DRIVER_UNLOAD Unload;

DRIVER_INITIALIZE DriverEntry;

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = Unload;
    /* Everything that the callbacks need comes first: they may run before the call returns. */
    KeInitializeSpinLock(&Registration.Lock);
    return NmrRegisterClient(&ClientCharacteristics, &Registration, &ClientHandle);
}

static VOID Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    if (NmrDeregisterClient(ClientHandle) == STATUS_PENDING) {
        NmrWaitForClientDeregisterComplete(ClientHandle);
    }
}

/*
 * A module that is registered twice in one driver: a provider that becomes a client of another interface when
 * it gets its first client, inside its attach callback, and leaves again inside the detach callback of the
 * last. The unload waits for both.
 */
#include "shapes.h"

typedef struct _DOUBLE_BINDING {
    HANDLE NmrBindingHandle;
} DOUBLE_BINDING;

static const NPI_MODULEID DoubleId = MODULE_ID(0x06);
static const SHAPE_DATA DoubleData = {1, sizeof(SHAPE_DATA), 6};
static HANDLE ProviderHandle;
static HANDLE EventHandles[8]; /* of the client, each time that it was registered */
static LONG EventCount;
static LONG Clients;
static PVOID EventContext;
static const VOID *EventDispatch;
static int EventBinding;

static NTSTATUS EventAttachProvider(HANDLE NmrBindingHandle, PVOID ClientContext,
                                    PNPI_REGISTRATION_INSTANCE Provider)
{
    UNREFERENCED_PARAMETER(ClientContext);
    UNREFERENCED_PARAMETER(Provider);
    return NmrClientAttachProvider(NmrBindingHandle, &EventBinding, NULL, &EventContext,
                                   &EventDispatch);
}

static NTSTATUS EventDetachProvider(PVOID ClientBindingContext)
{
    NT_ASSERT(ClientBindingContext == &EventBinding);
    return STATUS_SUCCESS;
}

/* One for each registration: they may overlap in time, since the unload is what waits. */
static NPI_CLIENT_CHARACTERISTICS EventCharacteristics[8];

static NTSTATUS DoubleAttachClient(HANDLE NmrBindingHandle, PVOID ProviderContext,
                                   PNPI_REGISTRATION_INSTANCE Client, PVOID ClientBindingContext,
                                   const VOID *ClientDispatch, PVOID *ProviderBindingContext,
                                   const VOID **ProviderDispatch)
{
    DOUBLE_BINDING *binding;
    UNREFERENCED_PARAMETER(ProviderContext);
    UNREFERENCED_PARAMETER(Client);
    UNREFERENCED_PARAMETER(ClientBindingContext);
    UNREFERENCED_PARAMETER(ClientDispatch);
    binding = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof *binding, 'lbuD');
    if (binding == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    binding->NmrBindingHandle = NmrBindingHandle;
    if (InterlockedIncrement(&Clients) == 1 && EventCount < (LONG)ARRAYSIZE(EventHandles)) {
        NPI_CLIENT_CHARACTERISTICS *characteristics = &EventCharacteristics[EventCount];
        characteristics->Length = sizeof *characteristics;
        characteristics->ClientAttachProvider = EventAttachProvider;
        characteristics->ClientDetachProvider = EventDetachProvider;
        characteristics->ClientRegistrationInstance.Size = sizeof(NPI_REGISTRATION_INSTANCE);
        characteristics->ClientRegistrationInstance.NpiId = &EVENT_NPIID;
        characteristics->ClientRegistrationInstance.ModuleId = &DoubleId;
        NT_VERIFY(NmrRegisterClient(characteristics, &Clients, &EventHandles[EventCount]) ==
                  STATUS_SUCCESS);
        EventCount++;
    }
    *ProviderBindingContext = binding;
    *ProviderDispatch = NULL;
    return STATUS_SUCCESS;
}

static NTSTATUS DoubleDetachClient(PVOID ProviderBindingContext)
{
    UNREFERENCED_PARAMETER(ProviderBindingContext);
    if (InterlockedDecrement(&Clients) == 0) {
        NT_VERIFY(NmrDeregisterClient(EventHandles[EventCount - 1]) == STATUS_PENDING);
    }
    return STATUS_SUCCESS;
}

static VOID DoubleCleanup(PVOID ProviderBindingContext)
{
    ExFreePoolWithTag(ProviderBindingContext, 'lbuD');
}

static const NPI_PROVIDER_CHARACTERISTICS DoubleCharacteristics = {
    0, sizeof(NPI_PROVIDER_CHARACTERISTICS), DoubleAttachClient, DoubleDetachClient, DoubleCleanup,
    {0, sizeof(NPI_REGISTRATION_INSTANCE), &SHAPE_NPIID, &DoubleId, 0, &DoubleData},
};

static VOID DoubleUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    NT_VERIFY(NmrDeregisterProvider(ProviderHandle) == STATUS_PENDING);
    NT_VERIFY(NmrWaitForProviderDeregisterComplete(ProviderHandle) == STATUS_SUCCESS);
    while (EventCount > 0) {
        EventCount--;
#ifndef BUG
        NT_VERIFY(NmrWaitForClientDeregisterComplete(EventHandles[EventCount]) == STATUS_SUCCESS);
#endif
    }
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = DoubleUnload;
    return NmrRegisterProvider(&DoubleCharacteristics, &ProviderHandle, &ProviderHandle);
}

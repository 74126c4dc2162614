/*
 * A client that is nothing special: it accepts every provider, and its function can be called at any time.
 * PEER_CLIENTS of them, one after another.
 */
#include "shapes.h"

#ifndef PEER_CLIENTS
#define PEER_CLIENTS 1
#endif

typedef struct _PEER_BINDING {
    HANDLE NmrBindingHandle;
    PVOID ProviderContext;
    const VOID *ProviderDispatch;
    LONG Invoked;
} PEER_BINDING;

static NTSTATUS PeerInvoke(PVOID ClientBindingContext, PVOID Argument, ULONG *Result)
{
    PEER_BINDING *binding = ClientBindingContext;
    UNREFERENCED_PARAMETER(Argument);
    InterlockedIncrement(&binding->Invoked);
    *Result = 7;
    return STATUS_SUCCESS;
}

static const CLIENT_TABLE PeerTable = {1, sizeof(CLIENT_TABLE), PeerInvoke};
static const SHAPE_DATA PeerData = {1, sizeof(SHAPE_DATA), 0};
static NPI_MODULEID PeerIds[PEER_CLIENTS];
static NPI_CLIENT_CHARACTERISTICS PeerCharacteristics[PEER_CLIENTS];
static HANDLE PeerHandles[PEER_CLIENTS];

static NTSTATUS PeerAttach(HANDLE NmrBindingHandle, PVOID ClientContext,
                           PNPI_REGISTRATION_INSTANCE Provider)
{
    NTSTATUS status;
    PEER_BINDING *binding;
    UNREFERENCED_PARAMETER(ClientContext);
    UNREFERENCED_PARAMETER(Provider);
    binding = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof *binding, 'reeP');
    if (binding == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    binding->NmrBindingHandle = NmrBindingHandle;
    status = NmrClientAttachProvider(NmrBindingHandle, binding, &PeerTable,
                                     &binding->ProviderContext, &binding->ProviderDispatch);
    if (status != STATUS_SUCCESS) {
        ExFreePoolWithTag(binding, 'reeP');
    }
    return status;
}

static NTSTATUS PeerDetach(PVOID ClientBindingContext)
{
    UNREFERENCED_PARAMETER(ClientBindingContext);
    return STATUS_SUCCESS;
}

static VOID PeerCleanup(PVOID ClientBindingContext)
{
    ExFreePoolWithTag(ClientBindingContext, 'reeP');
}

static VOID PeerUnload(PDRIVER_OBJECT DriverObject)
{
    int i;
    UNREFERENCED_PARAMETER(DriverObject);
    for (i = 0; i < PEER_CLIENTS; i++) {
        (VOID)NmrDeregisterClient(PeerHandles[i]);
    }
    for (i = 0; i < PEER_CLIENTS; i++) {
        (VOID)NmrWaitForClientDeregisterComplete(PeerHandles[i]);
    }
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS status = STATUS_SUCCESS;
    int i;
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = PeerUnload;
    for (i = 0; i < PEER_CLIENTS && status == STATUS_SUCCESS; i++) {
        NPI_MODULEID id = MODULE_ID(0);
        NPI_CLIENT_CHARACTERISTICS *characteristics = &PeerCharacteristics[i];
        id.Guid.Data1 = 0xc1 + (ULONG)i;
        PeerIds[i] = id;
        RtlZeroMemory(characteristics, sizeof *characteristics);
        characteristics->Length = sizeof *characteristics;
        characteristics->ClientAttachProvider = PeerAttach;
        characteristics->ClientDetachProvider = PeerDetach;
        characteristics->ClientCleanupBindingContext = PeerCleanup;
        characteristics->ClientRegistrationInstance.Size = sizeof(NPI_REGISTRATION_INSTANCE);
        characteristics->ClientRegistrationInstance.NpiId = &SHAPE_NPIID;
        characteristics->ClientRegistrationInstance.ModuleId = &PeerIds[i];
        characteristics->ClientRegistrationInstance.NpiSpecificCharacteristics = &PeerData;
        status = NmrRegisterClient(characteristics, &PeerHandles[i], &PeerHandles[i]);
    }
    return status;
}

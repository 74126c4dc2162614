/*
 * A provider that is nothing special: it accepts every client whose table it knows, which is version 1,
 * or that has none.
 */
#include "shapes.h"

#ifndef PEER_NPIID
#define PEER_NPIID SHAPE_NPIID
#endif

static NTSTATUS PeerOpen(PVOID ProviderBindingContext, ULONG Version, ULONG *Result)
{
    UNREFERENCED_PARAMETER(ProviderBindingContext);
    *Result = Version;
    return STATUS_SUCCESS;
}

static VOID PeerClose(PVOID ProviderBindingContext)
{
    UNREFERENCED_PARAMETER(ProviderBindingContext);
}

static const PROVIDER_TABLE PeerTable = {1, sizeof(PROVIDER_TABLE), PeerOpen, PeerClose};
static const SHAPE_DATA PeerData = {1, sizeof(SHAPE_DATA), 0};
static const NPI_MODULEID PeerId = MODULE_ID(0xd1);
static HANDLE PeerHandle;

static NTSTATUS PeerAttach(HANDLE NmrBindingHandle, PVOID ProviderContext,
                           PNPI_REGISTRATION_INSTANCE Client, PVOID ClientBindingContext,
                           const VOID *ClientDispatch, PVOID *ProviderBindingContext,
                           const VOID **ProviderDispatch)
{
    const CLIENT_TABLE *table = ClientDispatch;
    HANDLE *binding;
    UNREFERENCED_PARAMETER(ProviderContext);
    UNREFERENCED_PARAMETER(Client);
    UNREFERENCED_PARAMETER(ClientBindingContext);
    if (table != NULL && table->Version != 1) {
        return STATUS_NOINTERFACE;
    }
    binding = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof *binding, 'reeP');
    if (binding == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    *binding = NmrBindingHandle;
    *ProviderBindingContext = binding;
    *ProviderDispatch = &PeerTable;
    return STATUS_SUCCESS;
}

static NTSTATUS PeerDetach(PVOID ProviderBindingContext)
{
    UNREFERENCED_PARAMETER(ProviderBindingContext);
    return STATUS_SUCCESS;
}

static VOID PeerCleanup(PVOID ProviderBindingContext)
{
    ExFreePoolWithTag(ProviderBindingContext, 'reeP');
}

static const NPI_PROVIDER_CHARACTERISTICS PeerCharacteristics = {
    0, sizeof(NPI_PROVIDER_CHARACTERISTICS), PeerAttach, PeerDetach, PeerCleanup,
    {0, sizeof(NPI_REGISTRATION_INSTANCE), &PEER_NPIID, &PeerId, 0, &PeerData},
};

static VOID PeerUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    (VOID)NmrDeregisterProvider(PeerHandle);
    (VOID)NmrWaitForProviderDeregisterComplete(PeerHandle);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = PeerUnload;
    return NmrRegisterProvider(&PeerCharacteristics, &PeerHandle, &PeerHandle);
}

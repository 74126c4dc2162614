/*
 * A provider whose interface is data: no table, no context of a binding. Everything that it lends is a
 * member of its one allocation, beside a lock and a counter of its own.
 */
#include "shapes.h"

typedef struct _DATA_PROVIDER {
    NPI_PROVIDER_CHARACTERISTICS Characteristics;
    NPI_MODULEID ModuleId;
    SHAPE_DATA Data;
    KSPIN_LOCK Lock;
    ULONG Clients;
    HANDLE Handle;
} DATA_PROVIDER;

static DATA_PROVIDER *Provider;

NPI_PROVIDER_ATTACH_CLIENT_FN DataAttachClient;
NPI_PROVIDER_DETACH_CLIENT_FN DataDetachClient;

static VOID DataCount(DATA_PROVIDER *Self, LONG Change)
{
    KIRQL irql;
    KeAcquireSpinLock(&Self->Lock, &irql);
    Self->Clients += (ULONG)Change;
    KeReleaseSpinLock(&Self->Lock, irql);
}

_Use_decl_annotations_ NTSTATUS DataAttachClient(
    HANDLE NmrBindingHandle, PVOID ProviderContext, PNPI_REGISTRATION_INSTANCE Client,
    PVOID ClientBindingContext, const VOID *ClientDispatch, PVOID *ProviderBindingContext,
    const VOID **ProviderDispatch)
{
    UNREFERENCED_PARAMETER(NmrBindingHandle);
    UNREFERENCED_PARAMETER(Client);
    UNREFERENCED_PARAMETER(ClientBindingContext);
    UNREFERENCED_PARAMETER(ClientDispatch);
    DataCount(ProviderContext, 1);
    *ProviderBindingContext = ProviderContext;
    *ProviderDispatch = NULL;
    return STATUS_SUCCESS;
}

_Use_decl_annotations_ NTSTATUS DataDetachClient(PVOID ProviderBindingContext)
{
    DataCount(ProviderBindingContext, -1);
    return STATUS_SUCCESS;
}

static VOID DataUnload(PDRIVER_OBJECT DriverObject)
{
    NTSTATUS status = NmrDeregisterProvider(Provider->Handle);
    UNREFERENCED_PARAMETER(DriverObject);
    if (status == STATUS_PENDING) {
        NmrWaitForProviderDeregisterComplete(Provider->Handle);
    }
    NT_ASSERT(Provider->Clients == 0);
    ExFreePoolWithTag(Provider, 'ataD');
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NPI_PROVIDER_CHARACTERISTICS characteristics = {
        .Length = sizeof(NPI_PROVIDER_CHARACTERISTICS),
        .ProviderAttachClient = DataAttachClient,
        .ProviderDetachClient = DataDetachClient,
        .ProviderRegistrationInstance = {.Size = sizeof(NPI_REGISTRATION_INSTANCE),
                                         .NpiId = &SHAPE_NPIID},
    };
    NPI_MODULEID id = MODULE_ID(0x01);
    SHAPE_DATA data = {1, sizeof(SHAPE_DATA), 42};
    NTSTATUS status;
    UNREFERENCED_PARAMETER(RegistryPath);
    Provider = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof *Provider, 'ataD');
    if (Provider == NULL) {
        return STATUS_NO_MEMORY;
    }
    RtlZeroMemory(Provider, sizeof *Provider);
    Provider->ModuleId = id;
    Provider->Data = data;
    Provider->Characteristics = characteristics;
    Provider->Characteristics.ProviderRegistrationInstance.ModuleId = &Provider->ModuleId;
    Provider->Characteristics.ProviderRegistrationInstance.NpiSpecificCharacteristics =
        &Provider->Data;
    KeInitializeSpinLock(&Provider->Lock);
    DriverObject->DriverUnload = DataUnload;
    status = NmrRegisterProvider(&Provider->Characteristics, Provider, &Provider->Handle);
    if (!NT_SUCCESS(status)) {
        ExFreePoolWithTag(Provider, 'ataD');
    }
#ifdef BUG
    Provider->Characteristics.ProviderRegistrationInstance.Number = 3; /* while it is lent */
#endif
    return status;
}

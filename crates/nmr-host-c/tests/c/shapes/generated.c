/*
 * A module as a compiler of programs writes it into every driver that it makes: one static client without a
 * context and without a cleanup callback, whose identifier is in the registry.
 */
#include "shapes.h"

static NPI_MODULEID ModuleId = {sizeof(NPI_MODULEID), MIT_GUID, {{0, 0, 0, {0}}}};
static const CLIENT_TABLE MetadataTable = {1, sizeof(CLIENT_TABLE), NULL};
static HANDLE NmrClientHandle;
static PVOID ProviderContext;
static const VOID *ProviderDispatch;
static LONG Attached;

static NTSTATUS QueryModuleId(_In_ PWSTR ValueName, ULONG ValueType, _In_ PVOID ValueData,
                              ULONG ValueLength, _In_ PVOID Context, _Inout_ PVOID EntryContext)
{
    UNREFERENCED_PARAMETER(ValueName);
    UNREFERENCED_PARAMETER(Context);
    if (ValueType != REG_BINARY || ValueLength != sizeof(GUID)) {
        return STATUS_INVALID_PARAMETER;
    }
    memcpy(EntryContext, ValueData, sizeof(GUID));
    return STATUS_SUCCESS;
}

static NTSTATUS GeneratedAttachProvider(_In_ HANDLE NmrBindingHandle, _In_ PVOID ClientContext,
                                        _In_ const NPI_REGISTRATION_INSTANCE *Provider)
{
    NTSTATUS status;
    UNREFERENCED_PARAMETER(ClientContext);
    UNREFERENCED_PARAMETER(Provider);
    if (InterlockedCompareExchange(&Attached, 1, 0) != 0) {
        return STATUS_INVALID_PARAMETER;
    }
    status = NmrClientAttachProvider(NmrBindingHandle, NULL, &MetadataTable, &ProviderContext,
                                     &ProviderDispatch);
    if (!NT_SUCCESS(status)) {
        InterlockedExchange(&Attached, 0);
    }
    return status;
}

static NTSTATUS GeneratedDetachProvider(_In_ PVOID ClientBindingContext)
{
    UNREFERENCED_PARAMETER(ClientBindingContext);
    InterlockedExchange(&Attached, 0);
    return STATUS_SUCCESS;
}

static const NPI_CLIENT_CHARACTERISTICS Characteristics = {
    0, sizeof(NPI_CLIENT_CHARACTERISTICS), GeneratedAttachProvider, GeneratedDetachProvider, NULL,
    {0, sizeof(NPI_REGISTRATION_INSTANCE), &SHAPE_NPIID, &ModuleId, 0, NULL},
};

static DRIVER_UNLOAD GeneratedUnload;

static VOID GeneratedUnload(_In_ PDRIVER_OBJECT DriverObject)
{
    NTSTATUS status = NmrDeregisterClient(NmrClientHandle);
    UNREFERENCED_PARAMETER(DriverObject);
#ifndef BUG
    if (status == STATUS_PENDING) {
        NmrWaitForClientDeregisterComplete(NmrClientHandle);
    }
#else
    UNREFERENCED_PARAMETER(status);
#endif
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    RTL_QUERY_REGISTRY_TABLE query[] = {
        {NULL, RTL_QUERY_REGISTRY_SUBKEY, L"Parameters", NULL, REG_NONE, NULL, 0},
        {QueryModuleId, RTL_QUERY_REGISTRY_REQUIRED, L"NpiModuleId", &ModuleId.Guid, REG_NONE, NULL, 0},
        {NULL, 0, NULL, NULL, REG_NONE, NULL, 0},
    };
    NTSTATUS status = RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, RegistryPath->Buffer, query, NULL,
                                             NULL);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    DriverObject->DriverUnload = GeneratedUnload;
    return NmrRegisterClient(&Characteristics, NULL, &NmrClientHandle);
}

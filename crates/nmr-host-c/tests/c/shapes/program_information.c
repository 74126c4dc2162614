/*
 * A provider of information about programs: a block of pool for each client, freed in the cleanup callback, a
 * handle that is never read again, and no table.
 */
#include "shapes.h"

typedef struct _INFORMATION_CLIENT {
    HANDLE NmrBindingHandle;
    GUID ClientModuleId;
} INFORMATION_CLIENT;

typedef struct _INFORMATION_PROVIDER {
    NPI_PROVIDER_CHARACTERISTICS Characteristics;
    HANDLE NmrProviderHandle;
} INFORMATION_PROVIDER;

static const NPI_MODULEID InformationId = MODULE_ID(0x02);
static const SHAPE_DATA Information = {1, sizeof(SHAPE_DATA), 1000};
static INFORMATION_PROVIDER *Provider;

static NTSTATUS InformationAttachClient(
    _In_ HANDLE NmrBindingHandle, _In_ PVOID ProviderContext,
    _In_ PNPI_REGISTRATION_INSTANCE ClientRegistrationInstance, _In_ PVOID ClientBindingContext,
    _In_ const VOID *ClientDispatch, _Outptr_ PVOID *ProviderBindingContext,
    _Outptr_result_maybenull_ const VOID **ProviderDispatch)
{
    NTSTATUS status = STATUS_SUCCESS;
    INFORMATION_CLIENT *client = NULL;
    UNREFERENCED_PARAMETER(ClientBindingContext);
    UNREFERENCED_PARAMETER(ClientDispatch);
    if (ProviderBindingContext == NULL || ProviderDispatch == NULL || ProviderContext == NULL) {
        status = STATUS_INVALID_PARAMETER;
        goto Exit;
    }
    *ProviderBindingContext = NULL;
    *ProviderDispatch = NULL;
    client = ExAllocatePoolUninitialized(NonPagedPoolNx, sizeof *client, 'ofnI');
    if (client == NULL) {
        status = STATUS_NO_MEMORY;
        goto Exit;
    }
    RtlZeroMemory(client, sizeof *client);
    client->NmrBindingHandle = NmrBindingHandle;
    client->ClientModuleId = ClientRegistrationInstance->ModuleId->Guid;
Exit:
    if (NT_SUCCESS(status)) {
        *ProviderBindingContext = client;
    }
    return status;
}

static NTSTATUS InformationDetachClient(_In_ PVOID ProviderBindingContext)
{
#ifdef BUG
    ExFreePoolWithTag(ProviderBindingContext, 'ofnI');
#else
    UNREFERENCED_PARAMETER(ProviderBindingContext);
#endif
    return STATUS_SUCCESS;
}

static VOID InformationCleanup(_In_ PVOID ProviderBindingContext)
{
#ifdef BUG
    UNREFERENCED_PARAMETER(ProviderBindingContext);
#else
    ExFreePoolWithTag(ProviderBindingContext, 'ofnI');
#endif
}

static VOID InformationUnregister(_In_opt_ PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    if (NmrDeregisterProvider(Provider->NmrProviderHandle) == STATUS_PENDING) {
        NmrWaitForProviderDeregisterComplete(Provider->NmrProviderHandle);
    }
    ExFreePool(Provider);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NPI_REGISTRATION_INSTANCE *instance;
    NTSTATUS status;
    UNREFERENCED_PARAMETER(RegistryPath);
    Provider = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof *Provider, 'ofnI');
    if (Provider == NULL) {
        return STATUS_NO_MEMORY;
    }
    Provider->Characteristics.Length = sizeof(NPI_PROVIDER_CHARACTERISTICS);
    Provider->Characteristics.ProviderAttachClient = InformationAttachClient;
    Provider->Characteristics.ProviderDetachClient = InformationDetachClient;
    Provider->Characteristics.ProviderCleanupBindingContext = InformationCleanup;
    instance = &Provider->Characteristics.ProviderRegistrationInstance;
    instance->Size = sizeof(NPI_REGISTRATION_INSTANCE);
    instance->NpiId = &SHAPE_NPIID;
    instance->ModuleId = &InformationId;
    instance->NpiSpecificCharacteristics = &Information;
    DriverObject->DriverUnload = InformationUnregister;
    status = NmrRegisterProvider(&Provider->Characteristics, Provider, &Provider->NmrProviderHandle);
    if (!NT_SUCCESS(status)) {
        ExFreePool(Provider);
    }
    return status;
}

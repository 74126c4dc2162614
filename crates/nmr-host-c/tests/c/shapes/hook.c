/*
 * A hook: a provider with a list of clients, all of which it calls at DISPATCH_LEVEL at most. A shared lock
 * protects the list, run-down protection each client; a push lock orders attaches among each other.
 */
#include "shapes.h"

#define MAXIMUM_CLIENTS 8

typedef struct _HOOK_CLIENT {
    LIST_ENTRY Link;
    HANDLE NmrBindingHandle;
    GUID ClientModuleId;
    PVOID ClientBindingContext;
    const CLIENT_TABLE *ClientDispatch;
    EX_RUNDOWN_REF Rundown;
    PIO_WORKITEM DetachWorkItem;
} HOOK_CLIENT;

typedef struct _HOOK_PROVIDER {
    NPI_PROVIDER_CHARACTERISTICS Characteristics;
    HANDLE NmrProviderHandle;
    EX_PUSH_LOCK AttachLock;
    EX_SPIN_LOCK ListLock;
    LIST_ENTRY Clients;
    ULONG ClientCount;
} HOOK_PROVIDER;

static HOOK_PROVIDER Hook;
static const NPI_MODULEID HookId = MODULE_ID(0x08);
static const SHAPE_DATA HookData = {1, sizeof(SHAPE_DATA), 8};

/* The data path: every client is called once, outside of the lock. */
VOID Exercise(VOID)
{
    HOOK_CLIENT *clients[MAXIMUM_CLIENTS];
    ULONG count = 0, i, result = 0;
    PLIST_ENTRY entry;
    KIRQL irql = ExAcquireSpinLockShared(&Hook.ListLock);
    for (entry = Hook.Clients.Flink; entry != &Hook.Clients && count < MAXIMUM_CLIENTS;
         entry = entry->Flink) {
        HOOK_CLIENT *client = CONTAINING_RECORD(entry, HOOK_CLIENT, Link);
        if (ExAcquireRundownProtection(&client->Rundown)) {
            clients[count++] = client;
        }
    }
    ExReleaseSpinLockShared(&Hook.ListLock, irql);
    for (i = 0; i < count; i++) {
        NT_VERIFY(clients[i]->ClientDispatch->Invoke(clients[i]->ClientBindingContext, &Hook,
                                                     &result) == STATUS_SUCCESS);
        ExReleaseRundownProtection(&clients[i]->Rundown);
    }
}

static IO_WORKITEM_ROUTINE HookDetachWork;

_Use_decl_annotations_ static VOID HookDetachWork(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
    HOOK_CLIENT *client = Context;
    PIO_WORKITEM item = client->DetachWorkItem;
    UNREFERENCED_PARAMETER(DeviceObject);
    ExWaitForRundownProtectionRelease(&client->Rundown);
    IoFreeWorkItem(item);
    NmrProviderDetachClientComplete(client->NmrBindingHandle);
}

static NTSTATUS HookAttachClient(_In_ HANDLE NmrBindingHandle, _In_ PVOID ProviderContext,
                                 _In_ const NPI_REGISTRATION_INSTANCE *ClientInstance,
                                 _In_ PVOID ClientBindingContext, _In_ const VOID *ClientDispatch,
                                 _Outptr_ PVOID *ProviderBindingContext,
                                 _Outptr_result_maybenull_ const VOID **ProviderDispatch)
{
    NTSTATUS status = STATUS_SUCCESS;
    const CLIENT_TABLE *table = ClientDispatch;
    HOOK_PROVIDER *provider = ProviderContext;
    HOOK_CLIENT *client = NULL;
    KIRQL irql;

    *ProviderBindingContext = NULL;
    *ProviderDispatch = NULL;
    KeEnterCriticalRegion();
    ExAcquirePushLockExclusive(&provider->AttachLock);
    if (table == NULL || table->Size < sizeof(CLIENT_TABLE)) {
        status = STATUS_INVALID_PARAMETER;
        goto Exit;
    }
    if (provider->ClientCount == MAXIMUM_CLIENTS) {
        status = STATUS_ACCESS_DENIED;
        goto Exit;
    }
    client = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof *client, 'kooH');
    if (client == NULL) {
        status = STATUS_NO_MEMORY;
        goto Exit;
    }
    client->DetachWorkItem = IoAllocateWorkItem((PDEVICE_OBJECT)provider);
    if (client->DetachWorkItem == NULL) {
        status = STATUS_NO_MEMORY;
        goto Exit;
    }
    client->NmrBindingHandle = NmrBindingHandle;
    client->ClientModuleId = ClientInstance->ModuleId->Guid;
    client->ClientBindingContext = ClientBindingContext;
    client->ClientDispatch = table;
    ExInitializeRundownProtection(&client->Rundown);
    irql = ExAcquireSpinLockExclusive(&provider->ListLock);
    InsertTailList(&provider->Clients, &client->Link);
    provider->ClientCount++;
    ExReleaseSpinLockExclusive(&provider->ListLock, irql);
    *ProviderBindingContext = client;
Exit:
    ExReleasePushLockExclusive(&provider->AttachLock);
    KeLeaveCriticalRegion();
    if (!NT_SUCCESS(status) && client != NULL) {
        ExFreePoolWithTag(client, 'kooH');
    }
    return status;
}

static NTSTATUS HookDetachClient(_In_ PVOID ProviderBindingContext)
{
    HOOK_CLIENT *client = ProviderBindingContext;
    KIRQL irql = ExAcquireSpinLockExclusive(&Hook.ListLock);
    RemoveEntryList(&client->Link);
    Hook.ClientCount--;
    ExReleaseSpinLockExclusive(&Hook.ListLock, irql);
#ifdef BUG
    {
        ULONG result; /* a farewell, which is too late */
        client->ClientDispatch->Invoke(client->ClientBindingContext, NULL, &result);
    }
#endif
    IoQueueWorkItem(client->DetachWorkItem, HookDetachWork, DelayedWorkQueue, client);
    return STATUS_PENDING;
}

static VOID HookCleanup(_In_ PVOID ProviderBindingContext)
{
    ExFreePoolWithTag(ProviderBindingContext, 'kooH');
}

static VOID HookUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    if (NmrDeregisterProvider(Hook.NmrProviderHandle) == STATUS_PENDING) {
        NmrWaitForProviderDeregisterComplete(Hook.NmrProviderHandle);
    }
    NT_ASSERT(IsListEmpty(&Hook.Clients));
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    static const NPI_PROVIDER_CHARACTERISTICS template = {
        0, sizeof(NPI_PROVIDER_CHARACTERISTICS), HookAttachClient, HookDetachClient, HookCleanup,
        {0, sizeof(NPI_REGISTRATION_INSTANCE), &SHAPE_NPIID, &HookId, 0, &HookData},
    };
    UNREFERENCED_PARAMETER(RegistryPath);
    Hook.Characteristics = template;
    InitializeListHead(&Hook.Clients);
    ExInitializePushLock(&Hook.AttachLock);
    DriverObject->DriverUnload = HookUnload;
    return NmrRegisterProvider(&Hook.Characteristics, &Hook, &Hook.NmrProviderHandle);
}

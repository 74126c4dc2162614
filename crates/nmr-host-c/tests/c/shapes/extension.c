/*
 * An extension: a provider with one client at a time, which it calls under run-down protection. Its detach
 * always pends; a work item waits for the calls, and completes.
 */
#include "shapes.h"

typedef struct _EXTENSION {
    HANDLE NmrProviderHandle;
    KSPIN_LOCK Lock;
    struct _EXTENSION_BINDING *Current;
} EXTENSION;

typedef struct _EXTENSION_BINDING {
    EXTENSION *Extension;
    HANDLE NmrBindingHandle;
    PVOID ClientBindingContext;
    const CLIENT_TABLE *ClientDispatch;
    EX_RUNDOWN_REF Rundown;
    PIO_WORKITEM WorkItem;
} EXTENSION_BINDING;

static EXTENSION Extension;
static const NPI_MODULEID ExtensionId = MODULE_ID(0x04);
static const SHAPE_DATA ExtensionData = {1, sizeof(SHAPE_DATA), 4};

/* The data path. */
VOID Exercise(VOID)
{
    EXTENSION_BINDING *binding = NULL;
    ULONG result = 0;
    KIRQL irql;
    KeAcquireSpinLock(&Extension.Lock, &irql);
    if (Extension.Current != NULL && ExAcquireRundownProtection(&Extension.Current->Rundown)) {
        binding = Extension.Current;
    }
    KeReleaseSpinLock(&Extension.Lock, irql);
    if (binding != NULL) {
        NT_VERIFY(binding->ClientDispatch->Invoke(binding->ClientBindingContext, NULL, &result) ==
                  STATUS_SUCCESS);
        NT_ASSERT(result == 7);
        ExReleaseRundownProtection(&binding->Rundown);
    }
}

IO_WORKITEM_ROUTINE ExtensionDetachWork;

VOID ExtensionDetachWork(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
    EXTENSION_BINDING *binding = Context;
    HANDLE handle = binding->NmrBindingHandle;
    PIO_WORKITEM item = binding->WorkItem;
    UNREFERENCED_PARAMETER(DeviceObject);
    ExWaitForRundownProtectionRelease(&binding->Rundown);
    ExRundownCompleted(&binding->Rundown);
    IoFreeWorkItem(item);
    NmrProviderDetachClientComplete(handle);
}

static NTSTATUS ExtensionAttachClient(HANDLE NmrBindingHandle, PVOID ProviderContext,
                                      PNPI_REGISTRATION_INSTANCE Client, PVOID ClientBindingContext,
                                      const VOID *ClientDispatch, PVOID *ProviderBindingContext,
                                      const VOID **ProviderDispatch)
{
    const CLIENT_TABLE *table = ClientDispatch;
    EXTENSION *extension = ProviderContext;
    EXTENSION_BINDING *binding;
    BOOLEAN taken;
    KIRQL irql;
    UNREFERENCED_PARAMETER(Client);
    if (table == NULL || table->Version != 1 || table->Size < sizeof(CLIENT_TABLE)) {
        return STATUS_NOINTERFACE;
    }
    binding = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof *binding, 'txEP');
    if (binding == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    binding->WorkItem = IoAllocateWorkItem((PDEVICE_OBJECT)extension);
    if (binding->WorkItem == NULL) {
        ExFreePoolWithTag(binding, 'txEP');
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    binding->Extension = extension;
    binding->NmrBindingHandle = NmrBindingHandle;
    binding->ClientBindingContext = ClientBindingContext;
    binding->ClientDispatch = table;
    ExInitializeRundownProtection(&binding->Rundown);
    KeAcquireSpinLock(&extension->Lock, &irql);
    taken = extension->Current != NULL;
    if (!taken) {
        extension->Current = binding;
    }
    KeReleaseSpinLock(&extension->Lock, irql);
    if (taken) {
        IoFreeWorkItem(binding->WorkItem);
        ExFreePoolWithTag(binding, 'txEP');
        return STATUS_NOINTERFACE;
    }
    *ProviderBindingContext = binding;
    *ProviderDispatch = NULL;
    return STATUS_SUCCESS;
}

static NTSTATUS ExtensionDetachClient(PVOID ProviderBindingContext)
{
    EXTENSION_BINDING *binding = ProviderBindingContext;
    KIRQL irql;
    KeAcquireSpinLock(&binding->Extension->Lock, &irql);
    binding->Extension->Current = NULL;
    KeReleaseSpinLock(&binding->Extension->Lock, irql);
#ifdef BUG
    IoFreeWorkItem(binding->WorkItem);
    ExWaitForRundownProtectionRelease(&binding->Rundown);
    return STATUS_SUCCESS;
#else
    IoQueueWorkItem(binding->WorkItem, ExtensionDetachWork, DelayedWorkQueue, binding);
    return STATUS_PENDING;
#endif
}

static VOID ExtensionCleanup(PVOID ProviderBindingContext)
{
    ExFreePoolWithTag(ProviderBindingContext, 'txEP');
}

static const NPI_PROVIDER_CHARACTERISTICS Characteristics = {
    0, sizeof(NPI_PROVIDER_CHARACTERISTICS), ExtensionAttachClient, ExtensionDetachClient,
    ExtensionCleanup,
    {0, sizeof(NPI_REGISTRATION_INSTANCE), &SHAPE_NPIID, &ExtensionId, 0, &ExtensionData},
};

static VOID ExtensionUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    NT_FRE_ASSERT(NmrDeregisterProvider(Extension.NmrProviderHandle) == STATUS_PENDING);
    NT_FRE_ASSERT(NmrWaitForProviderDeregisterComplete(Extension.NmrProviderHandle) ==
                  STATUS_SUCCESS);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    KeInitializeSpinLock(&Extension.Lock);
    DriverObject->DriverUnload = ExtensionUnload;
    return NmrRegisterProvider(&Characteristics, &Extension, &Extension.NmrProviderHandle);
}

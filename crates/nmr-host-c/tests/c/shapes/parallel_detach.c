/*
 * A provider with many clients whose detaches all pend. Each has a work item of its own, so they are
 * completed in any order, on threads of their own.
 */
#include "shapes.h"

typedef struct _PARALLEL_BINDING {
    LIST_ENTRY Link;
    HANDLE NmrBindingHandle;
    PVOID ClientBindingContext;
    const CLIENT_TABLE *Client;
    PIO_WORKITEM WorkItem;
    ULONG State;
} PARALLEL_BINDING;

static LIST_ENTRY Bindings;
static KSPIN_LOCK Lock;
static HANDLE Handle;
static KEVENT Left; /* set when the registration is closed */
static const NPI_MODULEID ParallelId = MODULE_ID(0x07);
static const SHAPE_DATA ParallelData = {1, sizeof(SHAPE_DATA), 7};

static VOID ParallelDetachWork(PVOID IoObject, PVOID Context, PIO_WORKITEM WorkItem)
{
    PARALLEL_BINDING *binding = Context;
    UNREFERENCED_PARAMETER(IoObject);
    binding->State = 2;
    IoFreeWorkItem(WorkItem);
    NmrProviderDetachClientComplete(binding->NmrBindingHandle);
#ifdef BUG
    KeWaitForSingleObject(&Left, Executive, KernelMode, FALSE, NULL);
    binding->State = 3;
#endif
}

static NTSTATUS ParallelAttachClient(HANDLE NmrBindingHandle, PVOID ProviderContext,
                                     PNPI_REGISTRATION_INSTANCE Client, PVOID ClientBindingContext,
                                     const VOID *ClientDispatch, PVOID *ProviderBindingContext,
                                     const VOID **ProviderDispatch)
{
    PARALLEL_BINDING *binding;
    KIRQL irql;
    UNREFERENCED_PARAMETER(Client);
    binding = ExAllocatePoolZero(NonPagedPoolNx, sizeof *binding, 'lraP');
    if (binding == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    binding->WorkItem = IoAllocateWorkItem(ProviderContext);
    if (binding->WorkItem == NULL) {
        ExFreePoolWithTag(binding, 'lraP');
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    binding->NmrBindingHandle = NmrBindingHandle;
    binding->ClientBindingContext = ClientBindingContext;
    binding->Client = ClientDispatch;
    KeAcquireSpinLock(&Lock, &irql);
    InsertTailList(&Bindings, &binding->Link);
    KeReleaseSpinLock(&Lock, irql);
    *ProviderBindingContext = binding;
    *ProviderDispatch = NULL;
    return STATUS_SUCCESS;
}

static NTSTATUS ParallelDetachClient(PVOID ProviderBindingContext)
{
    PARALLEL_BINDING *binding = ProviderBindingContext;
    KIRQL irql;
    KeAcquireSpinLock(&Lock, &irql);
    RemoveEntryList(&binding->Link);
    binding->State = 1;
    KeReleaseSpinLock(&Lock, irql);
    IoQueueWorkItemEx(binding->WorkItem, ParallelDetachWork, DelayedWorkQueue, binding);
    return STATUS_PENDING;
}

static VOID ParallelCleanup(PVOID ProviderBindingContext)
{
    ExFreePoolWithTag(ProviderBindingContext, 'lraP');
}

static const NPI_PROVIDER_CHARACTERISTICS Characteristics = {
    0, sizeof(NPI_PROVIDER_CHARACTERISTICS), ParallelAttachClient, ParallelDetachClient,
    ParallelCleanup,
    {0, sizeof(NPI_REGISTRATION_INSTANCE), &SHAPE_NPIID, &ParallelId, 0, &ParallelData},
};

static VOID ParallelUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    NT_VERIFY(NmrDeregisterProvider(Handle) == STATUS_PENDING);
    NT_VERIFY(NmrWaitForProviderDeregisterComplete(Handle) == STATUS_SUCCESS);
    NT_ASSERT(IsListEmpty(&Bindings));
    KeSetEvent(&Left, IO_NO_INCREMENT, FALSE);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    InitializeListHead(&Bindings);
    KeInitializeSpinLock(&Lock);
    KeInitializeEvent(&Left, NotificationEvent, FALSE);
    DriverObject->DriverUnload = ParallelUnload;
    return NmrRegisterProvider(&Characteristics, DriverObject, &Handle);
}

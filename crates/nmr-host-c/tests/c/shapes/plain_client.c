/*
 * A client that waits for its one provider and calls it. All that it has is one allocation: its
 * characteristics, its identifier, its table, a lock, counters, and what it knows of the provider.
 */
#include "shapes.h"

typedef struct _PLAIN_CLIENT {
    NPI_CLIENT_CHARACTERISTICS Characteristics;
    NPI_MODULEID ModuleId;
    KSPIN_LOCK Lock;
    CLIENT_TABLE Table;
    ULONG References; /* of calls, and of the attachment */
    BOOLEAN Attached;
    KEVENT AttachedEvent;
    HANDLE NmrClientHandle;
    HANDLE NmrBindingHandle;
    PVOID ProviderContext;
    const PROVIDER_TABLE *Provider;
} PLAIN_CLIENT;

static PLAIN_CLIENT *Plain;

static NTSTATUS PlainInvoke(PVOID ClientBindingContext, PVOID Argument, ULONG *Result)
{
    UNREFERENCED_PARAMETER(ClientBindingContext);
    UNREFERENCED_PARAMETER(Argument);
    *Result = 0;
    return STATUS_SUCCESS;
}

static NTSTATUS PlainAttachProvider(HANDLE NmrBindingHandle, PVOID ClientContext,
                                    PNPI_REGISTRATION_INSTANCE Provider)
{
    PLAIN_CLIENT *client = ClientContext;
    NTSTATUS status;
    KIRQL irql;
    UNREFERENCED_PARAMETER(Provider);
    if (client->Attached) {
        return STATUS_NOINTERFACE;
    }
    client->NmrBindingHandle = NmrBindingHandle;
    status = NmrClientAttachProvider(NmrBindingHandle, client, &client->Table,
                                     &client->ProviderContext, (const VOID **)&client->Provider);
    if (NT_SUCCESS(status)) {
        KeAcquireSpinLock(&client->Lock, &irql);
        client->Attached = TRUE;
        client->References = 1;
        KeReleaseSpinLock(&client->Lock, irql);
        KeSetEvent(&client->AttachedEvent, IO_NO_INCREMENT, FALSE);
    }
    return status;
}

/* Returns whether it was the last. */
static BOOLEAN PlainRelease(PLAIN_CLIENT *Client)
{
    BOOLEAN last;
    KIRQL irql;
    KeAcquireSpinLock(&Client->Lock, &irql);
    last = --Client->References == 0;
    KeReleaseSpinLock(&Client->Lock, irql);
    return last;
}

static NTSTATUS PlainDetachProvider(PVOID ClientBindingContext)
{
    PLAIN_CLIENT *client = ClientBindingContext;
    KIRQL irql;
    KeAcquireSpinLock(&client->Lock, &irql);
    client->Attached = FALSE;
    KeReleaseSpinLock(&client->Lock, irql);
    KeClearEvent(&client->AttachedEvent);
#ifdef BUG
    /* The handle of the registration, where that of the binding is asked for. */
    NmrClientDetachProviderComplete(client->NmrClientHandle);
#endif
    return PlainRelease(client) ? STATUS_SUCCESS : STATUS_PENDING;
}

VOID Exercise(VOID)
{
    LARGE_INTEGER none = {.QuadPart = 0};
    ULONG result = 0;
    BOOLEAN entered;
    KIRQL irql;
    if (KeWaitForSingleObject(&Plain->AttachedEvent, Executive, KernelMode, FALSE, &none) !=
        STATUS_SUCCESS) {
        return;
    }
    KeAcquireSpinLock(&Plain->Lock, &irql);
    entered = Plain->Attached;
    Plain->References += entered;
    KeReleaseSpinLock(&Plain->Lock, irql);
    if (entered) {
        HANDLE handle = Plain->NmrBindingHandle;
        NT_VERIFY(Plain->Provider->Open(Plain->ProviderContext, 2, &result) == STATUS_SUCCESS);
        NT_ASSERT(result == 2);
        Plain->Provider->Close(Plain->ProviderContext);
        if (PlainRelease(Plain)) {
            NmrClientDetachProviderComplete(handle);
        }
    }
}

static VOID PlainUnload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    if (NmrDeregisterClient(Plain->NmrClientHandle) == STATUS_PENDING) {
        NmrWaitForClientDeregisterComplete(Plain->NmrClientHandle);
    }
    ExFreePoolWithTag(Plain, 'nlPC');
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NPI_MODULEID id = MODULE_ID(0x09);
    CLIENT_TABLE table = {1, sizeof(CLIENT_TABLE), PlainInvoke};
    NTSTATUS status;
    UNREFERENCED_PARAMETER(RegistryPath);
    Plain = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof *Plain, 'nlPC');
    if (Plain == NULL) {
        return STATUS_NO_MEMORY;
    }
    Plain->Characteristics.Length = sizeof(NPI_CLIENT_CHARACTERISTICS);
    Plain->Characteristics.ClientAttachProvider = PlainAttachProvider;
    Plain->Characteristics.ClientDetachProvider = PlainDetachProvider;
    Plain->Characteristics.ClientRegistrationInstance.Size = sizeof(NPI_REGISTRATION_INSTANCE);
    Plain->Characteristics.ClientRegistrationInstance.NpiId = &SHAPE_NPIID;
    Plain->Characteristics.ClientRegistrationInstance.ModuleId = &Plain->ModuleId;
    Plain->ModuleId = id;
    Plain->Table = table;
    KeInitializeSpinLock(&Plain->Lock);
    KeInitializeEvent(&Plain->AttachedEvent, NotificationEvent, FALSE);
    DriverObject->DriverUnload = PlainUnload;
    status = NmrRegisterClient(&Plain->Characteristics, Plain, &Plain->NmrClientHandle);
    if (!NT_SUCCESS(status)) {
        ExFreePoolWithTag(Plain, 'nlPC');
    }
    return status;
}

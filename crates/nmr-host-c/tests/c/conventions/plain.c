/*
 * Modules as drivers write them: no callback and no function of a table says NTAPI. Some are declared by
 * the function types first, some are not. They look at every argument, assign structures, and call the
 * kernel with many arguments.
 */
#include <ntddk.h>
#include <netioddk.h>

typedef struct _TABLE {
    ULONG Version;
    ULONG (*Sum)(PVOID Context, ULONG A, ULONG B, ULONG C, ULONG D, ULONG E);
} TABLE;

typedef struct _BINDING {
    HANDLE NmrBindingHandle;
    PVOID PeerContext;
    const TABLE *Peer;
    UCHAR Space[2000];
} BINDING;

static const NPIID Npi = {0x7d1f3c20, 0x2b4e, 0x4d0a, {1, 2, 3, 4, 5, 6, 7, 8}};
static const NPI_MODULEID ClientId = {sizeof(NPI_MODULEID), MIT_GUID, {{0x11, 0, 0, {0}}}};
static const NPI_MODULEID ProviderId = {sizeof(NPI_MODULEID), MIT_GUID, {{0x22, 0, 0, {0}}}};
static BINDING ClientBinding, ProviderBinding;
static int ClientContext, ProviderContext;
static HANDLE Client, Provider;
static KEVENT Worked;
static PIO_WORKITEM Item;
static ULONG Cleaned;

static ULONG Sum(PVOID Context, ULONG A, ULONG B, ULONG C, ULONG D, ULONG E)
{
    NT_ASSERT(Context == &ProviderBinding);
    return A + 10 * B + 100 * C + 1000 * D + 10000 * E;
}
static const TABLE Table = {1, Sum};

NPI_CLIENT_ATTACH_PROVIDER_FN ClientAttachProvider;
NPI_CLIENT_DETACH_PROVIDER_FN ClientDetachProvider;
static NPI_PROVIDER_DETACH_CLIENT_FN ProviderDetachClient;

NTSTATUS ClientAttachProvider(HANDLE NmrBindingHandle, PVOID Context,
                              PNPI_REGISTRATION_INSTANCE ProviderInstance)
{
    BINDING fresh = {NmrBindingHandle, NULL, NULL, {0}};
    NT_ASSERT(Context == &ClientContext);
    NT_ASSERT(NmrIsEqualNpiModuleId(ProviderInstance->ModuleId, &ProviderId));
    NT_ASSERT(!NmrIsEqualNpiModuleId(ProviderInstance->ModuleId, &ClientId));
    ClientBinding = fresh;
    return NmrClientAttachProvider(NmrBindingHandle, &ClientBinding, NULL, &ClientBinding.PeerContext,
                                   (const VOID **)&ClientBinding.Peer);
}

NTSTATUS ClientDetachProvider(PVOID ClientBindingContext)
{
    NT_ASSERT(ClientBindingContext == &ClientBinding);
    return STATUS_SUCCESS;
}

static VOID ClientCleanup(PVOID ClientBindingContext)
{
    NT_ASSERT(ClientBindingContext == &ClientBinding);
    Cleaned++;
}

static NTSTATUS ProviderAttachClient(HANDLE NmrBindingHandle, PVOID Context,
                                     PNPI_REGISTRATION_INSTANCE ClientInstance,
                                     PVOID ClientBindingContext, const VOID *ClientDispatch,
                                     PVOID *ProviderBindingContext, const VOID **ProviderDispatch)
{
    NT_ASSERT(Context == &ProviderContext);
    NT_ASSERT(ClientBindingContext == &ClientBinding);
    NT_ASSERT(ClientDispatch == NULL);
    NT_ASSERT(NmrIsEqualNpiModuleId(ClientInstance->ModuleId, &ClientId));
    ProviderBinding.NmrBindingHandle = NmrBindingHandle;
    *ProviderBindingContext = &ProviderBinding;
    *ProviderDispatch = &Table;
    return STATUS_SUCCESS;
}

/* Completes the detach. */
static VOID Work(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
    NT_ASSERT(DeviceObject == (PDEVICE_OBJECT)&Item);
    NT_ASSERT(Context == &ProviderBinding);
    NmrProviderDetachClientComplete(((BINDING *)Context)->NmrBindingHandle);
    KeSetEvent(&Worked, IO_NO_INCREMENT, FALSE);
}

static NTSTATUS ProviderDetachClient(PVOID ProviderBindingContext)
{
    IoQueueWorkItem(Item, Work, DelayedWorkQueue, ProviderBindingContext);
    return STATUS_PENDING;
}

static const NPI_CLIENT_CHARACTERISTICS ClientCharacteristics = {
    0, sizeof(NPI_CLIENT_CHARACTERISTICS), ClientAttachProvider, ClientDetachProvider, ClientCleanup,
    {0, sizeof(NPI_REGISTRATION_INSTANCE), &Npi, &ClientId, 0, NULL},
};
static const NPI_PROVIDER_CHARACTERISTICS ProviderCharacteristics = {
    0, sizeof(NPI_PROVIDER_CHARACTERISTICS), ProviderAttachClient, ProviderDetachClient, NULL,
    {0, sizeof(NPI_REGISTRATION_INSTANCE), &Npi, &ProviderId, 0, NULL},
};

static VOID Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    NT_VERIFY(NmrDeregisterProvider(Provider) == STATUS_PENDING);
    NT_VERIFY(NmrWaitForProviderDeregisterComplete(Provider) == STATUS_SUCCESS);
    KeWaitForSingleObject(&Worked, Executive, KernelMode, FALSE, NULL);
    NT_VERIFY(NmrDeregisterClient(Client) == STATUS_PENDING);
    NT_VERIFY(NmrWaitForClientDeregisterComplete(Client) == STATUS_SUCCESS);
    IoFreeWorkItem(Item);
    NT_ASSERT(Cleaned == 1);
}

DRIVER_INITIALIZE DriverEntry;
NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    DriverObject->DriverUnload = Unload;
    KeInitializeEvent(&Worked, NotificationEvent, FALSE);
    Item = IoAllocateWorkItem((PDEVICE_OBJECT)&Item);
    NT_VERIFY(NmrRegisterProvider(&ProviderCharacteristics, &ProviderContext, &Provider) == 0);
    NT_VERIFY(NmrRegisterClient(&ClientCharacteristics, &ClientContext, &Client) == 0);
    NT_ASSERT(ClientBinding.PeerContext == &ProviderBinding);
    DbgPrint("%wZ: %u, and %s %lld %#x%%\n", RegistryPath,
             ClientBinding.Peer->Sum(ClientBinding.PeerContext, 1, 2, 3, 4, 5), "so", -6LL, 0x1f);
    return STATUS_SUCCESS;
}

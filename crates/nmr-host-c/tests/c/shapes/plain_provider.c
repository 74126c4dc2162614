/*
 * A provider with a table, whose context of a binding is the handle of the binding. Its characteristics say
 * version 1, as a public module's do, and it has no cleanup callback.
 */
#include "shapes.h"

static const NPI_MODULEID PlainId = MODULE_ID(0x0a);
static HANDLE NmrHandle;
static LONG Opens;

static NTSTATUS PlainOpenVersion(PVOID ProviderBindingContext, ULONG Version, ULONG *Result)
{
    UNREFERENCED_PARAMETER(ProviderBindingContext);
    InterlockedIncrement(&Opens);
    *Result = Version;
    return STATUS_SUCCESS;
}

static VOID PlainClose(PVOID ProviderBindingContext)
{
    UNREFERENCED_PARAMETER(ProviderBindingContext);
    InterlockedDecrement(&Opens);
}

static const PROVIDER_TABLE Dispatch = {1, sizeof(PROVIDER_TABLE), PlainOpenVersion, PlainClose};

static NTSTATUS PlainAttachClient(HANDLE NmrBindingHandle, PVOID ProviderContext,
                                  PNPI_REGISTRATION_INSTANCE Client, PVOID ClientBindingContext,
                                  const VOID *ClientDispatch, PVOID *ProviderBindingContext,
                                  const VOID **ProviderDispatch)
{
    UNREFERENCED_PARAMETER(ProviderContext);
    UNREFERENCED_PARAMETER(Client);
    UNREFERENCED_PARAMETER(ClientBindingContext);
    UNREFERENCED_PARAMETER(ClientDispatch);
    *ProviderBindingContext = NmrBindingHandle;
    *ProviderDispatch = &Dispatch;
    return STATUS_SUCCESS;
}

static NTSTATUS PlainDetachClient(PVOID ProviderBindingContext)
{
    UNREFERENCED_PARAMETER(ProviderBindingContext);
    return STATUS_SUCCESS;
}

static const NPI_PROVIDER_CHARACTERISTICS Characteristics = {
    SHIPPED_VERSION, sizeof(NPI_PROVIDER_CHARACTERISTICS), PlainAttachClient, PlainDetachClient, NULL,
    {0, sizeof(NPI_REGISTRATION_INSTANCE), &SHAPE_NPIID, &PlainId, 0, NULL},
};

static VOID PlainUnload(PDRIVER_OBJECT DriverObject)
{
    NTSTATUS status;
    UNREFERENCED_PARAMETER(DriverObject);
    status = NmrDeregisterProvider(NmrHandle);
    NT_FRE_ASSERT(status == STATUS_PENDING);
    (VOID)NmrWaitForProviderDeregisterComplete(NmrHandle);
    NT_ASSERT(Opens == 0);
#ifdef BUG
    /* Once more, with the handle that it has reset. */
    NmrHandle = NULL;
    (VOID)NmrDeregisterProvider(NmrHandle);
#endif
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = PlainUnload;
    return NmrRegisterProvider(&Characteristics, &NmrHandle, &NmrHandle);
}

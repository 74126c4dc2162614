/* The driver that has the two modules: what Windows calls. */
#include "modules.h"

#define BYTES_PER_CLIENT 100

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

static VOID Exhausted(ULONG Granted)
{
    DbgPrint("quota: exhausted after %u bytes\n", Granted);
}

/* Begins to deregister both modules, and then waits for each that has begun. */
static VOID Unload(PDRIVER_OBJECT DriverObject)
{
    NTSTATUS client = ClientDeregister();
    NTSTATUS provider = ProviderDeregister();
    UNREFERENCED_PARAMETER(DriverObject);
    if (client == STATUS_PENDING) {
        ClientWait();
    }
    if (provider == STATUS_PENDING) {
        ProviderWait();
    }
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    NTSTATUS status = ProviderRegister(BYTES_PER_CLIENT);
    UNREFERENCED_PARAMETER(RegistryPath);
    if (status != STATUS_SUCCESS) {
        return status;
    }
    status = ClientRegister(Exhausted);
    if (status != STATUS_SUCCESS) {
        if (ProviderDeregister() == STATUS_PENDING) {
            ProviderWait();
        }
        return status;
    }
    DriverObject->DriverUnload = Unload;
    /* In the place of a data path: the second is refused. */
    (VOID)ClientSend(60);
    (VOID)ClientSend(60);
    return STATUS_SUCCESS;
}

/* A driver that handles exceptions, for the tests of the loader. It prints how that went. */
#include "seh.h"

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;

/* Mistakes, one at a time, as the value `Mistake` of the registry says. */
#define UNHANDLED 1
#define KERNEL_MEMORY 2
#define FREED_POOL 3
#define RAISED 4
#define CONTINUED 5

/* Older headers do not have them. */
#ifndef RTL_QUERY_REGISTRY_TYPECHECK
#define RTL_QUERY_REGISTRY_TYPECHECK 0x100
#define RTL_QUERY_REGISTRY_TYPECHECK_SHIFT 24
#endif

static VOID Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

static ULONG Mistake(PUNICODE_STRING RegistryPath)
{
    ULONG mistake = 0;
    RTL_QUERY_REGISTRY_TABLE table[2];
    RtlZeroMemory(table, sizeof(table));
    table[0].Flags = RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_TYPECHECK;
    table[0].DefaultType = (REG_DWORD << RTL_QUERY_REGISTRY_TYPECHECK_SHIFT) | REG_NONE;
    table[0].Name = L"Mistake";
    table[0].EntryContext = &mistake;
    (VOID)RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, RegistryPath->Buffer, table, NULL, NULL);
    return mistake;
}

static DECLSPEC_NOINLINE VOID ReadFreed(VOID)
{
    volatile ULONG *freed = ExAllocatePoolWithTag(NonPagedPoolNx, 64, 'hesN');
    if (freed != NULL) {
        ExFreePoolWithTag((PVOID)freed, 'hesN');
        (VOID)Read(freed);
    }
}

static VOID Make(ULONG Which)
{
    __try {
        switch (Which) {
        case UNHANDLED:
            (VOID)Read(NOWHERE);
            break;
        case KERNEL_MEMORY:
            (VOID)Read(KERNEL);
            break;
        case FREED_POOL:
            ReadFreed();
            break;
        case RAISED:
        case CONTINUED:
            ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
            break;
        }
    } __except (Which == UNHANDLED || Which == RAISED ? EXCEPTION_CONTINUE_SEARCH
                : Which == CONTINUED                  ? EXCEPTION_CONTINUE_EXECUTION
                                                      : EXCEPTION_EXECUTE_HANDLER) {
        DbgPrint("wrong: it was handled\n");
    }
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    ULONG mistake = Mistake(RegistryPath);
    DriverObject->DriverUnload = Unload;
    if (mistake != 0) {
        Make(mistake);
        return STATUS_SUCCESS;
    }
    Optimized();
    Plain();
    return STATUS_SUCCESS;
}

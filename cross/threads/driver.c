/* A driver that starts system threads, and uses lists, for the tests of the loader. It prints how that went. */
#include "threads.h"

/* mingw-w64 declares the pointer as imported, so that it is the type itself; with the headers of Windows it is
   *PsThreadType. */
#define THREAD_TYPE ((POBJECT_TYPE)PsThreadType)

DRIVER_INITIALIZE DriverEntry;
static DRIVER_UNLOAD Unload;
static KSTART_ROUTINE Serve;
static KSTART_ROUTINE Return;

/* Mistakes, one at a time, as the value `Mistake` of the registry says. */
#define LEAVE_OBJECT 1
#define LEAVE_THREAD 2
#define END_ENTRY 3
#define EXCEED_LIMIT 4

static ULONG Mistake;

/* A thread that serves until it is asked to end. */
typedef struct {
    KEVENT Wake;
    KEVENT Served;
    BOOLEAN Ends;
    LONG Count;
    PVOID Object;
} SERVER;

static SERVER Server;

/* The thread ends below other functions of the driver. */
static DECLSPEC_NOINLINE VOID End(LONG Count)
{
    DbgPrint("thread ends after %d\n", Count);
    (VOID)PsTerminateSystemThread(STATUS_SUCCESS);
    DbgPrint("wrong: it goes on\n");
}

static VOID Serve(PVOID Context)
{
    SERVER *server = Context;
    for (;;) {
        (VOID)KeWaitForSingleObject(&server->Wake, Executive, KernelMode, FALSE, NULL);
        if (server->Ends) {
            End(server->Count);
        }
        server->Count++;
        KeSetEvent(&server->Served, IO_NO_INCREMENT, FALSE);
    }
}

static VOID Return(PVOID Context)
{
    InterlockedIncrement((LONG *)Context);
}

static BOOLEAN Ask(void)
{
    LARGE_INTEGER minute;
    minute.QuadPart = -600000000LL;
    KeSetEvent(&Server.Wake, IO_NO_INCREMENT, FALSE);
    return KeWaitForSingleObject(&Server.Served, Executive, KernelMode, FALSE, &minute) ==
           STATUS_SUCCESS;
}

/* Starts the server, and keeps a reference to its object. */
static NTSTATUS Start(VOID)
{
    HANDLE handle;
    NTSTATUS status;
    PVOID object;
    CLIENT_ID id = { NULL, NULL };
    KeInitializeEvent(&Server.Wake, SynchronizationEvent, FALSE);
    KeInitializeEvent(&Server.Served, SynchronizationEvent, FALSE);
    status = PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, &id, Serve, &Server);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    Say("client id", id.UniqueProcess != NULL && id.UniqueThread != NULL);
    status = ObReferenceObjectByHandle(handle, THREAD_ALL_ACCESS, THREAD_TYPE, KernelMode, &object,
                                       NULL);
    Say("reference", NT_SUCCESS(status));
    Server.Object = object;
    Say("another type", ObReferenceObjectByHandle(handle, 0, (POBJECT_TYPE)&Server, KernelMode,
                                                  &object, NULL) == STATUS_OBJECT_TYPE_MISMATCH);
    Say("counts", ObReferenceObject(Server.Object) == 2 && ObDereferenceObject(Server.Object) == 1);
    Say("close", ZwClose(handle) == STATUS_SUCCESS);
    Say("closed", ObReferenceObjectByHandle(handle, 0, NULL, KernelMode, &object, NULL) ==
                      STATUS_INVALID_HANDLE);
    return STATUS_SUCCESS;
}

/* A thread whose routine returns. */
static VOID Short(VOID)
{
    HANDLE handle;
    PVOID object;
    LONG count = 0;
    if (!NT_SUCCESS(
            PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, Return, &count))) {
        return;
    }
    (VOID)ObReferenceObjectByHandle(handle, THREAD_ALL_ACCESS, THREAD_TYPE, KernelMode, &object,
                                    NULL);
    (VOID)KeWaitForSingleObject(object, Executive, KernelMode, FALSE, NULL);
    Say("a routine that returns", count == 1);
    if (Mistake == LEAVE_OBJECT) {
        return;
    }
    ObDereferenceObject(object);
    ZwClose(handle);
}

static VOID Stop(VOID)
{
    LARGE_INTEGER now;
    now.QuadPart = 0;
    Say("still there", KeWaitForSingleObject(Server.Object, Executive, KernelMode, FALSE, &now) ==
                           STATUS_TIMEOUT);
    Server.Ends = TRUE;
    KeSetEvent(&Server.Wake, IO_NO_INCREMENT, FALSE);
    Say("wait", KeWaitForSingleObject(Server.Object, Executive, KernelMode, FALSE, NULL) ==
                    STATUS_SUCCESS);
    Say("last reference", ObDereferenceObject(Server.Object) == 0);
}

static VOID Unload(PDRIVER_OBJECT Driver)
{
    UNREFERENCED_PARAMETER(Driver);
    if (Mistake != LEAVE_THREAD) {
        Stop();
    }
}

/* Reads a number of the key `Parameters`; 0 if there is none. */
static ULONG Parameter(PUNICODE_STRING Path, PCWSTR Name)
{
    static UNICODE_STRING parameters = RTL_CONSTANT_STRING(L"Parameters");
    union {
        KEY_VALUE_PARTIAL_INFORMATION Value;
        UCHAR Room[sizeof(KEY_VALUE_PARTIAL_INFORMATION) + sizeof(ULONG)];
    } value;
    OBJECT_ATTRIBUTES attributes;
    UNICODE_STRING name;
    HANDLE root;
    HANDLE key;
    ULONG length;
    ULONG number = 0;
    InitializeObjectAttributes(&attributes, Path, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL,
                               NULL);
    if (!NT_SUCCESS(ZwOpenKey(&root, KEY_READ, &attributes))) {
        return 0;
    }
    InitializeObjectAttributes(&attributes, &parameters, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE,
                               root, NULL);
    if (NT_SUCCESS(ZwOpenKey(&key, KEY_READ, &attributes))) {
        RtlInitUnicodeString(&name, Name);
        if (NT_SUCCESS(ZwQueryValueKey(key, &name, KeyValuePartialInformation, &value, sizeof(value),
                                       &length)) &&
            value.Value.Type == REG_DWORD) {
            number = *(ULONG *)value.Value.Data;
        }
        ZwClose(key);
    }
    ZwClose(root);
    return number;
}

NTSTATUS DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING RegistryPath)
{
    NTSTATUS status;
    Mistake = Parameter(RegistryPath, L"Mistake");
    if (Mistake == END_ENTRY) {
        status = PsTerminateSystemThread(STATUS_SUCCESS);
        Say("not ended", status == STATUS_INVALID_PARAMETER);
    }
    if (Mistake == EXCEED_LIMIT) {
        ExceedLimit();
    }
    Lists();
    Lookasides();
    Mdls();
    Waits();
    Short();
    status = Start();
    if (!NT_SUCCESS(status)) {
        return status;
    }
    Say("served", Ask() && Ask() && Server.Count == 2);
    Driver->DriverUnload = Unload;
    return STATUS_SUCCESS;
}

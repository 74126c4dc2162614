/* Requests that wait in a cancel-safe queue of the I/O manager. */
#include "wdm.h"

static IO_CSQ Queue;
static IO_CSQ Limited;
static LIST_ENTRY Entries;
static KSPIN_LOCK Lock;

static VOID NTAPI Insert(PIO_CSQ Csq, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Csq);
    InsertTailList(&Entries, &Irp->Tail.Overlay.ListEntry);
}

static VOID NTAPI Remove(PIO_CSQ Csq, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Csq);
    RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
}

/* The next request behind one, or the first, of a file if there is one to look for. */
static PIRP NTAPI Peek(PIO_CSQ Csq, PIRP Irp, PVOID File)
{
    PLIST_ENTRY entry = Irp == NULL ? Entries.Flink : Irp->Tail.Overlay.ListEntry.Flink;
    UNREFERENCED_PARAMETER(Csq);
    for (; entry != &Entries; entry = entry->Flink) {
        PIRP next = CONTAINING_RECORD(entry, IRP, Tail.Overlay.ListEntry);
        if (File == NULL || IoGetCurrentIrpStackLocation(next)->FileObject == File) {
            return next;
        }
    }
    return NULL;
}

static VOID NTAPI Acquire(PIO_CSQ Csq, PKIRQL Level)
{
    UNREFERENCED_PARAMETER(Csq);
    KeAcquireSpinLock(&Lock, Level);
}

static VOID NTAPI Release(PIO_CSQ Csq, KIRQL Level)
{
    UNREFERENCED_PARAMETER(Csq);
    KeReleaseSpinLock(&Lock, Level);
}

static VOID NTAPI Canceled(PIO_CSQ Csq, PIRP Irp)
{
    UNREFERENCED_PARAMETER(Csq);
    (VOID)Complete(Irp, STATUS_CANCELLED, 0);
}

/* Takes what comes without a status. */
static NTSTATUS NTAPI InsertLimited(PIO_CSQ Csq, PIRP Irp, PVOID Refusal)
{
    if (Refusal == NULL) {
        Insert(Csq, Irp);
    }
    return (NTSTATUS)(LONG_PTR)Refusal;
}

NTSTATUS QueueInitialize(VOID)
{
    InitializeListHead(&Entries);
    KeInitializeSpinLock(&Lock);
    (VOID)IoCsqInitializeEx(&Limited, InsertLimited, Remove, Peek, Acquire, Release, Canceled);
    return IoCsqInitialize(&Queue, Insert, Remove, Peek, Acquire, Release, Canceled);
}

NTSTATUS QueueAdd(PIRP Irp)
{
    IoCsqInsertIrp(&Queue, Irp, NULL);
    DbgPrint("queued\n");
    return STATUS_PENDING;
}

NTSTATUS QueueTake(PIRP Irp)
{
    PIRP taken = IoCsqRemoveNextIrp(&Queue, NULL);
    if (taken == NULL) {
        return Complete(Irp, STATUS_NO_MORE_ENTRIES, 0);
    }
    (VOID)Complete(taken, STATUS_SUCCESS, 0);
    return Complete(Irp, STATUS_SUCCESS, 0);
}

VOID QueueCleanup(PFILE_OBJECT File)
{
    PIRP irp;
    while ((irp = IoCsqRemoveNextIrp(&Queue, File)) != NULL) {
        (VOID)Complete(irp, STATUS_CANCELLED, 0);
    }
}

/* A request with a context, by which it is taken again at once. */
NTSTATUS QueueContext(PIRP Irp)
{
    IO_CSQ_IRP_CONTEXT context;
    PIRP taken;
    IoCsqInsertIrp(&Queue, Irp, &context);
    taken = IoCsqRemoveIrp(&Queue, &context);
    if (taken != NULL) {
        BOOLEAN right = taken == Irp && IoCsqRemoveIrp(&Queue, &context) == NULL;
        (VOID)Complete(taken, right ? STATUS_SUCCESS : STATUS_INTERNAL_ERROR, 0);
    }
    return STATUS_PENDING;
}

/* A request that a queue takes, and then does not take. */
NTSTATUS QueueLimited(PIRP Irp)
{
    IO_CSQ_IRP_CONTEXT context;
    NTSTATUS taken = IoCsqInsertIrpEx(&Limited, Irp, &context, NULL);
    PIRP same = IoCsqRemoveIrp(&Limited, &context);
    NTSTATUS refused = IoCsqInsertIrpEx(&Limited, Irp, &context, (PVOID)(LONG_PTR)STATUS_DEVICE_BUSY);
    BOOLEAN right = taken == STATUS_SUCCESS && same == Irp && IoCsqRemoveIrp(&Limited, &context) == NULL;
    (VOID)Complete(Irp, right ? refused : STATUS_INTERNAL_ERROR, 0);
    return STATUS_PENDING;
}
